"""The section on budgets: where the batch stands on the curve, and the marks of a topped-up batch."""

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from cj_pipeline.report.budget import budget_figures, new_essays
from cj_pipeline.report.page import render_report
from cj_pipeline_tests.report.evidence_factory import make_evidence, with_table
from cj_pipeline_tests.report.html_reading import read


def test_the_curve_rises_and_holds_the_batch_as_it_was_answered() -> None:
    evidence = make_evidence()
    figures = budget_figures(evidence)
    assert figures is not None
    fit = evidence.tables["scale_fit"].to_pylist()[0]
    assert figures.here.comparisons == fit["comparisons"]
    assert figures.reached == fit["reliability"]
    for judge in ("ordinary", "sharp"):
        promised = [getattr(row, judge).reliability for row in figures.rows]
        assert promised == sorted(promised)
    assert all(row.sharp.reliability > row.ordinary.reliability for row in figures.rows)


def test_the_page_shows_curve_table_and_what_was_reached() -> None:
    page = read(render_report(make_evidence()))
    assert "What other budgets would give" in page.words
    assert "Reliability by comparisons per essay" in page.words
    figures = budget_figures(make_evidence())
    assert figures is not None
    assert f"{figures.here.per_essay:.1f} answered comparisons per essay" in page.words


@pytest.mark.parametrize("essays", [{"pupils": 2, "anchors": 0, "ungraded": 0}])
def test_two_essays_have_no_curve(essays: dict[str, Any]) -> None:
    assert budget_figures(make_evidence(**essays)) is None


def test_a_batch_without_reliability_has_no_curve() -> None:
    evidence = with_table(make_evidence(), "scale_fit", lambda row: {**row, "reliability": None})
    assert budget_figures(evidence) is None
    assert "What other budgets would give" not in read(render_report(evidence)).words


def test_new_essays_are_marked_and_the_judged_batch_is_named() -> None:
    plain = make_evidence()
    essays = plain.tables["essays"]
    own = [plain.batch_id if place >= essays.num_rows - 3 else "winter" for place in range(essays.num_rows)]
    joined = replace(
        plain,
        tables={**plain.tables, "essays": essays.append_column("from_batch", pa.array(own))},
        tops_up="winter, revision abc, ledger version 7",
    )
    assert new_essays(joined) == frozenset(essays["essay_id"].to_pylist()[-3:])
    assert new_essays(plain) == frozenset()
    page = render_report(joined)
    assert page.count(">new</small>") == 2 * 3  # among the grades and in the ranking
    assert "winter, revision abc, ledger version 7" in page
    assert ">new</small>" not in render_report(plain)
