"""One submitter per account: a row with a holder and an expiry. The states of the jobs remain the real guard."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from cj_pipeline.errors import AccountBusy
from cj_pipeline.jobs.ledger import Ledger, ledger_time
from cj_pipeline.jobs.schema import account_leases

LEASE = timedelta(minutes=15)  # longer than any single upload and create


@contextmanager
def account_lease(ledger: Ledger, account: str) -> Iterator[None]:
    """Hold an account while submitting. Raises `AccountBusy` when a living process holds it."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    with ledger.transaction() as connection:
        row = connection.execute(sa.select(account_leases).where(account_leases.c.account == account)).one_or_none()
        if row is None:
            connection.execute(account_leases.insert().values(account=account))
        elif row.holder and row.holder != holder and _is_held(row.holder, ledger_time(row.expires_at)):
            raise AccountBusy(
                f"account {account}: the process {row.holder} is submitting. Run again when it is done; "
                f"it has the account until {row.expires_at[:19]} UTC at the latest."
            )
        connection.execute(
            account_leases.update()
            .where(account_leases.c.account == account)
            .values(holder=holder, expires_at=(datetime.now(UTC) + LEASE).isoformat())
        )
    try:
        yield
    finally:
        with ledger.transaction() as connection:
            connection.execute(
                account_leases.update()
                .where(account_leases.c.account == account, account_leases.c.holder == holder)
                .values(holder=None, expires_at=None)
            )


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
