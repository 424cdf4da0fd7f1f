"""`cj jobs`: look at provider jobs, and do what only a person may decide about them."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from cj_pipeline.cli.terminal import BatchId, Exit, JsonOutput, age_in_words, deployment_here, out, print_json

if TYPE_CHECKING:
    from cj_pipeline.batch import Batch
    from cj_pipeline.deployment import Deployment
    from cj_pipeline.jobs.job import Job

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id, as `cj jobs list` shows it.")]

app = typer.Typer(
    help="""Provider batch jobs: list, show, cancel, reconcile, retry, give up.

    \b
    A job in doubt (unknown)     cj jobs reconcile BATCH   looks for it at the provider
                                 cj jobs give-up JOB       books it at its bound, asks again
    A refused or failed job      cj jobs show JOB          says why
                                 cj jobs retry JOB         asks again what has no verdict
    An account without credit    cj jobs lift-hold PROVIDER/ACCOUNT""",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("list")
def list_jobs(
    batch_id: Annotated[str | None, typer.Argument(metavar="[BATCH]", help="One batch; all of them without.")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only jobs that are not at their end.")] = False,
    as_json: JsonOutput = False,
) -> None:
    """Every job of a batch, or of all: state, items, money, age, and what the provider said."""
    from cj_pipeline.jobs.job import DONE, all_jobs, jobs_of

    deployment = deployment_here()
    jobs = jobs_of(deployment.ledger, batch_id) if batch_id else all_jobs(deployment.ledger)
    shown = [job for job in jobs if not open_only or job.state not in DONE]
    if as_json:
        print_json([_as_row(job) for job in shown])
        return
    table = Table("job", "batch", "judge", "attempt", "items", "state", "status", "age", "USD", "reason")
    for job in shown:
        table.add_row(
            job.job_id, job.batch_id, job.judge_id, str(job.attempt), str(job.items), str(job.state), job.status,
            _age(job), _money(job), job.reason or "",
        )  # fmt: skip
    out.print(table)
    _tell_holds(deployment)


@app.command()
def show(job_id: JobId, as_json: JsonOutput = False) -> None:
    """All that the ledger knows of a job, how its items ended, and what to do about it."""
    from collections import Counter

    from cj_pipeline.jobs.call_book import states_of
    from cj_pipeline.jobs.reconciliation import outcome_counts

    deployment = deployment_here()
    job, batch = _job_and_batch(deployment, job_id)
    calls = Counter(map(str, states_of(deployment.ledger, job).values()))
    row = _as_row(job) | {"calls": dict(calls), "outcomes": outcome_counts(deployment.store, batch, job)}
    if as_json:
        print_json(row)
        return
    for name, value in row.items():
        if value not in (None, "", {}):
            out.print(f"{name.replace('_', ' '):>20}  {value}", markup=False, soft_wrap=True)
    out.print(f"{'next':>20}  {_next_step(job)}", markup=False, soft_wrap=True)


@app.command()
def cancel(job_id: JobId) -> None:
    """Stop a job. What ran until then is billed and read as usual."""
    from cj_pipeline.jobs.interventions import cancel_job

    deployment = deployment_here()
    job, batch = _job_and_batch(deployment, job_id)
    cancelled = cancel_job(deployment.ledger, batch, deployment.settings, job)
    out.print(f"job {job_id}: {cancelled.state}. Next: cj run {job.batch_id}")


@app.command()
def reconcile(batch_id: BatchId) -> None:
    """Look for jobs in doubt, fetch what ended, read and book it. Buys nothing."""
    from cj_pipeline.jobs.collection import collect
    from cj_pipeline.jobs.progress import progress_of
    from cj_pipeline.jobs.submission import look_for_uncertain
    from cj_pipeline.local_emulator import start_emulator_if_needed

    deployment = deployment_here()
    batch = deployment.batch(batch_id)
    start_emulator_if_needed(batch, deployment.settings)
    adopted = look_for_uncertain(deployment.ledger, batch, deployment.settings)
    for job in adopted:
        out.print(f"job {job.job_id}: found at the provider as {job.provider_job_id}, adopted")
    collect(deployment.ledger, deployment.store, batch, deployment.settings)
    progress = progress_of(deployment.ledger, batch_id)
    out.print(f"{batch_id}: jobs {progress.sentence()}. Next: cj run {batch_id}")
    if not progress.complete:
        raise typer.Exit(Exit.WAITING)


@app.command()
def retry(job_id: JobId) -> None:
    """Ask again whatever of a job has no verdict, in a new job; it is bought by the next `cj run`."""
    from cj_pipeline.jobs.retries import retry_job

    deployment = deployment_here()
    job, batch = _job_and_batch(deployment, job_id)
    planned = retry_job(deployment.ledger, deployment.store, batch, deployment.settings, job)
    out.print(f"{planned} comparisons of job {job_id} are planned again. Next: cj run {job.batch_id}")


@app.command("give-up")
def give_up(job_id: JobId) -> None:
    """Stop waiting for a job in doubt, or for one whose results never come. It is booked at its upper bound."""
    from cj_pipeline.jobs.interventions import give_up_job

    deployment = deployment_here()
    job, _ = _job_and_batch(deployment, job_id)
    closed = give_up_job(deployment.ledger, job)
    out.print(f"job {job_id}: {closed.state} ({closed.reason}). Next: cj jobs reconcile {job.batch_id}")


@app.command("fetch-again")
def fetch_again(job_id: JobId) -> None:
    """Bring a job's raw answers back into the store, while the provider still has them."""
    from cj_pipeline.jobs.fetching import fetch_again as bring_back

    deployment = deployment_here()
    job, batch = _job_and_batch(deployment, job_id)
    bring_back(deployment.store, batch, deployment.settings, job)
    out.print(f"job {job_id}: its raw answers are in the store again, byte for byte")


@app.command("lift-hold")
def lift_hold(
    account: Annotated[str, typer.Argument(metavar="PROVIDER/ACCOUNT", help="For example openai/default.")],
    by: Annotated[str, typer.Option(help="Who says so; default: the user of this machine.")] = "",
) -> None:
    """Let an account buy again, after what stopped it was put right."""
    from cj_pipeline.jobs.holds import lift_hold as lift

    lift(deployment_here().ledger, account, lifted_by=by or getpass.getuser())
    out.print(f"account {account} may buy again.")


@app.command("export-requests")
def export_requests(
    batch_id: BatchId,
    to: Annotated[Path, typer.Option(help="Folder to write the request files into.")],
) -> None:
    """Copy the request files that wait for answers by hand, for `vllm run-batch -i FILE -o FILE`."""
    from cj_pipeline.jobs.hand_over import waiting_requests

    deployment = deployment_here()
    to.mkdir(parents=True, exist_ok=True)
    for job, requests in waiting_requests(deployment.ledger, deployment.store, batch_id):
        target = to / f"{job.job_id}.requests.jsonl"
        target.write_bytes(requests)
        out.print(f"{target}  ({job.items} requests, model {job.model})", soft_wrap=True)
    out.print(f"Next: run them, then cj jobs import-results {batch_id} RESULT_FILES")


@app.command("import-results")
def import_results(
    batch_id: BatchId, files: Annotated[list[Path], typer.Argument(help="Result files of `vllm run-batch`.")]
) -> None:
    """Hand over the answers of request files that were run by hand; each file finds its job by its custom_ids."""
    from cj_pipeline.jobs.hand_over import import_result_file

    deployment = deployment_here()
    batch = deployment.batch(batch_id)
    for path in files:
        job, lines = import_result_file(deployment.ledger, batch, deployment.settings, path)
        out.print(f"{path}: {lines} lines for job {job.job_id} ({job.items} items)", soft_wrap=True)
    out.print(f"Next: cj run {batch_id}")


def _job_and_batch(deployment: "Deployment", job_id: str) -> "tuple[Job, Batch]":
    from cj_pipeline.jobs.job import job_named

    job = job_named(deployment.ledger, job_id)
    return job, deployment.batch(job.batch_id)


def _as_row(job: "Job") -> dict[str, object]:
    from dataclasses import asdict

    from cj_pipeline.providers import usd

    row = {**asdict(job), "state": str(job.state), "status": job.status}
    for name in ("bound", "reserved", "spent"):
        nano = row.pop(f"{name}_nano_usd")
        row[f"{name}_usd"] = None if nano is None else usd(nano)
    return row


def _next_step(job: "Job") -> str:
    from cj_pipeline.jobs.job import AT_PROVIDER, UNBOUGHT, State

    if job.state is State.UNKNOWN:
        return f"cj jobs reconcile {job.batch_id}, or cj jobs give-up {job.job_id}"
    if job.state in UNBOUGHT | {State.SUBMITTING} | AT_PROVIDER:
        missing = " (the provider does not list it: check the account's key)" if job.missing_since else ""
        return f"cj run {job.batch_id}{missing}"
    return f"cj jobs retry {job.job_id}" if job.unanswered or job.state is not State.RECONCILED else "nothing"


def _age(job: "Job") -> str:
    from datetime import UTC, datetime

    from cj_pipeline.jobs.ledger import ledger_time

    planned = ledger_time(job.planned_at)
    return age_in_words((datetime.now(UTC) - planned).total_seconds()) if planned else ""


def _money(job: "Job") -> str:
    from cj_pipeline.providers import usd

    if job.spent_nano_usd is not None:
        return f"{usd(job.spent_nano_usd):.4f}"
    return f"up to {usd(job.bound_nano_usd):.4f}"


def _tell_holds(deployment: "Deployment") -> None:
    from cj_pipeline.jobs.holds import holds

    for hold in holds(deployment.ledger):
        out.print(
            f"account {hold.account} is on hold since {hold.since[:16]} UTC: {hold.reason}. "
            f"When it is put right: cj jobs lift-hold {hold.account}",
            soft_wrap=True,
        )
