"""Everything a batch needs from its comparisons, at the size of a class and at the edges of sense."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.special import expit

from cj_pipeline.pairing import draw_mirrored_audit, plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import ScaleFit, fit_bradley_terry, score_comparisons


def one_judge(first: ArrayLike, second: ArrayLike, outcome: ArrayLike, n_items: int) -> ScaleFit:
    return score_comparisons(first, second, outcome, np.zeros(np.size(first), dtype=int), n_items, n_judges=1)


def truth_of(n_items: int, seed: int, sigma: float = 1.5) -> FloatArray:
    return np.random.default_rng([seed, 1]).normal(size=n_items) * sigma


def answers(
    first: IntArray,
    second: IntArray,
    truth: FloatArray,
    seed: int,
    gamma: float | FloatArray = 0.0,
) -> FloatArray:
    chance = expit(truth[first] - truth[second] + gamma)
    return (np.random.default_rng([seed, 2]).random(first.size) < chance).astype(float)


def coin_tosses(n_items: int, n_pairs: int, seed: int) -> ScaleFit:
    first, second = plan_single_wave(n_items, 0, n_pairs, seed)
    return one_judge(first, second, answers(first, second, np.zeros(n_items), seed), n_items)


def test_scores_and_errors_are_those_of_the_fit() -> None:
    first, second = plan_single_wave(25, 12, 260, 1)
    outcome = answers(first, second, truth_of(37, 1), 1, gamma=0.4)
    scale, fit = one_judge(first, second, outcome, 37), fit_bradley_terry(first, second, outcome, 37)
    assert scale.scores == pytest.approx(fit.scores)
    assert scale.standard_errors == pytest.approx(fit.standard_errors)
    assert scale.order_effect == pytest.approx(fit.order_effect)
    assert scale.order_effect_standard_error == pytest.approx(fit.order_effect_standard_error)
    assert (scale.phi, scale.n_components, scale.prior_sd) == (1.0, 1, 3.0)


def test_comparisons_and_wins_are_counted_with_ties_as_halves() -> None:
    scale = one_judge([0, 1, 2, 0], [1, 2, 0, 1], [1, 0.5, 0, 0], 4)
    assert scale.comparisons.tolist() == [3, 3, 2, 0]
    assert scale.wins.tolist() == [2.0, 1.5, 0.5, 0.0]
    assert scale.judges.tie_share.tolist() == [0.25]


def test_an_honest_judge_has_infit_near_one_and_a_contrary_one_well_above() -> None:
    first, second = plan_single_wave(80, 0, 1600, 1)
    outcome = answers(first, second, truth_of(80, 1), 1)
    judge = np.arange(first.size) % 4
    contrary = np.where(judge == 3, 1 - outcome, outcome)
    honest = score_comparisons(first, second, outcome, judge, 80, n_judges=4).judges
    mixed = score_comparisons(first, second, contrary, judge, 80, n_judges=4).judges
    assert honest.infit == pytest.approx(np.ones(4), abs=0.15)
    assert mixed.infit[3] > 1.3 > mixed.infit[:3].max()


def test_an_essay_that_beats_the_best_and_loses_to_the_worst_misfits() -> None:
    first, second = plan_single_wave(40, 0, 500, 3)
    truth = np.linspace(-3, 3, 40)
    outcome = answers(first, second, truth, 3)
    strange = (first == 20) | (second == 20)
    better_is_first = truth[first] > truth[second]
    outcome[strange] = np.where(better_is_first, 0.0, 1.0)[strange]
    scale = one_judge(first, second, outcome, 40)
    assert scale.infit.argmax() == 20
    assert scale.outfit.argmax() == 20


def test_each_judge_of_a_panel_has_its_own_order_effect() -> None:
    first, second = plan_single_wave(200, 0, 6000, 1)
    judge = np.arange(first.size) % 3
    gamma = np.array([-1.0, 0.0, 1.5])
    outcome = answers(first, second, truth_of(200, 1), 1, gamma[judge])
    scale = score_comparisons(first, second, outcome, judge, 200, n_judges=3)
    errors = scale.judges.order_effect_standard_error
    assert (np.abs(scale.judges.order_effect - gamma) < 3.5 * errors).all()
    assert errors.max() < 0.1
    assert scale.order_effect == pytest.approx(gamma.mean(), abs=0.15)


def test_a_judge_who_said_nothing_is_not_given_figures() -> None:
    judges = score_comparisons([0, 1], [1, 2], [1, 1], [0, 0], 3, n_judges=2).judges
    assert judges.comparisons.tolist() == [2, 0]
    for figures in (judges.order_effect, judges.order_effect_standard_error, judges.infit, judges.tie_share):
        assert np.isfinite(figures[0])
        assert np.isnan(figures[1])


def test_flips_are_counted_on_mirrored_pairs_only() -> None:
    #          mirrored, flips  mirrored, agrees  mirrored, tie    asked once
    first = np.array([0, 1, 0, 2, 3, 0, 1])
    second = np.array([1, 0, 2, 0, 0, 3, 2])
    outcome = np.array([1, 1, 1, 0, 0.5, 1, 1.0])
    judges = one_judge(first, second, outcome, 4).judges
    assert judges.mirrored_pairs.tolist() == [3]
    assert judges.flip_rate == pytest.approx([(1 + 0 + 0.5) / 3])
    assert 0 < judges.expected_flip_rate[0] < 1
    assert np.isnan(one_judge([0, 1], [1, 2], [1, 1], 3).judges.flip_rate[0])


def test_a_judge_that_obeys_the_model_flips_as_often_as_expected() -> None:
    first, second = plan_single_wave(300, 0, 9000, 1)
    mirrored = draw_mirrored_audit(first, second, 3000, 1)
    first, second = np.append(first, second[mirrored]), np.append(second, first[mirrored])
    judges = one_judge(first, second, answers(first, second, truth_of(300, 1), 1, gamma=0.5), 300).judges
    assert judges.mirrored_pairs.tolist() == [3000]
    assert judges.flip_rate[0] == pytest.approx(judges.expected_flip_rate[0], abs=0.03)


def test_independent_repeats_leave_phi_at_one_and_parrots_raise_it() -> None:
    first, second = plan_single_wave(100, 0, 1000, 1)
    repeats = 5
    many_first, many_second = np.tile(first, repeats), np.tile(second, repeats)
    truth = truth_of(100, 1)
    independent = one_judge(many_first, many_second, answers(many_first, many_second, truth, 1), 100)
    parrot = one_judge(many_first, many_second, np.tile(answers(first, second, truth, 1), repeats), 100)
    once = one_judge(first, second, answers(first, second, truth, 1), 100)
    assert independent.phi == pytest.approx(1.0, abs=0.12)
    assert parrot.phi == pytest.approx(5.0, rel=0.25)
    assert parrot.standard_errors.mean() == pytest.approx(once.standard_errors.mean(), rel=0.25)


def test_correlated_repeats_raise_phi_above_two() -> None:
    first, second = plan_single_wave(200, 0, 2000, 2)
    truth, rng = truth_of(200, 2), np.random.default_rng(2)
    own_view = rng.normal(size=first.size) * 1.5
    chance = np.tile(expit(truth[first] - truth[second] + own_view), 10)
    outcome = (rng.random(chance.size) < chance).astype(float)
    assert one_judge(np.tile(first, 10), np.tile(second, 10), outcome, 200).phi > 2


def test_a_small_audit_of_a_parrot_hardly_moves_the_errors() -> None:
    first, second = plan_single_wave(100, 0, 1000, 1)
    outcome = answers(first, second, truth_of(100, 1), 1)
    audit = draw_mirrored_audit(first, second, 60, 1)
    both = one_judge(
        np.append(first, second[audit]), np.append(second, first[audit]), np.append(outcome, 1 - outcome[audit]), 100
    )
    assert 1.0 < both.phi < 1.2


def test_coin_tosses_have_no_reliability() -> None:
    reliabilities = [coin_tosses(100, 700, seed).reliability for seed in range(60)]
    assert np.mean(reliabilities) <= 0.10
    assert np.quantile(reliabilities, 0.95) <= 0.25


def test_reliability_is_the_squared_correlation_with_the_truth() -> None:
    claimed, true = [], []
    for seed in range(20):
        first, second = plan_single_wave(60, 0, 600, seed)
        truth = truth_of(60, seed)
        scale = one_judge(first, second, answers(first, second, truth, seed), 60)
        claimed.append(scale.reliability)
        true.append(np.corrcoef(scale.scores, truth)[0, 1] ** 2)
    assert np.mean(claimed) == pytest.approx(np.mean(true), abs=0.03)


def test_separation_and_ssr_say_the_same() -> None:
    scale = one_judge(
        *plan_single_wave(30, 0, 300, 1), answers(*plan_single_wave(30, 0, 300, 1), truth_of(30, 1), 1), 30
    )
    assert scale.ssr == pytest.approx(1 - scale.separation**-2)


def test_anchors_and_pupils_are_stretched_alike_in_the_unshrunk_scores() -> None:
    slopes = {"anchors": [], "pupils": []}  # type: dict[str, list[tuple[float, float]]]
    for seed in range(6):
        first, second = plan_single_wave(400, 12, 4500, seed)  # anchors are compared about four times as often
        truth = truth_of(412, seed, sigma=3.0)
        scale = one_judge(first, second, answers(first, second, truth, seed), 412)
        for name, items in (("anchors", slice(0, 12)), ("pupils", slice(12, None))):
            deviation = truth[items] - truth[items].mean()
            slopes[name].append((deviation @ scale.unshrunk_scores[items], deviation @ deviation))
    anchors, pupils = (np.sum(slopes[name], axis=0) for name in ("anchors", "pupils"))
    assert (anchors[0] / anchors[1]) / (pupils[0] / pupils[1]) == pytest.approx(1.0, abs=0.03)


EDGES: dict[str, tuple[list[int], list[int], Sequence[float], int]] = {
    "two essays, one comparison": ([0], [1], [1], 2),
    "two essays, all ties": ([0, 1], [1, 0], [0.5, 0.5], 2),
    "one pair asked twenty times": ([0] * 20, [1] * 20, [1] * 15 + [0] * 5, 2),
    "all ties": ([0, 1, 2], [1, 2, 0], [0.5] * 3, 3),
    "one essay wins everything": ([0, 0, 0, 1], [1, 2, 3, 2], [1, 1, 1, 1], 4),
    "the first seat wins everything": ([0, 1, 2], [1, 2, 0], [1, 1, 1], 3),
    "two groups that never met": ([0, 1, 2, 3], [1, 2, 0, 4], [1, 0, 1, 1], 5),
    "an essay nobody asked about": ([0, 1], [1, 2], [1, 1], 4),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", EDGES)
def test_the_edges_of_sense_give_finite_scores_and_honest_errors(name: str) -> None:
    first, second, outcome, n_items = EDGES[name]
    scale = one_judge(first, second, outcome, n_items)
    compared = np.isin(np.arange(n_items), first + second)
    assert np.isfinite(scale.scores[compared]).all()
    assert (scale.standard_errors[compared] > 0.2).all()
    assert np.isnan(scale.scores[~compared]).all()
    assert np.isnan(scale.standard_errors[~compared]).all()
    assert np.isfinite(scale.order_effect)
    assert scale.order_effect_standard_error > 0
    assert np.isfinite(scale.unshrunk_scores[compared]).all()
    assert (scale.unshrunk_standard_errors[compared] >= scale.standard_errors[compared]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_items", [0, 3])
def test_no_comparisons_at_all_give_no_figures_and_no_error(n_items: int) -> None:
    scale = score_comparisons([], [], [], [], n_items, n_judges=1)
    for figures in (scale.scores, scale.standard_errors, scale.infit, scale.unshrunk_scores):
        assert figures.shape == (n_items,)
        assert np.isnan(figures).all()
    for figure in (scale.order_effect, scale.order_effect_standard_error, scale.reliability, scale.ssr):
        assert np.isnan(figure)
    assert scale.n_components == n_items
    assert np.isnan(scale.judges.order_effect).all()


@pytest.mark.filterwarnings("error")
@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 60), st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_any_comparisons_at_all_have_a_scale(seed: int, n_items: int, size: int, n_judges: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(n_items, size=size)
    second = (first + 1 + rng.integers(n_items - 1, size=size)) % n_items
    outcome = rng.choice([0.0, 0.5, 1.0], size=size, p=rng.dirichlet([1, 1, 1]))
    scale = score_comparisons(first, second, outcome, rng.integers(n_judges, size=size), n_items, n_judges=n_judges)
    compared = scale.comparisons > 0
    assert np.isfinite(scale.scores[compared]).all()
    assert (scale.standard_errors[compared] > 0).all()
    assert np.array_equal(np.isnan(scale.scores), ~compared)
    assert scale.wins.sum() == pytest.approx(size)


def test_groups_that_never_met_are_numbered_by_size_and_centred_apart() -> None:
    scale = one_judge([3, 4, 0], [4, 2, 1], [1, 1, 1], 6)
    assert scale.component.tolist() == [1, 1, 0, 0, 0, 2]
    assert scale.n_components == 3
    assert scale.scores[[0, 1]].sum() == pytest.approx(0, abs=1e-12)
    assert scale.scores[[2, 3, 4]].sum() == pytest.approx(0, abs=1e-12)


def test_judges_outside_their_number_are_refused() -> None:
    with pytest.raises(ValueError, match=r"judges 0\.\.0"):
        score_comparisons([0], [1], [1], [1], 2, n_judges=1)
    with pytest.raises(ValueError, match="judge of each"):
        score_comparisons([0], [1], [1], [0, 0], 2, n_judges=1)
