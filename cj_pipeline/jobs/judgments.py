"""The table `judgments` from the stored raw files of all attempts: one terminal row per comparison."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.jobs.job import Job, jobs_of
from cj_pipeline.jobs.judges import judge_of
from cj_pipeline.jobs.ledger import Ledger, ledger_time
from cj_pipeline.jobs.reconciliation import answered_items, cost_of, price_of
from cj_pipeline.judging import Answer
from cj_pipeline.providers import TokenPrice, usd
from cj_pipeline.store import Store
from cj_pipeline.tables import conform


def judgments_of(ledger: Ledger, store: Store, batch: Batch) -> pa.Table:
    """Read every job of the batch's current revision, one after the other; of several attempts the last one counts.

    Raises `CjError` when a raw file is missing or is not what was fetched.
    """
    jobs = jobs_of(ledger, batch.batch_id, ledger.provenance(batch.batch_id).revision)
    judged = pa.concat_tables([_judged(store, batch, job) for job in jobs]).unify_dictionaries().combine_chunks()
    if max(job.attempt for job in jobs) > 1:
        judged = _terminal(judged)
    judges = judged["judge_id"].cast(pa.string()).to_numpy(zero_copy_only=False)
    order = np.lexsort([judged["replicate"].to_numpy(), judges.astype(str), judged["pair_id"].to_numpy()])
    return conform("judgments", judged.take(pa.array(order)))


def _terminal(judged: pa.Table) -> pa.Table:
    """The last row of every comparison, with the cost of all its attempts; unknown if one of them is."""
    judges = judged["judge_id"].combine_chunks().indices.to_numpy().astype(np.int64)
    comparison = np.stack([judged["pair_id"].to_numpy(), judges, judged["replicate"].to_numpy()], axis=1)
    _, latest, member = np.unique(comparison[::-1], axis=0, return_index=True, return_inverse=True)
    costs = np.zeros(latest.size)
    np.add.at(costs, member.reshape(-1), judged["cost_usd"].to_numpy()[::-1])  # a null is NaN, and stays one
    terminal = judged.take(pa.array(judged.num_rows - 1 - latest))
    at = terminal.schema.get_field_index("cost_usd")
    return terminal.set_column(at, terminal.schema.field(at), pa.array(costs, pa.float64(), from_pandas=True))


def _judged(store: Store, batch: Batch, job: Job) -> pa.Table:
    items, answers = answered_items(store, job, judge_of(batch, job))
    columns = {name: items[name] for name in _OF_THE_ITEM}
    columns |= {name: _repeated(value, len(answers)) for name, value in _of_the_job(job).items()}
    return conform("judgments", pa.table(columns | _of_the_answers(answers, price_of(job))))


_OF_THE_ITEM = ("pair_id", "essay_a", "essay_b", "kind", "replicate", "fingerprint", "custom_id")
_TOKENS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens")


def _of_the_job(job: Job) -> Mapping[str, Any]:
    return {
        "wave": job.wave,
        "judge_id": job.judge_id,
        "attempt": job.attempt,
        "provider": job.provider,
        "model_requested": job.model,
        "job_id": job.job_id,
        "completed_at": ledger_time(job.ended_at or job.reconciled_at),
    }


def _repeated(value: Any, rows: int) -> pa.Array:
    """One value in every row, a text as the only label of a dictionary."""
    if isinstance(value, str):
        return pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int32), [value])
    return pa.repeat(value, rows)


def _of_the_answers(answers: Sequence[Answer], price: TokenPrice) -> dict[str, pa.Array]:
    verdicts = [answer.verdict for answer in answers]
    costs = [cost_of(answer, price) for answer in answers]
    texts = {
        "outcome": [answer.outcome for answer in answers],
        "error_code": [answer.error_code for answer in answers],
        "winner": [verdict and verdict.winner for verdict in verdicts],
        "justification": [verdict and verdict.justification for verdict in verdicts],
        "model_reported": [answer.model_reported for answer in answers],
    }
    tokens = {name: [answer.usage and getattr(answer.usage, name) for answer in answers] for name in _TOKENS}
    return {
        **{name: pa.array(values, pa.string()) for name, values in texts.items()},
        **{name: pa.array(values, pa.int64()) for name, values in tokens.items()},
        "confidence": pa.array([verdict and verdict.confidence for verdict in verdicts], pa.int8()),
        "cost_usd": pa.array([None if cost is None else usd(cost) for cost in costs], pa.float64()),
    }
