"""People and models: where they differ comes first, and two scales of one truth differ no more than chance says."""

import numpy as np
import pytest

from cj_pipeline.scoring.bradley_terry_scores import fit_votes
from cj_pipeline.scoring.disagreements import disagreements
from cj_pipeline.scoring.linking import link
from cj_pipeline.scoring.votes import Votes
from cj_pipeline_tests.scoring.simulated_panel import Panel, simulate

PEOPLE = [False, True, True]


def mixed(seed: int, sharpness: float = 0.7, n_pairs: int = 250) -> Panel:
    """One model and two people, who are less sharp."""
    return simulate(seed, n_essays=40, n_pairs=n_pairs, discrimination=[1.5, sharpness, sharpness], people=PEOPLE)


def test_people_who_see_the_same_truth_differ_by_chance_only() -> None:
    far, predicted, correlation = [], [], []
    for seed in range(12):
        found = disagreements(mixed(seed).votes)
        assert found is not None
        far.append(np.mean(np.abs(found.essays.difference) > 1.96 * found.essays.standard_error))
        predicted.append(found.predicted)
        correlation.append(found.correlation)
    assert np.mean(far) == pytest.approx(0.05, abs=0.03)
    assert np.mean(predicted) > 0.65
    assert np.mean(correlation) > 0.75


def test_an_essay_that_people_alone_admire_heads_the_list() -> None:
    panel = mixed(1, n_pairs=400)
    votes, odd = panel.votes, int(np.argmin(panel.truth))
    votes.outcome[votes.by_person & (votes.essay_a == odd)] = 1.0
    votes.outcome[votes.by_person & (votes.essay_b == odd)] = 0.0
    found = disagreements(votes)
    assert found is not None
    assert found.essays.essay_a[0] == odd
    assert found.essays.difference[0] > 2
    assert odd in (found.pairs.essay_a[0], found.pairs.essay_b[0])
    size = np.abs(found.pairs.difference) / found.pairs.standard_error
    assert (np.diff(size) <= 0).all()


def test_pairs_that_no_model_was_asked_about_count() -> None:
    panel = mixed(2)
    votes = panel.votes
    novel = np.flatnonzero(votes.by_person)[:50]
    kept = np.ones(votes.outcome.size, dtype=bool)
    kept[: votes.by_person.argmax()][::3] = False  # a third of the model's pairs go
    found = disagreements(votes.only(kept))
    assert found is not None
    asked = {frozenset(pair) for pair in zip(found.pairs.essay_a, found.pairs.essay_b, strict=True)}
    assert all(frozenset((votes.essay_a[row], votes.essay_b[row])) in asked for row in novel)


def test_a_blunter_scale_is_brought_to_the_units_of_the_other() -> None:
    ratios = []
    for seed in range(6):
        panel = simulate(seed, n_essays=40, n_pairs=780, discrimination=[1.5, 0.5], people=[False, True])
        found = link(panel.votes, panel.votes.by_person)
        assert found is not None
        assert found.sharpness == pytest.approx(1 / 3, abs=0.12)
        ratios.append(np.nanstd(found.one) / np.nanstd(found.other))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.2)


def test_without_people_or_without_models_there_is_nothing_to_compare() -> None:
    votes = mixed(1).votes
    assert disagreements(votes.only(~votes.by_person)) is None
    assert disagreements(votes.only(votes.by_person)) is None


def test_people_on_two_essays_only_are_not_compared() -> None:
    votes = mixed(1).votes
    first_vote = np.zeros(votes.outcome.size, dtype=bool)
    first_vote[int(votes.by_person.argmax())] = True
    assert disagreements(votes.only(~votes.by_person | first_vote)) is None


def test_every_vote_is_its_own_row_in_the_joint_fit() -> None:
    """Two people who answer alike count twice: errors shrink as with twice the comparisons, until phi sees repeats."""
    panel = mixed(3)
    votes = panel.votes
    model = votes.only(~votes.by_person)
    joint, alone = fit_votes(votes), fit_votes(model)
    assert joint.comparisons.sum() == 3 * alone.comparisons.sum()
    assert np.nanmean(joint.standard_errors) < np.nanmean(alone.standard_errors)
    assert isinstance(votes, Votes)
    assert joint.judges.comparisons.tolist() == [250, 250, 250]
