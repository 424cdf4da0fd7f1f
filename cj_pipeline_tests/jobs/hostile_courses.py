"""How a purchase goes with a hostile response: what it waits for, what people are told, and what leads out.

Each course plans and buys a batch and returns its judgments once they stand.
"""

import re
import socket
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from cj_pipeline.emulator import faults as fault
from cj_pipeline.errors import ProviderBusy, ProviderUnreachable
from cj_pipeline.jobs.job import State
from cj_pipeline.jobs.plan import open_wave
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.judging.findings import judgment_findings
from cj_pipeline_tests.jobs.hostile import PAIRS, Purchase

# ordered by a course and not by the table: the moment matters, or the number is not known before
ORDERED_ON_THE_WAY = frozenset(
    {fault.READ_500, fault.READ_DROPPED, fault.READ_429, fault.CREATE_429, fault.RESULTS_ELSEWHERE}
)
DAYS = 3 * 86_400


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
    purchase.buy_and_let_pass(1)
    assert purchase.waiting().waiting == 1
    assert purchase.jobs[0].state is State.SUBMITTED
    return purchase.through()


def results_cannot_be_read_yet(purchase: Purchase) -> pa.Table:
    purchase.buy_and_let_pass(1)
    with pytest.raises(ProviderUnreachable, match="404"):
        purchase.collect()
    assert (purchase.jobs[0].state, purchase.jobs[0].spent_nano_usd) == (State.ENDED, None)
    purchase.pass_hours(2)
    return purchase.through()


def an_unknown_status_is_no_end(purchase: Purchase) -> pa.Table:
    purchase.buy_and_let_pass(1)
    assert purchase.waiting().waiting == 1
    (job,) = purchase.jobs
    assert (job.state, job.phase, job.status) == (State.SUBMITTED, "unheard_of", "running")
    finding = purchase.finding("status_understood")
    assert not finding.passed
    assert job.job_id in finding.summary
    return purchase.through()


def looks_that_fail(purchase: Purchase) -> pa.Table:
    purchase.buy_and_let_pass(1)
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
