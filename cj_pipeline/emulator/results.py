"""The output and error files of a batch while they are written, and the sums that go with them."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cj_pipeline.emulator.lifecycle import ends_at
from cj_pipeline.emulator.store import Batch, DoneItem, File, Outcome
from cj_pipeline.emulator.store.files import Files, fresh_file_id

_SUCCESS = 200


class ResultFile:
    """JSON Lines under a passing name; a file without a line is no file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self._file = path.open("wb", buffering=1 << 20)

    def write(self, line: dict[str, Any]) -> None:
        """One line, all of it ASCII, so that no reader can split it anywhere else."""
        self.bytes += self._file.write(json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        """Everything written."""
        self._file.close()


class Results:
    """What the work on a batch has given so far. On leaving, what was not settled is removed."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self.output = ResultFile(files.partial_path())
        self.errors = ResultFile(files.partial_path())
        self.items: list[DoneItem] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for written in (self.output, self.errors):
            written.close()
            written.path.unlink(missing_ok=True)

    def add(self, item: DoneItem, lines: Sequence[dict[str, Any]]) -> None:
        """An item that was carried out, and the lines that tell of it."""
        self.items.append(item)
        for line in lines:
            (self.output if item.status_code == _SUCCESS else self.errors).write(line)

    def outcome(self, batch: Batch) -> Outcome:
        """Settle both files and sum up. The files exist for others from the batch's end on."""
        at = time.time()
        visible_from = ends_at(replace(batch, judged_at=at)) or at
        completed = sum(item.status_code == _SUCCESS for item in self.items)
        return Outcome(
            at=at,
            completed=completed,
            failed=len(self.items) - completed,
            prompt_tokens=sum(item.prompt_tokens for item in self.items),
            completion_tokens=sum(item.completion_tokens for item in self.items),
            output=self._settled(batch, self.output, "output", visible_from),
            error=self._settled(batch, self.errors, "error", visible_from),
        )

    def _settled(self, batch: Batch, written: ResultFile, which: str, visible_from: float) -> File | None:
        written.close()
        if not written.bytes:
            return None
        file = File(
            id=fresh_file_id(),
            filename=f"{batch.id}_{which}.jsonl",
            purpose="batch_output",
            bytes=written.bytes,
            created_at=visible_from,
            expires_at=visible_from + batch.output_seconds,
        )
        self._files.settle(written.path, file.id)
        return file
