"""`pairs.csv`: which pairs to ask, who is shown first and how often, where a person has decided that."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cj_pipeline.batch.human_judgments import known_essay
from cj_pipeline.batch.table_rows import csv_rows
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.errors import BatchError

PAIRS_FILE = "pairs.csv"
TIMES = "times"
MOST_TIMES = 1_000


@dataclass(frozen=True, slots=True)
class ListedPair:
    """Two essays, A shown first, and how often each judge is asked about them so."""

    essay_a: str
    essay_b: str
    times: int


def read_listed_pairs(folder: Path, essay_ids: set[str], notices: Notices) -> tuple[ListedPair, ...] | None:
    """The rows of the file in its order; None without one. Raises `BatchError`."""
    path = folder / PAIRS_FILE
    if not path.exists():
        return None
    return pairs_of_rows(str(path), csv_rows(path, {"essay_a", "essay_b"}, notices), essay_ids)


def pairs_of_rows(
    place: str, rows: Iterable[tuple[int, dict[str, str]]], essay_ids: set[str]
) -> tuple[ListedPair, ...]:
    """Numbered rows of the columns essay_a, essay_b and perhaps times, checked; `place` names the table in messages.

    Raises `BatchError`, naming place and row, for an essay that is not there or set against itself, a pair that
    stands twice in the same order, a number of times that is none, and a table without rows.
    """
    stands_in: dict[tuple[str, str], int] = {}
    listed = []
    for number, cells in rows:
        pair = _pair(cells, f"{place}, row {number}", essay_ids)
        first = stands_in.setdefault((pair.essay_a, pair.essay_b), number)
        if first != number:
            raise BatchError(
                f"{place}, row {number}: {pair.essay_a!r} and {pair.essay_b!r} stand in row {first} already. To ask "
                f"them more than once, keep one row and write how often into a column {TIMES}."
            )
        listed.append(pair)
    if not listed:
        raise BatchError(f"{place}: no pairs. List some, or remove the file and let the pairs be planned.")
    return tuple(listed)


def _pair(cells: dict[str, str], where: str, essay_ids: set[str]) -> ListedPair:
    essay_a, essay_b = (known_essay(cells[name], f"{where}, {name}", essay_ids) for name in ("essay_a", "essay_b"))
    if essay_a == essay_b:
        raise BatchError(f"{where}: {essay_a!r} is set against itself. Correct one of the two essays.")
    return ListedPair(essay_a, essay_b, _times(cells.get(TIMES, ""), where))


def _times(raw: str, where: str) -> int:
    said = raw.strip() or "1"
    if not (said.isascii() and said.isdigit() and len(said) <= len(str(MOST_TIMES)) and 1 <= int(said) <= MOST_TIMES):
        raise BatchError(f"{where}, {TIMES}: {said!r} is not a whole number from 1 to {MOST_TIMES:,}. Correct it.")
    return int(said)
