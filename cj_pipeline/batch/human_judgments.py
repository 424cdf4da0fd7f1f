"""`human_judgments.csv`: verdicts of people on pairs of the batch's essays.

They stand in the same model as the judges' that are bought, and buy nothing: they are no part of the revision.
"""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

import pyarrow as pa

from cj_pipeline.batch.readers import checked_essay_id
from cj_pipeline.batch.table_rows import csv_rows
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.errors import BatchError, StaleTable
from cj_pipeline.tables import HUMAN_JUDGMENTS, conform

HUMAN_JUDGMENTS_FILE = "human_judgments.csv"
COLUMNS = ("judge", "essay_a", "essay_b", "winner")
MAX_JUDGE_CHARS = 64
LEAST_TO_SEE_A_HABIT = 8  # decided rows; that fair seats all fall to one side has a chance of 1 in 128 there
_SIDES = {"a": "essay_a", "b": "essay_b", "tie": "tie", "essay_a": "essay_a", "essay_b": "essay_b"}


def read_human_judgments(folder: Path, essay_ids: set[str], model_ids: set[str], notices: Notices) -> pa.Table:
    """The votes of people, a row each, in the order of the file; an empty table when there is none.

    `winner` is the id of the winning essay, or a, b or tie. Raises `BatchError`, naming file and row, for an
    essay or a winner that is not there, a judge who is also a model of the batch, and a file in which the winner
    always stands in the same column.
    """
    path = folder / HUMAN_JUDGMENTS_FILE
    if not path.exists():
        return conform("human_judgments", _table([]))
    rows = read_votes(path, essay_ids, notices, model_ids=model_ids)
    refuse_winners_in_one_column(str(path), rows)
    _tell_repeats(path, rows, notices)
    return conform("human_judgments", _table(rows))


def read_votes(
    path: Path, essay_ids: set[str], notices: Notices, *, model_ids: Set[str] = frozenset()
) -> list[dict[str, Any]]:
    """The rows of a csv of that form: judge_id, essay_a, essay_b, winner (essay_a, essay_b or tie), row.

    Raises `BatchError`.
    """
    return votes_of_rows(str(path), csv_rows(path, set(COLUMNS), notices), essay_ids, model_ids=model_ids)


def votes_of_rows(
    place: str, rows: Iterable[tuple[int, dict[str, str]]], essay_ids: set[str], *, model_ids: Set[str] = frozenset()
) -> list[dict[str, Any]]:
    """The same from numbered rows with these columns; `place` names the table in messages. Raises `BatchError`."""
    return [_vote(f"{place}, row {number}", number, cells, essay_ids, model_ids) for number, cells in rows]


def refuse_changed_votes(batch_id: str, stored: pa.Table, current: pa.Table) -> None:
    """Raise `StaleTable` when the file says something else than the votes that the stored scores stand on."""
    if stored.to_pylist() != current.to_pylist():
        raise StaleTable(
            f"batch {batch_id}: {HUMAN_JUDGMENTS_FILE} changed since the scores were made. Materialise "
            "bradley_terry_scores and what follows again; nothing is bought by that."
        )


def _vote(where: str, number: int, cells: dict[str, str], essay_ids: set[str], model_ids: Set[str]) -> dict[str, Any]:
    essays = {name: known_essay(cells[name], f"{where}, {name}", essay_ids) for name in ("essay_a", "essay_b")}
    if essays["essay_a"] == essays["essay_b"]:
        raise BatchError(f"{where}: {essays['essay_a']!r} is set against itself. Correct one of the two essays.")
    return {
        "judge_id": _judge(cells["judge"], where, model_ids),
        **essays,
        "winner": _winner(cells["winner"], essays, where),
        "row": number,
    }


def _judge(raw: str, where: str, model_ids: Set[str]) -> str:
    judge = unicodedata.normalize("NFC", raw.strip())
    if not judge:
        raise BatchError(f"{where}: no judge. Write who judged: a short name or code, the same in all their rows.")
    if len(judge) > MAX_JUDGE_CHARS or not judge.isprintable():
        raise BatchError(f"{where}: the judge's name is longer than {MAX_JUDGE_CHARS} characters or not printable.")
    if judge in model_ids:
        raise BatchError(f"{where}: {judge!r} is a judge of batch.toml. Give the person another name or code.")
    return judge


def known_essay(raw: str, where: str, essay_ids: set[str]) -> str:
    """The id of an essay of the batch. Raises `BatchError`, with the nearest one there is."""
    essay = checked_essay_id(raw, where)
    if essay not in essay_ids:
        near = difflib.get_close_matches(essay, sorted(essay_ids), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " Add its text or remove the row."
        raise BatchError(f"{where}: there is no essay {essay!r}.{hint}")
    return essay


def _winner(raw: str, essays: dict[str, str], where: str) -> str:
    said = unicodedata.normalize("NFC", raw.strip())
    for side, essay in essays.items():  # an essay may be called "a"; its id goes first
        if said == essay:
            return side
    if said.lower() in _SIDES:
        return _SIDES[said.lower()]
    found = repr(said) if said else "nothing"
    raise BatchError(
        f"{where}: the winner is {found}. Write {essays['essay_a']} or {essays['essay_b']}, or a, b or tie; "
        "remove the row if the person did not decide."
    )


def refuse_winners_in_one_column(place: str, rows: list[dict[str, Any]]) -> None:
    """Raise `BatchError` for a list of winner and loser: read as seats it would be put down to a habit of the eye."""
    decided = Counter(row["winner"] for row in rows if row["winner"] != "tie")
    if decided.total() >= LEAST_TO_SEE_A_HABIT and len(decided) == 1:
        raise BatchError(
            f"{place}: the winner stands in {next(iter(decided))} in all {decided.total()} decided rows, as in a list "
            "of winner and loser. Put the essay that was shown first (left) into essay_a; where that is not known, put "
            "either of the two there at random."
        )


def _tell_repeats(path: Path, rows: list[dict[str, Any]], notices: Notices) -> None:
    asked = Counter((row["judge_id"], row["essay_a"], row["essay_b"]) for row in rows)
    repeated = asked.total() - len(asked)
    if repeated:
        notices.add(f"{path}: rows that repeat a judge on the same two essays: {repeated}. Each counts as a vote.")


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    plain = [(field.name, pa.int32() if field.name == "row" else pa.string()) for field in HUMAN_JUDGMENTS]
    return pa.Table.from_pylist(rows, schema=pa.schema(plain))
