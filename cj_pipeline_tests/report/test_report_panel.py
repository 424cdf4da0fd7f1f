"""The report on a panel: side by side, agreement, length and groups, and where people and models differ."""

import pytest

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.page import render_report
from cj_pipeline.scoring.findings import CHECKS, score_findings
from cj_pipeline_tests.report.evidence_factory import make_evidence, with_table
from cj_pipeline_tests.report.html_reading import read
from cj_pipeline_tests.report.panels import with_panel


def words_of(evidence: Evidence) -> str:
    return read(render_report(evidence)).words


def test_models_and_people_stand_side_by_side_with_their_agreement() -> None:
    words = words_of(with_panel())
    assert "The judges side by side" in words
    assert "teacher 1" in words
    assert "Same verdict on the pairs that both judged" in words
    assert "κ" in words
    assert "Every vote counts alike in the scores" in words


def test_the_disagreements_are_listed_for_pairs_and_for_essays() -> None:
    evidence = with_panel()
    words = words_of(evidence)
    assert "People gave 120 judgments." in words
    assert "Where people and models differ most" in words
    most = next(row for row in evidence.tables["disagreements"].to_pylist() if row["kind"] == "essay")
    assert most["essay_a"] in words[words.index("Essays that people place elsewhere") :]


def test_length_and_groups_are_told_with_what_they_can_show() -> None:
    words = words_of(with_panel())
    assert "one twice as long as the other wins in" in words
    assert "Without known grades this cannot be told from longer essays being better" in words
    assert "school: north" in words
    assert "school: north, by luna" in words


def test_one_judge_is_said_to_agree_with_itself() -> None:
    words = words_of(make_evidence())
    assert "One judge agrees with itself" in words
    assert "The judges side by side" not in words


def test_a_crowd_shows_its_worst_and_counts_the_rest() -> None:
    words = words_of(with_panel(votes=200, names=20))
    assert "10 further judges fit better than these" in words


def test_a_hostile_judge_name_is_only_a_name() -> None:
    evidence = with_panel()
    hostile = '<img src=x onerror="alert(1)">'
    renamed = with_table(
        evidence, "judge_fit", lambda row: {**row, "judge_id": hostile if row["kind"] == "person" else row["judge_id"]}
    )
    page = read(render_report(renamed))
    assert "img" not in page.tags
    assert hostile in page.words


def test_the_findings_are_the_claims_in_their_order() -> None:
    findings = score_findings(with_panel().tables, least_reliability=0.7)
    assert [finding.name for finding in findings] == list(CHECKS)
    red = {finding.name for finding in findings if not finding.passed}
    assert "judges_agree" in red  # verdicts drawn at random have no common order
    assert not {"groups", "length", "converged"} & red


@pytest.mark.parametrize("votes", [0, 1])
def test_few_or_no_votes_of_people_are_no_trouble(votes: int) -> None:
    evidence = with_panel(votes=votes)
    findings = {finding.name: finding for finding in score_findings(evidence.tables, least_reliability=0.7)}
    assert findings["people_agree"].passed
    assert ("too few of essays" in words_of(evidence)) == bool(votes)
