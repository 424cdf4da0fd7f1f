import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.errors import StaleTable, StructuralFault
from cj_pipeline.store import CHUNK_BYTES, Store
from cj_pipeline.tables import CONTRACTS, Provenance, conform

MADE_FROM = Provenance("f" * 64, 7)


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store in a folder, and one behind an fsspec URL."""
    return Store(str(tmp_path / "store") if request.param == "folder" else f"memory://{uuid.uuid4().hex}")


def everything(store: Store) -> list[str]:
    """All files there are, temporary ones included."""
    return sorted(path.removeprefix(store._root).lstrip("/") for path in store._fs.find(store._root))


def breaking_off(*chunks: bytes) -> Iterator[bytes]:
    yield from chunks
    raise ConnectionError("the provider hung up")


def test_what_was_written_is_what_is_read_with_its_size_and_hash(store: Store) -> None:
    written = store.write("raw/b/j/output.jsonl", [b"one\n", b"", b"two"])
    assert store.read(written.path) == b"one\ntwo"
    assert (written.path, written.bytes) == ("raw/b/j/output.jsonl", 7)
    assert written.sha256 == hashlib.sha256(b"one\ntwo").hexdigest()
    assert everything(store) == ["raw/b/j/output.jsonl"]


def test_a_file_without_content_is_a_file(store: Store) -> None:
    assert store.write("empty", []).bytes == 0
    assert store.exists("empty")
    assert store.read("empty") == b""
    assert list(store.lines("empty")) == []


def test_a_download_that_breaks_off_leaves_nothing(store: Store) -> None:
    with pytest.raises(ConnectionError):
        store.write("raw/output.jsonl", breaking_off(b"x" * 100_000, b"y"))
    assert not store.exists("raw/output.jsonl")
    assert everything(store) == []


def test_a_download_that_breaks_off_leaves_an_earlier_one_as_it_was(store: Store) -> None:
    store.write("raw/output.jsonl", [b"whole"])
    with pytest.raises(ConnectionError):
        store.write("raw/output.jsonl", breaking_off(b"half"))
    assert store.read("raw/output.jsonl") == b"whole"
    assert everything(store) == ["raw/output.jsonl"]


def test_even_a_killed_write_leaves_nothing_behind(store: Store) -> None:
    def interrupted() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write("report.html", interrupted())
    assert everything(store) == []


def test_nothing_is_seen_under_its_name_before_it_is_whole(store: Store) -> None:
    seen: list[bool] = []

    def watching() -> Iterator[bytes]:
        for chunk in (b"one", b"two"):
            seen.append(store.exists("file"))
            yield chunk

    store.write("file", watching())
    assert (seen, store.read("file")) == ([False, False], b"onetwo")


def test_writing_again_replaces_the_file(store: Store) -> None:
    store.write("file", [b"a longer first version"])
    store.write("file", [b"second"])
    assert store.read("file") == b"second"


def test_a_file_that_is_not_there_is_not_found(store: Store) -> None:
    assert not store.exists("nowhere/file")
    with pytest.raises(FileNotFoundError):
        store.read("nowhere/file")
    with pytest.raises(FileNotFoundError):
        store.read_table("essays", "spring")


def test_only_a_newline_ends_a_line(store: Store) -> None:
    lines = [b"a\xe2\x80\xa8b", b"c\xc2\x85d\r", b"", b"\x0b\x0c\x1c", b"last"]
    store.write("result.jsonl", [b"\n".join(lines)])
    assert list(store.lines("result.jsonl")) == lines


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=8), st.booleans())
def test_lines_are_the_lines_of_the_file(lines: list[bytes], ended: bool) -> None:
    store = Store(f"memory://{uuid.uuid4().hex}")
    store.write("file", [b"\n".join(lines) + (b"\n" if ended and lines else b"")])
    read = list(store.lines("file"))
    assert read == (lines if ended or not lines or lines[-1] else lines[:-1])


def test_lines_across_the_chunks_of_a_large_file_stay_whole(store: Store) -> None:
    lines = [bytes([65 + i]) * (CHUNK_BYTES // 2 + i) for i in range(5)]
    store.write("large", (line + b"\n" for line in lines))
    assert list(store.lines("large")) == lines


def test_a_file_can_be_opened_and_moved(store: Store) -> None:
    store.write("a/file", [b"content"])
    store.move("a/file", "b/c/file")
    with store.open("b/c/file") as file:
        assert file.read(4) == b"cont"
    assert everything(store) == ["b/c/file"]


def test_a_location_is_something_a_person_can_open(tmp_path: Path) -> None:
    local = Store(str(tmp_path))
    local.write("report.html", [b"<p>"])
    assert Path(local.location("report.html")).read_text() == "<p>"
    remote = Store(f"memory://{uuid.uuid4().hex}/reports/")
    remote.write("report.html", [b"<p>"])
    with fsspec.open(remote.location("report.html")) as file:
        assert file.read() == b"<p>"


def pairs(count: int = 2) -> pa.Table:
    row = {"wave": 1, "kind": "coverage", "at_random": True, "essay_a": "a", "essay_b": "b"}
    return pa.Table.from_pylist([{"pair_id": i, **row} for i in range(count)])


def test_a_table_is_cast_to_its_contract_and_carries_what_it_was_made_from(store: Store) -> None:
    path = store.write_table("comparison_pairs", "spring", pairs(), MADE_FROM)
    table, provenance = store.read_table("comparison_pairs", "spring")
    assert path == "tables/comparison_pairs/spring.parquet"
    assert table.schema.equals(CONTRACTS["comparison_pairs"])
    assert table.equals(conform("comparison_pairs", pairs()))
    assert provenance == MADE_FROM


def test_a_table_that_breaks_its_contract_is_not_written(store: Store) -> None:
    store.write_table("comparison_pairs", "spring", pairs(2), MADE_FROM)
    with pytest.raises(StructuralFault):
        store.write_table("comparison_pairs", "spring", pairs(3).drop_columns(["kind"]), MADE_FROM)
    assert store.read_table("comparison_pairs", "spring")[0].num_rows == 2
    assert everything(store) == ["tables/comparison_pairs/spring.parquet"]


def test_a_parquet_file_of_another_origin_is_no_stored_table(store: Store) -> None:
    store.write_parquet("tables/essays/spring.parquet", pa.table({"essay_id": ["a"]}))
    assert store.read_parquet("tables/essays/spring.parquet").to_pylist() == [{"essay_id": "a"}]
    with pytest.raises(StaleTable, match="carries no revision"):
        store.read_table("essays", "spring")
