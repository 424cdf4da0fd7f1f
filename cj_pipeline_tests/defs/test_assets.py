"""The Dagster face: the graph people see, a whole batch in one run, waiting, refusing, and gates that stop."""

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from cj_pipeline import emulator
from cj_pipeline.definitions import ASSETS, defs
from cj_pipeline.errors import RevisionChanged, StaleTable
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline_tests.defs.materialising import QUIET, made, materialise
from cj_pipeline_tests.installation import REPO, Installation, small_batch


def test_the_graph_is_the_seven_assets_of_the_design() -> None:
    graph = defs.resolve_asset_graph()
    edges = {
        key.to_user_string(): sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
        for key in graph.materializable_asset_keys
    }
    assert edges == {
        "essays": [],
        "comparison_pairs": ["essays"],
        "provider_batch_jobs": ["comparison_pairs"],
        "judgments": ["comparison_pairs", "provider_batch_jobs"],
        "bradley_terry_scores": ["comparison_pairs", "essays", "judgments"],
        "grade_projections": ["bradley_terry_scores", "comparison_pairs", "essays", "judgments"],
        "batch_report": ["grade_projections"],
    }


def test_every_asset_says_what_it_is_and_has_checks() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description
        assert len(node.description) > 60
        assert node.group_name in {"plan", "purchase", "scale", "report"}
        assert (
            graph.get_check_keys_for_assets({key}) if hasattr(graph, "get_check_keys_for_assets") else node.check_keys
        )


def test_one_run_takes_a_batch_from_its_folder_to_its_report(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    installation.copy_of_demo()
    result = materialise(instance, "demo")
    assert made(result) == {asset.key.to_user_string() for asset in ASSETS}
    evaluations = result.get_asset_check_evaluations()
    assert {evaluation.asset_check_key for evaluation in evaluations} == defs.resolve_asset_graph().asset_check_keys
    assert {evaluation.partition for evaluation in evaluations} == {"demo"}
    red = {evaluation.check_name for evaluation in evaluations if not evaluation.passed}
    assert "publishable" not in red
    assert installation.deployment.store.exists("reports/demo.html")


def test_no_essay_text_reaches_the_event_log(installation: Installation, instance: dg.DagsterInstance) -> None:
    small_batch(installation.batches / "small", model="lexical")
    run = materialise(instance, "small").run_id
    events = [dg.serialize_value(entry) for entry in instance.all_logs(run)]
    assert len(events) > 100
    assert not any("says something of its own" in event for event in events)
    assert max(map(len, events)) < 64_000


def test_materialising_while_jobs_are_out_waits_and_fails_nothing(
    installation: Installation, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batch(installation.batches / "small")
    slow = emulator.start_process(folder=installation.folder / "slow", seconds_per_phase=1.5)
    monkeypatch.setenv("CJ_EMULATOR_URL", slow.url)
    monkeypatch.setenv("CJ_EMULATOR_PATIENCE_SECONDS", "0")
    early = materialise(instance, "small")
    monkeypatch.setenv("CJ_EMULATOR_PATIENCE_SECONDS", "60")
    late = materialise(instance, "small")
    slow.stop()
    assert early.success
    assert made(early) == {"essays", "comparison_pairs", "provider_batch_jobs"}
    assert "batch_report" in made(late)
    assert late.output_for_node("provider_batch_jobs").num_rows == 1


def test_materialising_everything_buys_nothing_that_nobody_approved(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    folder = small_batch(installation.batches / "paid", extra="[spending]\nmax_usd = 1.0")
    manifest = (folder / "batch.toml").read_text("utf-8")
    manifest = manifest.replace('"emulator"', '"openai"').replace('"latent"', '"gpt-6-luna"')
    (folder / "batch.toml").write_text(manifest, "utf-8")
    result = materialise(instance, "paid", raise_on_error=False)
    assert not result.success
    assert made(result) == {"essays", "comparison_pairs"}
    with pytest.raises(Exception, match="nobody approved"):
        materialise(instance, "paid")
    assert installation.bill()["files_uploaded"] == 0


def test_a_red_gate_withholds_the_grades_fails_the_run_and_still_reports(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    """A judge that tosses coins cannot put the anchors in order."""
    installation.copy_of_demo(model="latent:sd=0,seed=3")
    result = materialise(instance, "demo", raise_on_error=False)
    assert not result.success
    evaluations = {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}
    assert not evaluations["anchors_in_order"].passed
    assert not evaluations["publishable"].passed
    grades = installation.deployment.read_table("grade_projections", "demo")
    assert grades["grade"].null_count == grades.num_rows == 37
    assert all("anchors_in_order" in reason for reason in grades["reason"].to_pylist())
    assert "withheld" in installation.deployment.store.read("reports/demo.html").decode().lower()


def test_a_red_gate_can_be_overridden_by_name_with_a_reason_that_is_kept(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    folder = installation.copy_of_demo(model="latent:sd=0,seed=3")
    materialise(instance, "demo", raise_on_error=False)
    with (folder / "batch.toml").open("a", encoding="utf-8") as manifest:
        manifest.write('\n[checks.override]\nanchors_in_order = "A rehearsal; no grade leaves this room."\n')
    result = materialise(instance, "demo", ["grade_projections", "batch_report"])
    assert result.success
    grades = installation.deployment.read_table("grade_projections", "demo")
    assert grades["grade"].null_count < 37
    assert "A rehearsal; no grade leaves this room." in installation.deployment.store.read("reports/demo.html").decode()
    assert installation.bill()["batches_created"] == 1


def test_an_old_table_is_refused_by_name(installation: Installation, instance: dg.DagsterInstance) -> None:
    folder = small_batch(installation.batches / "small")
    materialise(instance, "small", ["essays"])
    (folder / "rubric.md").write_text("Another rubric.", "utf-8")
    open_revision(installation.deployment.ledger, installation.deployment.batch("small"))
    with pytest.raises(StaleTable, match="the stored essays belong to revision"):
        materialise(instance, "small", ["comparison_pairs"])


def test_an_edit_after_the_purchase_stops_the_first_asset(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    folder = small_batch(installation.batches / "small")
    materialise(instance, "small")
    (folder / "rubric.md").write_text("Another rubric.", "utf-8")
    with pytest.raises(RevisionChanged, match="rubric changed"):
        materialise(instance, "small", ["essays"])


def test_register_batches_adds_what_can_be_read_and_names_what_cannot(
    installation: Installation, instance: dg.DagsterInstance
) -> None:
    small_batch(installation.batches / "good")
    (small_batch(installation.batches / "bad") / "essays.csv").write_text("essay_id,text\na,\nb,text\n", "utf-8")
    job = defs.resolve_job_def("register_batches")
    result = job.execute_in_process(instance=instance, raise_on_error=False, run_config=QUIET)
    assert not result.success
    assert instance.get_dynamic_partitions("batch") == ["good"]
    failure = next(event for event in result.all_events if event.event_type_value == "STEP_FAILURE")
    assert "row 2" in str(failure.event_specific_data)


def test_loading_the_definitions_reads_no_environment_and_imports_no_sdk() -> None:
    script = (
        "import os, sys\n"
        "os.environ['CJ_POSTGRES_URL'] = 'not a url'\n"
        "import cj_pipeline.definitions\n"
        "print([name for name in ('openai', 'anthropic', 'genai_prices', 'matplotlib') if name in sys.modules])\n"
    )
    child = subprocess.run([sys.executable, "-c", script], cwd=REPO, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "[]"


def test_the_dagster_command_line_does_a_whole_batch(installation: Installation, tmp_path: Path) -> None:
    """The literal commands of the documentation."""
    small_batch(installation.batches / "small", model="lexical")
    dagster = str(Path(sys.executable).with_name("dagster"))
    module = ["-m", "cj_pipeline.definitions"]
    subprocess.run(
        [dagster, "job", "execute", *module, "-j", "register_batches"], cwd=tmp_path, check=True, capture_output=True
    )
    subprocess.run(
        [dagster, "asset", "materialize", *module, "--select", "*", "--partition", "small"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert installation.deployment.store.exists("reports/small.html")
