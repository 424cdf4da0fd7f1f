from pathlib import Path

import pytest

from cj_pipeline.batch import read_batch
from cj_pipeline.batch.manifest import read_manifest
from cj_pipeline.batch.scaffold import scaffold
from cj_pipeline.errors import BatchError, CjError
from cj_pipeline_tests.batch.batch_folder import ANCHORS, ESSAYS, Files, write_files

TEXTS: Files = {"e1.txt": "One.", "e2.md": "Two.", "e3.TXT": "Three.", "notes.pdf": b"%PDF", ".hidden.txt": "No."}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return write_files(tmp_path / "texts", TEXTS)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("judge", ["emulator:lexical", "openai:gpt-6-luna", 'openai:org/model:8b "q" é'])
@pytest.mark.parametrize("scale", [None, "cefr", "eng5_np_national_9_step"])
def test_what_is_written_reads_back_as_a_valid_batch(
    tmp_path: Path, texts: Path, judge: str, scale: str | None
) -> None:
    batch = read_batch(
        scaffold(tmp_path / "batches", "spring-5b", scale=scale, judge=judge, essays=texts, anchors=None)
    )
    provider, _, model = judge.partition(":")
    assert (batch.batch_id, batch.title) == ("spring-5b", "spring-5b")
    assert [(j.provider, j.model) for j in batch.manifest.judges] == [(provider, model)]
    assert (batch.scale.name if batch.scale else None) == scale
    assert batch.essays["essay_id"].to_pylist() == ["e1", "e2", "e3"]
    assert (batch.manifest.spending.max_usd, batch.manifest.spending.approval) == (5.0, "manual")
    assert batch.manifest.batch.max_comparisons is None


@pytest.mark.parametrize("name", ["mine.csv", "MINE.CSV", "mine.jsonl"])
def test_a_table_of_essays_and_its_anchors_are_taken_as_they_are(tmp_path: Path, name: str) -> None:
    content = ESSAYS if "csv" in name.lower() else '{"essay_id":"e1","text":"a"}\n{"essay_id":"e2","text":"b"}\n'
    source = write_files(tmp_path, {name: content, "marks.csv": ANCHORS})
    folder = scaffold(
        tmp_path / "batches",
        "spring",
        scale=None,
        judge="emulator:lexical",
        essays=source / name,
        anchors=source / "marks.csv",
    )
    table = f"essays{Path(name).suffix.lower()}"
    assert files(folder) == {"batch.toml", "assignment.md", "rubric.md", table, "anchors.csv"}
    assert (folder / table).read_text() == content
    assert (folder / "anchors.csv").read_text() == ANCHORS


def test_without_essays_only_what_a_person_fills_in_is_written(tmp_path: Path) -> None:
    folder = scaffold(tmp_path, "spring", scale=None, judge="emulator:lexical", essays=None, anchors=None)
    assert files(folder) == {"batch.toml", "assignment.md", "rubric.md"}
    with pytest.raises(BatchError, match="no essays"):
        read_batch(folder)


@pytest.mark.parametrize(
    "judge", ["openai:gpt-6-luna", "anthropic:claude-haiku-5-5", "vllm:org/model", "emulator:latent"]
)
def test_a_judge_of_every_provider_can_be_asked(tmp_path: Path, judge: str) -> None:
    folder = scaffold(tmp_path, "spring", scale=None, judge=judge, essays=None, anchors=None)
    (written,) = read_manifest(folder).judges
    assert f"{written.provider}:{written.model}" == judge


def test_only_judges_that_bill_are_paid(tmp_path: Path) -> None:
    def paid(judge: str) -> bool:
        return read_manifest(scaffold(tmp_path, judge[:4], scale=None, judge=judge, essays=None, anchors=None)).paid

    assert [paid(judge) for judge in ("openai:m", "anthropic:m", "vllm:m", "emulator:lexical")] == [
        True,
        True,
        False,
        False,
    ]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write_files(tmp_path / "spring", {"batch.toml": "mine"})
    with pytest.raises(BatchError, match=r"is there already. Choose another id"):
        scaffold(tmp_path, "spring", scale=None, judge="emulator:lexical", essays=None, anchors=None)
    assert (tmp_path / "spring" / "batch.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"batch_id": "Spring 5B"}, "use 1 to 64 of a-z"),
        ({"judge": "lexical"}, "write PROVIDER:MODEL"),
        ({"judge": "openai:"}, "write PROVIDER:MODEL"),
        ({"judge": "opneai:gpt-6-luna"}, r"judges\[1\].provider.*found 'opneai'"),
        ({"scale": "cerf"}, "no built-in scale 'cerf'; choose one of cefr"),
        ({"essays": "nowhere"}, "there is no such file or folder"),
        ({"essays": "empty"}, "no .docx, .txt or .md file in it"),
        ({"essays": "essays.ods"}, "none of .csv, .jsonl, .parquet and .xlsx"),
        ({"anchors": "nowhere.csv"}, "there is no such file.*essay_id and grade"),
        ({"anchors": "empty"}, "there is no such file"),
    ],
)
def test_a_mistake_is_told_and_leaves_nothing_behind(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    source = write_files(tmp_path / "source", {"essays.ods": b"PK"})
    (source / "empty").mkdir()
    paths = {name: source / changed[name] if name in changed else None for name in ("essays", "anchors")}
    with pytest.raises(CjError, match=said):
        scaffold(
            tmp_path / "batches",
            changed.get("batch_id", "spring"),
            scale=changed.get("scale"),
            judge=changed.get("judge", "emulator:lexical"),
            **paths,
        )
    assert not (tmp_path / "batches").exists()
