"""One run of a profile: its tables, its jobs and its waves, gathered for the parity checks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from cj_pipeline.deployment import Deployment
from cj_pipeline.emulator.judges import Comparison, judge_named
from cj_pipeline.eng5.profiles import Profile
from cj_pipeline.eng5.trace import TraceSummary, events_of, summarise
from cj_pipeline.jobs.job import Job, jobs_of
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.schema import calls, waves
from cj_pipeline.judging import parse_verdict


@dataclass(frozen=True, slots=True)
class ProfileRun:
    """What a profile's batch left behind. `response_ms` by custom_id: empty where nothing was called singly."""

    profile: Profile
    essays: pa.Table
    pairs: pa.Table
    judgments: pa.Table
    scores: pa.Table
    scale_fit: pa.Table
    judge_fit: pa.Table
    jobs: tuple[Job, ...]
    waves: tuple[int, ...]  # recorded in the ledger
    modes: tuple[str, ...]  # of those waves
    response_ms: Mapping[str, float]

    @property
    def trace(self) -> TraceSummary:
        """All answers in one summary."""
        return self.trace_of(self.judgments)

    def trace_of(self, judgments: pa.Table) -> TraceSummary:
        """Some of the answers in one summary."""
        return summarise(self.profile.batch_id, events_of(judgments, self.response_ms))

    @property
    def repetitions(self) -> dict[str, pa.Table]:
        """The answers of each judge, by its id: all are the same model, so each is a repetition."""
        names = sorted(set(self.judgments["judge_id"].to_pylist()))
        return {name: self.judgments.filter(pc.equal(self.judgments["judge_id"], name)) for name in names}

    @property
    def label(self) -> str:
        """How the batch ended."""
        return str(self.scale_fit["terminal_label"][0].as_py())

    @property
    def answered(self) -> int:
        """Comparisons with a verdict."""
        return int(self.judgments["error_code"].null_count)

    def not_as_planned(self) -> int:
        """Answers whose seats or pair are not those of the plan: what was sent is not what came back."""
        planned = set(columns(self.pairs, "pair_id", "essay_a", "essay_b"))
        return sum(row not in planned for row in columns(self.judgments, "pair_id", "essay_a", "essay_b"))

    def against_the_rule(self) -> tuple[int, int]:
        """Winners, and token counts, that the profile's judge would not give to these texts in these seats."""
        judge = judge_named(self.profile.judge)
        texts = {name: text.strip() for name, text in columns(self.essays, "essay_id", "text")}
        winners = tokens = 0
        for a, b, outcome, winner, read, written in columns(
            self.judgments, "essay_a", "essay_b", "outcome", "winner", "input_tokens", "output_tokens"
        ):
            if outcome != "success":
                continue
            reply = judge(Comparison(texts.get(a, ""), texts.get(b, "")))
            winners += parse_verdict(reply.content or "", ties=False).winner != winner
            tokens += (reply.input_tokens, reply.output_tokens) != (read, written)
        return winners, tokens


def gather_run(deployment: Deployment, profile: Profile) -> ProfileRun:
    """Everything a parity check looks at. Raises `StaleTable` before the batch was taken to its end."""
    batch_id = profile.batch_id
    names = ("essays", "comparison_pairs", "judgments", "bradley_terry_scores", "scale_fit", "judge_fit")
    essays, pairs, judgments, scores, scale_fit, judge_fit = (deployment.read_table(name, batch_id) for name in names)
    revision = deployment.ledger.provenance(batch_id).revision
    recorded = _waves(deployment.ledger, batch_id, revision)
    jobs = tuple(jobs_of(deployment.ledger, batch_id, revision))
    return ProfileRun(
        profile=profile,
        essays=essays,
        pairs=pairs,
        judgments=judgments,
        scores=scores,
        scale_fit=scale_fit,
        judge_fit=judge_fit,
        jobs=jobs,
        waves=tuple(recorded),
        modes=tuple(recorded.values()),
        response_ms=_response_ms(deployment.ledger, jobs),
    )


def columns(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    """Rows of some columns."""
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def _waves(ledger: Ledger, batch_id: str, revision: str) -> dict[int, str]:
    query = sa.select(waves.c.wave, waves.c.mode).where(waves.c.batch_id == batch_id, waves.c.revision == revision)
    with ledger.reading() as connection:
        return {row.wave: row.mode for row in connection.execute(query.order_by(waves.c.wave))}


def _response_ms(ledger: Ledger, jobs: tuple[Job, ...]) -> dict[str, float]:
    """Milliseconds from just before a call left until its answer was kept."""
    query = sa.select(calls.c.custom_id, calls.c.asked_at, calls.c.ended_at).where(
        calls.c.job_id.in_([job.job_id for job in jobs]), calls.c.asked_at.is_not(None), calls.c.ended_at.is_not(None)
    )
    with ledger.reading() as connection:
        return {
            row.custom_id: (
                datetime.fromisoformat(row.ended_at) - datetime.fromisoformat(row.asked_at)
            ).total_seconds() * 1_000
            for row in connection.execute(query)
        }  # fmt: skip
