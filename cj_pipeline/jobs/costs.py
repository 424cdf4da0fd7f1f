"""What purchases cost so far, summed from the ledger."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.schema import jobs
from cj_pipeline.jobs.spending import used_by_account
from cj_pipeline.providers import usd
from cj_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class JudgeCosts:
    """One judge of one batch, over all revisions and attempts.

    `cached_tokens` were read from the provider's cache; `cacheable_tokens` could have been, had it run every job's
    lines in order.
    """

    batch_id: str
    judge_id: str
    provider: str
    model: str
    comparisons: int
    input_tokens: int
    cached_tokens: int
    cacheable_tokens: int
    output_tokens: int
    reserved_usd: float
    spent_usd: float
    price_source: str | None


@dataclass(frozen=True, slots=True)
class AccountUse:
    """What an account used of its caps: everything still open, and what was spent in the period (UTC)."""

    account: str
    today_usd: float
    cap_today_usd: float
    month_usd: float
    cap_month_usd: float


def judge_costs(ledger: Ledger, batch_id: str | None = None) -> list[JudgeCosts]:
    """By batch and judge, of one batch or all."""
    total = [sa.func.coalesce(sa.func.sum(jobs.c[name]), 0).label(name) for name in _SUMMED]
    query = (
        sa.select(
            jobs.c.batch_id, jobs.c.judge_id, jobs.c.provider, jobs.c.model, *total,
            sa.func.max(jobs.c.price_source).label("price_source"),
        )
        .group_by(jobs.c.batch_id, jobs.c.judge_id, jobs.c.provider, jobs.c.model)
        .order_by(jobs.c.batch_id, jobs.c.judge_id)
    )  # fmt: skip
    if batch_id is not None:
        query = query.where(jobs.c.batch_id == batch_id)
    with ledger.reading() as connection:
        return [_judge_costs(row) for row in connection.execute(query)]


def accounts(ledger: Ledger, settings: Settings) -> list[AccountUse]:
    """Every account that ever had a job."""
    today = datetime.now(UTC).date()
    query = sa.select(jobs.c.provider, jobs.c.account).distinct().order_by(jobs.c.provider, jobs.c.account)
    with ledger.reading() as connection:
        return [
            AccountUse(
                f"{provider}/{account}",
                usd(used_by_account(connection, provider, account, today.isoformat())),
                settings.account_max_usd_per_day,
                usd(used_by_account(connection, provider, account, today.replace(day=1).isoformat())),
                settings.account_max_usd_per_month,
            )
            for provider, account in connection.execute(query).all()
        ]


def _judge_costs(row: Any) -> JudgeCosts:
    return JudgeCosts(
        row.batch_id, row.judge_id, row.provider, row.model, comparisons=int(row._mapping["items"]),
        input_tokens=int(row.input_tokens), cached_tokens=int(row.cached_tokens),
        cacheable_tokens=int(row.cacheable_tokens), output_tokens=int(row.output_tokens),
        reserved_usd=usd(int(row.reserved_nano_usd)), spent_usd=usd(int(row.spent_nano_usd)),
        price_source=row.price_source,
    )  # fmt: skip


_SUMMED = (
    "items",
    "input_tokens",
    "cached_tokens",
    "cacheable_tokens",
    "output_tokens",
    "reserved_nano_usd",
    "spent_nano_usd",
)
