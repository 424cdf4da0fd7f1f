"""Anchors as they should not be: few, alike, at one end, wrong, apart. Grades widen, or are refused by name."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.validity.batches import SCALE, Design, draw
from benchmarks.validity.judges import COIN, ORDINARY, SHARP
from cj_pipeline.emulator.judges.lexical import features
from cj_pipeline.grading import GradeProjection, NotGradable, own_scale, project_grades
from cj_pipeline.grading.probabilities import least_mass, shortest_ranges
from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.scoring import score_comparisons

DRAWN = draw(Design(), SHARP, 3)
FIT = DRAWN.fit()
MERLIN = Path(__file__).parents[2] / "data" / "samples" / "merlin-german"


def graded_by(anchors: list[int]) -> GradeProjection:
    """With these of the twelve anchors only."""
    return project_grades(FIT, anchors, DRAWN.given[anchors], SCALE)


def widths(projection: GradeProjection) -> float:
    return float((projection.range_high - projection.range_low + 1)[12:].mean())


def test_two_anchors_are_a_named_refusal() -> None:
    with pytest.raises(NotGradable, match="2 of 2 anchors have comparisons; grades need at least 3"):
        graded_by([0, 11])


def test_anchors_of_one_grade_are_a_named_refusal() -> None:
    with pytest.raises(NotGradable, match="anchors of 1 grade only"):
        project_grades(FIT, [0, 5, 11], [4, 4, 4], SCALE)


def test_anchors_at_one_end_give_wider_ranges_at_the_other() -> None:
    low_end, all_over = graded_by([0, 1, 2, 3, 4]), graded_by(list(range(12)))
    best = 12 + np.argsort(-DRAWN.quality[12:])[:6]
    spread = [(one.range_high - one.range_low)[best].mean() for one in (low_end, all_over)]
    assert spread[0] > spread[1]
    assert low_end.threshold_standard_errors[-1] > 2 * all_over.threshold_standard_errors[-1]
    assert low_end.threshold_standard_errors[-1] > low_end.threshold_standard_errors[0]


def test_fewer_anchors_give_wider_ranges() -> None:
    assert widths(graded_by([0, 3, 8, 11])) > widths(graded_by(list(range(12))))


@pytest.mark.parametrize(("anchor", "grade"), [(0, 8), (11, 0), (4, 8), (6, 0)])
def test_one_anchor_with_a_wrong_label_is_named_and_withholds(anchor: int, grade: int) -> None:
    given = DRAWN.given.copy()
    given[anchor] = grade
    gate = project_grades(FIT, DRAWN.anchors, given, SCALE).gate
    assert not gate.passes
    assert gate.largest_deviation_anchor == anchor
    assert "off the band" in str(gate.reason)


def test_one_anchor_a_grade_off_changes_little() -> None:
    given = DRAWN.given.copy()
    given[5] += 1
    odd, right = project_grades(FIT, DRAWN.anchors, given, SCALE), graded_by(list(range(12)))
    assert odd.gate.passes
    assert np.abs(odd.grade - right.grade)[12:].max() <= 1


def test_four_anchors_must_be_in_perfect_order() -> None:
    assert graded_by([0, 4, 7, 11]).gate.passes
    swapped = project_grades(FIT, [0, 4, 7, 11], [0, 5, 4, 8], SCALE).gate
    assert swapped.chance == pytest.approx(2 / 24)
    assert "shuffled" in str(swapped.reason)


def test_three_anchors_must_be_in_perfect_order_too() -> None:
    gate = project_grades(FIT, [0, 5, 11], [0, 8, 4], SCALE).gate
    assert gate.chance > 1 / 6
    assert not gate.passes


def test_three_anchors_are_told_from_chance_by_their_errors() -> None:
    assert graded_by([0, 5, 11]).gate.passes
    tossed = [draw(Design(anchors=3), COIN, seed) for seed in range(40)]
    reasons = [one.projection(one.fit()).gate.reason for one in tossed]
    assert sum(reason is None for reason in reasons) <= 6
    assert any("no more than with shuffled ones" in str(reason) for reason in reasons)


def test_the_word_counter_on_real_texts_passes_with_ranges_that_know_what_it_is_worth() -> None:
    """It orders learner German by length and vocabulary: its own scale, near that of the grades, and noisy."""
    essays, grades = _merlin()
    scale = own_scale(["A1", "A2", "B1", "B2", "C1"])
    quality = np.array([features(text).quality for text in essays.values()])
    first, second = plan_single_wave(25, 12, 259, 20261122)
    won = (np.random.default_rng(1).random(first.size) < expit(quality[first] - quality[second])).astype(float)
    fit = score_comparisons(first, second, won, np.zeros(first.size, dtype=int), 37, n_judges=1)
    known = np.array([scale.grade_index(grade) for grade in grades])
    projection = project_grades(fit, np.arange(12), known[:12], scale)
    assert projection.gate.passes
    assert projection.leave_one_out.adjacent >= 0.8
    held = (projection.range_low <= known) & (known <= projection.range_high)
    assert held[12:].mean() >= 0.7
    assert projection.discrepancy > 0.2 * np.diff(projection.thresholds).mean()


def test_groups_that_never_met_are_graded_by_their_own_anchors_or_not_at_all() -> None:
    """Six anchors of one group of essays, two of the other."""
    one, other = draw(Design(essays=20, anchors=6), ORDINARY, 1), draw(Design(essays=20, anchors=6), ORDINARY, 2)
    first = np.concatenate([one.first, other.first + 20])
    second = np.concatenate([one.second, other.second + 20])
    won = np.concatenate([one.won, other.won])
    fit = score_comparisons(first, second, won, np.zeros(first.size, dtype=int), 40, n_judges=1)
    anchors, grades = [*range(6), 20, 21], [*one.given.tolist(), *other.given[:2].tolist()]
    projection = project_grades(fit, anchors, grades, SCALE)
    here, there = (fit.component == fit.component[item] for item in (0, 20))
    assert (projection.grade[here] >= 0).all()
    assert (projection.grade[there] == -1).all()
    assert all("2 usable anchors" in str(projection.ungraded_reason[item]) for item in np.flatnonzero(there))


def test_the_least_mass_is_the_lowest_that_holds_enough_on_average() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(5), size=40)
    centre = probabilities.argmax(axis=1)
    cumulated = np.pad(probabilities.cumsum(axis=1), ((0, 0), (1, 0)))

    def held(mass: float) -> float:
        low, high = shortest_ranges(probabilities, centre, mass)
        return float((cumulated[np.arange(40), high + 1] - cumulated[np.arange(40), low]).mean())

    least = least_mass(probabilities, centre, 0.8)
    assert held(least) >= 0.8
    assert held(least - 0.02) < 0.8


def test_one_pupil_alone_has_a_range_of_at_least_four_fifths() -> None:
    least = least_mass(np.array([[0.1, 0.5, 0.3, 0.1]]), np.array([1]), 0.8)
    assert least == pytest.approx(0.8)


def _merlin() -> tuple[dict[str, str], list[str]]:
    """Texts by id, anchors first, and the grades of all."""
    tables = {}
    for name in ("essays", "anchors", "known_grades"):
        with (MERLIN / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            tables[name] = {row["essay_id"]: row for row in csv.DictReader(lines)}
    ids = [*sorted(tables["anchors"]), *sorted(tables["known_grades"])]
    grades = tables["anchors"] | tables["known_grades"]
    return {essay: tables["essays"][essay]["text"] for essay in ids}, [grades[essay]["grade"] for essay in ids]
