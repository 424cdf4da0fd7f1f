"""What a school opens: a row per essay with grade, range, doubt and what to read again, one per anchor, and one per
essay and pair on which people and models were both heard.

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
LOOK_FROM = 2.0  # standard errors; chance alone passes it once in twenty
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


def differing_essays(evidence: Evidence) -> list[Row]:
    """Every essay that people and models both placed, the clearest difference first; none without people's votes."""
    essays = {row.essay_id: row for row in essay_figures(evidence)}
    words = in_language(WORDS, evidence.language)
    return [
        {
            "essay": row["essay_a"],
            "placed": words["higher" if row["difference"] > 0 else "lower"],
            "gap": row["difference"] / row["standard_error"],
            "look": words["yes" if _stands_out(row) else "no"],
            "votes": row["people_votes"],
            "grade": essays[row["essay_a"]].grade,
            "rank": essays[row["essay_a"]].rank,
        }
        for row in _differing(evidence, "essay")
    ]


def differing_pairs(evidence: Evidence) -> list[Row]:
    """Every pair that people judged, the most surprising first; none without people's votes."""
    words = in_language(WORDS, evidence.language)
    return [
        {
            "essay": row["essay_a"],
            "other": row["essay_b"],
            "people_share": row["people"],
            "models_share": row["models"],
            "gap": row["difference"] / row["standard_error"],
            "look": words["yes" if _stands_out(row) else "no"],
            "votes": row["people_votes"],
        }
        for row in _differing(evidence, "pair")
    ]


def _differing(evidence: Evidence, kind: str) -> list[Row]:
    return [row for row in stored(evidence, "disagreements").to_pylist() if row["kind"] == kind]


def _stands_out(row: Row) -> bool:
    return bool(abs(row["difference"]) > LOOK_FROM * row["standard_error"])


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
