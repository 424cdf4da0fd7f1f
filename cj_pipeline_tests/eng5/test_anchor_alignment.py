"""Anchor alignment: what a judge makes of graded essays, against targets, against its last run, and side by side."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.definitions import defs
from cj_pipeline.defs.stages import PLAN, PURCHASE
from cj_pipeline.eng5.anchor_findings import CHECKS, NOT_ALIGNED, alignment_findings, sign_test
from cj_pipeline.eng5.anchor_run import gather_anchor_run, rank_on
from cj_pipeline.findings import Finding
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.scales import BUILT_IN_SCALES
from cj_pipeline_tests.eng5.anchors import FIVE, anchor_batch
from cj_pipeline_tests.eng5.profile_runs import materialise
from cj_pipeline_tests.installation import Installation, small_batch


def run(installation: Installation, batch_id: str, *, new_revision: bool = False) -> None:
    """As far as the scores."""
    deployment = installation.deployment
    if new_revision:
        open_revision(deployment.ledger, deployment.batch(batch_id), new_revision=True)
        deployment.keep_tables_of_earlier_revision(batch_id)
    assert materialise(batch_id, (*PLAN, *PURCHASE, "judgments", "bradley_terry_scores")).success


def found(installation: Installation, batch_id: str) -> dict[str, Finding]:
    deployment = installation.deployment
    return {one.name: one for one in alignment_findings(deployment, deployment.batch(batch_id))}


def red(installation: Installation, batch_id: str) -> set[str]:
    return {name for name, one in found(installation, batch_id).items() if not one.passed}


def test_a_judge_that_agrees_with_the_grades_meets_every_target(installation: Installation) -> None:
    """Five anchors in order: tau 1.000 and no inversion, as the predecessor recorded of its batch 147."""
    anchor_batch(installation.batches / "in-order", checks="max_zero_wins = 1")  # one of five must lose to all
    run(installation, "in-order")
    numbers = {name: dict(one.numbers) for name, one in found(installation, "in-order").items()}
    assert numbers["anchors_aligned"] == {"kendall_tau": 1.0, "min_tau": 0.9, "anchors": 5}
    assert numbers["few_inversions"]["inversions"] == 0
    assert red(installation, "in-order") == set()


def test_one_swap_of_neighbours_is_tau_point_eight_and_one_inversion(installation: Installation) -> None:
    """As the predecessor recorded of its batches 148 and 149: tau .800, one inversion; below the target of .90."""
    anchor_batch(installation.batches / "swapped", ranking=["a5", "a4", "a2", "a3", "a1"])
    run(installation, "swapped")
    claims = found(installation, "swapped")
    assert claims["anchors_aligned"].numbers["kendall_tau"] == pytest.approx(0.8)
    assert claims["few_inversions"].summary == "1 pairs inverted, at most 1: a2 over a3"
    assert claims["every_anchor_wins"].summary == "1 anchors never won, at most 0: a1"
    assert red(installation, "swapped") == {"anchors_aligned", "every_anchor_wins"}


def test_the_targets_are_the_manifest_s(installation: Installation) -> None:
    lenient = "min_tau = 0.8\nmax_inversions = 1\nmax_zero_wins = 1"
    anchor_batch(installation.batches / "lenient", ranking=["a5", "a4", "a2", "a3", "a1"], checks=lenient)
    anchor_batch(installation.batches / "strict", ranking=["a5", "a4", "a2", "a3", "a1"], checks="max_inversions = 0")
    for batch_id in ("lenient", "strict"):
        run(installation, batch_id)
    assert red(installation, "lenient") == set()
    assert red(installation, "strict") == {"anchors_aligned", "few_inversions", "every_anchor_wins"}


def test_a_batch_with_pupils_or_without_a_scale_is_no_alignment_run(installation: Installation) -> None:
    small_batch(installation.batches / "pupils")
    run(installation, "pupils")
    assert {one.summary for one in found(installation, "pupils").values()} == {NOT_ALIGNED}
    assert red(installation, "pupils") == set()


def test_the_last_run_is_the_batch_s_earlier_revision(installation: Installation) -> None:
    folder = anchor_batch(installation.batches / "twice", checks="min_tau = 0.5\nmax_zero_wins = 1")
    run(installation, "twice")
    assert found(installation, "twice")["no_regression"].summary == "there is no earlier run to be held against"
    (folder / "rubric.md").write_text("Say it otherwise.", "utf-8")
    votes = (folder / "votes.csv").read_text("utf-8").replace("a3,a2,a3", "a3,a2,a2").replace("a5,a4,a5", "a5,a4,a4")
    (folder / "votes.csv").write_text(votes, "utf-8")
    run(installation, "twice", new_revision=True)
    regression = found(installation, "twice")["no_regression"]
    assert not regression.passed
    assert regression.numbers["kendall_tau_before"] == 1.0
    assert regression.numbers["kendall_tau"] == pytest.approx(0.6)
    assert regression.numbers["drop"] == pytest.approx(0.4)
    assert (regression.numbers["newly_inverted"], regression.numbers["no_longer_inverted"]) == (2, 0)
    assert regression.numbers["p_worse"] == 0.25


def test_a_named_batch_is_the_last_run_over_the_anchors_both_have(installation: Installation) -> None:
    six = {**FIVE, "a6": "C-"}
    anchor_batch(installation.batches / "before", six, ranking=["a1", "a6", "a5", "a4", "a3", "a2"])
    anchor_batch(installation.batches / "after", checks='regression_from = "before"\nmax_zero_wins = 1')
    for batch_id in ("before", "after"):
        run(installation, batch_id)
    regression = found(installation, "after")["no_regression"]
    assert regression.passed
    assert "over 5 shared anchors" in regression.summary
    assert regression.numbers["kendall_tau_before"] == pytest.approx(0.2)  # a1 first: 4 of 10 pairs wrong
    assert regression.numbers["no_longer_inverted"] == 4


def test_every_claim_is_an_asset_check_that_fails_the_run() -> None:
    keys = defs.resolve_asset_graph().asset_check_keys
    assert {f"batch_report:{name}" for name in CHECKS} <= {key.to_user_string() for key in keys}


@given(st.sampled_from(sorted(BUILT_IN_SCALES)))
def test_the_best_grade_of_every_scale_has_rank_0_and_an_unknown_one_is_worse_than_all(name: str) -> None:
    scale = BUILT_IN_SCALES[name]
    ranks = [rank_on(scale, grade) for grade in reversed(scale.labels)]
    assert ranks == list(range(len(scale.labels)))
    assert rank_on(scale, "no such grade") > max(ranks)


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_sign_test_of_both_sides_covers_the_even_case_twice(worse: int, better: int) -> None:
    """P(X >= k) + P(X <= k) = 1 + P(X = k), and the second by symmetry is the test the other way round."""
    from scipy.stats import binom

    even = binom.pmf(worse, worse + better, 0.5)
    assert sign_test(worse, better) + sign_test(better, worse) == pytest.approx(1 + even)


def test_a_run_counts_its_ties_and_failures_as_asked_and_not_as_met(installation: Installation) -> None:
    folder = anchor_batch(installation.batches / "gaps", checks="min_tau = 0.0\nmax_zero_wins = 5")
    lines = Path(folder / "votes.csv").read_text("utf-8").splitlines(keepends=True)
    (folder / "votes.csv").write_text("".join(lines[:-1]), "utf-8")  # a pair that nobody voted on is refused
    run(installation, "gaps")
    deployment = installation.deployment
    gathered = gather_anchor_run(deployment, deployment.batch("gaps"))
    assert (gathered.asked, gathered.alignment.comparisons) == (10, 9)
