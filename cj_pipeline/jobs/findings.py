"""Claims about the jobs of a batch."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import sqlalchemy as sa

from cj_pipeline.batch import Batch
from cj_pipeline.errors import NotApproved
from cj_pipeline.findings import Finding, Kind
from cj_pipeline.jobs.call_book import uncertain_calls
from cj_pipeline.jobs.chunks import comparisons_planned
from cj_pipeline.jobs.holds import holds
from cj_pipeline.jobs.job import GIVEN_UP, Job, State, jobs_of
from cj_pipeline.jobs.ledger import Ledger, ledger_time
from cj_pipeline.jobs.schema import batches
from cj_pipeline.jobs.spending import account_name, caps_for
from cj_pipeline.providers import Phase, Transport, job_limits, usd
from cj_pipeline.settings import Settings

WINDOW = timedelta(hours=26)  # the provider's 24 h and two more for its own clean-up

CHECKS = {
    "approved": (Kind.STRUCTURAL, "What is being bought was approved, or needs no approval."),
    "within_caps": (Kind.STRUCTURAL, "Reserved and spent money stay under the batch's cap."),
    "within_provider_limits": (Kind.STRUCTURAL, "No job is larger than the provider takes."),
    "items_as_planned": (Kind.STRUCTURAL, "The first attempt asks every planned comparison once."),
    "creation_certain": (Kind.ADVICE, "No job or call is in doubt about whether the provider took it."),
    "listed_by_provider": (Kind.ADVICE, "The provider shows every job that is out."),
    "status_understood": (Kind.ADVICE, "Every status that a provider shows is one this version knows."),
    "account_free": (Kind.ADVICE, "No account of the batch is on hold."),
    "bill_within_bound": (Kind.ADVICE, "No job cost more than what was reserved for it."),
    "within_window": (Kind.ADVICE, "No job is out longer than the provider's window."),
}


def job_findings(ledger: Ledger, batch: Batch, pairs: pa.Table, settings: Settings) -> list[Finding]:
    """All claims about the table `provider_batch_jobs`, in the order of `CHECKS`."""
    jobs = jobs_of(ledger, batch.batch_id, ledger.provenance(batch.batch_id).revision)
    return [
        _approved(ledger, batch, settings),
        _within_caps(ledger, batch, settings),
        _within_limits(jobs),
        _items(batch, pairs, jobs),
        _certain(ledger, jobs),
        _listed(jobs),
        _understood(jobs),
        _free(ledger, jobs),
        _bill(jobs),
        _in_window(jobs),
    ]


def _approved(ledger: Ledger, batch: Batch, settings: Settings) -> Finding:
    try:
        cap = caps_for(ledger, batch, settings).batch
    except NotApproved as error:
        return _finding("approved", False, str(error))
    if not batch.manifest.paid:
        return _finding("approved", True, "no judge of this batch costs money")
    return _finding("approved", True, f"up to USD {usd(cap):.2f}", ceiling_usd=usd(cap))


def _within_caps(ledger: Ledger, batch: Batch, settings: Settings) -> Finding:
    booked = sa.select(batches.c.reserved_nano_usd + batches.c.spent_nano_usd).where(
        batches.c.batch_id == batch.batch_id
    )
    with ledger.reading() as connection:
        used = int(connection.execute(booked).scalar_one())
    try:
        cap = caps_for(ledger, batch, settings).batch
    except NotApproved:
        cap = 0
    return _finding(
        "within_caps",
        used <= cap,
        f"USD {usd(used):.4f} reserved and spent over all revisions, cap USD {usd(cap):.4f}",
        used_usd=usd(used),
        cap_usd=usd(cap),
    )


def _within_limits(jobs: list[Job]) -> Finding:
    items = max((job.items for job in jobs), default=0)
    size = max((job.request_bytes for job in jobs), default=0)
    return _finding(
        "within_provider_limits",
        all(_fits(job) for job in jobs),
        f"the largest of {len(jobs)} jobs has {items:,} requests and {size / 1e6:.1f} MB",
        largest_items=items,
        largest_bytes=size,
    )


def _fits(job: Job) -> bool:
    most = job_limits(job.provider)
    return job.items <= most.requests and job.request_bytes <= most.request_bytes


def _items(batch: Batch, pairs: pa.Table, jobs: list[Job]) -> Finding:
    asked = sum(job.items for job in jobs if job.attempt == 1)
    waves = Counter(pairs["wave"].to_pylist()).values()
    planned = sum(comparisons_planned(judge, wave) for judge in batch.manifest.judges for wave in waves)
    return _finding(
        "items_as_planned",
        asked == planned,
        f"{asked} comparisons in the jobs, {planned} planned",
        asked=asked,
        planned=planned,
    )


def _certain(ledger: Ledger, jobs: list[Job]) -> Finding:
    uncertain = [job.job_id for job in jobs if job.state is State.UNKNOWN or job.failure_code == GIVEN_UP]
    calls = uncertain_calls(ledger, [job.job_id for job in jobs if job.transport is Transport.CALLS])
    return _finding(
        "creation_certain",
        not uncertain and not calls,
        f"{len(uncertain)} jobs may or may not exist at the provider {', '.join(uncertain)}".strip()
        + (f"; {calls} calls may have been billed, and their answers never came" if calls else ""),
        uncertain=len(uncertain),
        uncertain_calls=calls,
    )


def _listed(jobs: list[Job]) -> Finding:
    missing = [job for job in jobs if job.state is State.SUBMITTED and job.missing_since]
    since = min((str(job.missing_since)[:16] for job in missing), default="")
    return _finding(
        "listed_by_provider",
        not missing,
        f"{len(missing)} jobs are not in the provider's list"
        + (f" since {since} UTC: check the account's key and project" if missing else ""),
        missing=len(missing),
    )


def _understood(jobs: list[Job]) -> Finding:
    odd = [job.job_id for job in jobs if job.state is State.SUBMITTED and job.phase == Phase.UNHEARD_OF]
    return _finding(
        "status_understood",
        not odd,
        f"{len(odd)} jobs show a status this version does not know, and are waited for"
        + (f": {', '.join(odd)}. Look at them in the provider's console" if odd else ""),
        odd=len(odd),
    )


def _free(ledger: Ledger, jobs: list[Job]) -> Finding:
    accounts = {account_name(job) for job in jobs}
    held = [hold for hold in holds(ledger) if hold.account in accounts]
    said = "; ".join(f"{hold.account} since {hold.since[:16]} UTC ({hold.reason})" for hold in held)
    return _finding("account_free", not held, said or f"none of {len(accounts)} accounts is on hold", on_hold=len(held))


def _bill(jobs: list[Job]) -> Finding:
    booked = [job for job in jobs if job.spent_nano_usd is not None]
    above = [job.job_id for job in booked if (job.spent_nano_usd or 0) > job.bound_nano_usd]
    bound, spent = sum(job.bound_nano_usd for job in booked), sum(job.spent_nano_usd or 0 for job in booked)
    return _finding(
        "bill_within_bound",
        not above,
        f"USD {usd(spent):.4f} booked of at most {usd(bound):.4f}{'; above it: ' + ', '.join(above) if above else ''}",
        spent_usd=usd(spent),
        bound_usd=usd(bound),
    )


def _in_window(jobs: list[Job]) -> Finding:
    durations = {job.job_id: _duration(job) for job in jobs if job.submitted_at}
    ended = sum(job.ended_at is not None for job in jobs)
    late = [job.job_id for job in jobs if not job.ended_at and durations.get(job.job_id, WINDOW) > WINDOW]
    longest = max(durations.values(), default=timedelta())
    return _finding(
        "within_window",
        longest <= WINDOW,
        f"{ended} of {len(durations)} jobs ended, the longest took or takes {longest.total_seconds() / 3600:.2f} h"
        f"{'; still out: ' + ', '.join(late) if late else ''}",
        longest_seconds=longest.total_seconds(),
    )


def _duration(job: Job) -> timedelta:
    submitted, ended = ledger_time(job.submitted_at), ledger_time(job.ended_at) or datetime.now(UTC)
    assert submitted is not None
    return max(timedelta(), ended - submitted)


def _finding(name: str, passed: bool, summary: str, **numbers: float | int | str) -> Finding:
    return Finding("provider_batch_jobs", name, CHECKS[name][0], bool(passed), summary, numbers)
