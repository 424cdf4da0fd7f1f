"""What the metrics are computed from, as read in one look at ledger and store; nothing of it outlives a scrape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cj_pipeline.jobs.costs import AccountUse
from cj_pipeline.jobs.job import DONE, GIVEN_UP, RESULTS_GONE, State, shown_status
from cj_pipeline.judging import ErrorCode
from cj_pipeline.providers import Transport
from cj_pipeline.settings import Settings

UNRECORDED = "unrecorded"  # a failure of a job that was read before failures were counted by code


@dataclass(frozen=True, slots=True)
class JobFigures:
    """A job, in what is counted of it. Moments are ISO 8601 in UTC; `failures` are its items without a verdict by
    code, of a job at its end; `mode` is that of its wave.
    """

    job_id: str
    batch_id: str
    revision: str
    wave: int
    attempt: int
    provider: str
    model: str
    transport: str
    state: str
    phase: str | None
    failure_code: str | None
    items: int
    unanswered: int | None
    input_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    cacheable_tokens: int | None
    spent_nano_usd: int | None
    reserved_nano_usd: int
    planned_at: str
    reserved_at: str | None
    submitted_at: str | None
    ended_at: str | None
    fetched_at: str | None
    reconciled_at: str | None
    mode: str
    failures: Mapping[str, int]

    @property
    def done(self) -> bool:
        """Whether every item of it has its outcome."""
        return self.state in DONE

    @property
    def by_batch(self) -> bool:
        """Whether it is a batch job at the provider."""
        return self.transport == Transport.BATCH

    @property
    def sent(self) -> bool:
        """Whether it left for the provider: accepted, refused, or given up because nobody knows."""
        return self.submitted_at is not None or self.state == State.REFUSED or self.failure_code == GIVEN_UP

    @property
    def given_up(self) -> bool:
        """Whether somebody stopped waiting for it, or for its results."""
        return self.failure_code in {GIVEN_UP, RESULTS_GONE}

    @property
    def status(self) -> str:
        """As `cj jobs list` shows it."""
        return shown_status(State(self.state), self.phase, self.failure_code)

    @property
    def answered(self) -> int:
        """Items with a verdict."""
        return self.items - sum(self.failures.values()) if self.state in DONE else 0

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Its items by outcome, of a job at its end."""
        if self.state not in DONE:
            return {}
        if not self.failures:
            return {"success": self.items}
        expired = self.failures.get(ErrorCode.EXPIRED, 0)
        failed = sum(self.failures.values())
        counts = {"success": self.items - failed, "failure": failed - expired, "expired": expired}
        return {outcome: count for outcome, count in counts.items() if count}

    @property
    def closed_at(self) -> str | None:
        """When nothing more could come of it."""
        return self.ended_at or self.reconciled_at


@dataclass(frozen=True, slots=True)
class DecisionFigures:
    """What was decided after a wave, and what of its `processing_metadata` is counted; None where that is not known."""

    batch_id: str
    revision: str
    decision: str
    label: str | None
    decided_at: str
    se_inflated: bool | None
    sparse: bool | None
    score_change: float | None


@dataclass(frozen=True, slots=True)
class BatchFigures:
    """A revision of a batch, with its jobs and the decision that ended it, if one did."""

    batch_id: str
    revision: str
    current: bool
    mode: str
    waves: int
    opened_at: str
    jobs: Sequence[JobFigures]
    end: DecisionFigures | None

    @property
    def planned(self) -> int:
        """Comparisons that were asked for; asking one again adds none."""
        return sum(job.items for job in self.jobs if job.attempt == 1)

    @property
    def answered(self) -> int:
        """Comparisons with a verdict."""
        return sum(job.answered for job in self.jobs)


@dataclass(frozen=True, slots=True)
class CallDurations:
    """Answered synchronous calls of a provider and model whose durations lie between the same two bounds."""

    provider: str
    model: str
    calls: int
    seconds: float  # of all of them


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it, at one moment.

    `tallies` counts answers by provider, model, kind and name; `calls` counts synchronous calls by provider, model
    and state, with how often they left; `operations` counts what people did; `results` counts batches by what became
    of them, from the stored tables.
    """

    now: datetime
    settings: Settings
    jobs: Sequence[JobFigures]
    batches: Sequence[BatchFigures]
    decisions: Sequence[DecisionFigures]
    tallies: Sequence[tuple[str, str, str, str, int]]
    calls: Sequence[tuple[str, str, str, int, int]]
    call_durations: Sequence[CallDurations]
    operations: Mapping[str, int]
    accounts_on_hold: Mapping[str, int]
    accounts: Sequence[AccountUse]
    results: Mapping[str, int]
