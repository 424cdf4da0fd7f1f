"""How a purchase goes with a hostile response: what it waits for, what people are told, and what leads out.

Each course plans and buys a batch and returns its judgments once they stand.
"""

import io
import json
import re
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from cj_pipeline.emulator import faults as fault
from cj_pipeline.errors import AccountOnHold, CjError, ProviderBusy, ProviderUnreachable
from cj_pipeline.jobs.holds import lift_hold
from cj_pipeline.jobs.interventions import cancel_job, give_up_job
from cj_pipeline.jobs.job import State, advance
from cj_pipeline.jobs.judges import provider_of
from cj_pipeline.jobs.plan import open_wave
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.retries import retry_job
from cj_pipeline.judging.findings import judgment_findings
from cj_pipeline.providers import Ticket, anthropic_wire, calls
from cj_pipeline_tests.jobs.hostile import PAIRS, SECONDS_PER_PHASE, Purchase

# ordered by a course and not by the table: the moment matters, or the number is not known before
ORDERED_ON_THE_WAY = frozenset(
    {fault.READ_500, fault.READ_DROPPED, fault.READ_429, fault.CREATE_429, fault.RESULTS_ELSEWHERE}
)
DAYS = 3 * 86_400
FORTY_PERCENT = 0.45 * SECONDS_PER_PHASE  # far enough from both neighbours of four in ten for a slow machine


def straight(purchase: Purchase) -> pa.Table:
    purchase.plan()
    purchase.buy()
    return purchase.through()


def asked_again_with_more_room(purchase: Purchase) -> pa.Table:
    rows = straight(purchase)
    requests = [purchase.deployment.store.read(job.request_path) for job in purchase.jobs]
    limits = [set(re.findall(rb'"max_completion_tokens":(\d+)', lines)) for lines in requests]
    assert limits == [{b"600"}, {b"1200"}]
    return rows


def another_model_is_noted(purchase: Purchase) -> pa.Table:
    rows = straight(purchase)
    assert set(rows["model_reported"].to_pylist()) == {"latent", "latent-2026-01-01"}
    pairs = open_wave(purchase.deployment.ledger, purchase.deployment.store, purchase.batch)
    found = {finding.name: finding for finding in judgment_findings(purchase.batch, pairs, rows)}
    assert not found["one_model_per_judge"].passed
    assert "latent-2026-01-01" in found["one_model_per_judge"].summary
    return rows


def results_are_said_to_lie_elsewhere(purchase: Purchase) -> pa.Table:
    """The key goes to our own address only: nobody calls at the other one."""
    with closing(socket.create_server(("127.0.0.2", 0))) as elsewhere:
        purchase.installation.arm(fault.RESULTS_ELSEWHERE, elsewhere.getsockname()[1])
        rows = straight(purchase)
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    return rows


# --- what waits for time ---


def results_come_later(purchase: Purchase) -> pa.Table:
    _bought_and_carried_out(purchase, hours=1)
    assert purchase.waiting().waiting == 1
    assert purchase.jobs[0].state is State.SUBMITTED
    return purchase.through()


def results_cannot_be_read_yet(purchase: Purchase) -> pa.Table:
    _bought_and_carried_out(purchase, hours=1)
    with pytest.raises(ProviderUnreachable, match="404"):
        purchase.collect()
    assert (purchase.jobs[0].state, purchase.jobs[0].spent_nano_usd) == (State.ENDED, None)
    purchase.pass_hours(2)
    return purchase.through()


def an_unknown_status_is_no_end(purchase: Purchase) -> pa.Table:
    _bought_and_carried_out(purchase, hours=1)
    assert purchase.waiting().waiting == 1
    (job,) = purchase.jobs
    assert (job.state, job.phase, job.status) == (State.SUBMITTED, "unheard_of", "running")
    finding = purchase.finding("status_understood")
    assert not finding.passed
    assert job.job_id in finding.summary
    return purchase.through()


def looks_that_fail(purchase: Purchase) -> pa.Table:
    _bought_and_carried_out(purchase, hours=1)
    before = purchase.jobs
    for name in (fault.READ_500, fault.READ_DROPPED):
        purchase.installation.arm(name, 1)
        with pytest.raises(ProviderUnreachable, match="Nothing was changed"):
            purchase.collect()
        assert purchase.jobs == before
    return purchase.through()


def told_to_come_back_in_days(purchase: Purchase) -> pa.Table:
    """Nobody sleeps that long within a call."""
    purchase.plan()
    purchase.installation.arm(fault.CREATE_429, DAYS)
    with pytest.raises(ProviderBusy, match="Try again later"):
        purchase.buy()
    assert (purchase.jobs[0].state, purchase.bills()) == (State.UPLOADED, [])
    purchase.buy()
    purchase.installation.arm(fault.READ_429, DAYS)
    with pytest.raises(ProviderUnreachable, match="429"):
        purchase.collect()
    assert purchase.jobs[0].state is State.SUBMITTED
    return purchase.through()


def the_queue_is_full_for_an_hour(purchase: Purchase) -> pa.Table:
    settings = purchase.deployment.settings.model_copy(update={"backoff_seconds": 3600.0})
    purchase.deployment = replace(purchase.deployment, settings=settings)
    purchase.plan()
    purchase.buy()
    progress = purchase.ended()
    assert isinstance(progress, Progress)
    assert progress.planned == 2
    assert purchase.buy().submitted == ()
    later = purchase.jobs[1:]
    assert [job.items for job in later] == [PAIRS // 2, PAIRS // 2]
    assert all(str(job.not_before) > (datetime.now(UTC) + timedelta(minutes=50)).isoformat() for job in later)
    with purchase.deployment.ledger.transaction() as connection:
        connection.execute(sa.text("update jobs set not_before = null"))
    return purchase.through()


def the_queue_takes_nothing(purchase: Purchase) -> pa.Table:
    purchase.set_emulator(enqueued_tokens=1)
    purchase.plan()
    with pytest.raises(ProviderBusy, match="exceeds your limit"):
        purchase.buy()
    assert (purchase.jobs[0].state, purchase.jobs[0].status) == (State.UPLOADED, "scheduled")
    assert purchase.bills() == []
    purchase.set_emulator(enqueued_tokens=None)
    purchase.buy()
    return purchase.through()


# --- what waits for a person ---


def failed_until_a_person_retries(purchase: Purchase) -> pa.Table:
    straight(purchase)
    return _retried(purchase, PAIRS)


def cancelled_and_retried_by_a_person(purchase: Purchase) -> pa.Table:
    _cancelled_at_forty_percent(purchase)
    purchase.through()
    return _retried(purchase, 6)


def cancelling_takes_hours(purchase: Purchase) -> pa.Table:
    _cancelled_at_forty_percent(purchase)
    purchase.pass_hours(1)
    assert purchase.waiting().waiting == 1
    assert (purchase.jobs[0].state, purchase.jobs[0].status) == (State.SUBMITTED, "running")
    return purchase.through()


def cannot_be_cancelled(purchase: Purchase) -> pa.Table:
    _bought_and_carried_out(purchase, hours=0)
    with pytest.raises(CjError, match="runs on, and what it answers is billed"):
        cancel_job(purchase.deployment.ledger, purchase.batch, purchase.deployment.settings, purchase.jobs[0])
    assert purchase.jobs[0].state is State.SUBMITTED
    return purchase.through()


def stuck_until_a_person_cancels(purchase: Purchase) -> pa.Table:
    _stuck_for_days(purchase)
    cancel_job(purchase.deployment.ledger, purchase.batch, purchase.deployment.settings, purchase.jobs[0])
    return purchase.through()


def stuck_until_a_person_gives_up(purchase: Purchase) -> pa.Table:
    _stuck_for_days(purchase)
    given_up = give_up_job(purchase.deployment.ledger, purchase.jobs[0])
    assert given_up.state is State.FETCHED
    purchase.through()
    return _retried(purchase, PAIRS)


def the_key_is_of_another_project(purchase: Purchase) -> pa.Table:
    _bought_and_carried_out(purchase, hours=1)
    purchase.use_key_of("another")
    assert purchase.waiting().waiting == 1
    (job,) = purchase.jobs
    assert (job.state, job.missing_since is None) == (State.SUBMITTED, False)
    finding = purchase.finding("listed_by_provider")
    assert not finding.passed
    assert "check the account's key and project" in finding.summary
    purchase.use_key_of(purchase.batch_id)
    rows = purchase.through()
    assert purchase.jobs[0].missing_since is None
    return rows


def results_are_gone(purchase: Purchase) -> pa.Table:
    """Not at once: a 404 soon after the end may be a file that is not there yet."""
    _bought_and_carried_out(purchase, hours=1)
    return _gone_after_months(purchase)


def results_are_archived(purchase: Purchase) -> pa.Table:
    _bought_and_carried_out(purchase, hours=30 * 24)
    return _gone_after_months(purchase)


def no_credit_after_the_first_job(purchase: Purchase) -> pa.Table:
    purchase.plan()
    purchase.buy()
    with pytest.raises(AccountOnHold, match=f"lift-hold {purchase.account}"):
        purchase.through()
    assert (purchase.jobs[0].spent_nano_usd, len(purchase.bills())) == (0, 1)
    return _after_the_hold(purchase)


def no_credit_to_create(purchase: Purchase) -> pa.Table:
    purchase.plan()
    for _ in range(2):
        with pytest.raises(AccountOnHold, match=f"lift-hold {purchase.account}"):
            purchase.buy()
    assert (purchase.jobs[0].state, purchase.bills()) == (State.UPLOADED, [])
    return _after_the_hold(purchase)


# --- the reply to a create that never came ---


def found_by_our_mark(purchase: Purchase) -> pa.Table:
    _bought_in_doubt(purchase)
    assert len(purchase.buy().adopted) == 1
    return purchase.through()


def found_by_its_answers(purchase: Purchase) -> pa.Table:
    """While it runs it may be ours or anybody's; nothing is bought meanwhile."""
    _bought_in_doubt(purchase)
    purchase.carried_out()
    _undecided(purchase)
    purchase.pass_hours(1)
    assert len(purchase.buy().adopted) == 1
    return purchase.through()


def another_s_job_of_the_same_size(purchase: Purchase) -> pa.Table:
    """Somebody else's job cannot be told from ours until it ends; then ours is known to be absent, and made."""
    purchase.plan()
    (job,) = purchase.jobs
    ours = purchase.deployment.store.read(job.request_path)
    theirs = Ticket("theirs", job.model, job.items, {}, None, datetime.now(UTC))
    provider = provider_of(purchase.batch, job, purchase.deployment.settings)
    provider.submit(io.BytesIO(ours.replace(job.job_id.encode(), b"theirs")), theirs, lambda _: None)
    purchase.carried_out()
    assert purchase.buy().waiting == (job.job_id,)
    purchase.pass_hours(1)
    assert purchase.buy().submitted == (job.job_id,)
    return purchase.through()


def given_up_by_a_person(purchase: Purchase) -> pa.Table:
    _bought_in_doubt(purchase)
    closed = give_up_job(purchase.deployment.ledger, purchase.jobs[0])
    assert (closed.state, closed.spent_nano_usd) == (State.CANCELLED, closed.bound_nano_usd)
    rows = purchase.through()
    assert not purchase.finding("creation_certain").passed
    assert len(purchase.bills()) == 2
    return rows


# --- requests that we never make, had we made them ---


def an_item_is_sent_twice(purchase: Purchase) -> pa.Table:
    def twice(requests: list[dict[str, Any]]) -> None:
        requests[1]["custom_id"] = requests[0]["custom_id"]

    return _with_other_requests(purchase, twice)


def an_item_s_name_is_too_long(purchase: Purchase) -> pa.Table:
    def too_long(requests: list[dict[str, Any]]) -> None:
        requests[0]["custom_id"] += "x" * 65

    return _with_other_requests(purchase, too_long)


def an_unknown_parameter_is_sent(purchase: Purchase) -> pa.Table:
    def marked(requests: list[dict[str, Any]]) -> None:
        for request in requests:
            request["body"]["cache_control"] = {"type": "ephemeral"}

    return _with_other_requests(purchase, marked)


def a_temperature_is_sent(purchase: Purchase) -> pa.Table:
    ours = anthropic_wire.translated

    def with_temperature(line: bytes) -> dict[str, Any]:
        request = ours(line)
        assert "temperature" not in request["params"]
        return request | {"params": request["params"] | {"temperature": 0}}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anthropic_wire, "translated", with_temperature)
        straight(purchase)
    return _retried(purchase, PAIRS)


def cache_marks_are_refused(purchase: Purchase) -> pa.Table:
    purchase.plan()
    assert b'"cache_before"' in purchase.deployment.store.read(purchase.jobs[0].request_path)
    purchase.buy()
    purchase.through()
    return _retried(purchase, PAIRS)


# --- steps ---


def _bought_and_carried_out(purchase: Purchase, *, hours: float) -> None:
    """Bought; its answers are made, whether or not the provider shows them; so many hours are over."""
    purchase.plan()
    purchase.buy()
    purchase.carried_out()
    purchase.pass_hours(hours)


def _bought_in_doubt(purchase: Purchase) -> None:
    purchase.plan()
    assert len(purchase.buy().held) == 1
    assert (purchase.jobs[0].state, purchase.jobs[0].status) == (State.UNKNOWN, "unknown")
    assert not purchase.finding("creation_certain").passed


def _undecided(purchase: Purchase) -> None:
    assert len(purchase.buy().held) == 1
    (job,) = purchase.jobs
    assert job.state is State.UNKNOWN
    assert "when they end" in str(job.reason)
    with pytest.raises(CjError, match=f"cj jobs give-up {job.job_id}"):
        cancel_job(purchase.deployment.ledger, purchase.batch, purchase.deployment.settings, job)
    assert len(purchase.bills()) == 1


def _cancelled_at_forty_percent(purchase: Purchase) -> None:
    _bought_and_carried_out(purchase, hours=(SECONDS_PER_PHASE + FORTY_PERCENT) / 3600)
    cancel_job(purchase.deployment.ledger, purchase.batch, purchase.deployment.settings, purchase.jobs[0])


def _stuck_for_days(purchase: Purchase) -> None:
    """Nothing is done about it but to say so."""
    _bought_and_carried_out(purchase, hours=48)
    assert purchase.waiting().waiting == 1
    (job,) = purchase.jobs
    long_ago = (datetime.now(UTC) - timedelta(days=2)).isoformat(timespec="microseconds")
    advance(purchase.deployment.ledger, job, State.SUBMITTED, submitted_at=long_ago)
    assert (purchase.waiting().waiting, purchase.jobs[0].status) == (1, "running")
    finding = purchase.finding("within_window")
    assert not finding.passed
    assert job.job_id in finding.summary


def _gone_after_months(purchase: Purchase) -> pa.Table:
    with pytest.raises(ProviderUnreachable, match="404"):
        purchase.collect()
    assert (purchase.jobs[0].state, purchase.jobs[0].spent_nano_usd) == (State.ENDED, None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calls, "RESULTS_GRACE", timedelta(days=-90))  # the end is that much longer ago
        purchase.through()
    return _retried(purchase, PAIRS)


def _after_the_hold(purchase: Purchase) -> pa.Table:
    finding = purchase.finding("account_free")
    assert not finding.passed
    assert purchase.account in finding.summary
    lift_hold(purchase.deployment.ledger, purchase.account, lifted_by="somebody who paid")
    return purchase.through()


def _with_other_requests(purchase: Purchase, change: Callable[[list[dict[str, Any]]], None]) -> pa.Table:
    """Send another file than the one that was planned; then, on a person's word, the right one."""
    purchase.plan()
    store, path = purchase.deployment.store, purchase.jobs[0].request_path
    planned = store.read(path)
    requests = [json.loads(line) for line in planned.splitlines()]
    change(requests)
    store.write(path, [json.dumps(request).encode() + b"\n" for request in requests])
    purchase.buy()
    purchase.through()
    store.write(path, [planned])
    return _retried(purchase, PAIRS)


def _retried(purchase: Purchase, count: int) -> pa.Table:
    """What has no verdict was not asked again by itself; a person has it asked again."""
    deployment, (job,) = purchase.deployment, purchase.jobs
    assert retry_job(deployment.ledger, deployment.store, purchase.batch, deployment.settings, job) == count
    purchase.buy()
    return purchase.through()
