"""`cj plan`: what a run would ask and cost, and what accuracy to expect at this budget and at others."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cj_pipeline.cli.terminal import BatchId, deployment_here, out, show_notices
from cj_pipeline.errors import BatchError

if TYPE_CHECKING:
    from cj_pipeline.batch import Batch
    from cj_pipeline.grading.outlook import Outlook, Prospect
    from cj_pipeline.jobs.spending import Estimate


def plan(
    batch_id: BatchId,
    budgets: Annotated[
        str, typer.Option(metavar="N,N,...", help="Other caps on comparisons to look at: 100,200,400.")
    ] = "",
    target_reliability: Annotated[
        float | None, typer.Option(help="Name the smallest budget that is expected to reach it, say .8.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as one JSON object, for scripts.")] = False,
) -> None:
    """Show what a run would ask and cost, and what accuracy to expect. Buys nothing.

    Example: cj plan my-class --budgets 100,200,400 --target-reliability .8
    """
    from cj_pipeline.grading.outlook import outlook_of
    from cj_pipeline.jobs.plan import batch_mode, estimate_wave, pairs_within_budget
    from cj_pipeline.jobs.revisions import open_revision

    caps = _whole_numbers(budgets)
    if target_reliability is not None and not 0 < target_reliability < 1:
        raise BatchError(f"--target-reliability {target_reliability}: a reliability lies between 0 and 1. Try .8.")
    deployment = deployment_here()
    batch = deployment.batch(batch_id)
    provenance = open_revision(deployment.ledger, batch)
    pairs = pairs_within_budget(batch)
    estimates = estimate_wave(deployment.ledger, batch, pairs)
    outlook = outlook_of(
        batch, pairs, nano_usd=sum(row.expected for row in estimates.values()), caps=caps, target=target_reliability
    )
    needs_approval = batch.manifest.paid and batch.manifest.spending.approval == "manual"
    next_step = f"cj {'approve ' + batch_id + ' --max-usd AMOUNT' if needs_approval else 'run ' + batch_id}"
    if as_json:
        out.print_json(json.dumps(_as_json(batch, estimates, outlook, provenance.revision, next_step)))
        return
    show_notices(batch.notices)
    iterative = batch_mode(batch).iterative
    most = "at most " if iterative else ""
    out.print(
        f"{batch.title}: {batch.n_students} essays to judge, {batch.n_anchors} anchors, {most}{pairs.num_rows} pairs"
    )
    if iterative:
        out.print(_wave_by_wave(batch), soft_wrap=True)
    out.print(_estimate_table(batch, estimates))
    out.print(_prospect_table(outlook))
    for line in outlook.sentences():
        out.print(line, style="dim", soft_wrap=True)
    out.print(f"revision {provenance.revision[:12]}; nothing was bought.")
    out.print(f"Next: {next_step}")


def _wave_by_wave(batch: "Batch") -> str:
    rule = batch.manifest.stopping.rule
    until = "until that budget is spent" if rule == "none" else f"until the rule {rule} is met or that budget is spent"
    return (
        f"mode {batch.manifest.batch.mode}: asked wave by wave {until}. The estimate is for the whole budget, at the "
        "price of synchronous calls, which is not the half price of batch jobs. An approval covers all waves."
    )


def _whole_numbers(written: str) -> list[int]:
    try:
        numbers = [int(part) for part in written.split(",") if part.strip()]
    except ValueError:
        numbers = [0]
    if any(number < 1 for number in numbers):
        raise BatchError(f"--budgets {written}: give numbers of comparisons with commas between them: 100,200,400.")
    return numbers


def _estimate_table(batch: "Batch", estimates: "dict[str, Estimate]") -> Table:
    from cj_pipeline.providers import usd

    table = Table("judge", "model", "comparisons", "input tokens", "low USD", "expected USD", "high USD")
    for judge in batch.manifest.judges:
        row = estimates[judge.id]
        costs = [f"{usd(cost):.4f}" for cost in (row.low, row.expected, row.high)]
        table.add_row(
            judge.id, f"{judge.provider}:{judge.model}", f"{row.comparisons:,}", f"{row.input_tokens:,}", *costs
        )
    return table


def _prospect_table(outlook: "Outlook") -> Table:
    table = Table("per essay", "comparisons", "USD", title="Expected, if the judge is as sharp as people / very sharp")
    for name in ("reliability", "standard error", "grades exact", "within one", ""):
        table.add_column(name)
    for row in outlook.prospects:
        table.add_row(
            f"{row.per_essay:.1f}",
            f"{row.comparisons:,}",
            f"{row.usd:.4f}",
            _both(row, "reliability", ".2f"),
            _both(row, "mean_standard_error", ".2f"),
            _both(row, "exact", ".0%"),
            _both(row, "adjacent", ".0%"),
            "this batch" if row.this_batch else "",
        )
    return table


def _both(row: "Prospect", name: str, form: str) -> str:
    values = [getattr(row.ordinary, name), getattr(row.sharp, name)]
    return " / ".join("-" if value is None else format(value, form) for value in values)


def _as_json(
    batch: "Batch", estimates: "dict[str, Estimate]", outlook: "Outlook", revision: str, next_step: str
) -> dict[str, Any]:
    from cj_pipeline.providers import usd

    return {
        "batch_id": batch.batch_id,
        "revision": revision,
        "llm_batching_mode": batch.manifest.batch.mode,
        "essays": batch.essays.num_rows,
        "anchors": batch.n_anchors,
        "judges": {
            name: {
                "comparisons": row.comparisons,
                "input_tokens": row.input_tokens,
                **{f"{bound}_usd": usd(getattr(row, bound)) for bound in ("low", "expected", "high")},
            }
            for name, row in estimates.items()
        },
        "budgets": [asdict(row) for row in outlook.prospects],
        "target": None if outlook.target is None else asdict(outlook.target),
        "notes": list(outlook.sentences()),
        "next": next_step,
    }
