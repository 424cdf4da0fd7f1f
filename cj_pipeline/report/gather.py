"""Bringing together what a report says, from stored tables, ledger and batch folder."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa

from cj_pipeline.batch import Batch
from cj_pipeline.batch.findings import essay_findings
from cj_pipeline.batch.human_judgments import refuse_changed_votes
from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import CjError
from cj_pipeline.findings import Finding, with_overrides
from cj_pipeline.grading.findings import grade_findings
from cj_pipeline.jobs.findings import job_findings
from cj_pipeline.jobs.ledger import ledger_time
from cj_pipeline.jobs.plan import batch_mode, budget_of
from cj_pipeline.jobs.provider_batch_jobs import job_table
from cj_pipeline.jobs.schema import approvals, batches
from cj_pipeline.judging.findings import judgment_findings
from cj_pipeline.judging.questions import questions_of
from cj_pipeline.pairing.findings import Waves, pair_findings
from cj_pipeline.providers import usd
from cj_pipeline.report.evidence import Approval, Evidence, JudgeCard
from cj_pipeline.report.findings import publishable
from cj_pipeline.report.page import render_report
from cj_pipeline.report.public import public_copy
from cj_pipeline.scoring.findings import score_findings
from cj_pipeline.tables import CONTRACTS

PACKAGES = ("cj-pipeline", "dagster", "numpy", "scipy", "pyarrow", "openai", "genai-prices")


def gather_evidence(deployment: Deployment, batch_id: str) -> Evidence:
    """Everything that is known about a batch whose grades were projected. Raises `StaleTable` when something is old."""
    batch = deployment.batch(batch_id)
    current = deployment.ledger.provenance(batch_id)
    tables = {name: deployment.read_table(name, batch_id) for name in CONTRACTS if name != "provider_batch_jobs"}
    tables["provider_batch_jobs"] = job_table(deployment.ledger, batch_id)
    refuse_changed_votes(batch_id, tables["human_judgments"], batch.human_judgments)
    findings = _findings(deployment, batch, tables)
    with deployment.ledger.reading() as connection:
        row = connection.execute(sa.select(batches).where(batches.c.batch_id == batch_id)).one()
    return Evidence(
        batch_id=batch_id,
        title=batch.title,
        language=batch.manifest.batch.language,
        mode=str(batch_mode(batch)),
        revision=current.revision,
        ledger_version=current.ledger_version,
        made_at=datetime.now(UTC),
        assignment=batch.assignment,
        rubric=batch.rubric,
        prompt=next(iter(questions_of(batch).values())).system_message(),
        judges=[
            JudgeCard(judge.id, judge.provider, judge.model, judge.max_output_tokens, judge.provider == "emulator")
            for judge in batch.manifest.judges
        ],
        tables=tables,
        findings=[*findings, publishable(findings)],
        approvals=_approvals(deployment, batch_id),
        max_usd=batch.manifest.spending.max_usd,
        spent_usd=usd(row.spent_nano_usd),
        reserved_usd=usd(row.reserved_nano_usd),
        versions={package: version(package) for package in PACKAGES},
        tops_up=_tops_up(batch),
    )


def _tops_up(batch: Batch) -> str:
    if batch.earlier is None:
        return ""
    judged = batch.earlier.provenance
    return f"{batch.earlier.batch_id}, revision {judged.revision}, ledger version {judged.ledger_version}"


def publish_report(deployment: Deployment, evidence: Evidence) -> str:
    """Write the report into the store; returns where it lies."""
    path = f"reports/{evidence.batch_id}.html"
    deployment.store.write(path, [render_report(evidence).encode()])
    return deployment.store.location(path)


def write_public_copy(evidence: Evidence, path: Path) -> None:
    """Write the report for others than the school to a file of one's own. Raises `CjError` when it cannot be."""
    try:
        path.write_text(render_report(public_copy(evidence)), encoding="utf-8")
    except OSError as error:
        raise CjError(f"{path}: cannot be written ({error.strerror}). Name a file in a folder that exists.") from None


def _findings(deployment: Deployment, batch: Batch, tables: Mapping[str, pa.Table]) -> list[Finding]:
    checks = batch.manifest.checks
    findings = [
        *essay_findings(tables["essays"], batch.scale),
        *pair_findings(
            tables["essays"], tables["comparison_pairs"], budget_of(batch),
            batch.earlier.pairs if batch.earlier else None,
            waves=Waves.ENDED if batch_mode(batch).iterative else Waves.SINGLE,
        ),
        *job_findings(deployment.ledger, batch, tables["comparison_pairs"], deployment.settings),
        *judgment_findings(batch, tables["comparison_pairs"], tables["judgments"]),
        *score_findings(tables, least_reliability=checks.min_reliability),
        *grade_findings(tables, max_ungraded_share=checks.max_ungraded_share),
    ]  # fmt: skip
    return with_overrides(findings, checks.override)


def _approvals(deployment: Deployment, batch_id: str) -> list[Approval]:
    query = sa.select(approvals).where(approvals.c.batch_id == batch_id).order_by(approvals.c.approval_id)
    with deployment.ledger.reading() as connection:
        rows = connection.execute(query).all()
    return [
        Approval(row.approved_by, moment, usd(row.max_nano_usd))
        for row in rows
        if (moment := ledger_time(row.approved_at)) is not None
    ]
