"""Files that are there whole or not at all: tables, raw provider files and reports under one fsspec root.

A file is written under a temporary name, forced to disk where that is possible, and renamed.
"""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from cj_pipeline.tables import Provenance, conform, provenance_of, stamp

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it was stored."""

    path: str
    bytes: int
    sha256: str


class Store:
    """A folder or bucket. Paths are relative to its root, with forward slashes."""

    def __init__(self, root: str) -> None:
        self._fs, self._root = fsspec.core.url_to_fs(root)

    def location(self, path: str) -> str:
        """Where a file lies, as a person would open it."""
        return self._fs.unstrip_protocol(self._at(path)) if not self._is_local else self._at(path)

    def exists(self, path: str) -> bool:
        """Whether the file is there (a half-written one never is)."""
        return bool(self._fs.exists(self._at(path)))

    def write(self, path: str, chunks: Iterable[bytes]) -> Written:
        """Store the chunks as one file; its size and SHA-256 are of exactly what was written."""
        digest, size = hashlib.sha256(), 0
        with self._whole(path) as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        return Written(path, size, digest.hexdigest())

    def read(self, path: str) -> bytes:
        """The whole file. Raises `FileNotFoundError`."""
        with self._fs.open(self._at(path), "rb") as file:
            return bytes(file.read())

    def lines(self, path: str, seen: Callable[[bytes], object] | None = None) -> Iterator[bytes]:
        r"""The file's lines without their `\n`, streaming; `seen` is handed all bytes as they are read.

        Only the byte `\n` ends a line: U+2028 and U+0085 are legal inside JSON strings.
        """
        with self._fs.open(self._at(path), "rb") as file:
            rest = b""
            while chunk := file.read(CHUNK_BYTES):
                if seen is not None:
                    seen(chunk)
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
            if rest:
                yield rest

    @contextmanager
    def open(self, path: str) -> Iterator[IO[bytes]]:
        """The file, opened for reading."""
        with self._fs.open(self._at(path), "rb") as file:
            yield file

    def write_table(self, name: str, batch_id: str, table: pa.Table, provenance: Provenance) -> str:
        """Cast to the contract, stamp, store as Parquet; returns the path."""
        path = table_path(name, batch_id)
        with self._whole(path) as file:
            pq.write_table(stamp(conform(name, table), provenance), file, compression="zstd")
        return path

    def read_table(self, name: str, batch_id: str) -> tuple[pa.Table, Provenance]:
        """The stored table and what it was made from. Raises `FileNotFoundError`, `StaleTable`."""
        table = self.read_parquet(table_path(name, batch_id))
        return table, provenance_of(table)

    def write_parquet(self, path: str, table: pa.Table) -> None:
        """Store a table that is no contract between stages (an items list, say)."""
        with self._whole(path) as file:
            pq.write_table(table, file, compression="zstd")

    def read_parquet(self, path: str, columns: list[str] | None = None) -> pa.Table:
        """Read what `write_parquet` or `write_table` wrote; only some columns when they are named."""
        # from memory and on this thread: pyarrow's read-ahead threads over a Python file can outlive the
        # interpreter, which then aborts after all work was done
        return pq.ParquetFile(pa.BufferReader(self.read(path))).read(columns=columns, use_threads=False)

    def read_provenance(self, path: str) -> Provenance:
        """What a stored table was made from, from the file's footer alone. Raises `StaleTable`."""
        with self._fs.open(self._at(path), "rb") as file:
            return provenance_of(pq.read_schema(file).empty_table())

    def paths(self, *patterns: str) -> list[str]:
        """Files that match any of the patterns (`*` stands for one name), sorted."""
        found = {path for pattern in patterns for path in self._fs.glob(self._at(pattern))}
        root = self._fs._strip_protocol(self._root).rstrip("/") + "/"
        return sorted(path.removeprefix(root) for path in found)

    def remove(self, path: str) -> None:
        """Delete a file, if it is there."""
        _ignoring_absence(self._fs.rm, self._at(path))

    def move(self, source: str, target: str) -> None:
        """Rename a file within the store."""
        self._fs.makedirs(self._parent(target), exist_ok=True)
        self._fs.mv(self._at(source), self._at(target))

    @property
    def _is_local(self) -> bool:
        return "file" in (self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,))

    def _at(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}"

    def _parent(self, path: str) -> str:
        return self._at(path).rsplit("/", 1)[0]

    @contextmanager
    def _whole(self, path: str) -> Iterator[Any]:
        self._fs.makedirs(self._parent(path), exist_ok=True)
        temporary = f"{self._at(path)}.{uuid.uuid4().hex[:8]}.tmp"
        try:
            with self._fs.open(temporary, "wb") as file:
                yield file
                self._force_to_disk(file)
        except BaseException:
            _ignoring_absence(self._fs.rm, temporary)
            raise
        self._fs.mv(temporary, self._at(path))
        self._force_name_to_disk(path)

    def _force_to_disk(self, file: Any) -> None:
        if self._is_local:
            file.flush()
            os.fsync(file.fileno())

    def _force_name_to_disk(self, path: str) -> None:
        # the ledger will say that the file is there, so its name must survive a power cut too
        if self._is_local and os.name == "posix":
            folder = os.open(self._parent(path), os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def table_path(name: str, batch_id: str) -> str:
    """Where a stage's table of a batch lies in the store."""
    return f"tables/{name}/{batch_id}.parquet"


def _ignoring_absence(remove: Callable[[str], None], path: str) -> None:
    try:
        remove(path)
    except FileNotFoundError:
        return
