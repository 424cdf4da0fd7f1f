"""Experiments: variants of one question over the same anchors, laid out as batches and compared on one page."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cj_pipeline.cli import main
from cj_pipeline.deployment import Deployment
from cj_pipeline.eng5.experiment import LAID_OUT, experiment_of, experiment_roots, lay_out, read_experiment
from cj_pipeline.eng5.experiment_page import page_path, publish_experiment, shortened
from cj_pipeline.erase import erase_essays
from cj_pipeline.errors import BatchError
from cj_pipeline.report.words import CATALOGUES
from cj_pipeline_tests.eng5.anchors import anchor_batch
from cj_pipeline_tests.eng5.profile_runs import materialise
from cj_pipeline_tests.installation import REPO, Installation

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def experiments(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An experiment `prompts`: a variant in the order of the grades, and one that confuses two neighbours."""
    root = installation.folder / "experiments"
    monkeypatch.setenv("CJ_EXPERIMENTS", str(root))
    shared = anchor_batch(root / "prompts", checks="max_zero_wins = 1")
    (shared / "experiment.toml").write_text(f'title = "Rubrics {HOSTILE}"\nlanguage = "sv"\n', "utf-8")
    (shared / "variants/plain").mkdir(parents=True)
    (shared / "variants/plain/rubric.md").write_text(f"Plain. {HOSTILE}", "utf-8")
    swapped = anchor_batch(root.parent / "elsewhere", ranking=["a5", "a4", "a2", "a3", "a1"])
    (shared / "variants/strict").mkdir()
    shutil.copy(swapped / "batch.toml", shared / "variants/strict")
    return root


def read(name: str = "prompts") -> tuple[Deployment, "dict[str, str]"]:
    deployment = Deployment.open()
    experiment = read_experiment(name, experiment_roots(deployment.settings))
    return deployment, lay_out(experiment, deployment.settings.batches, deployment.batch)


def ended(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["cj", *argv])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_a_variant_is_a_batch_with_the_shared_anchors_and_what_it_has_of_its_own(experiments: Path) -> None:
    deployment, laid_out = read()
    assert laid_out == {"plain": "prompts-plain", "strict": "prompts-strict"}
    plain, strict = (deployment.batch(batch_id) for batch_id in laid_out.values())
    assert plain.essays.equals(strict.essays)
    assert plain.rubric.startswith("Plain.")
    assert strict.rubric == "Say it well."
    assert plain.manifest.judges != strict.manifest.judges
    assert experiment_of("prompts-plain", [experiments]) == "prompts"
    assert experiment_of("prompts-other", [experiments]) is None


def test_laying_out_again_changes_nothing_and_carries_an_edit_over(experiments: Path) -> None:
    _, laid_out = read()
    folder = experiments.parent / "batches/prompts-plain"
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    read()
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    (experiments / "prompts/variants/plain/rubric.md").write_text("Plainer.", "utf-8")
    deployment, _ = read()
    assert deployment.batch(laid_out["plain"]).rubric == "Plainer."


def test_a_batch_of_one_s_own_is_never_overwritten(experiments: Path) -> None:
    own = experiments.parent / "batches/prompts-plain"
    anchor_batch(own)
    manifest = (own / "batch.toml").read_bytes()
    with pytest.raises(BatchError, match="a batch of your own has this name"):
        read()
    assert (own / "batch.toml").read_bytes() == manifest
    assert not manifest.startswith(LAID_OUT.encode())


def test_anchors_can_be_those_of_another_batch(experiments: Path) -> None:
    shutil.copytree(REPO / "data/samples/merlin-german", experiments.parent / "batches/merlin-german")
    shutil.copytree(REPO / "data/samples/experiments/merlin-anchors", experiments / "merlin-anchors")
    deployment, laid_out = read("merlin-anchors")
    batch = deployment.batch(laid_out["words"])
    source = deployment.batch("merlin-german")
    assert (batch.n_anchors, batch.n_students) == (12, 0)
    assert batch.assignment == source.assignment
    texts = set(source.essays["text"].to_pylist())
    assert set(batch.essays["text"].to_pylist()) <= texts


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "variants/plain/anchors.csv").write_text("essay_id,grade\n"), "anchors above all"),
        (lambda folder: (folder / "variants/Not good").mkdir(), "is no batch id"),
        (lambda folder: shutil.rmtree(folder / "variants"), "no variant"),
        (lambda folder: (folder / "experiment.toml").write_text("tilte = 'x'"), "Its keys are title, language"),
        (lambda folder: (folder / "experiment.toml").write_text("title = "), "Its keys are title, language"),
        (lambda folder: (folder / "experiment.toml").write_text("anchors_from = 'nobody'"), "no batch.toml in"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_experiment_is_named_with_its_remedy(
    experiments: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(experiments / "prompts")
    with pytest.raises(BatchError, match=said):
        read()


def test_an_experiment_of_another_name_is_not_found_and_the_nearest_is_named(experiments: Path) -> None:
    with pytest.raises(BatchError, match="Did you mean 'prompts'"):
        read("prompt")


@pytest.mark.heavy
def test_the_command_runs_all_variants_and_ends_with_1_while_one_misses_its_targets(
    experiments: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(["eng5", "anchor-align", "prompts"], monkeypatch) == 1
    printed = capsys.readouterr().out
    assert "RED batch_report/anchors_aligned: Kendall's tau 0.800 of 5 anchors, at least 0.9" in printed
    page = Deployment.open().store.read(page_path("prompts")).decode()
    assert HOSTILE not in page
    assert "http" not in page.replace("http-equiv", "")  # it asks for nothing from anywhere
    said = CATALOGUES["sv"]
    for text in (said("experiment.column.tau"), said("experiment.missed"), "1,000", "0,800", "plain", "strict"):
        assert text in page
    deployment = Deployment.open()
    artefacts = deployment.store.paths("artefacts/*/*.json")
    assert artefacts == [
        f"artefacts/prompts-{variant}/assessment_run.anchor-align-test.json" for variant in ("plain", "strict")
    ]
    erase_essays(deployment, deployment.batch("prompts-plain"), ["a1"], erased_by="somebody")
    assert not deployment.store.exists(page_path("prompts"))
    assert deployment.store.paths("artefacts/prompts-plain/*") == []


def test_the_page_grows_with_every_variant_s_report(experiments: Path) -> None:
    deployment, laid_out = read()
    experiment = read_experiment("prompts", experiment_roots(deployment.settings))
    _, lines = publish_experiment(deployment, experiment)
    assert [line.run for line in lines] == [None, None]
    assert materialise(laid_out["plain"]).success
    page = deployment.store.read(page_path("prompts")).decode()
    assert "1,000" in page
    assert CATALOGUES["sv"]("experiment.waiting", why="") in page  # the other one, with the reason


def test_the_page_speaks_both_languages() -> None:
    keys = [{key for key in one.sentences if key.startswith("experiment")} for one in CATALOGUES.values()]
    assert keys[0] == keys[1]
    assert shortened("a" * 50) == "a" * 50
    assert shortened("a" * 51) == "a" * 50 + "…"
