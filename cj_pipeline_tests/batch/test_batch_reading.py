"""What a batch folder may look like, and that no form of it changes a word of an essay."""

import csv
import io
import json
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cj_pipeline.batch import audit_share_of, read_batch, seed_of
from cj_pipeline.batch.findings import essay_findings
from cj_pipeline.errors import BatchError
from cj_pipeline.tables import CONTRACTS
from cj_pipeline_tests.batch.batch_folder import ANCHORS, ESSAYS, IN_ORDER, MANIFEST, Files, batch_with, write_files

UNGRADED = MANIFEST.replace('[scale]\ngrades = ["F", "E", "C", "A"]\n', "")


def columns(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def failed(folder: Path) -> list[str]:
    batch = read_batch(folder)
    return [finding.name for finding in essay_findings(batch.essays, batch.scale) if not finding.passed]


def test_a_batch_holds_everything_a_person_handed_over(tmp_path: Path) -> None:
    batch = read_batch(batch_with(tmp_path / "six", {"known_grades.csv": "essay_id,grade\ne5,E\n"}))
    assert (batch.batch_id, batch.title, batch.assignment, batch.rubric) == (
        "six",
        "Six essays",
        "Write a letter.",
        "Clarity.",
    )
    assert (batch.n_anchors, batch.n_students, batch.notices) == (3, 3, ())
    assert batch.scale is not None
    assert batch.scale.grades == ("F", "E", "C", "A")
    assert columns(batch.essays, "essay_id", "is_anchor", "anchor_grade", "known_grade", "word_count", "school") == [
        ("e1", True, "F", None, 5, "north"),
        ("e2", True, "C", None, 5, "north"),
        ("e3", True, "A", None, 5, "north"),
        ("e4", False, None, None, 5, "north"),
        ("e5", False, None, "E", 5, "north"),
        ("e6", False, None, None, 5, "north"),
    ]
    assert batch.essays.schema.names[: len(CONTRACTS["essays"])] == CONTRACTS["essays"].names


def test_a_title_is_not_needed(tmp_path: Path) -> None:
    changes = {"batch.toml": MANIFEST.replace('title = "Six essays"\n', "")}
    assert read_batch(batch_with(tmp_path / "six", changes)).title == "six"


def test_no_scale_is_legal_and_keeps_the_anchors_grades_as_they_are(tmp_path: Path) -> None:
    batch = read_batch(batch_with(tmp_path / "six", {"batch.toml": UNGRADED, "anchors.csv": ANCHORS + "e4,fine\n"}))
    assert batch.scale is None
    assert batch.n_anchors == 4
    assert failed(batch.folder) == []


def test_no_anchors_are_legal_and_told(tmp_path: Path) -> None:
    folder = batch_with(tmp_path / "six", {"anchors.csv": None})
    assert read_batch(folder).n_anchors == 0
    assert failed(folder) == ["anchors_cover_scale"]


def test_no_assignment_and_no_rubric_are_legal_and_told(tmp_path: Path) -> None:
    batch = read_batch(batch_with(tmp_path / "six", {"assignment.md": None, "rubric.md": None}))
    assert (batch.assignment, batch.rubric) == ("", "")
    assert len(batch.notices) == 2
    assert all("The judge is told nothing about it" in notice for notice in batch.notices)


def test_the_same_text_twice_is_legal_and_found(tmp_path: Path) -> None:
    folder = batch_with(tmp_path / "six", {"essays.csv": ESSAYS.replace("number 5", "number 2")})
    batch = read_batch(folder)
    (finding,) = [f for f in essay_findings(batch.essays, batch.scale) if f.name == "texts_differ"]
    assert not finding.passed
    assert "e2 = e5" in finding.summary


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("essays.csv", b"\xef\xbb\xbf" + ESSAYS.encode(), "byte order mark; it was left out"),
        ("essays.csv", ESSAYS.replace("\n", "\r\n").encode(), "Windows or old Mac line ends"),
        ("essays.csv", ESSAYS.replace("\n", "\r").encode(), "Windows or old Mac line ends"),
        ("anchors.csv", b"\xef\xbb\xbf" + ANCHORS.encode(), "byte order mark; it was left out"),
        ("batch.toml", b"\xef\xbb\xbf" + MANIFEST.encode(), None),
        ("batch.toml", MANIFEST.replace("\n", "\r\n").encode(), None),
        ("essays.csv", ESSAYS.replace("e4", " e4 ").encode(), None),
        ("essays.csv", ESSAYS.replace("e4", "\n,,\n\ne4").encode(), None),
        ("anchors.csv", ANCHORS.replace(",A", ", A ").encode(), None),
    ],
)
def test_what_a_spreadsheet_adds_is_put_right_and_told_once(
    tmp_path: Path, name: str, content: bytes, told: str | None
) -> None:
    plain = read_batch(write_files(tmp_path / "plain", IN_ORDER))
    batch = read_batch(batch_with(tmp_path / "six", {name: content}))
    assert batch.essays.equals(plain.essays)
    assert batch.manifest == plain.manifest
    assert len(batch.notices) == (told is not None)
    assert all(told is not None and told in notice and name in notice for notice in batch.notices)


def test_line_ends_inside_an_essay_are_the_same_from_every_form(tmp_path: Path) -> None:
    text = "Dear Sir,\r\nI write to you.\r\n\r\nYours"
    others = {"essays/b.txt": "Two.", "essays/c.md": "# Three"}
    forms: dict[str, Files] = {
        "csv": {"essays.csv": f'essay_id,text\na,"{text}"\nb,Two.\n'},
        "jsonl": {
            "essays.jsonl": "".join(json.dumps({"essay_id": i, "text": t}) + "\n" for i, t in (("a", text), ("b", "x")))
        },
        "folder": {"essays/a.TXT": text, "essays/.DS_Store": b"\x00\xff", **others},
    }
    for name, files in forms.items():
        folder = batch_with(tmp_path / name, {"essays.csv": None, "anchors.csv": None, **files})
        assert read_batch(folder).essays["text"][0].as_py() == "Dear Sir,\nI write to you.\n\nYours"


def test_a_decomposed_file_name_is_the_same_essay_as_the_typed_id(tmp_path: Path) -> None:
    composed, decomposed = "Zoë", unicodedata.normalize("NFD", "Zoë")
    files = {
        f"essays/{decomposed}.txt": "One.",
        "essays/b.txt": "Two.",
        "anchors.csv": f"essay_id,grade\n{composed},A\n",
    }
    batch = read_batch(batch_with(tmp_path / "six", {"essays.csv": None, **files}))
    assert columns(batch.essays, "essay_id", "is_anchor") == [(composed, True), ("b", False)]


def test_exotic_line_separators_inside_jsonl_split_nothing(tmp_path: Path) -> None:
    text = "One\u2028two\u0085three\u2029four\x0bfive\x1csix"
    lines = "".join(
        json.dumps({"essay_id": name, "text": text + name}, ensure_ascii=name == "a") + "\n" for name in ("a", "b")
    )
    batch = read_batch(batch_with(tmp_path / "six", {"essays.csv": None, "anchors.csv": None, "essays.jsonl": lines}))
    assert batch.essays["text"].to_pylist() == [text + "a", text + "b"]


def test_groups_of_jsonl_are_texts_and_may_be_left_out(tmp_path: Path) -> None:
    lines = [
        {"essay_id": "a", "text": "One.", "class": 5, "school": "north"},
        {"essay_id": "b", "text": "Two.", "class": None},
    ]
    content = "\n\n".join(map(json.dumps, lines))
    batch = read_batch(batch_with(tmp_path / "six", {"essays.csv": None, "anchors.csv": None, "essays.jsonl": content}))
    assert columns(batch.essays, "class", "school") == [("5", "north"), (None, None)]


def test_the_seed_is_the_manifests_or_follows_from_the_batch_id(tmp_path: Path) -> None:
    manifest = read_batch(batch_with(tmp_path / "six", {})).manifest
    assert seed_of("spring", manifest) == seed_of("spring", manifest) != seed_of("autumn", manifest)
    assert 0 <= seed_of("spring", manifest) < 2**62
    chosen = read_batch(batch_with(tmp_path / "own", {"batch.toml": MANIFEST.replace("[scale]", "seed = 7\n[scale]")}))
    assert seed_of("spring", chosen.manifest) == 7


def test_mirrored_pairs_are_on_by_default_when_there_are_grades(tmp_path: Path) -> None:
    graded = read_batch(batch_with(tmp_path / "a", {})).manifest
    ungraded = read_batch(batch_with(tmp_path / "b", {"batch.toml": UNGRADED})).manifest
    chosen = read_batch(
        batch_with(tmp_path / "c", {"batch.toml": UNGRADED + "[pairing]\naudit_share = 0.1\n"})
    ).manifest
    assert [audit_share_of(manifest) for manifest in (graded, ungraded, chosen)] == [0.06, 0.0, 0.1]


# --- properties -----------------------------------------------------------------------------------------

LETTERS = st.characters(categories=["L", "N"]) | st.sampled_from("._-+@ ")
IDS = (
    st.text(LETTERS, min_size=1, max_size=20)
    .map(lambda raw: unicodedata.normalize("NFC", raw).strip())
    .filter(lambda name: name[:1].isalnum() and all(char.isalnum() or char in "._-+@ " for char in name))
)
# what any of the three forms can hold: no NUL, no lone surrogates, and no byte order mark in front
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])).filter(
    lambda text: text.split() and not text.startswith("\ufeff")
)
BATCHES = st.dictionaries(IDS, TEXTS, min_size=2, max_size=6).flatmap(
    lambda essays: st.tuples(st.just(essays), st.permutations(list(essays)))
)


def as_csv(essays: dict[str, str], order: list[str]) -> dict[str, str]:
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows([["essay_id", "text"], *([name, essays[name]] for name in order)])
    return {"essays.csv": lines.getvalue()}


def as_jsonl(essays: dict[str, str], order: list[str]) -> dict[str, str]:
    rows = [json.dumps({"text": essays[name], "essay_id": name}, ensure_ascii=len(name) % 2 == 0) for name in order]
    return {"essays.jsonl": "\n".join(rows)}


def as_folder(essays: dict[str, str], order: list[str]) -> dict[str, str]:
    return {f"essays/{name}.txt": essays[name] for name in order}


@settings(max_examples=60, deadline=None)
@given(BATCHES)
@example(({"a": 'say "no", and\r\nleave\r', "b": "\u2028x\x85\x1c"}, ["b", "a"]))
def test_any_essays_read_back_as_the_same_table_from_csv_jsonl_and_txt_in_any_order(
    batch: tuple[dict[str, str], list[str]],
) -> None:
    essays, order = batch
    tables = []
    for rows in (order, sorted(essays)):
        for form in (as_csv, as_jsonl, as_folder):
            with tempfile.TemporaryDirectory() as folder:
                changes = {"essays.csv": None, "anchors.csv": None, **form(essays, rows)}
                tables.append(read_batch(batch_with(Path(folder), changes)).essays)
    plain = {name: text.replace("\r\n", "\n").replace("\r", "\n") for name, text in essays.items()}
    read = zip(*(tables[0][name].to_pylist() for name in ("essay_id", "text")), strict=True)
    assert dict(read) == plain
    assert all(table.equals(tables[0]) for table in tables)


def told_of(folder: Path) -> str | None:
    """What a person is told about a folder that is no batch; None when it is one."""
    try:
        read_batch(folder)
    except BatchError as refusal:
        return str(refusal)
    return None


SPICE = st.sampled_from(
    [b'"', b",", b"\n", b"\r", b"\\", b"{", b"[", b"e1", b"essay_id", b"text", b"grade", b"=", b"\x00"]
)
ANY_BYTES = st.binary(max_size=200) | st.lists(SPICE | st.binary(max_size=3), max_size=40).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["essays.csv", "essays.jsonl", "anchors.csv", "known_grades.csv", "batch.toml", "rubric.md"]),
    ANY_BYTES,
    st.booleans(),
)
def test_no_content_of_a_file_ends_in_anything_but_a_message(
    name: str, content: bytes, after_a_good_start: bool
) -> None:
    changes: dict[str, str | bytes | None] = {name: content}
    if name == "essays.jsonl":
        changes["essays.csv"] = changes["anchors.csv"] = None
    if after_a_good_start:
        changes[name] = str(IN_ORDER.get(name, '{"essay_id": "e1", "text": "One."}\n')).encode() + content
    with tempfile.TemporaryDirectory() as folder:
        said = told_of(batch_with(Path(folder), changes))
    assert said is None or name in said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["essay_id", "text", "class", "sha256"]) | st.text(), JSON, max_size=4))
def test_no_json_object_ends_in_anything_but_a_message(row: dict[str, object]) -> None:
    lines = '{"essay_id": "e1", "text": "One."}\n{"essay_id": "e2", "text": "Two."}\n' + json.dumps(row)
    with tempfile.TemporaryDirectory() as folder:
        changes = {"essays.csv": None, "anchors.csv": None, "essays.jsonl": lines}
        said = told_of(batch_with(Path(folder), changes))
    assert said is None or "essays.jsonl, row 3" in said
