"""Tables with two essays a row, under a school's own headings: pairs to be asked, and judgments people gave."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cj_pipeline.batch.grade_lists import Column, headed, loose_sheets, matcher
from cj_pipeline.batch.guesses import (
    ESSAY_A_HEADINGS,
    ESSAY_B_HEADINGS,
    JUDGE_HEADINGS,
    TIE_WORDS,
    TIMES_HEADINGS,
    WINNER_HEADINGS,
    folded,
)
from cj_pipeline.batch.human_judgments import refuse_winners_in_one_column, votes_of_rows
from cj_pipeline.batch.listed_pairs import TIMES, ListedPair, pairs_of_rows
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.errors import BatchError

_HEADINGS = {
    "essay_a": ESSAY_A_HEADINGS,
    "essay_b": ESSAY_B_HEADINGS,
    "judge": JUDGE_HEADINGS,
    "winner": WINNER_HEADINGS,
    TIMES: TIMES_HEADINGS,
}
_NAMES_AN_ESSAY = ("essay_a", "essay_b", "winner")


@dataclass(frozen=True, slots=True)
class PairTable:
    """A table of pairs as it stands in a folder: its headings, and rows by our own names for the columns."""

    path: Path
    where: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[int, dict[str, str]]]
    judged: bool  # whether somebody said who wins


@dataclass(frozen=True, slots=True)
class PairList:
    """Which pairs to ask, and where that stands."""

    path: Path
    headings: tuple[str, ...]
    pairs: tuple[ListedPair, ...]


@dataclass(frozen=True, slots=True)
class VoteList:
    """What people judged, as rows of judge_id, essay_a, essay_b and winner, and where that stands."""

    path: Path
    headings: tuple[str, ...]
    votes: Sequence[dict[str, Any]]


def found_pairs(path: Path, notices: Notices) -> PairTable | None:
    """The first sheet with a column for either essay of a pair; None without. Raises `BatchError`."""
    for sheet in loose_sheets(path, notices):
        rows = [(number, cells + [""] * len(sheet.header)) for number, cells in sheet.rows]
        columns = [Column(name, [cells[place] for _, cells in rows]) for place, name in enumerate(sheet.header) if name]
        found = {name: column for name, headings in _HEADINGS.items() if (column := headed(columns, headings))}
        if not {"essay_a", "essay_b"} <= found.keys():
            continue
        if "winner" in found and "judge" not in found:
            raise BatchError(f"{sheet.where}: it says who wins and not who judged. Add a column judge, a code will do.")
        cells_of = {name: [str(cell).strip() for cell in column.cells] for name, column in found.items()}
        numbered = [
            (number, {name: cells[row] for name, cells in cells_of.items()}) for row, (number, _) in enumerate(rows)
        ]
        headings = tuple(column.heading for column in found.values())
        return PairTable(path, sheet.where, headings, numbered, judged="winner" in found)
    return None


def pair_list(tables: Iterable[PairTable], essay_ids: Sequence[str]) -> PairList | None:
    """The one list of pairs to be asked. Raises `BatchError` for two, and for rows that are no such pairs."""
    table = _only([table for table in tables if not table.judged], "pairs to be asked")
    if table is None:
        return None
    pairs = pairs_of_rows(table.where, _by_id(table, essay_ids), set(essay_ids))
    return PairList(table.path, table.headings, pairs)


def vote_list(tables: Iterable[PairTable], essay_ids: Sequence[str]) -> VoteList | None:
    """The one list of people's judgments. Raises `BatchError` for two, and for rows that are no judgments."""
    table = _only([table for table in tables if table.judged], "people's judgments")
    if table is None:
        return None
    votes = votes_of_rows(table.where, _by_id(table, essay_ids), set(essay_ids))
    refuse_winners_in_one_column(table.where, votes)
    return VoteList(table.path, table.headings, votes)


def _only(tables: Sequence[PairTable], what: str) -> PairTable | None:
    if len(tables) > 1:
        files = " and ".join(table.path.name for table in tables)
        raise BatchError(f"{files}: both hold {what}. Put them into one file, or move one out of the folder.")
    return tables[0] if tables else None


def _by_id(table: PairTable, essay_ids: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows with the essays' ids where a cell is another spelling of one; what is none stays as it stands."""
    essay_of = matcher(essay_ids)

    def told(name: str, cell: str) -> str:
        if name not in _NAMES_AN_ESSAY:
            return cell
        tie = name == "winner" and folded(cell) in TIE_WORDS
        return essay_of(cell) or ("tie" if tie else cell)

    return [(number, {name: told(name, cell) for name, cell in cells.items()}) for number, cells in table.rows]
