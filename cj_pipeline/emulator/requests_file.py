"""The requests of a batch as they lie in a file, one JSON object a line: how they are found and read again."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Anthropic's rule. OpenAI documents none; a stricter emulator keeps one request file good for both.
CUSTOM_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Located:
    """A valid request: its id, and its bytes within the file."""

    custom_id: str
    start: int
    length: int


@dataclass(slots=True)
class Inspection:
    """What reading an input file found: the requests, or the errors for which the whole batch fails."""

    model: str | None = None
    total: int = 0
    requests: list[Located] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)


def read_line(line: bytes) -> Any:
    """One JSON value in UTF-8. Raises `ValueError` (also for NaN and for nesting without end)."""
    try:
        return json.loads(line.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def lines_of(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Line number from 1, offset and bytes; split at b"\\n" and nowhere else."""
    start = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            yield number, start, line
            start += len(line)


def request_id(batch_id: str, custom_id: str) -> str:
    """The same for the same request, whenever it is carried out."""
    return hashlib.sha256(f"{batch_id}/{custom_id}".encode()).hexdigest()[:32]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
