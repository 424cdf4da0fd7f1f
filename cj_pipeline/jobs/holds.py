"""Accounts that nothing is bought under until a person lifts the hold: those that have run out of credit."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cj_pipeline.errors import AccountOnHold, CjError
from cj_pipeline.jobs.ledger import Ledger, utc_now
from cj_pipeline.jobs.schema import account_holds


@dataclass(frozen=True, slots=True)
class Hold:
    """An account (provider/account) that is held, since when, and why."""

    account: str
    reason: str
    since: str


def holds(ledger: Ledger) -> list[Hold]:
    """The holds that nobody has lifted yet, oldest first."""
    query = sa.select(account_holds).where(account_holds.c.lifted_at.is_(None)).order_by(account_holds.c.hold_id)
    with ledger.reading() as connection:
        return [Hold(row.account, row.reason, row.since) for row in connection.execute(query)]


def hold_account(connection: Connection, account: str, reason: str) -> None:
    """Stop buying under an account; one hold is enough."""
    held = sa.select(account_holds.c.hold_id).where(
        account_holds.c.account == account, account_holds.c.lifted_at.is_(None)
    )
    if connection.execute(held.limit(1)).first() is None:
        connection.execute(account_holds.insert().values(account=account, reason=reason, since=utc_now()))


def refuse_account_on_hold(ledger: Ledger, account: str) -> None:
    """Raise `AccountOnHold` with the reason and the way on."""
    for hold in holds(ledger):
        if hold.account == account:
            raise AccountOnHold(
                f"account {account}: on hold since {hold.since[:16]} UTC ({hold.reason}). Nothing is bought under it. "
                f"Put it right with the provider, then `cj jobs lift-hold {account}`."
            )


def lift_hold(ledger: Ledger, account: str, *, lifted_by: str) -> None:
    """Let an account buy again. Raises `CjError` when it is not held."""
    with ledger.transaction() as connection:
        lifted = connection.execute(
            account_holds.update()
            .where(account_holds.c.account == account, account_holds.c.lifted_at.is_(None))
            .values(lifted_at=utc_now(), lifted_by=lifted_by)
        )
    if not lifted.rowcount:
        held = ", ".join(hold.account for hold in holds(ledger)) or "none"
        raise CjError(f"account {account}: is not on hold. Held accounts: {held}.")
