"""The emulator's state in one folder: a SQLite file, and the bytes of uploaded and written files beside it.

Whatever is accepted is on the disk before it is answered. The database is locked by the process that serves
the folder, so a second emulator on the same folder is refused.
"""

from dataclasses import dataclass
from pathlib import Path

from cj_pipeline.emulator.store.armed_faults import ArmedFaults
from cj_pipeline.emulator.store.batches import WINDOW_SECONDS, Batch, Batches, Order, Outcome
from cj_pipeline.emulator.store.bill import Bill, Call, DoneItem
from cj_pipeline.emulator.store.database import Database, FolderInUse
from cj_pipeline.emulator.store.files import File, Files
from cj_pipeline.emulator.store.settings import EmulatorSettings, NoSuchSetting

__all__ = [
    "WINDOW_SECONDS",
    "Batch",
    "Call",
    "DoneItem",
    "File",
    "FolderInUse",
    "NoSuchSetting",
    "Order",
    "Outcome",
    "Store",
]


@dataclass(frozen=True, slots=True)
class Store:
    """All reading and writing of the folder, by what it is about. Safe to use from any thread."""

    database: Database
    files: Files
    batches: Batches
    bill: Bill
    faults: ArmedFaults
    settings: EmulatorSettings

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open or make the folder. Raises `FolderInUse`."""
        database = Database(folder)
        return cls(
            database=database,
            files=Files(database, folder / "files"),
            batches=Batches(database),
            bill=Bill(database),
            faults=ArmedFaults(database),
            settings=EmulatorSettings(database),
        )

    def now(self) -> float:
        """Unix seconds by the emulator's clock."""
        return self.database.now()

    def close(self) -> None:
        """Let go of the folder."""
        self.database.close()
