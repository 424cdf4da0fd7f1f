"""Jobs of synchronous calls, over real HTTP and the real SDKs: what goes wrong, what it costs, how they go on."""

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import AccountOnHold, CjError, OverBudget, ProviderUnreachable, ResultsGone
from cj_pipeline.jobs.call_answers import keep_answer
from cj_pipeline.jobs.collection import collect
from cj_pipeline.jobs.fetching import fetch_again
from cj_pipeline.jobs.holds import lift_hold
from cj_pipeline.jobs.interventions import cancel_job, give_up_job
from cj_pipeline.jobs.job import Job, State, jobs_of
from cj_pipeline.jobs.leases import job_lease
from cj_pipeline.jobs.ledger import ledger_time
from cj_pipeline.jobs.progress import Progress, progress_of
from cj_pipeline.jobs.requests import bounds_of, request_lines
from cj_pipeline.jobs.retries import retry_job
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.schema import calls
from cj_pipeline.jobs.schema import jobs as jobs_table
from cj_pipeline.jobs.submission import Bought, buy, next_try
from cj_pipeline.providers import Transport, job_price
from cj_pipeline_tests.installation import Installation
from cj_pipeline_tests.jobs.calling import (
    CALLS,
    PROVIDERS,
    bill_of_calls,
    booked,
    calling_batch,
    states,
    the_job,
)

BOTH = pytest.mark.parametrize("provider", PROVIDERS)


def bought(deployment: Deployment, batch: Batch) -> Bought:
    return buy(deployment.ledger, deployment.store, batch, deployment.settings)


def outcomes(deployment: Deployment, batch: Batch) -> list[str]:
    """How every comparison ended, by its code, or "verdict"."""
    collected = collect(deployment.ledger, deployment.store, batch, deployment.settings)
    assert not isinstance(collected, Progress), collected.sentence()
    return sorted(code or "verdict" for code in collected["error_code"].to_pylist())


def no_more_pause(deployment: Deployment) -> None:
    with deployment.ledger.transaction() as connection:
        connection.execute(jobs_table.update().values(not_before=None))


def bound_of_one(deployment: Deployment, job: Job) -> int:
    """The most that one call of the job can cost; all of them here are of one length."""
    price = job_price(job.provider, job.model, Transport.CALLS)
    return max(bounds_of(request_lines(deployment.store, job), price).values())


@BOTH
def test_each_call_is_made_once_kept_read_and_booked_at_the_full_price(
    installation: Installation, provider: str
) -> None:
    batch = calling_batch(installation, provider=provider)
    deployment = installation.deployment
    planned = the_job(deployment)
    assert progress_of(deployment.ledger, "calling").planned == 1
    assert bought(deployment, batch).submitted == (planned.job_id,)
    assert outcomes(deployment, batch) == ["verdict"] * CALLS
    job = the_job(deployment)
    assert (job.state, job.status, job.reserved_nano_usd) == (State.RECONCILED, "completed", 0)
    assert states(deployment, job) == {"answered": CALLS}
    assert bill_of_calls(installation) == booked(deployment) == job.spent_nano_usd
    bill = installation.bill()
    assert (bill["sync"]["requests_seen"], bill["distinct_bodies"], bill["batches_created"]) == (CALLS, CALLS, 0)
    assert bought(deployment, batch) == Bought()
    assert deployment.store.paths(f"jobs/calling/{job.job_id}/call-*") == []
    batch_price = job_price(provider, "latent", Transport.BATCH)
    assert job_price(provider, "latent", Transport.CALLS).output_nano_per_million > batch_price.output_nano_per_million


def test_per_request_never_has_more_calls_on_their_way_than_slots(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CJ_CALL_SLOTS", "2")
    batch = calling_batch(installation, mode="per_request")
    deployment = installation.deployment
    bought(deployment, batch)
    with deployment.ledger.reading() as connection:
        rows = connection.execute(sa.select(calls.c.asked_at, calls.c.ended_at)).all()
    moments = sorted([(asked, 1) for asked, _ in rows] + [(ended, -1) for _, ended in rows])
    on_their_way = [sum(change for _, change in moments[: at + 1]) for at in range(len(moments))]
    assert (len(rows), max(on_their_way)) == (CALLS, 2)


@pytest.mark.parametrize(
    ("provider", "fault"),
    [("openai", "sync_429"), ("openai", "sync_503"), ("anthropic", "sync_429"), ("anthropic", "sync_overloaded")],
)
def test_a_call_that_was_turned_away_is_made_again_after_the_pause_that_is_asked_for(
    installation: Installation, provider: str, fault: str
) -> None:
    batch = calling_batch(installation, provider=provider, essays=6)
    deployment = installation.deployment
    installation.arm(fault, True if fault == "sync_overloaded" else 1)
    begin = time.monotonic()
    bought(deployment, batch)
    assert time.monotonic() - begin >= (1 if fault != "sync_overloaded" else 0.5)
    assert outcomes(deployment, batch) == ["verdict"] * 3
    with deployment.ledger.reading() as connection:
        assert sorted(connection.execute(sa.select(calls.c.times_asked)).scalars()) == [1, 1, 2]
    assert bill_of_calls(installation) == booked(deployment)


def test_beyond_its_patience_the_job_pauses_and_the_next_purchase_goes_on(installation: Installation) -> None:
    batch = calling_batch(installation, mode="per_request")
    deployment = installation.deployment
    installation.arm("sync_429", 7_200)
    job = the_job(deployment)
    assert bought(deployment, batch).waiting == (job.job_id,)
    paused = the_job(deployment)
    assert (paused.state, paused.status) == (State.SUBMITTED, "running")
    assert states(deployment, paused).get("uncertain", 0) == 0
    pause = ledger_time(paused.not_before)
    assert pause == next_try(deployment.ledger, "calling")
    before = installation.bill()["sync"]["requests_seen"]
    assert before < CALLS
    assert isinstance(collect(deployment.ledger, deployment.store, batch, deployment.settings), Progress)
    assert bought(deployment, batch).waiting == (job.job_id,), "the pause is kept"
    assert installation.bill()["sync"]["requests_seen"] == before
    no_more_pause(deployment)
    bought(deployment, batch)
    assert outcomes(deployment, batch) == ["verdict"] * CALLS
    assert installation.bill()["sync"]["requests_seen"] == CALLS
    assert bill_of_calls(installation) == booked(deployment)


@pytest.mark.parametrize(
    ("provider", "fault"),
    [
        ("openai", "sync_dropped"),
        ("openai", "sync_500_after_billing"),
        ("openai", "sync_overloaded"),  # a 503 that names no pause may have been carried out
        ("anthropic", "sync_dropped_after_billing"),
        ("anthropic", "sync_500"),
        pytest.param("openai", "sync_hang", marks=pytest.mark.heavy),
        pytest.param("anthropic", "sync_hang", marks=pytest.mark.heavy),
    ],
)
def test_a_call_in_doubt_is_booked_at_its_upper_bound_and_not_asked_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, provider: str, fault: str
) -> None:
    monkeypatch.setenv("CJ_REQUEST_TIMEOUT_SECONDS", "3")
    batch = calling_batch(installation, provider=provider, essays=6)
    deployment = installation.deployment
    installation.arm(fault, 5 if fault == "sync_hang" else True)
    bought(deployment, batch)
    assert outcomes(deployment, batch) == ["uncertain", "verdict", "verdict"]
    job = the_job(deployment)
    assert states(deployment, job) == {"answered": 2, "uncertain": 1}
    bound = bound_of_one(deployment, job)
    assert job.spent_nano_usd is not None
    assert bound < job.spent_nano_usd < 2 * bound
    assert bill_of_calls(installation) <= booked(deployment)
    assert bought(deployment, batch) == Bought()


def test_a_call_in_doubt_is_asked_again_where_the_manifest_says_so(installation: Installation) -> None:
    batch = calling_batch(installation, essays=6, spending='on_unknown = "resubmit"')
    deployment = installation.deployment
    installation.arm("sync_dropped_after_billing")
    bought(deployment, batch)
    collected = collect(deployment.ledger, deployment.store, batch, deployment.settings)
    if isinstance(collected, Progress):
        bought(deployment, batch)
        assert outcomes(deployment, batch) == ["verdict"] * 3
    else:  # the failed comparisons of a wave may wait for the end of the batch
        (job,) = jobs_of(deployment.ledger, "calling")
        assert retry_job(deployment.ledger, deployment.store, batch, deployment.settings, job) == 1
        bought(deployment, batch)
        assert outcomes(deployment, batch) == ["verdict"] * 3
    assert bill_of_calls(installation) <= booked(deployment)


def test_one_slot_leaves_at_most_one_call_in_doubt_in_a_run(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CJ_CALL_SLOTS", "1")
    monkeypatch.setenv("CJ_BACKOFF_SECONDS", "600")
    batch = calling_batch(installation, mode="per_request")
    deployment = installation.deployment
    installation.arm("sync_dropped")
    installation.arm("sync_500")
    for doubts in (1, 2):
        assert bought(deployment, batch).waiting
        job = the_job(deployment)
        assert states(deployment, job)["uncertain"] == doubts
        assert job.not_before is not None
        no_more_pause(deployment)
    bought(deployment, batch)
    assert outcomes(deployment, batch) == ["uncertain"] * 2 + ["verdict"] * (CALLS - 2)


@BOTH
def test_a_bad_request_and_an_odd_page_are_outcomes_of_their_own_call(
    installation: Installation, provider: str
) -> None:
    batch = calling_batch(installation, provider=provider, essays=6)
    deployment = installation.deployment
    installation.arm("sync_400")
    installation.arm("sync_html")
    bought(deployment, batch)
    assert outcomes(deployment, batch) == ["invalid_request", "unreadable_result", "verdict"]
    job = the_job(deployment)
    assert states(deployment, job) == {"answered": 3}
    # a bad request costs nothing; what cannot be read counts with its bound
    assert booked(deployment) == bill_of_calls(installation) + bound_of_one(deployment, job)


@BOTH
def test_without_credit_the_account_is_held_and_no_comparison_is_lost(
    installation: Installation, provider: str
) -> None:
    batch = calling_batch(installation, provider=provider)
    deployment = installation.deployment
    installation.arm("sync_out_of_credit")
    with pytest.raises(AccountOnHold, match="lift-hold"):
        bought(deployment, batch)
    with pytest.raises(AccountOnHold):
        bought(deployment, batch)
    assert states(deployment, the_job(deployment))["turned_away"] == 1
    lift_hold(deployment.ledger, f"{provider}/default", lifted_by="a person")
    bought(deployment, batch)
    assert outcomes(deployment, batch) == ["verdict"] * CALLS
    assert {job.attempt for job in jobs_of(deployment.ledger, "calling")} == {1}
    assert bill_of_calls(installation) == booked(deployment)


def test_a_cap_stops_the_job_before_its_first_call(installation: Installation) -> None:
    batch = calling_batch(installation, max_usd=0.001)
    deployment = installation.deployment
    with pytest.raises(OverBudget, match="max_usd"):
        bought(deployment, batch)
    assert the_job(deployment).state is State.PLANNED
    assert installation.bill()["requests_seen"] == 0


def test_calls_that_were_not_made_in_time_expire_with_a_row_each(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = calling_batch(installation, mode="per_request")
    deployment = installation.deployment
    installation.arm("sync_429", 7_200)
    bought(deployment, batch)
    answered = states(deployment, the_job(deployment)).get("answered", 0)
    no_more_pause(deployment)
    monkeypatch.setenv("CJ_REQUEST_TTL_HOURS", "0.0000001")
    deployment = installation.deployment
    assert bought(deployment, batch).submitted
    assert states(deployment, the_job(deployment)) == {"answered": answered, "expired": CALLS - answered} or (
        answered == 0 and states(deployment, the_job(deployment)) == {"expired": CALLS}
    )
    collect(deployment.ledger, deployment.store, batch, deployment.settings)
    first = jobs_of(deployment.ledger, "calling")[0]
    assert (first.state, first.status, first.unanswered) == (State.RECONCILED, "expired", CALLS - answered)
    assert bill_of_calls(installation) == booked(deployment), "what was never asked costs nothing"


def test_a_cancelled_job_keeps_what_was_answered_and_makes_no_more_calls(installation: Installation) -> None:
    batch = calling_batch(installation, mode="per_request")
    deployment = installation.deployment
    installation.arm("sync_429", 7_200)
    bought(deployment, batch)
    with pytest.raises(CjError, match="cj jobs cancel"):
        give_up_job(deployment.ledger, the_job(deployment))
    job = cancel_job(deployment.ledger, batch, deployment.settings, the_job(deployment))
    assert (job.state, job.status) == (State.ENDED, "cancelled")
    asked = installation.bill()["sync"]["requests_seen"]
    assert outcomes(deployment, batch) == ["cancelled"] * (CALLS - asked) + ["verdict"] * asked
    assert installation.bill()["sync"]["requests_seen"] == asked
    assert bill_of_calls(installation) == booked(deployment)


def test_a_job_is_cancelled_while_its_calls_are_made(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CJ_CALL_SLOTS", "1")
    batch = calling_batch(installation, mode="per_request")
    deployment = installation.deployment
    installation.arm("sync_hang", 1.5)
    purchase = threading.Thread(target=bought, args=(deployment, batch))
    purchase.start()
    while not the_job(deployment).is_calling or not states(deployment, the_job(deployment)):
        time.sleep(0.02)
    cancel_job(deployment.ledger, batch, deployment.settings, the_job(deployment))
    purchase.join(30)
    assert (the_job(deployment).state, the_job(deployment).status) == (State.ENDED, "cancelled")
    assert states(deployment, the_job(deployment)) == {"answered": 1, "cancelled": CALLS - 1}


def test_the_calls_of_a_living_process_are_not_touched(installation: Installation) -> None:
    batch = calling_batch(installation)
    deployment = installation.deployment
    job = the_job(deployment)
    with job_lease(deployment.ledger, job.job_id):
        assert bought(deployment, batch).waiting == (job.job_id,)
        assert installation.bill()["requests_seen"] == 0
    assert bought(deployment, batch).submitted == (job.job_id,)


def test_judges_are_never_mixed_in_a_bundle(installation: Installation) -> None:
    batch = calling_batch(installation, essays=6)
    manifest = batch.folder / "batch.toml"
    text = manifest.read_text("utf-8")
    other = text[text.index("[[judges]]") : text.index("[spending]")].replace('id = "judge"', 'id = "second"')
    manifest.write_text(text.replace("[spending]", f"{other}max_output_tokens = 300\n[spending]"), "utf-8")
    shutil.copytree(batch.folder, batch.folder.with_name("two"))
    deployment = installation.deployment
    two = deployment.batch("two")
    from cj_pipeline_tests.jobs.purchase import bought as planned_and_bought

    planned_and_bought(deployment, "two")
    assert sorted((job.judge_id, job.model, job.slots) for job in jobs_of(deployment.ledger, "two")) == [
        ("judge", "latent", 64),
        ("second", "latent", 64),
    ]
    limits = {
        job.judge_id: {b'"max_completion_tokens":300' in line for line in request_lines(deployment.store, job).values()}
        for job in jobs_of(deployment.ledger, "two")
    }
    assert limits == {"judge": {False}, "second": {True}}
    assert outcomes(deployment, two)


def test_a_ledger_from_before_the_calls_adopts_their_answers(installation: Installation) -> None:
    batch = calling_batch(installation)
    deployment = installation.deployment
    older = installation.folder / "older.sqlite"
    copy_ledger(installation.folder / "ledger.sqlite", older)
    bought(deployment, batch)
    outcomes(deployment, batch)
    spent = booked(deployment)
    copy_ledger(older, installation.folder / "ledger.sqlite")
    restored = installation.deployment
    assert bought(restored, batch).adopted
    assert outcomes(restored, batch) == ["verdict"] * CALLS
    assert booked(restored) == spent
    assert installation.bill()["sync"]["requests_seen"] == CALLS


def test_a_ledger_from_before_some_answers_asks_only_the_others(installation: Installation) -> None:
    batch = calling_batch(installation, mode="per_request")
    deployment = installation.deployment
    older = installation.folder / "older.sqlite"
    copy_ledger(installation.folder / "ledger.sqlite", older)
    installation.arm("sync_429", 7_200)
    bought(deployment, batch)
    copy_ledger(older, installation.folder / "ledger.sqlite")
    bought(installation.deployment, batch)
    assert outcomes(installation.deployment, batch) == ["verdict"] * CALLS
    assert installation.bill()["sync"]["requests_seen"] == CALLS
    assert bill_of_calls(installation) == booked(installation.deployment)


def test_an_edited_batch_ends_the_calls_of_the_earlier_revision(installation: Installation) -> None:
    batch = calling_batch(installation, mode="per_request")
    deployment = installation.deployment
    installation.arm("sync_429", 7_200)
    bought(deployment, batch)
    (batch.folder / "rubric.md").write_text("Say it better.", "utf-8")
    edited = deployment.batch("calling")
    open_revision(deployment.ledger, edited, new_revision=True)
    bought(deployment, edited)
    earlier = jobs_of(deployment.ledger, "calling")[0]
    assert (earlier.state, earlier.status) == (State.ENDED, "cancelled")


def test_a_provider_that_cannot_be_reached_leaves_no_call_in_doubt(installation: Installation) -> None:
    unreachable = replace(installation, emulator_url="http://127.0.0.1:9")
    batch = calling_batch(unreachable)
    deployment = installation.deployment
    with pytest.raises(ProviderUnreachable):
        bought(deployment, batch)
    assert set(states(deployment, the_job(deployment))) == {"turned_away"}


def test_a_missing_key_is_told_before_any_money_is_set_aside(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = calling_batch(installation)
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(CjError, match="OPENAI_API_KEY"):
        bought(installation.deployment, batch)
    job = the_job(installation.deployment)
    assert (job.state, job.reserved_nano_usd) == (State.PLANNED, 0)


def test_altered_requests_are_not_sent(installation: Installation) -> None:
    batch = calling_batch(installation)
    deployment = installation.deployment
    job = the_job(deployment)
    deployment.store.write(job.request_path, [deployment.store.read(job.request_path).replace(b"Essay", b"essay")])
    with pytest.raises(CjError, match="SHA-256"):
        bought(deployment, batch)
    assert installation.bill()["requests_seen"] == 0


def test_an_answer_that_is_lost_from_the_store_is_named_and_can_be_given_up(installation: Installation) -> None:
    batch = calling_batch(installation)
    deployment = installation.deployment
    bought(deployment, batch)
    job = the_job(deployment)
    lost = deployment.store.paths(f"jobs/calling/{job.job_id}/call-*")[0]
    deployment.store.remove(lost)
    with pytest.raises(CjError, match="give-up"):
        collect(deployment.ledger, deployment.store, batch, deployment.settings)
    give_up_job(deployment.ledger, job)
    assert outcomes(deployment, batch) == ["results_gone"] * CALLS
    assert booked(deployment) == job.bound_nano_usd
    with pytest.raises(ResultsGone, match="backup"):
        fetch_again(deployment.store, batch, deployment.settings, job)


def test_an_answer_that_comes_after_all_counts(installation: Installation) -> None:
    batch = calling_batch(installation, essays=6)
    deployment = installation.deployment
    installation.arm("sync_dropped_after_billing")
    bought(deployment, batch)
    job = the_job(deployment)
    with deployment.ledger.reading() as connection:
        doubtful = sa.select(calls.c.custom_id).where(calls.c.state == "uncertain")
        custom_id = connection.execute(doubtful).scalar_one()
    body = b'{"model": "latent", "choices": [{"finish_reason": "stop", "message": {"refusal": "no"}}]}'
    line = f'{{"custom_id": "{custom_id}", "response": {{"status_code": 200, "body": '.encode() + body + b"}}"
    keep_answer(deployment.store, job, custom_id, line)
    assert outcomes(deployment, batch) == ["refused", "verdict", "verdict"]


def copy_ledger(source: Path, target: Path) -> None:
    """As `sqlite3 SOURCE ".backup TARGET"` does."""
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)
