"""Money: what a purchase will cost, the gate it must pass before anything is sent, and what it did cost.

A cap is a conditional UPDATE whose row count is checked, so that two processes can never both pass it.
Reserved amounts count as spent until the bill is in, also for jobs whose creation is uncertain.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cj_pipeline.batch import Batch
from cj_pipeline.errors import NotApproved, OverBudget
from cj_pipeline.jobs.chunks import BYTES_PER_TOKEN, Comparison, tokens_at_most
from cj_pipeline.jobs.job import Job, State, advance_within
from cj_pipeline.jobs.leases import forget_lease
from cj_pipeline.jobs.ledger import Ledger, insert_new, utc_now
from cj_pipeline.jobs.schema import account_leases, approvals, batches, bookings, jobs
from cj_pipeline.judging import Usage
from cj_pipeline.providers import TokenPrice, nano_usd, usd
from cj_pipeline.settings import Settings

BYTES_PER_TOKEN_LOW = 5
OUTPUT_TOKENS_LOW, OUTPUT_TOKENS_EXPECTED = 40, 90  # a verdict with a justification of up to 50 words


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a set of comparisons will cost, in nano-USD. `high` is what gets reserved."""

    comparisons: int = 0
    request_bytes: int = 0
    input_tokens: int = 0
    low: int = 0
    expected: int = 0
    high: int = 0

    def plus(self, other: "Estimate") -> "Estimate":
        """Both together."""
        return Estimate(
            self.comparisons + other.comparisons,
            self.request_bytes + other.request_bytes,
            self.input_tokens + other.input_tokens,
            self.low + other.low,
            self.expected + other.expected,
            self.high + other.high,
        )


@dataclass(frozen=True, slots=True)
class Observed:
    """What a model's earlier answers took: bytes of request per prompt token, output tokens per answer.

    Until there are any: English prose, and a verdict with a justification of up to 50 words.
    """

    bytes_per_token: float = BYTES_PER_TOKEN
    output_tokens: float = OUTPUT_TOKENS_EXPECTED
    answers: int = 0


@dataclass(frozen=True, slots=True)
class Caps:
    """The ceilings one job must stay under, in nano-USD."""

    batch: int
    account_per_day: int
    account_per_month: int


def observed(ledger: Ledger, provider: str, model: str) -> Observed:
    """From the usage of a model's reconciled jobs, whatever the batch."""
    answered = sa.select(
        sa.func.sum(jobs.c["items"]), sa.func.sum(jobs.c.request_bytes),
        sa.func.sum(jobs.c.input_tokens), sa.func.sum(jobs.c.output_tokens),
    ).where(jobs.c.provider == provider, jobs.c.model == model, jobs.c.unanswered == 0)  # fmt: skip
    with ledger.reading() as connection:
        items, size, input_tokens, output_tokens = connection.execute(answered).one()
    if not items or not input_tokens:
        return Observed()
    return Observed(float(size) / float(input_tokens), float(output_tokens) / float(items), int(items))


def estimate(comparisons: Iterable[Comparison], price: TokenPrice, seen: Observed | None = None) -> Estimate:
    """From the real request bytes; expected as the model's earlier answers suggest, high as the token limit allows."""
    seen = seen or Observed()
    total = Estimate()
    for comparison in comparisons:
        size, limit = comparison.line_bytes, comparison.max_output_tokens
        low = Usage(int(len(comparison.body) / BYTES_PER_TOKEN_LOW), 0, min(OUTPUT_TOKENS_LOW, limit))
        expected = Usage(round(size / seen.bytes_per_token), 0, min(round(seen.output_tokens), limit))
        least, likely = price.cost(low), price.cost(expected)
        high = bound_of(len(comparison.body), limit, price)
        total = total.plus(Estimate(1, size, expected.input_tokens, min(least, likely), likely, high))
    return total


def bound_of(body_bytes: int, max_output_tokens: int, price: TokenPrice) -> int:
    """The most that one request can come to, in nano-USD: the dearest way to take a prompt in, and a full answer."""
    most = tokens_at_most(body_bytes)
    return price.cost(Usage(most, 0, max_output_tokens, cache_write_tokens=most))


def approve(ledger: Ledger, batch_id: str, *, approved_by: str, max_usd: float) -> None:
    """Record a person's consent to spend up to `max_usd` on the batch's current revision."""
    current = ledger.provenance(batch_id)
    with ledger.transaction() as connection:
        connection.execute(
            approvals.insert().values(
                batch_id=batch_id,
                revision=current.revision,
                approved_by=approved_by,
                approved_at=utc_now(),
                max_nano_usd=nano_usd(max_usd),
            )
        )


def caps_for(ledger: Ledger, batch: Batch, settings: Settings) -> Caps:
    """The batch's cap and the approval's ceiling, whichever is lower. Raises `NotApproved` without an approval."""
    return Caps(
        batch=_batch_cap(ledger, batch),
        account_per_day=nano_usd(settings.account_max_usd_per_day),
        account_per_month=nano_usd(settings.account_max_usd_per_month),
    )


def latest_approval(ledger: Ledger, batch_id: str, revision: str) -> sa.Row[tuple[object, ...]] | None:
    """The approval that counts for a revision, if there is one."""
    query = (
        sa.select(approvals)
        .where(approvals.c.batch_id == batch_id, approvals.c.revision == revision)
        .order_by(approvals.c.approval_id.desc())
    )
    with ledger.reading() as connection:
        return connection.execute(query.limit(1)).one_or_none()


def reserve(ledger: Ledger, job: Job, caps: Caps) -> None:
    """Set a job's upper bound aside under all caps, once. Raises `OverBudget`; then nothing was changed."""
    if job.reserved_at is not None:
        return
    with ledger.transaction() as connection:
        _refuse_above_account_caps(connection, job, caps)
        reserved = connection.execute(
            batches.update()
            .where(
                batches.c.batch_id == job.batch_id,
                batches.c.reserved_nano_usd + batches.c.spent_nano_usd + job.bound_nano_usd <= caps.batch,
            )
            .values(reserved_nano_usd=batches.c.reserved_nano_usd + job.bound_nano_usd)
        )
        if reserved.rowcount != 1:
            raise OverBudget(_over_batch_cap(connection, job, caps))
        advance_within(
            connection, job, job.state, since={State.PLANNED, State.UPLOADED},
            reserved_nano_usd=job.bound_nano_usd, reserved_at=utc_now(),
        )  # fmt: skip
        _book(connection, job, "reserve", job.bound_nano_usd, None)


def cap_in_the_way(ledger: Ledger, job: Job, caps: Caps) -> str | None:
    """The cap that `reserve` would refuse a job for as things stand; None when there is room. Changes nothing."""
    with ledger.reading() as connection:
        passed = _above_account_caps(connection, job, caps)
        if passed:
            return passed
        booked = sa.select(batches.c.reserved_nano_usd + batches.c.spent_nano_usd)
        used = int(connection.execute(booked.where(batches.c.batch_id == job.batch_id)).scalar_one())
        return _over_batch_cap(connection, job, caps) if used + job.bound_nano_usd > caps.batch else None


def settle(
    connection: Connection,
    job: Job,
    to: State,
    spent: int,
    price: TokenPrice | None,
    reason: str | None,
    **changes: Any,
) -> None:
    """Close a job's bill: the reservation goes, what it cost is booked, and the job moves to its last state."""
    source = price.source if price else job.price_source
    advance_within(
        connection, job, to,
        spent_nano_usd=spent, reserved_nano_usd=0, reason=reason, reconciled_at=utc_now(),
        price_source=source, price=price.as_json() if price else job.price, **changes,
    )  # fmt: skip
    connection.execute(
        batches.update()
        .where(batches.c.batch_id == job.batch_id)
        .values(
            reserved_nano_usd=batches.c.reserved_nano_usd - job.reserved_nano_usd,
            spent_nano_usd=batches.c.spent_nano_usd + spent,
        )
    )
    forget_lease(connection, job.job_id)
    _book(connection, job, "release", job.reserved_nano_usd, None)
    _book(connection, job, "spend", spent, source)


def account_name(job: Job) -> str:
    """An account of one provider, as leases and bookings name it."""
    return f"{job.provider}/{job.account}"


def _batch_cap(ledger: Ledger, batch: Batch) -> int:
    spending = batch.manifest.spending
    if not batch.manifest.paid:
        return nano_usd(spending.max_usd or 0)
    limit = nano_usd(spending.max_usd or 0)
    if spending.approval == "auto":
        return limit
    approval = latest_approval(ledger, batch.batch_id, ledger.provenance(batch.batch_id).revision)
    if approval is None:
        raise NotApproved(
            f"batch {batch.batch_id}: nobody approved buying this revision. Look at `cj plan {batch.batch_id}`, "
            f"then `cj approve {batch.batch_id} --max-usd AMOUNT`."
        )
    return min(limit, int(approval._mapping["max_nano_usd"]))


def _refuse_above_account_caps(connection: Connection, job: Job, caps: Caps) -> None:
    account = account_name(job)
    # taking the account's row first makes submitters of one account queue on databases with row locks
    insert_new(connection, account_leases, {"account": account})
    connection.execute(account_leases.update().where(account_leases.c.account == account).values(account=account))
    passed = _above_account_caps(connection, job, caps)
    if passed:
        raise OverBudget(passed)


def _above_account_caps(connection: Connection, job: Job, caps: Caps) -> str | None:
    today = datetime.now(UTC).date()
    limits = {
        "day": (today.isoformat(), caps.account_per_day),
        "month": (today.replace(day=1).isoformat(), caps.account_per_month),
    }
    for period, (since, cap) in limits.items():
        used = used_by_account(connection, job.provider, job.account, since)
        if used + job.bound_nano_usd > cap and job.bound_nano_usd > 0:
            return (
                f"account {account_name(job)}: USD {usd(used):.4f} spent or reserved this {period}, this job may cost "
                f"USD {usd(job.bound_nano_usd):.4f}, the cap is USD {usd(cap):.2f}. Wait, or raise "
                f"CJ_ACCOUNT_MAX_USD_PER_{period.upper()}."
            )
    return None


def used_by_account(connection: Connection, provider: str, account: str, since: str) -> int:
    """Nano-USD of whatever is still open, and of what was spent by jobs reserved since a day (ISO 8601)."""
    in_period = sa.case((jobs.c.reserved_at >= since, sa.func.coalesce(jobs.c.spent_nano_usd, 0)), else_=0)
    used = sa.select(sa.func.sum(jobs.c.reserved_nano_usd + in_period)).where(
        jobs.c.provider == provider, jobs.c.account == account
    )
    return int(connection.execute(used).scalar_one() or 0)


def _over_batch_cap(connection: Connection, job: Job, caps: Caps) -> str:
    row = connection.execute(sa.select(batches).where(batches.c.batch_id == job.batch_id)).one()
    return (
        f"batch {job.batch_id}: USD {usd(row.spent_nano_usd):.4f} spent and {usd(row.reserved_nano_usd):.4f} reserved; "
        f"the next job may cost USD {usd(job.bound_nano_usd):.4f} and the cap is USD {usd(caps.batch):.4f}. Raise "
        f"max_usd under [spending] and approve again, or, while nothing is bought, lower max_comparisons."
    )


def _book(connection: Connection, job: Job, kind: str, amount: int, price_source: str | None) -> None:
    connection.execute(
        bookings.insert().values(
            job_id=job.job_id,
            batch_id=job.batch_id,
            account=account_name(job),
            kind=kind,
            nano_usd=amount,
            price_source=price_source,
            booked_at=utc_now(),
        )
    )
