"""The command line as a person meets it: real processes, their words, their exit codes."""

import os
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from cj_pipeline import emulator
from cj_pipeline_tests.cli.command import CJ, cj
from cj_pipeline_tests.installation import DEMO, Installation, small_batch


@pytest.fixture
def own_essays(tmp_path: Path) -> Path:
    """A folder of txt files and an anchors.csv, as a teacher has them."""
    essays = pd.read_csv(DEMO / "essays.csv", dtype=str)
    anchors = pd.read_csv(DEMO / "anchors.csv", dtype=str)
    anchors = anchors[anchors.grade != "C1"]  # a judge that counts words cannot tell C1 from B2
    chosen = pd.concat(
        [essays[essays.essay_id.isin(anchors.essay_id)], essays[~essays.essay_id.isin(anchors.essay_id)][:10]]
    )
    folder = tmp_path / "from school"
    folder.mkdir()
    for essay_id, text in zip(chosen["essay_id"], chosen["text"], strict=True):
        (folder / f"{essay_id}.txt").write_text(text, "utf-8")
    anchors.to_csv(tmp_path / "anchors.csv", index=False)
    return folder


@pytest.mark.heavy
def test_own_essays_get_from_a_folder_to_grades_with_three_commands(
    installation: Installation, own_essays: Path
) -> None:
    anchors = str(own_essays.parent / "anchors.csv")
    made = cj(installation, "new", "my-class", "--essays", str(own_essays), "--anchors", anchors, "--scale", "cefr")
    assert "cj plan my-class" in made
    planned = cj(installation, "plan", "my-class")
    assert "10 essays to judge, 10 anchors, 140 pairs" in planned
    assert "nothing was bought" in planned
    assert installation.bill()["files_uploaded"] == 0
    ran = cj(installation, "run", "my-class")
    assert "OFFLINE BASELINE" in ran
    assert "Leave-one-anchor-out" in ran
    assert "report: " in ran
    again = cj(installation, "run", "my-class")
    assert again.splitlines()[-1] == ran.splitlines()[-1]
    assert installation.bill()["batches_created"] == 1
    assert "graded" in cj(installation, "status")


@pytest.mark.heavy
def test_export_writes_tables_that_pandas_reads_back(installation: Installation) -> None:
    installation.copy_of_demo()
    cj(installation, "run", "demo")
    for form in ("csv", "parquet"):
        folder = installation.folder / form
        cj(installation, "export", "demo", "--to", str(folder), "--format", form)
        read = pd.read_csv if form == "csv" else pd.read_parquet
        results, judgments = read(folder / f"results.{form}"), read(folder / f"judgments.{form}")
        assert len(results) == 37
        assert results["essay_id"].is_unique
        graded = results.filter(like="p_A").notna().all(axis=1)
        sums = results.loc[graded, ["p_A1", "p_A2", "p_B1", "p_B2", "p_C1"]].sum(axis=1)
        assert sums.between(1 - 1e-9, 1 + 1e-9).all()
        assert len(judgments) == 259
        assert judgments["pair_id"].is_unique
        assert "text" not in read(folder / f"essays.{form}").columns
    cj(installation, "export", "demo", "--to", str(installation.folder / "all"), "--texts")
    assert pd.read_csv(installation.folder / "all/essays.csv")["text"].notna().all()


def test_a_mistake_is_one_message_and_exit_code_2(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small")
    (folder / "batch.toml").write_text((folder / "batch.toml").read_text("utf-8") + "\n[spendings]\n", "utf-8")
    said = cj(installation, "plan", "small", code=2)
    assert "batch.toml" in said
    assert "Did you mean 'spending'?" in said
    assert "Did you mean 'small'?" in cj(installation, "run", "smal", code=2)
    assert "broken" in cj(installation, "status")


@pytest.mark.heavy
def test_a_red_gate_is_exit_code_1_and_the_report_is_there(installation: Installation) -> None:
    installation.copy_of_demo(model="latent:sd=0,seed=3")
    said = cj(installation, "run", "demo", code=1)
    assert "withheld" in said
    assert (installation.folder / "store/reports/demo.html").exists()
    assert "withheld" in cj(installation, "status")


@pytest.mark.heavy
def test_not_waiting_is_exit_code_3(installation: Installation) -> None:
    small_batch(installation.batches / "small", model="lexical")
    slow = emulator.start_process(folder=installation.folder / "slow", seconds_per_phase=5)
    installation.environment["CJ_EMULATOR_URL"] = slow.url
    said = cj(installation, "run", "small", "--no-wait", code=3)
    assert "1 at the provider" in said
    assert "Next: cj run small" in said
    assert "running" in cj(installation, "status")
    slow.stop()


def test_a_paid_batch_asks_for_approval_and_says_how(installation: Installation) -> None:
    folder = small_batch(installation.batches / "paid", extra="[spending]\nmax_usd = 1.0")
    manifest = (folder / "batch.toml").read_text("utf-8").replace('"emulator"', '"openai"')
    (folder / "batch.toml").write_text(manifest.replace('"latent"', '"gpt-6-luna"'), "utf-8")
    planned = cj(installation, "plan", "paid")
    assert "Next: cj approve paid --max-usd AMOUNT" in planned
    assert "approval wanted" in cj(installation, "status", "paid", code=3)
    assert "nobody approved" in cj(installation, "run", "paid", code=3)
    approved = cj(installation, "approve", "paid", "--max-usd", "0.50", "--by", "head of study")
    assert "up to USD 0.50" in approved
    said = cj(installation, "run", "paid", code=2)
    assert "OPENAI_API_KEY" in said


@pytest.mark.heavy
def test_scores_without_a_scale_are_no_error(installation: Installation) -> None:
    small_batch(installation.batches / "small", model="lexical")
    assert "Scores without grades" in cj(installation, "run", "small")
    assert "scored" in cj(installation, "status")


def test_help_teaches_the_way_of_a_batch(installation: Installation) -> None:
    said = cj(installation, "--help")
    for command in ("cj new my-class", "cj plan my-class", "cj approve my-class", "cj run my-class"):
        assert command in said
    for command in ("demo", "new", "plan", "approve", "run", "status", "report", "export", "emulator"):
        assert "Usage: cj" in cj(installation, command, "--help")


@pytest.mark.heavy
def test_an_interrupt_is_exit_code_3_and_loses_nothing(installation: Installation) -> None:
    small_batch(installation.batches / "small", model="lexical")
    slow = emulator.start_process(folder=installation.folder / "slow", seconds_per_phase=2)
    installation.environment["CJ_EMULATOR_URL"] = slow.url
    environment = {**os.environ, **installation.environment, "PYTHONUNBUFFERED": "1"}
    child = subprocess.Popen(
        [CJ, "run", "small"], cwd=installation.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    while b"at the provider" not in child.stdout.readline():
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 3
    assert b"the same command continues from here" in said
    assert b"Traceback" not in said
    cj(installation, "run", "small")
    slow.stop()


@pytest.mark.heavy
def test_run_without_waiting_collects_what_has_ended(installation: Installation) -> None:
    small_batch(installation.batches / "small", model="lexical")
    for _ in range(20):
        child = subprocess.run(
            [CJ, "run", "small", "--no-wait"],
            cwd=installation.folder,
            env={**os.environ, **installation.environment},
            capture_output=True,
            check=False,
        )
        if child.returncode != 3:
            break
    assert child.returncode == 0


def test_a_command_line_that_is_not_understood_is_exit_code_2_and_no_red_gate(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    for words in (("plan",), ("bogus",), *(("approve", "small", "--max-usd", ceiling) for ceiling in ("-1", "inf"))):
        assert "cj --help" in cj(installation, *words, code=2)


def test_brackets_in_titles_and_messages_are_shown_as_they_are(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small")
    manifest = folder / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("[batch]", '[batch]\ntitle = "Class [/b] 5"'), "utf-8")
    assert "Class [/b] 5" in cj(installation, "plan", "small")
    manifest.write_text(manifest.read_text("utf-8").replace('"emulator"', '"openai"'), "utf-8")
    assert "[spending]" in cj(installation, "plan", "small", code=2)
