"""Faults that wait for the next batches."""

import sqlite3
from typing import Any

from cj_pipeline.emulator.store.database import Database


class ArmedFaults:
    """The table of faults that are armed, each for so many creates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def arm(self, name: str, value: float, *, times: int) -> None:
        """For the next `times` creates; arming it again replaces the old order."""
        with self._database.transaction() as connection:
            connection.execute("insert or replace into armed_faults values (?, ?, ?)", [name, value, times])

    def disarm(self) -> None:
        """All of them."""
        with self._database.transaction() as connection:
            connection.execute("delete from armed_faults")

    def armed(self) -> list[dict[str, Any]]:
        """Name, value and times left."""
        return self._database.rows("select name, value, times from armed_faults order by name")

    def take(self, name: str) -> bool:
        """Use one up before anything is created; whether it was armed."""
        with self._database.transaction() as connection:
            changed = connection.execute("update armed_faults set times = times - 1 where name = ?", [name]).rowcount
            connection.execute("delete from armed_faults where times <= 0")
        return bool(changed)


def take_faults(connection: sqlite3.Connection) -> dict[str, float]:
    """Use up one order of each armed fault, within the transaction that creates the batch."""
    taken: dict[str, float] = dict(connection.execute("select name, value from armed_faults").fetchall())
    connection.execute("update armed_faults set times = times - 1")
    connection.execute("delete from armed_faults where times <= 0")
    return taken
