"""Request files and result files: what a wave costs this machine before and after the provider's part.

A synthetic batch with a real ledger and store in a temporary folder; the result lines are of the form that
OpenAI's Batch API gives, one verdict each.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.measuring import Budget, Table, figure, peak_megabytes, seconds
from cj_pipeline.batch import Batch, Manifest
from cj_pipeline.jobs.chunks import ChunkLimits, chunked, comparisons_of
from cj_pipeline.jobs.job import Job, State, advance, jobs_of
from cj_pipeline.jobs.judgments import judgments_of
from cj_pipeline.jobs.ledger import Ledger, utc_now
from cj_pipeline.jobs.plan import open_wave, pairs_of, plan_jobs
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.providers.openai_wire import read_result_line
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store
from cj_pipeline.tables import conform

BATCH_ID = "bench"
SPOKEN = 'skolan är viktig och man lär sig mer när “lärare” har tid; därför borde "alla" få läsa the same book'
WORDS = SPOKEN.split()
WORDS_PER_ESSAY, WORDS_PER_LINE = 450, 60
JUSTIFICATION = (
    "Essay A develops its argument with concrete examples and a clear structure; Essay B repeats its thesis and "
    "drifts from the assignment in its last two paragraphs."
)


@dataclass(frozen=True, slots=True)
class Purchase:
    """What was measured on one synthetic batch."""

    comparisons: int
    request_megabytes: float
    write_seconds: float
    write_peak_megabytes: float
    result_megabytes: float
    read_seconds: float
    table_seconds: float

    @property
    def written_per_second(self) -> float:
        return self.request_megabytes / self.write_seconds

    @property
    def lines_per_second(self) -> float:
        return self.comparisons / self.read_seconds

    @property
    def rows_per_second(self) -> float:
        return self.comparisons / self.table_seconds


def purchased(n_essays: int, n_comparisons: int) -> Purchase:
    """Write the request files of a batch, answer every request, read the answers into the table `judgments`."""
    batch = synthetic_batch(n_essays, n_comparisons)
    with tempfile.TemporaryDirectory() as folder:
        store, ledger = Store(folder), Ledger(f"sqlite:///{folder}/ledger.sqlite")
        pairs = pairs_of(batch)
        size = written(store, batch, pairs)
        write_seconds = seconds(lambda: written(store, batch, pairs))
        write_peak = peak_megabytes(lambda: written(store, batch, pairs))
        jobs = answered_jobs(ledger, store, batch)
        results = [str(job.output_path) for job in jobs]
        return Purchase(
            comparisons=pairs.num_rows,
            request_megabytes=size / 1e6,
            write_seconds=write_seconds,
            write_peak_megabytes=write_peak,
            result_megabytes=sum(len(store.read(path)) for path in results) / 1e6,
            read_seconds=seconds(lambda: [_read(store, path) for path in results]),
            table_seconds=seconds(lambda: judgments_of(ledger, store, batch)),
        )


def synthetic_batch(n_essays: int, n_comparisons: int) -> Batch:
    """Essays of 450 drawn words, a twelfth of a class as anchors, one judge; nothing on disk."""
    rng = np.random.default_rng(1)
    texts = [_text(rng, WORDS_PER_ESSAY) for _ in range(n_essays)]
    n_anchors = min(12, n_essays // 3)
    columns = {
        "essay_id": [f"e{number:06d}" for number in range(n_essays)],
        "text": texts,
        "sha256": [sha256(text.encode()).hexdigest() for text in texts],
        "word_count": [WORDS_PER_ESSAY] * n_essays,
        "is_anchor": [number < n_anchors for number in range(n_essays)],
        "anchor_grade": pa.nulls(n_essays, pa.string()),
        "known_grade": pa.nulls(n_essays, pa.string()),
    }
    judge = {"id": "luna", "provider": "emulator", "model": "lexical"}
    manifest = Manifest.model_validate({"batch": {"max_comparisons": n_comparisons}, "judges": [judge]})
    essays = conform("essays", pa.table(columns))
    return Batch(BATCH_ID, Path(BATCH_ID), manifest, None, essays, _text(rng, 120), _text(rng, 300), ())


def written(store: Store, batch: Batch, pairs: pa.Table) -> int:
    """Write all request files, hashed and forced to disk as in a purchase; their bytes."""
    (judge,) = batch.manifest.judges
    asked = comparisons_of(batch, pairs, judge)
    chunks = chunked(
        asked,
        judge,
        ChunkLimits.of(Settings(), judge.provider),
        batch_id=batch.batch_id,
        revision="r",
        wave=1,
        attempt=1,
    )
    return sum(store.write(f"written/{chunk.job_id}.jsonl", chunk.lines()).bytes for chunk in chunks)


def answered_jobs(ledger: Ledger, store: Store, batch: Batch) -> list[Job]:
    """The batch's jobs, planned as in a purchase and reconciled with a verdict for every item."""
    open_revision(ledger, batch)
    plan_jobs(ledger, store, batch, open_wave(ledger, store, batch), Settings())
    reconciled = []
    for job in jobs_of(ledger, batch.batch_id):
        items = store.read_parquet(job.items_path)["custom_id"].to_pylist()
        output = store.write(f"results/{job.job_id}.jsonl", map(result_line, items, range(len(items))))
        now = utc_now()
        reconciled.append(
            advance(ledger, job, State.RECONCILED, output_path=output.path, ended_at=now, reconciled_at=now)
        )
    return reconciled


def result_line(custom_id: str, number: int) -> bytes:
    """One line of an output file of OpenAI's Batch API, all fields included."""
    verdict = {"winner": "Essay B" if number % 2 else "Essay A", "justification": JUSTIFICATION, "confidence": 4}
    message: dict[str, object] = {
        "role": "assistant",
        "content": json.dumps(verdict),
        "refusal": None,
        "annotations": [],
    }
    output = {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }
    body = {
        "id": f"chatcmpl-{number:029x}",
        "object": "chat.completion",
        "created": 1_779_408_000,
        "model": "lexical",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 1840,
            "completion_tokens": 61,
            "total_tokens": 1901,
            "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
            "completion_tokens_details": output,
        },
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }
    response = {"status_code": 200, "request_id": f"{number:032x}", "body": body}
    line = {"id": f"batch_req_{number:032x}", "custom_id": custom_id, "response": response, "error": None}
    return json.dumps(line).encode() + b"\n"


def purchase_table(measured: Purchase) -> Table:
    per_thousand = 1e6 / measured.rows_per_second
    rows = (
        ("request files, encoded, hashed and on disk", f"{measured.request_megabytes:,.0f} MB",
         figure(measured.write_seconds), f"{figure(measured.written_per_second)} MB/s"),
        ("result lines read into answers", f"{measured.result_megabytes:,.0f} MB",
         figure(measured.read_seconds), f"{figure(measured.lines_per_second)} lines/s"),
        ("table `judgments` from ledger and raw files", f"{measured.comparisons:,} comparisons",
         figure(measured.table_seconds), f"{figure(per_thousand)} ms per 1,000"),
    )  # fmt: skip
    return Table(
        heading="Request and result files",
        about=f"{measured.comparisons:,} comparisons of essays of {WORDS_PER_ESSAY} words, one judge, one core, "
        f"the local disk. While the request files are written at most "
        f"{figure(measured.write_peak_megabytes)} MB are held.",
        columns=("step", "size", "s", "rate"),
        rows=rows,
    )


def budgets(measured: Purchase, smaller: Purchase) -> Iterator[Budget]:
    """Rates of the larger batch; memory against the smaller one."""
    yield Budget("request files written", measured.written_per_second, 150, "MB/s", at_least=True)
    growth = measured.write_peak_megabytes / smaller.write_peak_megabytes
    times = measured.comparisons / smaller.comparisons
    yield Budget(f"peak memory of writing, {times:.0f} times the comparisons", growth, 1.25, "×")
    yield Budget("result lines read", measured.lines_per_second, 100_000, "lines/s", at_least=True)
    yield Budget("result lines to the table `judgments`", measured.rows_per_second, 100_000, "lines/s", at_least=True)


def _read(store: Store, path: str) -> int:
    return sum(read_result_line(line, ties=False) is not None for line in store.lines(path))


def _text(rng: np.random.Generator, words: int) -> str:
    drawn = rng.choice(WORDS, words).tolist()
    return "\n\n".join(" ".join(drawn[at : at + WORDS_PER_LINE]) for at in range(0, words, WORDS_PER_LINE))
