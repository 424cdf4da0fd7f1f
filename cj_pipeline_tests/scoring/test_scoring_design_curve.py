"""How well a part of the recorded human votes gives the scale of all of them."""

import pytest

from benchmarks.designs import DESIGNS, PER_ITEM, Curve, curve

pytestmark = pytest.mark.heavy

# Comparisons per item: Spearman and Kendall correlation of one random vote per pair with the scale of all votes,
# 5 repeats of 32 topics, from an independent implementation with scores shrunk by eps = .3.
PUBLISHED = {5: (0.702, 0.526), 10: (0.827, 0.654), 15: (0.880, 0.721), 20: (0.909, 0.760), 30: (0.932, 0.799)}


@pytest.fixture(scope="module")
def curves() -> dict[str, Curve]:
    return {design: curve(design, repeats=5) for design in DESIGNS}


@pytest.mark.parametrize("per_item", PUBLISHED)
def test_the_single_wave_follows_the_reference_curve(curves: dict[str, Curve], per_item: int) -> None:
    ours, place = curves["single wave (ours)"], PER_ITEM.index(per_item)
    spearman, kendall = PUBLISHED[per_item]
    assert ours.spearman[place] == pytest.approx(spearman, abs=0.025)
    assert ours.kendall[place] == pytest.approx(kendall, abs=0.025)


def test_a_single_wave_needs_fewer_comparisons_than_random_pairs(curves: dict[str, Curve]) -> None:
    ours, random = curves["single wave (ours)"], curves["random with replacement"]
    assert all(one > other for one, other in zip(ours.spearman, random.spearman, strict=True))
    assert ours.needed(0.85) < 0.97 * random.needed(0.85)


def test_a_single_wave_gives_away_little_to_an_adaptive_design(curves: dict[str, Curve]) -> None:
    ours, adaptive = curves["single wave (ours)"], curves["adaptive, nearest score"]
    assert ours.needed(0.85) < 1.1 * adaptive.needed(0.85)
