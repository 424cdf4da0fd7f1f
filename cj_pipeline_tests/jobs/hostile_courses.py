"""How a purchase goes with each hostile response: what it waits for, what people are told, what leads out.

Each course plans and buys a batch that has met its faults, and returns the judgments once they stand.
"""

import json
import socket
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import sqlalchemy as sa

from cj_pipeline.emulator import faults as fault
from cj_pipeline.errors import AccountOnHold, CjError, ProviderBusy, ProviderUnreachable
from cj_pipeline.jobs.holds import lift_hold
from cj_pipeline.jobs.interventions import cancel_job, give_up_job
from cj_pipeline.jobs.job import State, advance
from cj_pipeline.jobs.retries import retry_job
from cj_pipeline.judging.findings import judgment_findings
from cj_pipeline.providers import anthropic_wire, calls
from cj_pipeline_tests.jobs.hostile import PAIRS, Purchase

# by courses, not by the table, since the moment matters or a number is not known before
ORDERED_ON_THE_WAY = {(41, fault.CREATE_429), (41, fault.READ_429), (42, fault.RESULTS_ELSEWHERE)}
DAYS = 3 * 86_400


def straight(purchase: Purchase) -> pa.Table:
    purchase.plan()
    purchase.buy()
    return purchase.through()


# --- waiting for time ---


def results_come_later(purchase: Purchase) -> pa.Table:
    _buy_and_let_it_work(purchase, hours=1)
    assert purchase.waiting().waiting == 1
    assert purchase.jobs[0].state is State.SUBMITTED
    return purchase.through()


def results_cannot_be_read_yet(purchase: Purchase) -> pa.Table:
    _buy_and_let_it_work(purchase, hours=1)
    with pytest.raises(ProviderUnreachable, match="404"):
        purchase.collect()
    assert (purchase.jobs[0].state, purchase.jobs[0].spent_nano_usd) == (State.ENDED, None)
    purchase.pass_hours(2)
    return purchase.through()


def an_unknown_status_is_no_end(purchase: Purchase) -> pa.Table:
    _buy_and_let_it_work(purchase, hours=1)
    assert purchase.waiting().waiting == 1
    assert (purchase.jobs[0].state, purchase.jobs[0].phase) == (State.SUBMITTED, "unheard_of")
    return purchase.through()


def the_queue_is_full_for_an_hour(purchase: Purchase) -> pa.Table:
    settings = purchase.deployment.settings.model_copy(update={"backoff_seconds": 3600.0})
    object.__setattr__(purchase.deployment, "settings", settings)
    return straight(purchase)


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
