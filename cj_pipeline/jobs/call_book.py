"""The table `calls`: every synchronous call written down before it leaves, and what became of it.

Writes that come up together are committed together; nobody goes on before their own is on the disk.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cj_pipeline.jobs.job import Job, LostRace
from cj_pipeline.jobs.leases import JobLease
from cj_pipeline.jobs.ledger import Ledger, utc_now
from cj_pipeline.jobs.schema import calls, jobs
from cj_pipeline.providers import Phase


class CallState(StrEnum):
    """Where a call stands. The last four are ends."""

    ASKED = "asked"
    TURNED_AWAY = "turned_away"  # surely not carried out; it is asked again
    ANSWERED = "answered"  # its answer, good or bad, is in the store
    UNCERTAIN = "uncertain"  # perhaps carried out, and billed; the answer never came
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it in this job."""
        return self not in {CallState.ASKED, CallState.TURNED_AWAY}


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be written of a call."""

    custom_id: str
    state: CallState
    reason: str | None = None


def states_of(ledger: Ledger, job: Job) -> dict[str, CallState]:
    """By custom_id; a call that nobody began is not among them."""
    query = sa.select(calls.c.custom_id, calls.c.state).where(calls.c.job_id == job.job_id)
    with ledger.reading() as connection:
        return {custom_id: CallState(state) for custom_id, state in connection.execute(query)}


def uncertain_calls(ledger: Ledger, job_ids: Iterable[str]) -> int:
    """How many calls of these jobs may have been billed without our hearing of it."""
    query = sa.select(sa.func.count()).where(
        calls.c.job_id.in_(list(job_ids)), calls.c.state == str(CallState.UNCERTAIN)
    )
    with ledger.reading() as connection:
        return int(connection.execute(query).scalar_one())


def end_calls(connection: Connection, job: Job, ends: Iterable[Note], bounds: Mapping[str, int]) -> None:
    """Write the ends of calls that are not on their way: never begun, turned away, or left by a dead process."""
    now = utc_now()
    for note in ends:
        values = {"state": str(note.state), "ended_at": now, "reason": note.reason}
        moved = connection.execute(
            calls.update()
            .where(
                calls.c.job_id == job.job_id,
                calls.c.custom_id == note.custom_id,
                calls.c.state.in_([str(state) for state in CallState if not state.ended]),
            )
            .values(**values)
        )
        if moved.rowcount == 0:
            connection.execute(
                calls.insert().values(
                    job_id=job.job_id, custom_id=note.custom_id, times_asked=0,
                    bound_nano_usd=bounds[note.custom_id], **values,
                )
            )  # fmt: skip


class CallBook:
    """The calls of one job while they are made. `cancelled` turns true when a person cancels the job meanwhile."""

    def __init__(self, ledger: Ledger, job: Job, lease: JobLease, bounds: Mapping[str, int]) -> None:
        self.cancelled = False
        self._ledger, self._job, self._lease, self._bounds = ledger, job, lease, bounds
        self._states = states_of(ledger, job)
        self._waiting: list[tuple[Note, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, custom_id: str, state: CallState, reason: str | None = None) -> None:
        """Come back when it is committed. Raises `LostRace` or `JobBusy`: then nothing was, and no call may leave."""
        committed = asyncio.get_running_loop().create_future()
        self._waiting.append((Note(custom_id, state, reason), committed))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all())
        await committed

    async def _write_all(self) -> None:
        await asyncio.sleep(0)  # all that is ready in this turn of the loop goes into one transaction
        while self._waiting:
            together, self._waiting = self._waiting, []
            try:
                self.cancelled = await asyncio.to_thread(self._commit, [note for note, _ in together])
            except Exception as error:  # whatever it is, each of those who wait must hear of it
                for _, committed in together:
                    committed.set_exception(error)
            else:
                for _, committed in together:
                    committed.set_result(None)
        self._writer = None

    def _commit(self, notes: list[Note]) -> bool:
        """One transaction for all; returns whether the job was cancelled."""
        with self._ledger.transaction() as connection:
            self._lease.prolong(connection)
            for note in notes:
                self._put(connection, note)
            phase = connection.execute(sa.select(jobs.c.phase).where(jobs.c.job_id == self._job.job_id)).scalar_one()
        self._states |= {note.custom_id: note.state for note in notes}
        return bool(phase == Phase.CANCELLED)

    def _put(self, connection: Connection, note: Note) -> None:
        now, before = utc_now(), self._states.get(note.custom_id)
        if note.state is CallState.ASKED and before is None:
            connection.execute(
                calls.insert().values(
                    job_id=self._job.job_id, custom_id=note.custom_id, state=str(note.state), times_asked=1,
                    bound_nano_usd=self._bounds[note.custom_id], asked_at=now,
                )
            )  # fmt: skip
            return
        values: dict[str, Any] = {"state": str(note.state), "reason": note.reason}
        if note.state is CallState.ASKED:
            values |= {"times_asked": calls.c.times_asked + 1, "asked_at": now}
        elif note.state.ended:
            values |= {"ended_at": now}
        moved = connection.execute(
            calls.update()
            .where(
                calls.c.job_id == self._job.job_id,
                calls.c.custom_id == note.custom_id,
                calls.c.state == str(before),
            )
            .values(**values)
        )
        if moved.rowcount != 1:
            raise LostRace(f"call {note.custom_id} is no longer {before}; another process moved it.")
