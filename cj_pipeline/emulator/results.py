"""The output and error files of a batch while they are written, and the sums that go with them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cj_pipeline.emulator.lifecycle import ends_at
from cj_pipeline.emulator.store import Batch, DoneItem, File, Outcome
from cj_pipeline.emulator.store.files import RESULTS, Files, fresh_file_id


class ResultFile:
    """JSON Lines under a passing name; a file without a line is no file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self._file = path.open("wb", buffering=1 << 20)

    def write(self, line: bytes) -> None:
        """One line with its end."""
        self.bytes += self._file.write(line)

    def close(self) -> None:
        """Everything written."""
        self._file.close()


class Results:
    """What the work on a batch has given so far. On leaving, what was not settled is removed."""

    def __init__(self, files: Files, *, one_file: bool) -> None:
        self._files = files
        self._output = ResultFile(files.partial_path())
        self._errors = self._output if one_file else ResultFile(files.partial_path())
        self._completed = 0
        self.items: list[DoneItem] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for written in (self._output, self._errors):
            written.close()
            written.path.unlink(missing_ok=True)

    def add(self, item: DoneItem, lines: Sequence[bytes], *, as_answer: bool) -> None:
        """An item that was carried out, and the lines that tell of it."""
        self.items.append(item)
        self._completed += as_answer
        for line in lines:
            (self._output if as_answer else self._errors).write(line)

    def add_unrun(self, line: dict[str, Any]) -> None:
        """What is said of an item that was not carried out."""
        self._errors.write(json.dumps(line).encode() + b"\n")

    def outcome(self, batch: Batch, at: float) -> Outcome:
        """Settle the files and sum up. They exist for others from the batch's end on."""
        visible_from = ends_at(replace(batch, judged_at=at)) or at
        apart = self._errors is not self._output
        return Outcome(
            at=at,
            completed=self._completed,
            failed=len(self.items) - self._completed,
            prompt_tokens=sum(item.prompt_tokens for item in self.items),
            completion_tokens=sum(item.completion_tokens for item in self.items),
            cached_tokens=sum(item.cached_tokens for item in self.items),
            output=self._settled(batch, self._output, "output", visible_from),
            error=self._settled(batch, self._errors, "error", visible_from) if apart else None,
        )

    def _settled(self, batch: Batch, written: ResultFile, which: str, visible_from: float) -> File | None:
        written.close()
        if not written.bytes:
            return None
        file = File(
            id=fresh_file_id(),
            filename=f"{batch.id}_{which}.jsonl",
            purpose="batch_output" if batch.api == "openai" else RESULTS,
            bytes=written.bytes,
            created_at=visible_from,
            expires_at=visible_from + batch.output_seconds,
            project=batch.project,
        )
        self._files.settle(written.path, file.id)
        return file
