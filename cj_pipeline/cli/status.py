"""`cj status`: where every batch stands, what holds it up, and what to do next."""

import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cj_pipeline.cli.terminal import Exit, JsonOutput, age_in_words, deployment_here, out, print_json

if TYPE_CHECKING:
    from cj_pipeline.status import BatchStatus


def status(
    batch_id: Annotated[str | None, typer.Argument(metavar="[BATCH]", help="One batch; all of them without.")] = None,
    as_json: JsonOutput = False,
) -> None:
    """One table over all batches: state, age, money, what holds them up, what to do next.

    Named alone, a batch also decides the exit code: 0 scored or graded, 1 grades withheld, 2 unknown or broken, 3 not
    there yet.
    """
    from cj_pipeline.status import batch_status

    deployment = deployment_here()
    rows = [batch_status(deployment, name) for name in ([batch_id] if batch_id else deployment.batch_ids())]
    if as_json:
        print_json(rows)
    else:
        out.print(_table(rows))
    if batch_id:
        raise typer.Exit(_CODES.get(rows[0].state, Exit.WAITING))


def _table(rows: "list[BatchStatus]") -> Table:
    table = Table("batch", "state", "essays", "waves", "age", "spent USD", "reserved USD", "held up by", "next")
    for row in rows:
        age = datetime.now(UTC) - row.registered_at if row.registered_at else None
        table.add_row(
            row.batch_id,
            row.state,
            str(row.essays or ""),
            _waves(row),
            age_in_words(age.total_seconds()) if age else "",
            f"{row.spent_usd:.4f}",
            f"{row.reserved_usd:.4f}",
            textwrap.shorten(row.blocked_by, 90),
            row.next_action,
        )
    return table


def _waves(row: "BatchStatus") -> str:
    """How many waves there are, and how the last one ended; nothing for a single wave."""
    if row.mode in {"", "provider_batch_api"} or not row.waves:
        return ""
    return f"{row.waves}, {row.ended.replace('_', ' ')}" if row.ended else str(row.waves)


_CODES = {
    "graded": Exit.DONE,
    "scored": Exit.DONE,
    "withheld": Exit.GATE_RED,
    "failed": Exit.GATE_RED,
    "broken": Exit.MISTAKE,
}
