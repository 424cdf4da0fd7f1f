"""The Excel workbook of a batch, a sheet per table of `school_table`. Numbers are numbers, no text is a formula."""

import re
from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from typing import Any

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.export_words import HEADINGS, MEANINGS, WORDS, in_language
from cj_pipeline.report.figures import batch_state, essay_figures, is_overridden, stored
from cj_pipeline.report.page import headline
from cj_pipeline.report.school_table import (
    GROUP,
    Row,
    anchor_sheet,
    differing_essays,
    differing_pairs,
    essay_sheet,
)
from cj_pipeline.report.words import catalogue

EXCEL_CELL_CHARS = 32_767  # longest text of a cell, Excel specifications and limits
ACTIVE = tuple("=+-@\t\r")  # what makes a spreadsheet take a text for a formula (OWASP, CSV injection)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, 2.2
_LIKE_AN_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # ST_Xstring, ECMA-376 part 1, 22.9.2.19
_SIGNED = "+0.0;-0.0;0.0"
_FORMATS = {
    **dict.fromkeys(("sure", "share", "people_share", "models_share"), "0%"),
    **dict.fromkeys(("rank", "set", "votes"), "0"),
    **dict.fromkeys(("residual", "gap"), _SIGNED),
}
_WIDEST, _NARROWEST = 60, 8  # characters


def write_workbook(evidence: Evidence, path: Path, *, with_texts: bool) -> Path:
    """Write the workbook, with a sheet of texts only when asked for. Returns the path.

    Where people judged as well, a sheet of essays and one of pairs show how they differ from the models.
    """
    import openpyxl

    words = in_language(WORDS, evidence.language)
    workbook = openpyxl.Workbook()
    workbook.properties.creator = "cj_pipeline"
    workbook.remove(workbook.active)
    listings = {"essays": essay_sheet(evidence), "anchors": anchor_sheet(evidence)}
    both_heard = {"differing_essays": differing_essays(evidence), "differing_pairs": differing_pairs(evidence)}
    listings |= {name: rows for name, rows in both_heard.items() if rows}
    for name, rows in listings.items():
        _listing(workbook.create_sheet(words[name]), rows, evidence.language)
    columns = {key for rows in listings.values() for row in rows[:1] for key in row}
    _about(workbook.create_sheet(words["about"]), evidence, columns)
    if with_texts:
        _listing(workbook.create_sheet(words["texts"]), _texts(evidence), evidence.language)
    workbook.save(path)
    return path


def _listing(sheet: Any, rows: Sequence[Row], language: str) -> None:
    """A table with its headings frozen and filters on."""
    headings = in_language(HEADINGS, language)
    keys = list(rows[0]) if rows else ["essay"]
    _line(sheet, 1, [key.removeprefix(GROUP) if key.startswith(GROUP) else headings[key] for key in keys], bold=True)
    for number, row in enumerate(rows, start=2):
        _line(sheet, number, [row[key] for key in keys])
        for place, key in enumerate(keys, start=1):
            if key in _FORMATS:
                sheet.cell(number, place).number_format = _FORMATS[key]
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions
    _fit_widths(sheet)


def _about(sheet: Any, evidence: Evidence, columns: Set[str]) -> None:
    """What a reader must know of the figures: where they come from, what they mean, what was checked."""
    words, headings = in_language(WORDS, evidence.language), in_language(HEADINGS, evidence.language)
    t = catalogue(evidence.language)
    lines: list[tuple[object, ...]] = [
        (words["title"], evidence.title),
        (words["batch"], evidence.batch_id),
        (words["made"], t.moment(evidence.made_at)),
        (words["revision"], evidence.revision[:12]),
        (words["state"], headline(batch_state(evidence, essay_figures(evidence)), t)),
    ]
    for card in evidence.judges:
        offline = f"; {words['offline']}" if card.offline else ""
        lines.append((words["judge"], f"{card.judge_id}: {card.provider}, {card.model}{offline}"))
    lines += [(), (words["columns"],)]
    meanings = in_language(MEANINGS, evidence.language)
    lines += [(headings[key], meaning) for key, meaning in meanings.items() if key in columns]
    lines += [(), (words["checks"],)]
    for finding in evidence.findings:
        colour = "passed" if finding.passed else "warned" if finding.kind == "advice" else "red"
        said = words["overridden" if is_overridden(finding) else colour]
        lines.append((finding.name.replace("_", " "), said, finding.summary))
    for number, line in enumerate(lines, start=1):
        _line(sheet, number, line, bold=len(line) == 1)
    _fit_widths(sheet)


def _texts(evidence: Evidence) -> list[Row]:
    """Every text, in as many rows as Excel's longest cell needs."""
    essays = stored(evidence, "essays").select(["essay_id", "text"]).to_pylist()
    return [
        {"essay": essay["essay_id"], "text": essay["text"][start : start + EXCEL_CELL_CHARS]}
        for essay in essays
        for start in range(0, max(len(essay["text"]), 1), EXCEL_CELL_CHARS)
    ]


def _line(sheet: Any, number: int, values: Iterable[object], *, bold: bool = False) -> None:
    from openpyxl.styles import Alignment, Font

    for place, value in enumerate(values, start=1):
        if value is None:
            continue
        cell = sheet.cell(number, place)
        if isinstance(value, str):
            cell.value = _fitting(value)
            cell.data_type = "s"  # openpyxl makes a formula of "=..."
            cell.quotePrefix = value.startswith(ACTIVE)  # and Excel would, once somebody edits the cell
            if len(value) > _WIDEST:
                cell.alignment = Alignment(wrap_text=True, vertical="top")
        else:
            cell.value = value
        if bold:
            cell.font = Font(bold=True)


def _fitting(text: str) -> str:
    """The text as a cell holds it, with Excel's own line ends."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LIKE_AN_ESCAPE.sub("_x005F_", _NOT_IN_XML.sub("\ufffd", plain))[:EXCEL_CELL_CHARS]


def _fit_widths(sheet: Any) -> None:
    for column in sheet.columns:
        longest = max(len(str(cell.value or "")) for cell in column)
        sheet.column_dimensions[column[0].column_letter].width = min(max(longest + 2, _NARROWEST), _WIDEST)
