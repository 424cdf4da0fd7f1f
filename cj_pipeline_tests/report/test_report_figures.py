"""The figures behind the sentences."""

import math

import pytest

from cj_pipeline.report.figures import (
    Outcome,
    anchor_accuracy,
    batch_state,
    calibrated_component,
    essay_figures,
    first_wins,
    judge_figures,
    known_agreement,
    review,
    seat_differences,
)
from cj_pipeline_tests.report.evidence_factory import FINDINGS, GATE, LABELS, make_evidence, with_table


def test_the_ranking_is_complete_best_first_and_ends_with_what_has_no_rank() -> None:
    rows = essay_figures(make_evidence(ungraded=3))
    assert len({row.essay_id for row in rows}) == 37
    scores = [row.score for row in rows if row.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert [row.rank for row in rows[-3:]] == [None, None, None]


def test_re_reading_down_the_list_never_adds_errors_and_ends_with_none() -> None:
    reread = review(essay_figures(make_evidence()))
    left = list(reread.expected_wrong)
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    assert len(left) == len(reread.graded) + 1 == 25
    assert reread.first == 5
    assert not any(row.is_anchor for row in (*reread.graded, *reread.ungraded))


def test_the_list_begins_with_what_matters_most() -> None:
    priorities = [row.priority or 0 for row in review(essay_figures(make_evidence())).graded]
    assert priorities == sorted(priorities, reverse=True)


def test_only_an_essay_beyond_the_misfit_limit_of_the_scores_is_marked() -> None:
    rows = essay_figures(make_evidence())
    assert [row.infit for row in rows if row.misfit] == [2.31]


def test_the_state_is_withheld_only_when_a_gate_is_red_and_nobody_overrode_it() -> None:
    withheld = make_evidence(findings=(*FINDINGS, GATE), withheld="because")
    state = batch_state(withheld, essay_figures(withheld))
    assert (state.outcome, state.gates, state.reason) == (Outcome.WITHHELD, ("anchors_in_order",), GATE.summary)
    scored = make_evidence(anchors=0)
    assert batch_state(scored, essay_figures(scored)).outcome is Outcome.SCORED
    silent = make_evidence(answered=False)
    assert batch_state(silent, essay_figures(silent)).outcome is Outcome.UNANSWERED


def test_anchors_that_could_not_be_projected_are_counted_apart() -> None:
    evidence = with_table(
        make_evidence(),
        "anchor_projections",
        lambda row: {**row, "projected_grade": None if row["grade"] == "A" else row["grade"]},
    )
    accuracy = anchor_accuracy(evidence)
    assert accuracy is not None
    assert accuracy.unprojected > 0
    assert accuracy.exact == accuracy.adjacent == accuracy.n == 12 - accuracy.unprojected


def test_grades_that_all_agree_score_one() -> None:
    evidence = make_evidence(ungraded=0)
    truth = {row["essay_id"]: row["grade"] for row in evidence.tables["grade_projections"].to_pylist()}
    agreeing = with_table(
        evidence,
        "essays",
        lambda row: {**row, "known_grade": None if row["is_anchor"] else truth[row["essay_id"]]},
    )
    found = known_agreement(agreeing, essay_figures(agreeing))
    assert found is not None
    assert (found.n, found.exact, found.adjacent, found.mae, found.qwk) == (25, 1, 1, 0, 1)
    assert found.spearman_grades == pytest.approx(1)
    assert found.spearman_scores is not None
    assert found.spearman_scores > 0.9


def test_known_grades_off_the_scale_are_left_out() -> None:
    evidence = with_table(make_evidence(), "essays", lambda row: {**row, "known_grade": "pass"})
    assert known_agreement(evidence, essay_figures(evidence)) is None


def test_the_cuts_belong_to_the_set_with_most_anchors() -> None:
    assert calibrated_component(essay_figures(make_evidence())) == 0
    assert calibrated_component(essay_figures(make_evidence(anchors=0))) is None
    assert calibrated_component(essay_figures(make_evidence(anchors=5, components=2))) == 0


def test_seats_are_counted_per_essay() -> None:
    evidence = make_evidence(pupils=10, anchors=0)
    differences = seat_differences(evidence)
    assert len(differences) == 10
    assert sum(differences) == 0


def test_the_first_of_two_equal_essays_wins_half_the_time_without_an_order_effect() -> None:
    assert first_wins(0) == 0.5
    assert first_wins(math.log(3)) == pytest.approx(0.75)
    assert first_wins(-1e9) == pytest.approx(0)
    assert first_wins(1e9) == pytest.approx(1)


def test_a_judge_is_known_by_what_answered_and_what_did_not() -> None:
    (judge,) = judge_figures(make_evidence())
    assert judge.reported == ("gpt-6-luna-2026-03-01",)
    assert judge.unanswered == {"invalid_verdict": 3}


def test_probabilities_follow_the_scale() -> None:
    rows = [row for row in essay_figures(make_evidence()) if row.grade is not None]
    assert all(len(row.probabilities) == len(LABELS) for row in rows)
    assert all(sum(row.probabilities) == pytest.approx(1) for row in rows)
