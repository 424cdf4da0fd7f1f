"""Making and keeping the artefact of a run: gathered from the deployment, sealed by a checksum, held to its schema."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.eng5.assessment_run import (
    Block,
    Run,
    comparison_blocks,
    costs_block,
    inputs_block,
    metadata_block,
    projection_blocks,
    rows_of,
    scale_blocks,
    status_block,
)
from cj_pipeline.errors import CjError
from cj_pipeline.findings import Finding
from cj_pipeline.jobs.job import Job, jobs_of
from cj_pipeline.jobs.plan import estimate_wave, pairs_of
from cj_pipeline.providers import usd
from cj_pipeline.store import CHUNK_BYTES, Store

SCHEMA = Path(__file__).with_name("assessment_run.schema.json")
CLI_PACKAGES = ("cj-pipeline", "dagster", "numpy", "pyarrow")


class ArtefactInvalid(CjError):
    """An artefact that does not follow its own schema; it was not written."""


def dry_run(batch: Batch, deployment: Deployment) -> Run:
    """What `execute` would ask, and what it would cost; nothing of it was. Raises `BatchError`, `Unpriced`."""
    pairs = pairs_of(batch)
    estimates = estimate_wave(deployment.ledger, batch, pairs).values()
    return _run(
        batch, deployment, "dry-run", {}, jobs=(), ended=False, timeout_seconds=None,
        planned_comparisons=sum(one.comparisons for one in estimates),
        estimate_usd={
            name: usd(sum(getattr(one, name) for one in estimates)) for name in ("low", "expected", "high")
        },
    )  # fmt: skip


def executed_run(
    batch: Batch, deployment: Deployment, *, mode: str, ended: bool, timeout_seconds: float | None = None
) -> Run:
    """What came of a run. Tables that are not there yet, or not up to date, are left out."""
    jobs = tuple(jobs_of(deployment.ledger, batch.batch_id, deployment.ledger.provenance(batch.batch_id).revision))
    tables = {
        name: _table(deployment, name, batch.batch_id)
        for name in ("judgments", "bradley_terry_scores", "grade_projections")
    }
    return _run(
        batch, deployment, mode, tables, jobs=jobs, ended=ended, timeout_seconds=timeout_seconds,
        planned_comparisons=sum(job.items for job in jobs if job.attempt == 1), estimate_usd=None,
    )  # fmt: skip


def artefact_of(run: Run, store: Store, findings: Iterable[Finding] = ()) -> Block:
    """The whole artefact, its checksum included."""
    files = [path for job in run.jobs for path in (job.request_path, job.output_path, job.error_path) if path]
    papers = {"assignment.md": run.batch.assignment, "rubric.md": run.batch.rubric}
    artefact: Block = {
        "metadata": metadata_block(run, version("cj-pipeline")),
        "inputs": inputs_block(run.batch, {name: _sha256(text.encode()) for name, text in papers.items()}),
        "llm_comparisons": comparison_blocks(run.judgments, run.jobs),
        "bt_summary": scale_blocks(run),
        "grade_projections": projection_blocks(run),
        "costs": costs_block(run.judgments, run.estimate_usd),
        "validation": {
            "artefact_checksum": "",
            "manifest": [_file(store, path) for path in files if store.exists(path)],
            "cli_environment": {
                "python": platform.python_version(),
                "os": platform.platform(),
                "packages": {name: version(name) for name in CLI_PACKAGES},
            },
            "runner_status": status_block(run),
            "post_run": {
                "findings": [
                    {"check": f"{one.asset}/{one.name}", "passed": one.passed, "summary": one.summary}
                    for one in findings
                ],
            },
        },
    }
    artefact["validation"]["artefact_checksum"] = checksum(artefact)
    return artefact


def checksum(artefact: Mapping[str, Any]) -> str:
    """SHA-256 of the artefact as it is written, with the checksum itself empty: one rule for all modes."""
    blank = {**artefact, "validation": {**artefact["validation"], "artefact_checksum": ""}}
    return _sha256(written(blank))


def written(artefact: Mapping[str, Any]) -> bytes:
    """An artefact as it stands in its file."""
    return json.dumps(artefact, indent=2, ensure_ascii=False, allow_nan=False).encode()


def schema() -> dict[str, Any]:
    """The published JSON schema (2020-12)."""
    return dict(json.loads(SCHEMA.read_text("utf-8")))


def refuse_invalid(artefact: Mapping[str, Any]) -> None:
    """Raise `ArtefactInvalid` naming the first place that does not follow the schema, or a checksum that is wrong."""
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema()).iter_errors(artefact):
        raise ArtefactInvalid(
            f"artefact, {error.json_path}: {error.message[:200]}. Nothing was written; this is a bug."
        )
    if artefact["validation"]["artefact_checksum"] != checksum(artefact):
        raise ArtefactInvalid("artefact: its checksum is not that of its content. It was changed after it was made.")


def keep_artefact(store: Store, artefact: Mapping[str, Any]) -> str:
    """Validate and store an artefact under its batch and mode; returns where it lies. Raises `ArtefactInvalid`."""
    refuse_invalid(artefact)
    about = artefact["metadata"]
    path = f"artefacts/{about['batch_id']}/assessment_run.{about['runner_mode']}.json"
    store.write(path, [written(artefact)])
    return store.location(path)


def git_sha(folder: Path) -> str | None:
    """The commit that is checked out in a folder, from git's own files; None where there is none."""
    try:
        head = (folder / ".git/HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (folder / ".git" / name).exists():
            return (folder / ".git" / name).read_text("utf-8").strip()
        packed = (folder / ".git/packed-refs").read_text("utf-8").splitlines()
    except OSError:
        return None
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)


def _run(
    batch: Batch,
    deployment: Deployment,
    mode: str,
    tables: Mapping[str, pa.Table | None],
    *,
    jobs: tuple[Job, ...],
    ended: bool,
    timeout_seconds: float | None,
    planned_comparisons: int | None,
    estimate_usd: Mapping[str, float] | None,
) -> Run:
    return Run(
        batch=batch,
        revision=deployment.ledger.provenance(batch.batch_id).revision,
        mode=mode,
        judgments=rows_of(tables.get("judgments")),
        scores=rows_of(tables.get("bradley_terry_scores")),
        projections=rows_of(tables.get("grade_projections")),
        jobs=jobs,
        ended=ended,
        timeout_seconds=timeout_seconds,
        planned_comparisons=planned_comparisons,
        estimate_usd=estimate_usd,
        made_at=datetime.now(UTC),
        git_sha=git_sha(Path.cwd()),
    )


def _table(deployment: Deployment, name: str, batch_id: str) -> pa.Table | None:
    try:
        return deployment.read_table(name, batch_id)
    except CjError:
        return None


def _file(store: Store, path: str) -> Block:
    digest, size = hashlib.sha256(), 0
    with store.open(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return {"path": path, "sha256": digest.hexdigest(), "bytes": size}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
