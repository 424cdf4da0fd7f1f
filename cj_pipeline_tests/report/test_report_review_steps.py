"""What re-reading buys, as a short table on the report."""

import pytest

from cj_pipeline.report.figures import essay_figures, review
from cj_pipeline.report.page import render_report
from cj_pipeline.report.review_steps import review_steps
from cj_pipeline_tests.report.evidence_factory import make_evidence


def test_each_step_says_what_is_left_and_what_reading_by_lot_would_leave() -> None:
    reread = review(essay_figures(make_evidence(pupils=25, ungraded=1)))
    steps = review_steps(reread)
    assert [step.scripts for step in steps] == [3, 5, 8, 12]
    for step in steps:
        assert step.before == reread.expected_wrong[0]
        assert step.after == reread.expected_wrong[step.scripts]
        assert step.by_lot == pytest.approx(step.before * (1 - step.scripts / 24))
        assert step.after <= step.by_lot


def test_a_class_of_three_has_no_two_rows_of_one_script() -> None:
    steps = review_steps(review(essay_figures(make_evidence(pupils=3, ungraded=0))))
    assert [step.scripts for step in steps] == [1, 2]


def test_without_graded_pupils_there_is_no_table() -> None:
    assert review_steps(review(essay_figures(make_evidence(withheld="the anchors are out of order")))) == []


def test_the_report_shows_the_steps() -> None:
    page = render_report(make_evidence())
    assert "What re-reading buys" in page
    assert "after as many by lot" in page
