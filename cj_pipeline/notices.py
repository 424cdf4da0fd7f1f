"""What needs a person, decided from ledger, folders and stored tables alone.

A notice keeps its key as long as it is about the same occurrence; `cj_pipeline.notifications` remembers which were
told. Nothing here quotes an essay, a provider's words or a key: notices leave the house.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from cj_pipeline.deployment import Deployment
from cj_pipeline.due import batches_to_approve
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.holds import holds
from cj_pipeline.jobs.job import UNBOUGHT, Job, State, jobs_in
from cj_pipeline.jobs.ledger import ledger_time
from cj_pipeline.jobs.progress import progress_of_all
from cj_pipeline.jobs.schema import batches
from cj_pipeline.jobs.spending import cap_in_the_way, caps_for
from cj_pipeline.jobs.submission import LIST_LAG, LOOK_BACK
from cj_pipeline.status import result_of
from cj_pipeline.tables import Provenance

LATE = timedelta(hours=22)  # a provider ends a job after 24 h, answered or not
RESULTS_WAIT = LOOK_BACK - timedelta(days=2)  # results are deleted LOOK_BACK after the job was made
HAS_A_WINDOW = frozenset({"openai", "anthropic", "emulator"})  # a job that is handed over by file has none


class Matter(StrEnum):
    """What a notice is about."""

    APPROVAL_WANTED = "approval wanted"
    JOB_UNKNOWN = "job unknown"
    JOB_NOT_LISTED = "job not listed"
    NEAR_EXPIRY = "near expiry"
    JOB_REFUSED = "job refused"
    OVER_CAP = "over cap"
    ACCOUNT_ON_HOLD = "account on hold"
    GATE_RED = "gate red"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing for a person to do. `subject` is a batch's id or an account; `next_step` is a command or an act."""

    key: str
    matter: Matter
    subject: str
    sentence: str
    next_step: str


def notices(deployment: Deployment, now: datetime) -> list[Notice]:
    """Everything that waits for a person at a moment, by matter. Asks no provider and changes nothing."""
    return [
        *_approvals(deployment),
        *_jobs_in_doubt(deployment, now),
        *_jobs_out(deployment, now),
        *_refused(deployment),
        *_over_caps(deployment),
        *_accounts_on_hold(deployment),
        *_red_gates(deployment),
    ]


def _approvals(deployment: Deployment) -> Iterator[Notice]:
    for due in batches_to_approve(deployment).due:
        yield Notice(
            due.key,
            Matter.APPROVAL_WANTED,
            due.batch_id,
            f"batch {due.batch_id} is planned and nothing is bought until a person approves it",
            f"cj plan {due.batch_id} (what it would cost), then cj approve {due.batch_id} --max-usd AMOUNT",
        )


def _jobs_in_doubt(deployment: Deployment, now: datetime) -> Iterator[Notice]:
    abandoned = [
        job for job in jobs_in(deployment.ledger, State.SUBMITTING) if _since(job.submitting_at, now) > LIST_LAG
    ]
    for job in [*jobs_in(deployment.ledger, State.UNKNOWN), *abandoned]:
        yield _of_job(
            job, Matter.JOB_UNKNOWN, job.submitting_at,
            "may or may not exist at the provider; its money stays reserved",
            f"cj jobs reconcile {job.batch_id}, or cj jobs give-up {job.job_id}",
        )  # fmt: skip


def _jobs_out(deployment: Deployment, now: datetime) -> Iterator[Notice]:
    for job in jobs_in(deployment.ledger, State.SUBMITTED):
        if job.missing_since and _since(job.missing_since, now) > LIST_LAG:
            yield _of_job(
                job, Matter.JOB_NOT_LISTED, job.missing_since, "is not in the provider's list any more",
                f"check the key and project of account {job.provider}/{job.account}",
            )  # fmt: skip
        if job.provider in HAS_A_WINDOW and not job.is_calling and _since(job.submitted_at, now) > LATE:
            yield _of_job(
                job, Matter.NEAR_EXPIRY, job.submitted_at,
                f"is out for {_hours(_since(job.submitted_at, now))}; the provider ends it after 24 h, answered or not",
                "nothing: what was answered is kept, the rest is asked again",
            )  # fmt: skip
    for job in jobs_in(deployment.ledger, State.ENDED):
        if job.provider in HAS_A_WINDOW and _since(job.submitted_at, now) > RESULTS_WAIT:
            yield _of_job(
                job, Matter.NEAR_EXPIRY, job.ended_at,
                f"ended, and its answers are not fetched; they are deleted {LOOK_BACK.days} days after its start",
                f"cj run {job.batch_id} at once",
            )  # fmt: skip


def _refused(deployment: Deployment) -> Iterator[Notice]:
    current = _current(deployment)
    for job in jobs_in(deployment.ledger, State.REFUSED):
        if current[job.batch_id].revision == job.revision:
            yield _of_job(
                job, Matter.JOB_REFUSED, job.reconciled_at, "was refused by the provider; nothing of it was bought",
                f"cj jobs show {job.job_id} says why; then cj jobs retry {job.job_id}",
            )  # fmt: skip


def _over_caps(deployment: Deployment) -> Iterator[Notice]:
    """The first job of each batch that a cap holds back; another cap or another amount is another occurrence."""
    waiting: dict[str, list[Job]] = {}
    current = _current(deployment)
    for state in UNBOUGHT:
        for job in jobs_in(deployment.ledger, state):
            if job.reserved_at is None and job.bound_nano_usd and current[job.batch_id].revision == job.revision:
                waiting.setdefault(job.batch_id, []).append(job)
    for batch_id, jobs in sorted(waiting.items()):
        try:
            caps = caps_for(deployment.ledger, deployment.batch(batch_id), deployment.settings)
        except CjError:
            continue  # not approved, or a folder that cannot be read: other notices and `cj status` say so
        held = next((job for job in jobs if cap_in_the_way(deployment.ledger, job, caps)), None)
        if held is not None:
            yield Notice(
                _key(Matter.OVER_CAP, held.job_id, str(caps)),
                Matter.OVER_CAP,
                batch_id,
                f"batch {batch_id}: {cap_in_the_way(deployment.ledger, held, caps)}",
                f"raise the cap it names, or wait; then cj run {batch_id}",
            )


def _accounts_on_hold(deployment: Deployment) -> Iterator[Notice]:
    for hold in holds(deployment.ledger):
        yield Notice(
            _key(Matter.ACCOUNT_ON_HOLD, hold.account, hold.since),
            Matter.ACCOUNT_ON_HOLD,
            hold.account,
            f"account {hold.account} is on hold since {hold.since[:16]} UTC; nothing is bought under it",
            f"put it right with the provider, then cj jobs lift-hold {hold.account}",
        )


def _red_gates(deployment: Deployment) -> Iterator[Notice]:
    progress = progress_of_all(deployment.ledger)
    for batch_id, made_from in _current(deployment).items():
        result = result_of(deployment, batch_id) if progress[batch_id].complete else None
        if result is not None and result.red:
            yield Notice(
                _key(Matter.GATE_RED, batch_id, made_from.revision, str(made_from.ledger_version), result.reason),
                Matter.GATE_RED,
                batch_id,
                f"batch {batch_id} has no grades: a gate is red",
                f"cj report {batch_id} says which, and why",
            )


def _current(deployment: Deployment) -> dict[str, Provenance]:
    """What stands in the ledger, by batch."""
    query = sa.select(batches.c.batch_id, batches.c.revision, batches.c.version).order_by(batches.c.batch_id)
    with deployment.ledger.reading() as connection:
        return {name: Provenance(revision, version) for name, revision, version in connection.execute(query)}


def _of_job(job: Job, matter: Matter, since: str | None, sentence: str, next_step: str) -> Notice:
    told = f"batch {job.batch_id}: job {job.job_id} ({job.items} comparisons) {sentence}"
    return Notice(_key(matter, job.job_id, str(since)), matter, job.batch_id, told, next_step)


def _since(moment: str | None, now: datetime) -> timedelta:
    then = ledger_time(moment)
    return now - then if then else timedelta()


def _hours(duration: timedelta) -> str:
    return f"{duration.total_seconds() / 3600:.0f} h"


def _key(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]
