"""`cj costs`: what was estimated, reserved and spent, per batch and judge, per account and period."""

from typing import Annotated

import typer
from rich.table import Table

from cj_pipeline.cli.terminal import JsonOutput, deployment_here, out, print_json


def costs(
    batch_id: Annotated[str | None, typer.Argument(metavar="[BATCH]", help="One batch; all of them without.")] = None,
    as_json: JsonOutput = False,
) -> None:
    """Money and tokens: bound, reserved and spent per batch and judge, and what each account used of its caps."""
    from cj_pipeline.jobs.costs import accounts, judge_costs

    deployment = deployment_here()
    rows = judge_costs(deployment.ledger, batch_id)
    used = accounts(deployment.ledger, deployment.settings)
    if as_json:
        print_json({"judges": rows, "accounts": used})
        return
    table = Table(
        "batch", "judge", "model", "comparisons", "input tokens", "cached", "of attainable", "output tokens",
        "reserved USD", "spent USD", "price",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row.batch_id, row.judge_id, f"{row.provider}:{row.model}", f"{row.comparisons:,}",
            f"{row.input_tokens:,}", f"{row.cached_tokens:,}", f"{row.cacheable_tokens:,}", f"{row.output_tokens:,}",
            f"{row.reserved_usd:.4f}", f"{row.spent_usd:.4f}", row.price_source or "",
        )  # fmt: skip
    out.print(table)
    limits = Table("account", "today USD", "cap", "this month USD", "cap")
    for account in used:
        limits.add_row(
            account.account, f"{account.today_usd:.4f}", f"{account.cap_today_usd:.2f}",
            f"{account.month_usd:.4f}", f"{account.cap_month_usd:.2f}",
        )  # fmt: skip
    out.print(limits)
