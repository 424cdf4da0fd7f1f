"""One submitter per account, and one caller per job: a row with a holder and an expiry.

The states of jobs and calls remain the real guard.
"""

import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cj_pipeline.errors import AccountBusy, JobBusy
from cj_pipeline.jobs.ledger import Ledger, insert_new, ledger_time
from cj_pipeline.jobs.schema import account_leases

LEASE = timedelta(minutes=15)  # longer than any single upload and create
PATIENCE_SECONDS = 60.0  # submitting takes seconds, so a second submitter waits its turn
LOOK_AGAIN_SECONDS = 0.5


@contextmanager
def account_lease(
    ledger: Ledger, account: str, *, patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[Callable[[], None]]:
    """Hold an account while submitting. Raises `AccountBusy` when a living process keeps it for too long.

    What is yielded prolongs the hold; call it before each submission. It raises `AccountBusy` when the hold had
    lapsed and another process has the account now.

    The lease of a process that died on this host is nobody's at once; one of another host lapses.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}"
    deadline = time.monotonic() + patience_seconds

    def hold() -> None:
        while (other := _take(ledger, account, holder)) is not None:
            if time.monotonic() > deadline:
                raise AccountBusy(f"account {account}: the process {other} is submitting. Run again when it is done.")
            time.sleep(LOOK_AGAIN_SECONDS)

    hold()
    try:
        yield hold
    finally:
        with ledger.transaction() as connection:
            connection.execute(
                account_leases.update()
                .where(account_leases.c.account == account, account_leases.c.holder == holder)
                .values(holder=None, expires_at=None)
            )


@dataclass(frozen=True, slots=True)
class JobLease:
    """A job whose calls this holder, and nobody else, may make."""

    job_id: str
    holder: str

    @property
    def row(self) -> str:
        """Its key among the leases."""
        return _row_of(self.job_id)

    def prolong(self, connection: Connection) -> None:
        """As part of what the holder writes. Raises `JobBusy` when the hold had lapsed and another took the job."""
        prolonged = connection.execute(
            account_leases.update()
            .where(account_leases.c.account == self.row, account_leases.c.holder == self.holder)
            .values(expires_at=(datetime.now(UTC) + LEASE).isoformat())
        )
        if prolonged.rowcount != 1:
            raise JobBusy(f"job {self.job_id}: another process makes its calls now.")


@contextmanager
def job_lease(ledger: Ledger, job_id: str) -> Iterator[JobLease]:
    """Hold a job while its calls are made or counted. Raises `JobBusy` at once when a living process has it.

    Two threads of one process are two holders, and a process is known by when it began: in containers a new one often
    has the number of the one that died.
    """
    import psutil

    started = psutil.Process().create_time()
    lease = JobLease(job_id, f"{socket.gethostname()}:{os.getpid()}:{started:.2f}:{uuid.uuid4().hex[:8]}")
    other = _take(ledger, lease.row, lease.holder)
    if other is not None:
        raise JobBusy(f"job {job_id}: the process {other} makes its calls.")
    try:
        yield lease
    finally:
        with ledger.transaction() as connection:
            connection.execute(
                account_leases.delete().where(
                    account_leases.c.account == lease.row, account_leases.c.holder == lease.holder
                )
            )


def forget_lease(connection: Connection, job_id: str) -> None:
    """Remove what a holder that died left of its hold on a job that nobody needs to hold any more."""
    connection.execute(account_leases.delete().where(account_leases.c.account == _row_of(job_id)))


def _row_of(job_id: str) -> str:
    return f"job/{job_id}"


def _take(ledger: Ledger, account: str, holder: str) -> str | None:
    """Write the holder into the account's row, or say who holds it."""
    with ledger.transaction() as connection:
        insert_new(connection, account_leases, {"account": account})
        row = connection.execute(
            sa.select(account_leases).where(account_leases.c.account == account).with_for_update()
        ).one_or_none()
        if row is not None:
            if row.holder and row.holder != holder and _is_held(row.holder, ledger_time(row.expires_at)):
                return str(row.holder)
            connection.execute(
                account_leases.update()
                .where(account_leases.c.account == account)
                .values(holder=holder, expires_at=(datetime.now(UTC) + LEASE).isoformat())
            )
            return None
    return _take(ledger, account, holder)  # its holder let go, and took the row away, while we waited for it


def _is_held(holder: str, expires_at: datetime | None) -> bool:
    if expires_at is None or expires_at < datetime.now(UTC):
        return False
    host, pid, *more = holder.split(":")
    return host != socket.gethostname() or _is_alive(int(pid), more[0] if more else None)


def _is_alive(pid: int, started: str | None) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        began, ended = process.create_time(), process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return not ended and (started is None or f"{began:.2f}" == started)
