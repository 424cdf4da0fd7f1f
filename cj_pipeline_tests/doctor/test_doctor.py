"""`cj doctor` finds what would stop a batch, says what to do, and shows no key."""

import json
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from cj_pipeline.cli import main
from cj_pipeline.defs.health import look_at_dagster
from cj_pipeline.doctor import Look, Verdict, look_around
from cj_pipeline.settings import Settings
from cj_pipeline_tests.defs.materialising import materialise
from cj_pipeline_tests.installation import ON_BOTH_DATABASES, Installation, small_batch
from cj_pipeline_tests.jobs.purchase import bought, paid_batch

KEY = "sk-a-key-that-nobody-may-see"


def looks(*, offline: bool = False) -> dict[str, Look]:
    return {look.what: look for look in look_around(Settings(), offline=offline)}


def wrong(*, offline: bool = False) -> set[str]:
    return {look.what for look in looks(offline=offline).values() if look.verdict is Verdict.WRONG}


@ON_BOTH_DATABASES
def test_an_installation_that_works_is_told_so(installation: Installation) -> None:
    paid_batch(installation, "paid")
    bought(installation.deployment, "paid")
    found = looks()
    assert {name for name, look in found.items() if look.verdict is not Verdict.OK} == set()
    assert "lists jobs" in found["openai/default"].found
    assert "its schema is the newest" in found["ledger"].found
    assert installation.bill()["batches_created"] == 1


def test_a_fresh_folder_is_no_illness_and_gets_no_ledger_from_looking(installation: Installation) -> None:
    assert wrong() == set()
    assert not (installation.folder / "ledger.sqlite").exists()
    assert list((installation.folder / "store").glob("*")) == []


def test_a_missing_key_is_named_by_its_variable(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    paid_batch(installation, "paid")
    monkeypatch.delenv("OPENAI_API_KEY")
    look = looks(offline=True)["openai/default"]
    assert (look.verdict, "OPENAI_API_KEY" in look.advice) == (Verdict.WRONG, True)


def test_a_provider_that_is_not_there_is_only_noticed_when_it_is_asked(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = paid_batch(installation, "paid") / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace(installation.emulator_url, "http://127.0.0.1:9"), "utf-8")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert wrong(offline=True) == set()
    look = looks()["openai/default"]
    assert look.verdict is Verdict.WRONG
    assert "could not be reached" in look.found
    assert not any(KEY[:8] in str(look) for look in looks().values())


def test_a_batch_folder_that_cannot_be_read_is_named(installation: Installation) -> None:
    folder = small_batch(installation.batches / "bad")
    (folder / "essays.csv").write_text("essay_id,text\na,\nb,text\n", "utf-8")
    look = looks()["batches"]
    assert (look.verdict, "row 2" in look.found) == (Verdict.WARNING, True)


def test_a_store_that_cannot_be_written_is_wrong(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    (installation.folder / "a file").touch()
    monkeypatch.setenv("CJ_STORE", str(installation.folder / "a file/store"))
    assert wrong() == {"store"}


def test_a_ledger_of_a_newer_version_is_refused_and_so_is_a_damaged_one(installation: Installation) -> None:
    ledger = installation.folder / "ledger.sqlite"
    _ = installation.deployment.ledger
    with sqlite3.connect(ledger) as connection:
        connection.execute("update alembic_version set version_num = '9999_from_the_future'")
    assert wrong() == {"ledger"}
    ledger.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    assert wrong() == {"ledger"}


def test_a_database_that_does_not_answer_is_told_without_its_password(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CJ_POSTGRES_URL", "postgresql://cj:pa55word@127.0.0.1:9/cj")
    look = looks()["ledger"]
    assert look.verdict is Verdict.WRONG
    assert "pa55word" not in str(look)


def test_a_ledger_that_others_may_write_is_a_warning(installation: Installation) -> None:
    _ = installation.deployment.ledger
    (installation.folder / "ledger.sqlite").chmod(0o666)
    look = looks()["ledger's rights"]
    assert (look.verdict, look.advice) == (Verdict.WARNING, f"chmod go-w {installation.folder / 'ledger.sqlite'}")


def test_a_clock_behind_the_ledger_is_wrong(installation: Installation) -> None:
    small_batch(installation.batches / "one")
    bought(installation.deployment, "one")
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    with installation.deployment.ledger.transaction() as connection:
        connection.execute(sa.text("update bookings set booked_at = :later"), {"later": later})
    assert wrong() == {"clock"}


def test_a_webhook_must_be_an_address_and_is_not_shown(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CJ_NOTIFY_URL", "hooks.example/secret-token")
    look = looks()["notices"]
    assert (look.verdict, "secret-token" in str(look)) == (Verdict.WRONG, False)


# --- Dagster ---


def daemons(beats: dict[str, str]) -> Look:
    """The daemon's line, when these types of daemon (by id of the process) are heard from now."""
    from dagster._daemon.types import DaemonHeartbeat

    with dg.DagsterInstance.from_config(str(Path.cwd())) as instance:
        for kind, process in beats.items():
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), kind, process, []))
    return list(look_at_dagster())[-1]


def test_exactly_one_daemon_is_wanted(installation: Installation) -> None:
    assert daemons({}).verdict is Verdict.WARNING
    assert daemons({"SENSOR": "one", "BACKFILL": "one"}).verdict is Verdict.OK
    two = daemons({"SENSOR": "one", "BACKFILL": "another"})
    assert (two.verdict, two.found) == (Verdict.WRONG, "2 were heard from in the last two minutes")


def test_dagster_wants_its_file(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    (look,) = look_at_dagster()
    assert (look.verdict, "dagster.yaml" in look.found) == (Verdict.WRONG, True)


# --- the commands ---


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs `cj` in this process; its words, when it ends with the code that is expected."""

    def run(*words: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["cj", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        words_said = capsys.readouterr()
        assert (ended.value.code or 0) == code, words_said
        return words_said.out or words_said.err

    return run


def test_the_command_ends_with_2_when_something_is_wrong(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, said: Callable[..., str]
) -> None:
    paid_batch(installation, "paid")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    rows = json.loads(said("doctor", "--json"))
    assert [row["what"] for row in rows if row["verdict"] == "warning"] == ["daemon"]
    assert not any(row["verdict"] == "wrong" for row in rows)
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "OPENAI_API_KEY" in said("doctor", "--offline", code=2)


def test_status_and_report_are_json_for_scripts_and_their_codes_tell_where_a_batch_is(
    installation: Installation, said: Callable[..., str]
) -> None:
    installation.copy_of_demo()
    assert "no batch.toml" in said("status", "nobody", code=2)
    assert "no batch.toml" in said("report", "nobody", code=2)
    (row,) = json.loads(said("status", "demo", "--json", code=3))
    assert (row["state"], row["next_action"]) == ("new", "cj plan demo")
    assert "no report yet" in said("report", "demo", code=3)
    materialise(dg.DagsterInstance.ephemeral(), "demo")
    (row,) = json.loads(said("status", "demo", "--json"))
    assert row["state"] == "graded"
    told = json.loads(said("report", "demo", "--json"))
    assert (told["publishable"], len(told["essays"])) == (True, 37)
    assert Path(told["report"]).exists()


def test_a_red_gate_shows_in_every_code(installation: Installation, said: Callable[..., str]) -> None:
    installation.copy_of_demo(model="latent:sd=0,seed=3")
    materialise(dg.DagsterInstance.ephemeral(), "demo", raise_on_error=False)
    assert json.loads(said("report", "demo", "--json", code=1))["publishable"] is False
    (row,) = json.loads(said("status", "demo", "--json", code=1))
    assert row["state"] == "withheld"
