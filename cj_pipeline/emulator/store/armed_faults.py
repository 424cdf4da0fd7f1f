"""Faults that wait for the next batches and calls."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from cj_pipeline.emulator.faults import Meets, met_by
from cj_pipeline.emulator.store.database import Database


class ArmedFaults:
    """The table of faults that are armed, each for so many creates or calls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def arm(self, name: str, value: float, *, times: int) -> None:
        """For the next `times` creates or calls; arming it again replaces the old order."""
        with self._database.transaction() as connection:
            connection.execute("insert or replace into armed_faults values (?, ?, ?)", [name, value, times])

    def disarm(self) -> None:
        """All of them."""
        with self._database.transaction() as connection:
            connection.execute("delete from armed_faults")

    def armed(self) -> list[dict[str, Any]]:
        """Name, value and times left."""
        return self._database.rows("select name, value, times from armed_faults order by name")

    def take(self, meets: Meets) -> tuple[str, float] | None:
        """Use up one order of one fault that strikes such a call, in the order of the table; its name and value."""
        names = met_by(meets)
        if not self._database.rows(f"select 1 from armed_faults where name in ({_places(names)})", *names):
            return None
        with self._database.transaction() as connection:
            rows = connection.execute(
                f"select name, value from armed_faults where name in ({_places(names)})", names
            ).fetchall()
            if not rows:
                return None
            name, value = min(rows, key=lambda row: names.index(row["name"]))
            _use_up(connection, [name])
        return name, value


def take_faults(connection: sqlite3.Connection) -> dict[str, float]:
    """Use up one order of each fault that strikes a batch, within the transaction that creates it."""
    names = met_by(Meets.BATCH, Meets.ITEMS)
    query = f"select name, value from armed_faults where name in ({_places(names)})"
    taken: dict[str, float] = dict(connection.execute(query, names).fetchall())
    _use_up(connection, list(taken))
    return taken


def _use_up(connection: sqlite3.Connection, names: Sequence[str]) -> None:
    where = f"name in ({_places(names)})"
    connection.execute(f"update armed_faults set times = times - 1 where {where}", names)
    connection.execute("delete from armed_faults where times <= 0")


def _places(names: Sequence[str]) -> str:
    return ", ".join("?" * len(names))
