"""Courses of a purchase that wait for a person: what that person is told, does, and what comes of it."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from cj_pipeline.errors import AccountOnHold, CjError, ProviderUnreachable
from cj_pipeline.jobs.holds import lift_hold
from cj_pipeline.jobs.interventions import cancel_job, give_up_job
from cj_pipeline.jobs.job import State, advance
from cj_pipeline.jobs.judges import provider_of
from cj_pipeline.jobs.retries import retry_job
from cj_pipeline.jobs.schema import jobs as jobs_table
from cj_pipeline.providers import Ticket, anthropic_wire, calls
from cj_pipeline_tests.jobs.hostile import PAIRS, SECONDS_PER_PHASE, Purchase
from cj_pipeline_tests.jobs.hostile_courses import straight

FORTY_PERCENT = 0.45 * SECONDS_PER_PHASE  # far enough from both neighbours of four in ten for a slow machine


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
    purchase.buy_and_let_pass(0)
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
    purchase.buy_and_let_pass(1)
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
    purchase.buy_and_let_pass(1)
    return _gone_after_months(purchase)


def results_are_archived(purchase: Purchase) -> pa.Table:
    purchase.buy_and_let_pass(30 * 24)
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
    purchase.buy_and_let_pass((SECONDS_PER_PHASE + FORTY_PERCENT) / 3600)
    cancel_job(purchase.deployment.ledger, purchase.batch, purchase.deployment.settings, purchase.jobs[0])


def _stuck_for_days(purchase: Purchase) -> None:
    """Nothing is done about it but to say so."""
    purchase.buy_and_let_pass(48)
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
    written = store.write(path, [json.dumps(request).encode() + b"\n" for request in requests])
    with purchase.deployment.ledger.transaction() as connection:
        # an altered file is not sent: the ledger knows its hash
        connection.execute(
            jobs_table.update().where(jobs_table.c.request_path == path).values(request_sha256=written.sha256)
        )
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
