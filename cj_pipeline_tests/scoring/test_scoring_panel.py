"""Several judges in one fit: how sharp each is, whether it weighs, and how far judges agree."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from cj_pipeline.scoring import score_comparisons
from cj_pipeline.scoring.bradley_terry_scores import fit_votes
from cj_pipeline.scoring.judge_agreement import judge_agreement
from cj_pipeline.scoring.pair_fit import pair_fit
from cj_pipeline.scoring.panel import fit_panel
from cj_pipeline.scoring.panel_likelihood import DISCRIMINATION_PRIOR_SD
from cj_pipeline.scoring.splits import split_reliability
from cj_pipeline.scoring.votes import Votes
from cj_pipeline_tests.scoring.simulated_panel import simulate


def votes_of(rows: list[tuple[int, int, float, int]], n_essays: int) -> Votes:
    a, b, outcome, judge = (np.array(column) for column in zip(*rows, strict=True))
    n_judges = int(judge.max()) + 1
    names = tuple(f"judge-{number}" for number in range(n_judges))
    return Votes(a, b, outcome.astype(float), judge, n_essays, names, np.zeros(n_judges, dtype=bool))


def test_discrimination_gives_back_how_sharp_each_judge_was() -> None:
    sharpness = np.array([0.5, 1.0, 2.0])
    judges = fit_votes(simulate(1, n_essays=100, n_pairs=2000, discrimination=sharpness.tolist()).votes).judges
    off = (judges.discrimination - sharpness) / judges.discrimination_standard_error
    assert (np.abs(off) < 3).all()
    assert (judges.discrimination_standard_error / sharpness < 0.12).all()
    assert np.log(judges.discrimination).sum() == pytest.approx(0, abs=1e-9)


def test_equal_judges_are_found_equal_within_their_errors() -> None:
    off = []
    for seed in range(25):
        judges = fit_votes(simulate(seed, discrimination=[1, 1, 1]).votes).judges
        off += ((judges.discrimination - 1) / judges.discrimination_standard_error).tolist()
    assert np.mean(np.abs(off) > 1.96) < 0.13
    assert np.mean(off) == pytest.approx(0, abs=0.25)


def test_the_panels_mode_is_the_one_a_general_optimiser_finds() -> None:
    panel = simulate(3, n_essays=12, n_pairs=50, discrimination=[0.6, 1.0, 1.5], orders=[-0.5, 0.0, 0.8])
    votes = panel.votes
    fit = fit_panel(votes.essay_a, votes.essay_b, votes.outcome, votes.judge, np.zeros(12, dtype=int), 3, prior_sd=3.0)

    def loss(point: np.ndarray) -> float:
        scores, orders, free = point[:12], point[12:15], point[15:]
        logs = np.array([free[0], free[1], -free[0] - free[1]])
        slope = np.exp(logs)[votes.judge]
        logit = slope * (scores[votes.essay_a] - scores[votes.essay_b]) + orders[votes.judge]
        prior = (scores @ scores + orders @ orders) / 9 + logs @ logs / DISCRIMINATION_PRIOR_SD**2
        return float(np.logaddexp(0, logit).sum() - votes.outcome @ logit + 0.5 * prior)

    found = minimize(loss, np.zeros(17), method="BFGS", options={"gtol": 1e-7})
    assert fit.scores == pytest.approx(found.x[:12] - found.x[:12].mean(), abs=1e-4)
    assert fit.orders == pytest.approx(found.x[12:15], abs=1e-4)
    assert np.log(fit.discriminations[:2]) == pytest.approx(found.x[15:], abs=1e-4)
    assert fit.gradient_norm < 1e-7
    assert np.log(fit.discriminations).sum() == pytest.approx(0, abs=1e-9)


def test_a_coin_among_judges_moves_the_scores_less_when_judges_weigh() -> None:
    plain, weighed = [], []
    for seed in range(8):
        panel = simulate(seed, n_essays=40, n_pairs=140, discrimination=[1.2, 1.2, 0.0])
        plain.append(np.corrcoef(fit_votes(panel.votes).scores, panel.truth)[0, 1])
        weighed.append(np.corrcoef(fit_votes(panel.votes, discrimination=True).scores, panel.truth)[0, 1])
    assert np.mean(weighed) > np.mean(plain) + 0.01


def test_judges_weigh_only_when_asked_and_one_judge_never() -> None:
    panel, alone = simulate(1, discrimination=[0.6, 1.6]).votes, simulate(1).votes
    assert not fit_votes(panel).uses_discrimination
    assert fit_votes(panel, discrimination=True).uses_discrimination
    one = fit_votes(alone, discrimination=True)
    assert not one.uses_discrimination
    assert np.isnan(one.judges.discrimination).all()
    assert one.scores == pytest.approx(fit_votes(alone).scores)


def test_a_weighed_scale_has_the_same_figures_as_any_other() -> None:
    panel = simulate(2, n_essays=30, n_pairs=240, discrimination=[0.7, 1.0, 1.4])
    plain, weighed = fit_votes(panel.votes), fit_votes(panel.votes, discrimination=True)
    assert np.corrcoef(plain.scores, weighed.scores)[0, 1] > 0.97
    assert (weighed.standard_errors > 0).all()
    assert (weighed.unshrunk_standard_errors > weighed.standard_errors).all()
    assert weighed.scores.sum() == pytest.approx(0, abs=1e-9)
    assert weighed.gradient_norm < 1e-6
    assert 0.7 < weighed.reliability < 1
    assert weighed.judges.infit == pytest.approx(np.ones(3), abs=0.35)


@pytest.mark.heavy
def test_intervals_of_a_weighed_scale_cover_as_they_say() -> None:
    covered = []
    for seed in range(150):
        panel = simulate(seed, n_essays=40, n_pairs=280, discrimination=[0.6, 1.0, 1 / 0.6])
        fit = fit_votes(panel.votes, discrimination=True)
        covered.append(np.abs(fit.scores - panel.truth + panel.truth.mean()) < 1.96 * fit.standard_errors)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_a_crowd_has_discriminations_too() -> None:
    panel = simulate(4, n_essays=40, n_pairs=780, discrimination=[1.0] * 39 + [0.0])
    judges = fit_votes(panel.votes).judges
    assert judges.discrimination.argmin() == 39
    assert judges.infit_z.argmax() == 39
    assert judges.discrimination[:39].mean() == pytest.approx(1, abs=0.1)


def test_judges_who_say_the_same_agree_fully_and_opposites_not_at_all() -> None:
    #          judge 0              judge 1, seats exchanged   judge 2, contrary
    rows = [(0, 1, 1.0, 0), (1, 2, 1.0, 0), (2, 0, 1.0, 0), (3, 0, 0.5, 0)]
    rows += [(1, 0, 0.0, 1), (2, 1, 0.0, 1), (0, 2, 0.0, 1)]
    rows += [(0, 1, 0.0, 2), (1, 2, 0.0, 2), (2, 0, 0.0, 2), (0, 3, 1.0, 2)]
    found = {(row.one, row.other): row for row in judge_agreement(votes_of(rows, 4))}
    assert (found[0, 1].pairs, found[0, 1].agreement, found[0, 1].kappa) == (3, 1.0, 1.0)
    assert (found[0, 2].pairs, found[0, 2].agreement) == (4, 0.0)
    assert found[0, 2].kappa < 0


def test_kappa_is_cohens() -> None:
    """20 and 15 agreed, 5 and 10 crossed: chance agrees in .5 x .6 + .5 x .4, so kappa is (.7 - .5) / (1 - .5)."""
    verdicts = [(1.0, 1.0)] * 20 + [(1.0, 0.0)] * 5 + [(0.0, 1.0)] * 10 + [(0.0, 0.0)] * 15
    rows = [
        (0, essay, outcome, judge) for essay, both in enumerate(verdicts, start=1) for judge, outcome in enumerate(both)
    ]
    (row,) = judge_agreement(votes_of(rows, 51))
    assert row.agreement == pytest.approx(0.70)
    assert row.kappa == pytest.approx(0.40)


def test_judges_without_a_shared_pair_are_not_compared() -> None:
    assert judge_agreement(votes_of([(0, 1, 1.0, 0), (1, 2, 1.0, 1)], 3)) == []


def test_reliability_by_halves_of_the_judges_is_near_the_squared_correlation_with_the_truth() -> None:
    claimed, true = [], []
    for seed in range(6):
        panel = simulate(seed, n_essays=40, n_pairs=150, discrimination=[1, 1, 1, 1])
        split = split_reliability(panel.votes)
        assert (split.by, split.splits) == ("judges", 3)
        claimed.append(split.reliability)
        true.append(np.corrcoef(fit_votes(panel.votes).scores, panel.truth)[0, 1] ** 2)
    assert np.mean(claimed) == pytest.approx(np.mean(true), abs=0.06)


def test_judges_of_different_minds_are_not_reliable_however_steady_each_is() -> None:
    one, other = simulate(1, n_pairs=600).votes, simulate(2, n_pairs=600).votes
    both = Votes(
        np.append(one.essay_a, other.essay_a),
        np.append(one.essay_b, other.essay_b),
        np.append(one.outcome, other.outcome),
        np.append(one.judge, other.judge + 1),
        one.n_essays,
        ("first", "second"),
        np.array([False, False]),
    )
    assert split_reliability(one).reliability > 0.8
    assert abs(split_reliability(both).correlation) < 0.5


def test_one_judge_is_split_by_its_comparisons_and_the_label_says_so() -> None:
    split = split_reliability(simulate(1).votes)
    assert split.by == "comparisons"
    assert split.splits == 100
    assert split == split_reliability(simulate(1).votes)


def test_coin_tosses_have_no_split_reliability() -> None:
    found = [split_reliability(simulate(seed, discrimination=[0, 0, 0, 0]).votes).correlation for seed in range(10)]
    assert np.mean(found) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("rows", [[(0, 1, 1.0, 0)], [(0, 1, 1.0, 0), (0, 1, 0.0, 1)]])
def test_too_few_votes_have_no_split(rows: list[tuple[int, int, float, int]]) -> None:
    assert np.isnan(split_reliability(votes_of(rows, 4)).reliability)


def test_the_planted_contradiction_is_the_most_surprising_pair() -> None:
    panel = simulate(5, n_essays=30, n_pairs=300)
    votes, truth = panel.votes, panel.truth
    planted = int(np.argmax(truth[votes.essay_a] - truth[votes.essay_b]))
    votes.outcome[planted] = 0.0
    fit = fit_votes(votes)
    found = pair_fit(votes, fit.probability, most=10)
    assert {int(found.essay_a[0]), int(found.essay_b[0])} == {int(votes.essay_a[planted]), int(votes.essay_b[planted])}
    assert found.essay_a.size == 10
    assert np.abs(found.surprise[0]) > 3


def test_a_pairs_residuals_are_those_of_its_votes_in_either_seat() -> None:
    votes = votes_of([(0, 1, 1.0, 0), (1, 0, 1.0, 0), (0, 1, 0.5, 0)], 2)
    found = pair_fit(votes, np.array([0.8, 0.4, 0.8]))
    assert found.wins_a.tolist() == [1.5]
    assert found.expected_wins_a == pytest.approx([0.8 + 0.6 + 0.8])
    information = 0.16 + 0.24 + 0.16
    assert found.infit == pytest.approx([(0.04 + 0.36 + 0.09) / information])
    assert found.outfit == pytest.approx([(0.04 / 0.16 + 0.36 / 0.24 + 0.09 / 0.16) / 3])
    assert found.surprise == pytest.approx([(1.5 - 2.2) / np.sqrt(information)])


def test_leverage_is_that_of_the_hat_matrix() -> None:
    panel = simulate(6, n_essays=20, n_pairs=150)
    votes = panel.votes
    fit = fit_votes(votes)
    design = np.zeros((votes.outcome.size, 20))
    rows = np.arange(votes.outcome.size)
    design[rows, votes.essay_a], design[rows, votes.essay_b] = 1, -1
    weight = fit.probability * (1 - fit.probability)
    inverse = np.linalg.inv((design.T * weight) @ design + np.eye(20) / 9)
    hat = weight * np.einsum("ij,jk,ik->i", design, inverse, design)
    exact = [hat[(votes.essay_a == essay) | (votes.essay_b == essay)].mean() for essay in range(20)]
    assert fit.leverage == pytest.approx(exact, rel=0.1)
    assert fit.probability == pytest.approx(
        expit(fit.scores[votes.essay_a] - fit.scores[votes.essay_b] + fit.order_effect)
    )


def test_a_score_that_hangs_on_one_answer_has_the_largest_leverage() -> None:
    scale = score_comparisons(
        [0, 1, 2, 0, 1, 2, 3], [1, 2, 0, 2, 0, 1, 0], [1, 1, 0, 1, 0, 0, 1], [0] * 7, 5, n_judges=1
    )
    assert np.nanargmax(scale.leverage) == 3
    assert np.isnan(scale.leverage[4])
