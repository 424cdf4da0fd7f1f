"""What `cj jobs`, `cj costs` and `cj erase` say and do, in the words of docs/operations.md."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from cj_pipeline import cli
from cj_pipeline.jobs.job import State, job_named, jobs_of
from cj_pipeline.jobs.submission import buy
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.calling import CALLS, calling_batch
from cj_pipeline_tests.jobs.purchase import bought, ended, judged, paid_batch

Cj = Callable[..., str]


@pytest.fixture
def cj(installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cj:
    """Run `cj` in this process; its words. Fails when it ends with another code."""

    def run(*words: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["cj", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        assert (stopped.value.code or 0) == code, said.out + said.err
        return said.out + said.err

    return run


def only_job(installation: Installation, batch_id: str) -> str:
    (job,) = jobs_of(installation.deployment.ledger, batch_id)
    return job.job_id


def test_jobs_are_listed_and_shown_with_what_to_do_next(installation: Installation, cj: Cj) -> None:
    small_batch(installation.batches / "small")
    bought(installation.deployment, "small")
    name = only_job(installation, "small")
    listed = cj("jobs", "list")
    assert name in listed
    assert "submitted" in listed
    assert name in cj("jobs", "list", "small", "--open")
    assert "next  cj run small" in cj("jobs", "show", name)
    judged(installation.deployment, "small")
    assert name not in cj("jobs", "list", "--open")
    (row,) = json.loads(cj("jobs", "list", "--json"))
    assert (row["job_id"], row["state"], row["items"], row["reserved_usd"]) == (name, "reconciled", 15, 0.0)
    shown = json.loads(cj("jobs", "show", name, "--json"))
    assert shown["outcomes"] == {"verdict": 15}
    assert "no job" not in cj("jobs", "show", name)


def test_a_job_of_calls_is_shown_with_what_became_of_them(installation: Installation, cj: Cj) -> None:
    batch, deployment = calling_batch(installation), installation.deployment
    name = only_job(installation, "calling")
    assert json.loads(cj("jobs", "show", name, "--json"))["calls"] == {}
    buy(deployment.ledger, deployment.store, batch, deployment.settings)
    assert json.loads(cj("jobs", "show", name, "--json"))["calls"] == {"answered": CALLS}


def test_a_job_nobody_knows_is_a_mistake(installation: Installation, cj: Cj) -> None:
    assert "none of that name" in cj("jobs", "show", "j000000000000", code=2)


def test_a_cancelled_job_keeps_what_ran_until_then(installation: Installation, cj: Cj) -> None:
    small_batch(installation.batches / "small")
    installation.arm("stuck_in_progress", 600)
    bought(installation.deployment, "small")
    name = only_job(installation, "small")
    cj("jobs", "cancel", name)
    ended(installation.deployment, "small")
    rows = judged(installation.deployment, "small")
    assert job_named(installation.deployment.ledger, name).status == "cancelled"
    assert rows.num_rows == 15
    assert set(rows["error_code"].to_pylist()) <= {None, "cancelled"}
    if rows["error_code"].null_count < 15:
        cj("jobs", "retry", name)
        assert judged(installation.deployment, "small")["error_code"].null_count == 15
    assert "every comparison of it has a verdict" in cj("jobs", "retry", name, code=2)


def test_a_job_that_was_not_bought_is_closed_at_once(installation: Installation, cj: Cj) -> None:
    paid_batch(installation, "paid", max_usd=1e-6)
    with pytest.raises(Exception, match="the cap is"):
        bought(installation.deployment, "paid")
    name = only_job(installation, "paid")
    assert "cancelled" in cj("jobs", "cancel", name)
    assert job_named(installation.deployment.ledger, name).status == "cancelled"
    assert "nothing left to cancel" in cj("jobs", "cancel", name, code=2)


def test_a_refused_job_is_asked_again_once_its_cause_is_gone(installation: Installation, cj: Cj) -> None:
    small_batch(installation.batches / "small")
    installation.arm("create_400")
    assert set(judged(installation.deployment, "small")["error_code"].to_pylist()) == {"job_refused"}
    name = only_job(installation, "small")
    assert "HTTP 400" in cj("jobs", "show", name)
    cj("jobs", "retry", name)
    assert set(judged(installation.deployment, "small")["error_code"].to_pylist()) == {None}


def test_a_job_in_doubt_is_found_again(installation: Installation, cj: Cj) -> None:
    small_batch(installation.batches / "small")
    bought(installation.deployment, "small")
    ended(installation.deployment, "small")
    with installation.deployment.ledger.transaction() as connection:
        connection.execute(sa.text("update jobs set state = 'unknown', provider_job_id = null, submitted_at = null"))
    name = only_job(installation, "small")
    assert "cj jobs reconcile small" in cj("jobs", "cancel", name, code=2)
    said = cj("jobs", "reconcile", "small")
    assert f"job {name}: found at the provider" in said
    assert "1 done" in said
    assert installation.bill()["requests_seen"] == 15


def test_a_job_in_doubt_is_given_up_on_a_persons_word(installation: Installation, cj: Cj) -> None:
    paid_batch(installation, "doubt")
    bought(installation.deployment, "doubt")
    with installation.deployment.ledger.transaction() as connection:
        connection.execute(sa.text("update jobs set state = 'unknown', provider_job_id = 'batch_unheard_of'"))
    name = only_job(installation, "doubt")
    assert "booked at its upper bound" in cj("jobs", "give-up", name)
    judged(installation.deployment, "doubt")
    first, second = jobs_of(installation.deployment.ledger, "doubt")
    assert (first.spent_nano_usd, second.state) == (first.bound_nano_usd, State.RECONCILED)
    assert "the job was created" in cj("jobs", "show", name) or "given up" in cj("jobs", "show", name)


def test_a_job_that_never_comes_back_is_given_up_and_asked_again(installation: Installation, cj: Cj) -> None:
    paid_batch(installation, "lost")
    installation.arm("stuck_in_progress", 600)
    bought(installation.deployment, "lost")
    name = only_job(installation, "lost")
    cj("jobs", "give-up", name)
    assert "1 done" in cj("jobs", "reconcile", "lost")
    rows = judged(installation.deployment, "lost")
    assert set(rows["error_code"].to_pylist()) == {"results_gone"}
    assert job_named(installation.deployment.ledger, name).spent_nano_usd == (
        job_named(installation.deployment.ledger, name).bound_nano_usd
    )
    cj("jobs", "retry", name)
    assert set(judged(installation.deployment, "lost")["error_code"].to_pylist()) == {None}


def test_raw_answers_that_were_lost_are_fetched_again_or_asked_for(
    installation: Installation, cj: Cj, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CJ_DELETE_AT_PROVIDER", "false")
    small_batch(installation.batches / "small")
    before = judged(installation.deployment, "small")
    (job,) = jobs_of(installation.deployment.ledger, "small")
    raw = installation.folder / "store" / str(job.output_path)
    kept = raw.read_bytes()
    raw.unlink()
    with pytest.raises(Exception, match=f"cj jobs fetch-again {job.job_id}"):
        judged(installation.deployment, "small")
    cj("jobs", "fetch-again", job.job_id)
    assert raw.read_bytes() == kept
    assert judged(installation.deployment, "small").equals(before)

    raw.write_bytes(kept.replace(b"Essay A", b"Essay B", 1))
    with pytest.raises(Exception, match="its SHA-256 changed"):
        judged(installation.deployment, "small")


def test_a_hold_is_told_and_lifted(installation: Installation, cj: Cj) -> None:
    paid_batch(installation, "poor")
    installation.arm("create_out_of_credit")
    with pytest.raises(Exception, match="lift-hold"):
        bought(installation.deployment, "poor")
    assert "openai/default is on hold" in cj("jobs", "list")
    assert "may buy again" in cj("jobs", "lift-hold", "openai/default", "--by", "the office")
    assert "is not on hold" in cj("jobs", "lift-hold", "openai/default", code=2)
    assert judged(installation.deployment, "poor").num_rows == 15


def test_requests_run_by_hand_come_back_by_hand(
    installation: Installation, cj: Cj, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The files are what `vllm run-batch` takes and gives."""
    monkeypatch.setenv("CJ_HANDOVER", str(tmp_path / "handover"))
    folder = small_batch(installation.batches / "own")
    manifest = folder / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('"emulator"', '"vllm"'), "utf-8")
    bought(installation.deployment, "own")
    name = only_job(installation, "own")
    assert name in cj("jobs", "export-requests", "own", "--to", str(tmp_path / "out"))
    requests = (tmp_path / "out" / f"{name}.requests.jsonl").read_bytes().splitlines()
    verdict = json.dumps({"winner": "Essay A", "justification": "clear", "confidence": 3})
    answers = [
        {
            "id": "vllm-1", "custom_id": json.loads(line)["custom_id"], "error": None,
            "response": {"status_code": 200, "request_id": "r", "body": {
                "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": verdict}}],
                "usage": {"prompt_tokens": 300, "completion_tokens": 20},
            }},
        }
        for line in requests
    ]  # fmt: skip
    results = tmp_path / "results.jsonl"
    results.write_text("".join(json.dumps(answer) + "\n" for answer in answers), "utf-8")
    assert f"15 lines for job {name}" in cj("jobs", "import-results", "own", str(results))
    rows = judged(installation.deployment, "own")
    assert set(rows["winner"].to_pylist()) == {"essay_a"}
    assert "answers no job that waits" in cj("jobs", "import-results", "own", str(results), code=2)


def test_costs_and_erasure_are_told(installation: Installation, cj: Cj) -> None:
    paid_batch(installation, "paid")
    judged(installation.deployment, "paid")
    told = json.loads(cj("costs", "--json"))
    assert told["judges"][0]["comparisons"] == 15
    assert told["accounts"][0]["account"] == "openai/default"
    assert "openai/default" in cj("costs", "paid")
    assert "without the texts" in cj("erase", "paid", "--essay", "e02", "--yes", "--by", "the office")
    assert "the office" in cj("erase", "paid", "--receipts")
    assert "nothing is past its retention" in cj("erase", "--due", "--yes")
    assert "name a batch" in cj("erase", code=2)
