"""What a job's answers were, counted once when they are read, so that nobody needs to read its files again to know."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy.engine import Connection

from cj_pipeline.jobs.schema import tallies
from cj_pipeline.judging import Answer, Usage


class Kind(StrEnum):
    """What was counted."""

    FAILURE = "failure"  # by error code
    CACHE = "cache"  # by what the provider's prompt cache did
    WINNER = "winner"  # by the seat of the winner, or tie


class CacheResult(StrEnum):
    """What a provider's prompt cache did for an answer that came with usage."""

    HIT = "hit"
    MISS = "miss"
    BYPASS = "bypass"


def tally(connection: Connection, job_id: str, answers: Sequence[Answer]) -> None:
    """Book the counts of a job's answers; belongs into the transaction that settles the job."""
    counts = counted(answers)
    connection.execute(tallies.delete().where(tallies.c.job_id == job_id))
    if counts:
        rows = [{"job_id": job_id, "kind": kind, "name": name, "items": n} for (kind, name), n in counts.items()]
        connection.execute(tallies.insert(), rows)


def counted(answers: Sequence[Answer]) -> Counter[tuple[str, str]]:
    """How often each thing occurred, by kind and name."""
    counts: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        if answer.error_code is not None:
            counts[Kind.FAILURE.value, answer.error_code.value] += 1
        if answer.verdict is not None:
            counts[Kind.WINNER.value, answer.verdict.winner.value] += 1
        if answer.usage is not None:
            counts[Kind.CACHE.value, cache_result(answer.usage).value] += 1
    return counts


def cache_result(usage: Usage) -> CacheResult:
    """The predecessor's rule: something read is a hit, else something written a miss, else it was not used."""
    if usage.cached_tokens:
        return CacheResult.HIT
    return CacheResult.MISS if usage.cache_write_tokens else CacheResult.BYPASS
