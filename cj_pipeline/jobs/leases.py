"""One submitter per account: a row with a holder and an expiry. The states of the jobs remain the real guard."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from cj_pipeline.errors import AccountBusy
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


def _take(ledger: Ledger, account: str, holder: str) -> str | None:
    """Write the holder into the account's row, or say who holds it."""
    with ledger.transaction() as connection:
        insert_new(connection, account_leases, {"account": account})
        row = connection.execute(
            sa.select(account_leases).where(account_leases.c.account == account).with_for_update()
        ).one()
        if row.holder and row.holder != holder and _is_held(row.holder, ledger_time(row.expires_at)):
            return str(row.holder)
        connection.execute(
            account_leases.update()
            .where(account_leases.c.account == account)
            .values(holder=holder, expires_at=(datetime.now(UTC) + LEASE).isoformat())
        )
    return None


def _is_held(holder: str, expires_at: datetime | None) -> bool:
    if expires_at is None or expires_at < datetime.now(UTC):
        return False
    host, _, pid = holder.rpartition(":")
    return host != socket.gethostname() or _is_alive(int(pid))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
