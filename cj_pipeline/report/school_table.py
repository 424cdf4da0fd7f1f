"""What a school opens: a row per essay with grade, range, doubt and what to read again, and one per anchor.

Rows are plain values under keys; `export_words` has their headings.
"""

from typing import Any

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.export_words import WORDS, in_language
from cj_pipeline.report.figures import EssayFigures, anchor_figures, batch_state, essay_figures, review, stored
from cj_pipeline.report.page import flagged
from cj_pipeline.report.words import catalogue
from cj_pipeline.tables import CONTRACTS

Row = dict[str, Any]
GROUP = "group:"  # what stands before the name of a group column in a key, so that it cannot meet one of ours


def essay_sheet(evidence: Evidence) -> list[Row]:
    """Every essay once, best first. Groups (names, classes) stand beside the essay; a `set` where there are several."""
    rows = essay_figures(evidence)
    apart = len({row.component for row in rows if row.score is not None}) > 1
    groups = _groups(evidence)
    remarks = _remarks(evidence, rows)
    words = in_language(WORDS, evidence.language)
    t = catalogue(evidence.language)
    return [
        {
            "essay": row.essay_id,
            **groups[row.essay_id],
            "kind": words["anchor" if row.is_anchor else "pupil"],
            "grade": row.grade,
            "range": None if row.grade_low is None else t.span(row.grade_low, row.grade_high),
            "sure": row.p_exact,
            "reread": "" if row.is_anchor else words["yes" if remarks.get(row.essay_id, ("", False))[1] else "no"],
            "why": _why(row, remarks.get(row.essay_id, ("", False))[0]),
            **({"set": row.component + 1 if row.score is not None else None} if apart else {}),
            "rank": row.rank,
        }
        for row in rows
    ]


def anchor_sheet(evidence: Evidence) -> list[Row]:
    """Every anchor that could be projected, best known grade first."""
    return [
        {
            "essay": row.essay_id,
            "known": row.grade,
            "projected": row.projected_grade,
            "share": row.p_grade,
            "residual": row.residual,
        }
        for row in anchor_figures(evidence)
    ]


def _why(row: EssayFigures, remark: str) -> str | None:
    """The remark of the re-read list and the stage's own reason, each once."""
    reason = row.reason or ""
    return "; ".join(part for part in (remark, "" if reason in remark else reason) if part) or None


def _groups(evidence: Evidence) -> dict[str, Row]:
    essays = stored(evidence, "essays")
    names = [name for name in essays.column_names if name not in CONTRACTS["essays"].names]
    rows = essays.select(["essay_id", *names]).to_pylist()
    return {row.pop("essay_id"): {f"{GROUP}{name}": value for name, value in row.items()} for row in rows}


def _remarks(evidence: Evidence, rows: list[EssayFigures]) -> dict[str, tuple[str, bool]]:
    """Why each listed script is on the re-read list, and whether it is to be read or only carries a remark."""
    lists = flagged(rows, batch_state(evidence, rows), review(rows), catalogue(evidence.language))
    return {item.essay.essay_id: (item.why, name != "more") for name, items in lists.items() for item in items}
