"""What `cj` prints at the end of a run."""

import io
from typing import Any

import pytest
from rich.console import Console

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.terminal import ranking_table, summary_lines
from cj_pipeline_tests.report.evidence_factory import FINDINGS, GATE, OFFLINE, make_evidence


def printed(evidence: Evidence) -> str:
    console = Console(width=140, file=io.StringIO(), force_terminal=True)
    console.print(ranking_table(evidence))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_table_ranks_every_essay_with_grade_range_and_score() -> None:
    shown = printed(make_evidence(pupils=6, anchors=4))
    assert all(f"elev_{number:04d}" in shown for number in range(1, 11))
    assert "80 % range" in shown.replace("\u00a0", " ")
    assert "anchor" in shown


def test_a_batch_without_grades_has_no_grade_columns() -> None:
    assert "grade" not in printed(make_evidence(anchors=0))


def test_the_first_line_names_an_offline_judge() -> None:
    assert summary_lines(make_evidence(judges=(OFFLINE,)))[0] == (
        "OFFLINE BASELINE (lexical): no exam may rest on these results."
    )


def test_the_lines_carry_agreement_anchors_and_the_number_to_re_read() -> None:
    lines = "\n".join(summary_lines(make_evidence())).replace("\u00a0", " ")
    assert "Known grades of 24 pupils’ essays: " in lines
    assert "quadratic weighted kappa" in lines
    assert "Spearman" in lines
    assert "Leave-one-anchor-out: " in lines
    assert " of 12 exact, " in lines
    assert "6 scripts should be re-read by a person (1 without a grade)." in lines


def test_withheld_grades_are_announced_with_the_gate() -> None:
    lines = summary_lines(make_evidence(findings=(*FINDINGS, GATE), withheld="anchors_in_order"))
    assert lines[0] == "Grades are withheld by the check “anchors in order”: " + GATE.summary


@pytest.mark.parametrize("settings", [{"answered": False}, {"pupils": 2, "anchors": 0}, {"components": 3}])
def test_any_batch_can_be_printed(settings: dict[str, Any]) -> None:
    evidence = make_evidence(**settings)
    assert printed(evidence)
    assert summary_lines(evidence)


def test_a_hostile_id_cannot_steer_the_terminal_or_the_markup() -> None:
    shown = printed(make_evidence(pupils=3, anchors=0, name=lambda index: f"[red]\x1b]0;owned\x07\u202e{index}"))
    assert "[red]" in shown
    assert "\x1b]0;" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
