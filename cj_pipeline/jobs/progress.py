"""How far purchases are, counted from the ledger."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from cj_pipeline.jobs.job import DONE, UNBOUGHT, UNCERTAIN, State
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.schema import batches, jobs, waves
from cj_pipeline.providers import Transport


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a batch's purchase stands, in jobs of its current revision."""

    planned: int = 0
    uncertain: int = 0
    waiting: int = 0  # accepted by the provider, which has not ended them yet
    ended: int = 0  # to be fetched and read
    done: int = 0
    unplanned: int = 0  # waves whose jobs are not recorded yet

    @property
    def at_provider(self) -> int:
        """Bought, and not read yet."""
        return self.waiting + self.ended

    @property
    def complete(self) -> bool:
        """Every planned job of every recorded wave has come to its end."""
        return self.done > 0 and not (self.unplanned or self.planned or self.uncertain or self.at_provider)

    def sentence(self) -> str:
        """For people."""
        parts = {
            "to be bought": self.planned,
            "uncertain": self.uncertain,
            "at the provider": self.waiting,
            "to be read": self.ended,
            "done": self.done,
        }
        said = [f"{count} {name}" for name, count in parts.items() if count]
        if self.unplanned and said:
            said.append("a further wave to be planned")
        return ", ".join(said) or "nothing planned yet"


def progress_of(ledger: Ledger, batch_id: str) -> Progress:
    """Count the jobs of a batch's current revision by what they wait for."""
    return progress_of_all(ledger, batch_id).get(batch_id, Progress())


def progress_of_all(ledger: Ledger, batch_id: str | None = None) -> dict[str, Progress]:
    """The same for every batch that the ledger knows (or for one), in one query."""
    # a job of calls that was begun is gone on with by the next `buy`, as one that was not
    is_calling = sa.and_(jobs.c.transport == str(Transport.CALLS), jobs.c.state == str(State.SUBMITTED))
    stands = sa.case((is_calling, str(State.PLANNED)), else_=jobs.c.state).label("stands")
    query = (
        sa.select(batches.c.batch_id, stands, sa.func.count(jobs.c.job_id))
        .select_from(
            batches.outerjoin(
                jobs, sa.and_(jobs.c.batch_id == batches.c.batch_id, jobs.c.revision == batches.c.revision)
            )
        )
        .group_by(batches.c.batch_id, stands)
    )
    if batch_id is not None:
        query = query.where(batches.c.batch_id == batch_id)
    states: dict[str, Counter[State]] = defaultdict(Counter)
    with ledger.reading() as connection:
        for name, state, count in connection.execute(query):
            states[name] += Counter({State(state): count} if state else {})
        unplanned = dict(connection.execute(_unplanned_waves()).tuples().all())
    return {name: _progress(counts, unplanned.get(name, 0)) for name, counts in states.items()}


def _unplanned_waves() -> sa.Select[tuple[str, int]]:
    of_current = sa.and_(waves.c.batch_id == batches.c.batch_id, waves.c.revision == batches.c.revision)
    return (
        sa.select(waves.c.batch_id, sa.func.count())
        .select_from(waves.join(batches, of_current))
        .where(waves.c.jobs_planned_at.is_(None))
        .group_by(waves.c.batch_id)
    )


def _progress(counts: Mapping[State, int], unplanned: int) -> Progress:
    def total(states: frozenset[State]) -> int:
        return sum(counts.get(state, 0) for state in states)

    return Progress(
        planned=total(UNBOUGHT),
        uncertain=total(UNCERTAIN),
        waiting=counts.get(State.SUBMITTED, 0),
        ended=counts.get(State.ENDED, 0) + counts.get(State.FETCHED, 0),
        done=total(DONE),
        unplanned=unplanned,
    )
