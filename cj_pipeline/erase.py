"""Erasing pupils' texts: from the batch folder, the store, and the provider. Money, hashes and results stay.

Every step can be repeated, and the note in the folder comes first: a process that dies midway is simply run again.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from cj_pipeline.batch import Batch
from cj_pipeline.batch.erased import ErasedEssay, note_erased, read_erased, remove_texts
from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import BatchError, CjError
from cj_pipeline.jobs.erasure import BY_ITSELF, erase_at_provider
from cj_pipeline.jobs.fetching import FILES
from cj_pipeline.jobs.job import DONE, Job, jobs_of
from cj_pipeline.jobs.judges import judge_of
from cj_pipeline.jobs.ledger import utc_now
from cj_pipeline.jobs.schema import erasures
from cj_pipeline.jobs.schema import jobs as jobs_table
from cj_pipeline.providers import redacted

ERASED_BODY = b'{"erased":true}'


def erase_essays(
    deployment: Deployment, batch: Batch, essay_ids: Iterable[str], *, erased_by: str, why: str = "asked for"
) -> list[str]:
    """Erase the texts of essays, and whatever judges wrote about them; returns what was done, line by line.

    Scores and grades stay, computed as they were. Raises `BatchError` for an essay that is not in the batch, `CjError`
    while jobs of the batch are open: what is asked at this moment cannot be unasked.
    """
    wanted = set(essay_ids)
    unknown = sorted(wanted - set(batch.essays["essay_id"].to_pylist()))
    if unknown:
        raise BatchError(f"batch {batch.batch_id}: there is no essay {unknown[0]!r}. See `cj report {batch.batch_id}`.")
    jobs = jobs_of(deployment.ledger, batch.batch_id)
    still_open = [job.job_id for job in jobs if job.state not in DONE]
    if still_open:
        raise CjError(
            f"batch {batch.batch_id}: jobs {', '.join(still_open)} are not at their end. Wait for them "
            f"(`cj run {batch.batch_id}`) or cancel them (`cj jobs cancel JOB`), then erase."
        )
    done = list(_erase_in_folder(batch, wanted))
    erase_at_provider(deployment.ledger, batch, deployment.settings, why=why, erased_by=erased_by)
    for job in jobs:
        done += _erase_in_job(deployment, batch, job, wanted, erased_by=erased_by, why=why)
    done += _erase_in_tables(deployment, batch, wanted)
    _write_receipts(deployment, batch, wanted, erased_by=erased_by, why=why)
    return done


def batches_past_retention(deployment: Deployment, now: datetime | None = None) -> list[Batch]:
    """Batches with texts whose `retain_days` have passed since their last job ended."""
    now = now or datetime.now(UTC)
    due = []
    for batch_id in deployment.batch_ids():
        try:
            batch = deployment.batch(batch_id)
        except CjError:
            continue  # `cj status` says what is wrong with it
        days = batch.manifest.batch.retain_days
        ended = [job.reconciled_at for job in jobs_of(deployment.ledger, batch_id)]
        if days is None or not ended or None in ended or not any(batch.essays["text"].to_pylist()):
            continue
        last = max(datetime.fromisoformat(str(moment)) for moment in ended)
        if now - last >= timedelta(days=days):
            due.append(batch)
    return due


def erase_what_is_due(deployment: Deployment, now: datetime | None = None) -> list[str]:
    """Erase every batch past its retention; returns what was done."""
    return [
        line
        for batch in batches_past_retention(deployment, now)
        for line in erase_essays(
            deployment, batch, batch.essays["essay_id"].to_pylist(), erased_by=BY_ITSELF, why="retention"
        )
    ]


def _erase_in_folder(batch: Batch, wanted: set[str]) -> Iterator[str]:
    known = {essay.essay_id: essay for essay in read_erased(batch.folder)}
    for row in batch.essays.select(["essay_id", "sha256", "word_count"]).to_pylist():
        if row["essay_id"] in wanted:
            known.setdefault(row["essay_id"], ErasedEssay(**row, erased_at=utc_now()))
    note_erased(batch.folder, known.values())
    for path in remove_texts(batch.folder, wanted):
        yield f"{path}: {'gone' if not path.exists() else 'without the texts'}"


def _erase_in_job(
    deployment: Deployment, batch: Batch, job: Job, wanted: set[str], *, erased_by: str, why: str
) -> list[str]:
    """The lines of a job's files that quote an essay keep who won, and lose every word of text."""
    store = deployment.store
    items = store.read_parquet(job.items_path).to_pylist()
    named = {item["custom_id"] for item in items if {item["essay_a"], item["essay_b"]} & wanted}
    if not named:
        return []
    ties = judge_of(batch, job).ties
    columns: dict[str, Any] = {}
    receipts = []
    for name in ("request", *FILES):
        path = getattr(job, f"{name}_path")
        if path is None or not store.exists(path):
            continue
        lines = store.lines(path)
        kept = _requests(lines, named) if name == "request" else _results(lines, named, job.provider, ties=ties)
        written = store.write(path, kept)
        if written.sha256 != getattr(job, f"{name}_sha256"):
            columns[f"{name}_sha256"] = written.sha256
            receipts.append((name, f"{path}, before: SHA-256 {getattr(job, f'{name}_sha256')}"))
    with deployment.ledger.transaction() as connection:
        if columns:
            connection.execute(jobs_table.update().where(jobs_table.c.job_id == job.job_id).values(**columns))
        for what, name in receipts:
            connection.execute(
                erasures.insert().values(
                    batch_id=job.batch_id, job_id=job.job_id, what=what, name=name, how="redacted", why=why,
                    erased_by=erased_by, erased_at=utc_now(),
                )
            )  # fmt: skip
    return [f"job {job.job_id}: {what} file without the texts ({len(named)} comparisons)" for what, _ in receipts]


def _requests(lines: Iterable[bytes], named: set[str]) -> Iterator[bytes]:
    for line in lines:
        request = json.loads(line)
        if request["custom_id"] in named:
            yield b'{"custom_id":"' + request["custom_id"].encode() + b'","body":' + ERASED_BODY + b"}\n"
        else:
            yield line + b"\n"


def _results(lines: Iterable[bytes], named: set[str], provider: str, *, ties: bool) -> Iterator[bytes]:
    for line in lines:
        yield redacted(provider, line, named, ties=ties) + b"\n"


def _erase_in_tables(deployment: Deployment, batch: Batch, wanted: set[str]) -> Iterator[str]:
    """In the tables of every revision, and the report, which `cj run` makes anew."""
    store, batch_id = deployment.store, batch.batch_id
    for path in store.paths(f"tables/*/{batch_id}.parquet", f"revisions/{batch_id}/*/*.parquet"):
        table = store.read_parquet(path)
        redacted_table = _without_words(table, wanted)
        if redacted_table is not None:
            store.write_parquet(path, redacted_table)
            yield f"{path}: without the texts"
    report = f"reports/{batch_id}.html"
    if store.exists(report):
        store.remove(report)
        yield f"{report}: gone; `cj run {batch_id}` makes it anew"
    # what judges wrote stands in these, too; a page of an experiment is named like its variants' batches
    pages = [page for page in store.paths("reports/experiments/*.html") if batch_id.startswith(f"{Path(page).stem}-")]
    for path in [*pages, *store.paths(f"artefacts/{batch_id}/*.json")]:
        store.remove(path)
        yield f"{path}: gone; `cj eng5` makes it anew"


def _without_words(table: pa.Table, wanted: set[str]) -> pa.Table | None:
    """The table with texts and reasons of these essays blanked; None when it holds none."""
    ids = pa.array(sorted(wanted), pa.string())

    def names(column: str) -> pa.ChunkedArray:
        return pc.is_in(table[column].cast(pa.string()), ids)

    if "text" in table.column_names:
        column, hit, blank = "text", names("essay_id"), ""
    elif "justification" in table.column_names:
        column, hit, blank = "justification", pc.or_(names("essay_a"), names("essay_b")), None
    else:
        return None
    at = table.schema.get_field_index(column)
    values = pc.if_else(hit, pa.scalar(blank, pa.string()), table[column])
    return table.set_column(at, table.schema.field(at), values)


def _write_receipts(deployment: Deployment, batch: Batch, wanted: set[str], *, erased_by: str, why: str) -> None:
    rows = [
        {
            "batch_id": batch.batch_id, "job_id": None, "what": "essay", "name": row["sha256"], "how": "deleted",
            "why": why, "erased_by": erased_by, "erased_at": utc_now(),
        }
        for row in batch.essays.select(["essay_id", "sha256"]).to_pylist()
        if row["essay_id"] in wanted
    ]  # fmt: skip
    with deployment.ledger.transaction() as connection:
        connection.execute(erasures.insert(), rows)


def receipts(deployment: Deployment, batch_id: str) -> list[dict[str, Any]]:
    """What was erased of a batch, oldest first: at the provider, in the store, and essays by the hash of their text."""
    query = sa.select(erasures).where(erasures.c.batch_id == batch_id).order_by(erasures.c.erasure_id)
    with deployment.ledger.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]
