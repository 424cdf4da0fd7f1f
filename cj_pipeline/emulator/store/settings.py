"""What a test may set for the whole emulator, over the admin endpoint; it stays set when the server restarts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from cj_pipeline.emulator.store.database import CLOCK_AHEAD, Database

CLOCK_REACH = 10 * 365 * 86_400.0  # seconds


class NoSuchSetting(ValueError):
    """An unknown setting, or a value it cannot have; the message names the known ones."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`prompt_cache` goes with each batch created from then on.

    `enqueued_tokens` is the budget of each model and project, null for none. `clock_ahead_seconds` moves all
    clocks of the emulator, so that what takes days can be seen at once.
    """

    prompt_cache: bool = False
    enqueued_tokens: int | None = None
    clock_ahead_seconds: float = 0.0


class EmulatorSettings:
    """The table of settings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self) -> Settings:
        """As they stand."""
        rows = self._database.rows("select name, value from settings")
        return Settings(**{row["name"]: json.loads(row["value"]) for row in rows})

    def change(self, given: Mapping[str, Any]) -> Settings:
        """Set the given ones and leave the others. Raises `NoSuchSetting`."""
        settings = replace(self.current(), **_checked(given))
        with self._database.transaction() as connection:
            for name, value in asdict(settings).items():
                connection.execute("insert or replace into settings values (?, ?)", [name, json.dumps(value)])
        self._database.clock_ahead = settings.clock_ahead_seconds
        return settings


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    known = [field.name for field in fields(Settings)]
    for name, value in given.items():
        if name not in known:
            raise NoSuchSetting(f"no setting is called {name!r}; there are {', '.join(known)}")
        if not _fits(name, value):
            raise NoSuchSetting(f"{name} cannot be {value!r}")
    return dict(given)


def _fits(name: str, value: object) -> bool:
    if name == "prompt_cache":
        return isinstance(value, bool)
    if name == CLOCK_AHEAD:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= CLOCK_REACH
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)
