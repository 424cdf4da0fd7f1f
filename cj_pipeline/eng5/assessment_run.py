"""The artefact of a run, block by block: what went in, every comparison, the scale, the grades, what it cost.

Its fields are the predecessor's (`assessment_run.{mode}.json`), which filled many of them with placeholders: standard
errors of 0, probabilities of 1, one estimated count for all. Here they are what was measured.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import fsum
from typing import Any

import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.jobs.job import Job
from cj_pipeline.scoring.bradley_terry_scores import SCORING_VERSION

Block = dict[str, Any]
SCHEMA_VERSION = "2.0"  # 1.0 was the predecessor's
STATUS = {"success": "succeeded", "failure": "failed", "expired": "failed"}
ENG5_COURSE = "ENG5"


@dataclass(frozen=True, slots=True)
class Run:
    """What an artefact is made from. Tables that are not there yet are empty; `ended` says that all of them are final.

    `mode` is dry-run, execute or anchor-align-test; `timeout_seconds` how long it was waited for, None without end.
    """

    batch: Batch
    revision: str
    mode: str
    judgments: Sequence[Mapping[str, Any]]
    scores: Sequence[Mapping[str, Any]]
    projections: Sequence[Mapping[str, Any]]
    jobs: Sequence[Job]
    ended: bool
    timeout_seconds: float | None
    planned_comparisons: int | None
    estimate_usd: Mapping[str, float] | None
    made_at: datetime
    git_sha: str | None


def rows_of(table: pa.Table | None) -> list[Mapping[str, Any]]:
    """The rows of a table; none of one that is not there."""
    return [] if table is None else table.to_pylist()


def metadata_block(run: Run, version: str) -> Block:
    """Which run this is. `batch_uuid` is made from batch and revision: the same content has the same one."""
    manifest = run.batch.manifest
    on_eng5 = run.batch.scale is not None and run.batch.scale.name.startswith("eng5_np_")
    return {
        "schema_version": SCHEMA_VERSION,
        "assignment_id": None,
        "course_id": None,
        "grade_scale": run.batch.scale.name if run.batch.scale else None,
        "runner_version": version,
        "git_sha": run.git_sha,
        "generated_at": run.made_at.isoformat(),
        "runner_mode": run.mode,
        "batch_uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"cj_pipeline:{run.batch.batch_id}:{run.revision}")),
        "batch_id": run.batch.batch_id,
        "revision": run.revision,
        "scoring_version": SCORING_VERSION,
        "course_code": ENG5_COURSE if on_eng5 else None,
        "language": manifest.batch.language,
        "llm_config_overrides": {
            "llm_batching_mode": manifest.batch.mode,
            "max_comparisons": manifest.batch.max_comparisons,
            "judges": [
                judge.model_dump(include={"id", "provider", "model", "max_output_tokens", "ties", "share"})
                for judge in manifest.judges
            ],
        },
    }


def inputs_block(batch: Batch, digest: Mapping[str, str]) -> Block:
    """What the judges were given; `digest` has the SHA-256 of assignment and rubric. No essay's text is in it."""
    papers = {"assignment.md": batch.assignment, "rubric.md": batch.rubric}
    instructions, prompt = (
        {"source_path": name, "checksum": digest[name], "content": content} for name, content in papers.items()
    )
    essays = batch.essays.to_pylist()
    return {
        "instructions": instructions,
        "prompt_reference": prompt,
        "anchors": [
            {"anchor_id": row["essay_id"], "grade": row["anchor_grade"], **_source(row)}
            for row in essays
            if row["is_anchor"]
        ],
        "students": [{"essay_id": row["essay_id"], **_source(row)} for row in essays if not row["is_anchor"]],
    }


def comparison_blocks(judgments: Iterable[Mapping[str, Any]], jobs: Sequence[Job]) -> list[Block]:
    """Every judgment, numbered from 1. `winner_id` and `loser_id` are null for a tie and where there is no verdict."""
    submitted = {job.job_id: job.submitted_at for job in jobs}
    return [
        {
            "sequence": number,
            "request_id": row["custom_id"],
            "correlation_id": row["job_id"],
            "judge_id": row["judge_id"],
            "wave": row["wave"],
            "attempt": row["attempt"],
            "winner": row["winner"],
            **_winner_and_loser(row),
            "essay_a_id": row["essay_a"],
            "essay_b_id": row["essay_b"],
            "prompt_hash": row["fingerprint"],
            "provider": row["provider"],
            "model": row["model_reported"] or row["model_requested"],
            "tokens_prompt": row["input_tokens"],
            "tokens_completion": row["output_tokens"],
            "cost_usd": row["cost_usd"],
            "started_at": submitted.get(row["job_id"]),
            "completed_at": row["completed_at"].isoformat(),
            "status": STATUS[row["outcome"]],
            "outcome": row["outcome"],
            "confidence": row["confidence"],
            "justification": row["justification"],
            "failure_reason": None if row["error_code"] is None else row["error_code"].replace("_", " "),
            "error_code": row["error_code"],
        }
        for number, row in enumerate(judgments, start=1)
    ]


def scale_blocks(run: Run) -> list[Block]:
    """The scale, best first: each essay's own standard error and number of comparisons."""
    grade = {row["essay_id"]: row["grade"] for row in run.projections}
    known = {row["essay_id"]: row["anchor_grade"] for row in run.batch.essays.to_pylist() if row["is_anchor"]}
    ordered = sorted(run.scores, key=lambda row: (row["component"], row["rank"] or len(run.scores), row["essay_id"]))
    return [
        {
            "essay_id": row["essay_id"],
            "theta": row["score"],
            "standard_error": row["standard_error"],
            "rank": row["rank"],
            "comparison_count": row["comparisons"],
            "wins": row["wins"],
            "is_anchor": row["essay_id"] in known,
            "anchor_grade": known.get(row["essay_id"]),
            "grade_projection": grade.get(row["essay_id"]),
        }
        for row in ordered
    ]


def projection_blocks(run: Run) -> list[Block]:
    """Grades with their probabilities; `anchor_alignment` is how far above its nearest anchor an essay stands."""
    scores = {row["essay_id"]: row["score"] for row in run.scores if row["score"] is not None}
    anchors = {row["essay_id"] for row in run.batch.essays.to_pylist() if row["is_anchor"]}
    at = {name: score for name, score in scores.items() if name in anchors}
    return [
        {
            "essay_id": row["essay_id"],
            "grade_scale": run.batch.scale.name if run.batch.scale else None,
            "grade": row["grade"],
            "probabilities": dict(row["grade_probabilities"] or ()),
            "grade_low": row["grade_low"],
            "grade_high": row["grade_high"],
            "p_exact": row["p_exact"],
            "reason": row["reason"],
            **_nearest(row["essay_id"], scores.get(row["essay_id"]), at),
        }
        for row in run.projections
    ]


def costs_block(judgments: Sequence[Mapping[str, Any]], estimate: Mapping[str, float] | None) -> Block:
    """US dollars, six decimals, in all and by the model that answered; what nobody answered counts as no token."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in judgments:
        groups[row["provider"], row["model_reported"] or row["model_requested"]].append(row)
    return {
        "total_usd": round(fsum(row["cost_usd"] or 0.0 for row in judgments), 6),
        "estimate_usd": None if estimate is None else dict(estimate),
        "token_counts": [
            {
                "provider": provider,
                "model": model,
                "prompt_tokens": sum(row["input_tokens"] or 0 for row in rows),
                "completion_tokens": sum(row["output_tokens"] or 0 for row in rows),
                "usd": round(fsum(row["cost_usd"] or 0.0 for row in rows), 6),
            }
            for (provider, model), rows in sorted(groups.items())
        ],
        "prompt_cache": cache_use(judgments),
    }


def cache_use(judgments: Iterable[Mapping[str, Any]]) -> Block:
    """Answers by what the provider's cache did: tokens read are a hit, else tokens written a miss, else bypass.

    `hit_rate` is hits / (hits + misses), null without any.
    """
    read = [(row["cached_tokens"] or 0, row["cache_write_tokens"] or 0) for row in judgments]
    hits = sum(cached > 0 for cached, _ in read)
    misses = sum(cached == 0 and written > 0 for cached, written in read)
    return {
        "hits": hits,
        "misses": misses,
        "bypasses": len(read) - hits - misses,
        "tokens_read": sum(cached for cached, _ in read),
        "tokens_written": sum(written for _, written in read),
        "hit_rate": hits / (hits + misses) if hits + misses else None,
    }


def status_block(run: Run) -> Block:
    """Whether the run came to its end, and what was seen of it."""
    return {
        "partial_data": not run.ended,
        "timeout_seconds": run.timeout_seconds,
        "planned_comparisons": run.planned_comparisons,
        "observed_events": {
            "llm_comparisons": len(run.judgments),
            "assessment_results": int(run.ended),
            "completions": int(run.ended),
        },
        "jobs": [{"job_id": job.job_id, "status": job.status, "items": job.items} for job in run.jobs],
    }


def _source(row: Mapping[str, Any]) -> Block:
    return {"checksum": row["sha256"], "words": row["word_count"]}


def _winner_and_loser(row: Mapping[str, Any]) -> Block:
    sides = {"essay_a": ("essay_a", "essay_b"), "essay_b": ("essay_b", "essay_a")}.get(row["winner"])
    return {"winner_id": sides and row[sides[0]], "loser_id": sides and row[sides[1]]}


def _nearest(essay_id: str, score: float | None, anchors: Mapping[str, float]) -> Block:
    others = [name for name in anchors if name != essay_id]
    if score is None or not others:
        return {"primary_anchor_id": None, "anchor_alignment": None}
    nearest = min(others, key=lambda name: (abs(anchors[name] - score), name))
    return {"primary_anchor_id": nearest, "anchor_alignment": score - anchors[nearest]}
