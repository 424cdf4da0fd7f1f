"""How the slots of a job behave, with a provider of this test's own: who stops, who waits, what a Ctrl-C leaves."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from cj_pipeline.errors import JobBusy, ProviderUncertain, TurnedAway
from cj_pipeline.jobs.call_answers import keep_answer, kept_answers
from cj_pipeline.jobs.call_book import CallBook, CallState, states_of
from cj_pipeline.jobs.call_slots import Patience, Slots
from cj_pipeline.jobs.job import Job
from cj_pipeline.jobs.leases import JobLease, job_lease
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.requests import request_lines
from cj_pipeline_tests.installation import Installation
from cj_pipeline_tests.jobs.calling import CALLS, calling_batch, the_job

LONG = timedelta(hours=1)


class Provider:
    """Answers in the order it is asked: by raising what is in `troubles`, then with a line."""

    name = "a provider"

    def __init__(self, *troubles: Exception, seconds: float = 0.0) -> None:
        self.asked, self._troubles, self._seconds = 0, list(troubles), seconds
        self.on_its_way = threading.Event()

    async def call(self, line: bytes) -> bytes:  # noqa: ARG002 (what is asked does not matter here)
        self.asked += 1
        trouble = self._troubles.pop(0) if self._troubles else None
        self.on_its_way.set()
        await asyncio.sleep(self._seconds)
        if trouble is not None:
            raise trouble
        return b"{}"

    async def close(self) -> None:
        return


class Made:
    """The slots of a planned job of `CALLS` calls, and what became of them."""

    def __init__(self, installation: Installation, lease: JobLease, job: Job, *, patience: float) -> None:
        self.deployment, self.job = installation.deployment, job
        self.lines = request_lines(self.deployment.store, job)
        self.book = CallBook(self.deployment.ledger, job, lease, dict.fromkeys(self.lines, 7))
        keep = partial(keep_answer, self.deployment.store, job)
        self.slots = Slots(self.book, keep, Patience(patience), deadline=datetime.now(UTC) + LONG)

    def make(self, provider: Provider, at_once: int) -> None:
        asyncio.run(self.slots.make(provider, self.lines, at_once))

    def count(self, state: CallState) -> int:
        return list(states_of(self.deployment.ledger, self.job).values()).count(state)


@contextmanager
def slots_of(installation: Installation, *, patience: float = 30.0) -> Iterator[Made]:
    calling_batch(installation)
    job = the_job(installation.deployment)
    with job_lease(installation.deployment.ledger, job.job_id) as lease:
        yield Made(installation, lease, job, patience=patience)


def test_each_slot_stops_at_its_first_doubt_and_the_others_go_on(installation: Installation) -> None:
    with slots_of(installation) as made:
        made.make(Provider(*[ProviderUncertain("who knows")] * 2), at_once=3)
        assert (made.count(CallState.UNCERTAIN), made.count(CallState.ANSWERED)) == (2, CALLS - 2)


def test_when_every_slot_is_in_doubt_nothing_more_is_asked(installation: Installation) -> None:
    with slots_of(installation) as made:
        provider = Provider(*[ProviderUncertain("who knows")] * CALLS)
        made.make(provider, at_once=3)
        assert (provider.asked, made.count(CallState.UNCERTAIN)) == (3, 3)
        assert made.slots.trouble == "who knows"


def test_slots_that_are_turned_away_together_spend_their_patience_once(installation: Installation) -> None:
    with slots_of(installation, patience=0.5) as made:
        provider = Provider(*[TurnedAway("later", 0.3)] * 6)
        made.make(provider, at_once=6)
        assert made.slots.pause_seconds is None
        assert (provider.asked, made.count(CallState.ANSWERED)) == (CALLS + 6, CALLS)


def test_a_pause_beyond_their_patience_is_told_and_nothing_is_lost(installation: Installation) -> None:
    with slots_of(installation, patience=0.5) as made:
        made.make(Provider(TurnedAway("later", 90.0)), at_once=1)
        assert made.slots.pause_seconds == 90.0
        assert (made.count(CallState.TURNED_AWAY), made.count(CallState.ASKED)) == (1, 0)


def test_ctrl_c_lets_the_calls_on_their_way_come_back(installation: Installation) -> None:
    with slots_of(installation) as made:
        provider = Provider(seconds=0.4)

        def interrupt() -> None:
            provider.on_its_way.wait()
            signal.raise_signal(signal.SIGINT)

        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            made.make(provider, at_once=2)
        assert (provider.asked, made.count(CallState.ANSWERED), made.count(CallState.ASKED)) == (2, 2, 0)
        assert len(kept_answers(made.deployment.store, made.job)) == 2


def test_a_holder_that_lost_its_job_sends_nothing_more(installation: Installation) -> None:
    calling_batch(installation)
    deployment = installation.deployment
    job, provider = the_job(deployment), Provider()
    lost = JobLease(job.job_id, "elsewhere:1:0.00:0")
    with job_lease(deployment.ledger, job.job_id), pytest.raises(JobBusy):
        Made(installation, lost, job, patience=1.0).make(provider, at_once=4)
    assert provider.asked == 0


def test_a_job_is_held_by_one_thread_at_a_time_and_free_when_it_lets_go(installation: Installation) -> None:
    ledger = Ledger(f"sqlite:///{installation.folder}/ledger.sqlite")
    with job_lease(ledger, "j1"), pytest.raises(JobBusy), job_lease(ledger, "j1"):
        pass
    with job_lease(ledger, "j1"):
        pass
