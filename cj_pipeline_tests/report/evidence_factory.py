"""Evidence as a real batch leaves it: drawn from a simulated judge, cast to the real table contracts."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import norm

from cj_pipeline.findings import Finding, Kind
from cj_pipeline.grading.agreement import agreement
from cj_pipeline.report.evidence import Approval, Evidence, JudgeCard
from cj_pipeline.scoring.bradley_terry_scores import SCORING_VERSION
from cj_pipeline.tables import CONTRACTS, conform

LABELS = ("F", "E", "D", "C", "B", "A")
MADE_AT = datetime(2026, 5, 22, 14, 5, tzinfo=UTC)
SENTENCE = "Jag tycker att skolan borde börja senare på morgonen, eftersom många elever är trötta. "
OFFLINE = JudgeCard("lexical", "emulator", "lexical", 600, offline=True)
LUNA = JudgeCard("luna", "openai", "gpt-6-luna", 600, offline=False)
TERRA = JudgeCard("terra", "openai", "gpt-6-terra", 600, offline=False)
NO_ANCHORS = "the batch has no anchors, so nothing leads from scores to grades"
GATE = Finding(
    "grade_projections",
    "anchors_in_order",
    Kind.GATE,
    passed=False,
    summary="Anchors are out of order: tau 0.31, the 1 % quantile of the fitted model is 0.58.",
    numbers={"tau": 0.31, "limit": 0.58},
)
FINDINGS = (
    Finding("essays", "ids_unique", Kind.STRUCTURAL, passed=True, summary="All essay ids are different."),
    Finding(
        "comparison_pairs",
        "seats_balanced",
        Kind.ADVICE,
        passed=True,
        summary="Every essay is shown first as often as second within 2.",
        numbers={"largest_difference": 2},
    ),
    Finding(
        "judgments",
        "success_rate",
        Kind.GATE,
        passed=True,
        summary="99.0 % of the comparisons have a verdict; 80 % are needed.",
        numbers={"success_rate": 0.9896},
    ),
    Finding(
        "bradley_terry_scores",
        "judge_noise",
        Kind.ADVICE,
        passed=False,
        summary="The judge changed its mind on 6 of 17 mirrored pairs; 4.1 were expected.",
        numbers={"flipped": 6, "expected": 4.1},
    ),
)


def make_evidence(
    *,
    pupils: int = 25,
    anchors: int = 12,
    judges: Sequence[JudgeCard] = (LUNA,),
    findings: Sequence[Finding] = FINDINGS,
    withheld: str | None = None,
    answered: bool = True,
    components: int = 1,
    ungraded: int = 1,
    texts: Callable[[int], str] = lambda index: SENTENCE * (6 + index % 9),
    name: Callable[[int], str] = lambda index: f"elev_{index + 1:04d}",
    title: str = "English 5, spring 2026",
    seed: int = 7,
) -> Evidence:
    """A batch of `anchors` + `pupils` essays; the last `ungraded` pupils have too few answers for a grade."""
    draw = np.random.default_rng(seed)
    count = pupils + anchors
    ids = [name(index) for index in range(count)]
    level = np.concatenate([np.linspace(0, 5.99, max(anchors, 1))[:anchors], draw.uniform(0.2, 5.8, pupils)])
    grade = level.astype(int)
    errors = draw.uniform(0.5, 0.8, count)
    scores = (level - level.mean()) * 1.1 + draw.normal(0, 0.8, count) * errors
    cuts = (np.arange(1, 6) - level.mean()) * 1.1
    answers = np.full(count, 15 if answered else 0)
    silent = set(range(count - ungraded, count)) if answered else set(range(count))
    graded = anchors >= 3 and withheld is None and answered
    rows = [_projection(scores[i], errors[i], cuts) if i not in silent else None for i in range(count)]
    usable = answered and anchors >= 3
    reason = f"withheld. {withheld}" if withheld else _why_not(anchors, answered)
    anchor_rows = [_anchor_row(ids[i], int(grade[i]), rows[i]) for i in range(anchors)] if usable else []
    pairs = _pairs(ids, draw)
    tables = {
        "essays": _table(
            "essays",
            [
                {
                    "essay_id": ids[i],
                    "text": texts(i),
                    "sha256": hashlib.sha256(texts(i).encode()).hexdigest(),
                    "word_count": len(texts(i).split()),
                    "is_anchor": i < anchors,
                    "anchor_grade": LABELS[grade[i]] if i < anchors else None,
                    "known_grade": LABELS[grade[i]] if i >= anchors else None,
                }
                for i in range(count)
            ],
        ),
        "comparison_pairs": _table("comparison_pairs", [{**pair, "at_random": True} for pair in pairs]),
        "provider_batch_jobs": _table(
            "provider_batch_jobs", [_job(card, len(pairs), n) for n, card in enumerate(judges)]
        ),
        "judgments": _table("judgments", _judgments(pairs, judges, draw) if answered else []),
        "bradley_terry_scores": _table(
            "bradley_terry_scores", _scores(ids, scores, errors, answers, silent, components)
        ),
        "wave_path": _table("wave_path", [_wave(len(pairs))]),
        "scale_fit": _table("scale_fit", [_scale_fit(count, len(pairs), components)] if answered else []),
        "judge_fit": _table(
            "judge_fit", [_judge_fit(card, len(pairs), n) for n, card in enumerate(judges)] if answered else []
        ),
        "grade_projections": _table(
            "grade_projections",
            [_grade_row(ids[i], i < anchors, rows[i] if graded else None, reason) for i in range(count)],
        ),
        "anchor_projections": _table(
            "anchor_projections",
            anchor_rows,
        ),
        "grade_fit": _table("grade_fit", [_grade_fit(anchor_rows, cuts, withheld or _why_not(anchors, answered))]),
    }
    return Evidence(
        batch_id="eng5-spring-2026",
        title=title,
        language="en",
        mode="provider_batch_api",
        revision=hashlib.sha256(b"revision").hexdigest(),
        ledger_version=7,
        made_at=MADE_AT,
        assignment="Write about a change you would make in your school.",
        rubric="- Content\n- Language and structure",
        prompt="You are a neutral assessor who compares two essays written for the same assignment.",
        judges=judges,
        tables=tables,
        findings=list(findings),
        approvals=[] if all(card.offline for card in judges) else [Approval("kim", MADE_AT - timedelta(days=1), 5.0)],
        max_usd=None if all(card.offline for card in judges) else 5.0,
        spent_usd=0.0 if all(card.offline for card in judges) else 0.4127,
        reserved_usd=0.0,
        versions={"cj_pipeline": "0.1.0", "dagster": "1.13.27", "numpy": "2.4.0"},
    )


def with_table(evidence: Evidence, name: str, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Evidence:
    """The same evidence with every row of one table changed."""
    rows = [dict(change(row)) for row in evidence.tables[name].to_pylist()]
    return replace(evidence, tables={**evidence.tables, name: _table(name, rows)})


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    contract = CONTRACTS[name]
    plain = pa.schema([pa.field(field.name, _plain(field.type)) for field in contract])
    return conform(name, pa.Table.from_pylist([dict(row) for row in rows], schema=plain))


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _why_not(anchors: int, answered: bool) -> str | None:
    if not answered:
        return "no comparison was answered"
    return None if anchors >= 3 else NO_ANCHORS


def _pairs(ids: Sequence[str], draw: np.random.Generator) -> list[dict[str, Any]]:
    pairs, count = [], len(ids)
    for offset in range(1, min(8, (count + 1) // 2) + 1):
        order = draw.permutation(count)
        for index in range(count):
            a, b = order[index], order[(index + offset) % count]
            if a != b:
                pairs.append({"essay_a": ids[a], "essay_b": ids[b], "wave": 1, "kind": "coverage"})
    return [{"pair_id": number, **pair} for number, pair in enumerate(pairs)]


def _wave(pairs: int) -> dict[str, Any]:
    return {
        "wave": 1,
        "kind": "coverage",
        "pairs": pairs,
        "at_random": pairs,
        "answered": pairs,
        "unanswered": 0,
        "score_change": None,
        "mean_standard_error": 0.6,
        "reliability": 0.9,
        "signal": None,
        "decision": "finalize_scoring",
        "label": "single_wave_complete",
        "reason": f"all {pairs} comparisons have a verdict",
    }


def _job(card: JudgeCard, items: int, number: int) -> dict[str, Any]:
    return {
        "job_id": hashlib.sha256(card.judge_id.encode()).hexdigest()[:24],
        "wave": 1,
        "attempt": 1,
        "judge_id": card.judge_id,
        "provider": card.provider,
        "model": card.model,
        "account": "default",
        "state": "reconciled",
        "status": "completed",
        "reason": None,
        "items": items,
        "request_bytes": 1_234_567,
        "request_sha256": "0" * 64,
        "provider_job_id": f"batch_{number}",
        "reserved_usd": 0.0,
        "cost_usd": 0.0 if card.offline else 0.4127,
        "price_source": "emulator" if card.offline else "genai-prices 0.2.3",
        "planned_at": MADE_AT - timedelta(hours=9),
        "submitted_at": MADE_AT - timedelta(hours=8),
        "ended_at": MADE_AT - timedelta(hours=1),
    }


def _judgments(
    pairs: Sequence[Mapping[str, Any]], judges: Sequence[JudgeCard], draw: np.random.Generator
) -> list[dict[str, Any]]:
    return [
        {
            **pair,
            "judge_id": card.judge_id,
            "replicate": 0,
            "fingerprint": hashlib.sha256(f"{card.judge_id}{pair['pair_id']}".encode()).hexdigest(),
            "outcome": "failure" if pair["pair_id"] % 97 == 96 else "success",
            "error_code": "invalid_verdict" if pair["pair_id"] % 97 == 96 else None,
            "winner": None if pair["pair_id"] % 97 == 96 else ("essay_a" if draw.random() < 0.5 else "essay_b"),
            "confidence": 4,
            "justification": "JUSTIFICATION quoting the pupil",
            "attempt": 1,
            "provider": card.provider,
            "model_requested": card.model,
            "model_reported": f"{card.model}-2026-03-01",
            "input_tokens": 900,
            "cached_tokens": 0,
            "cache_write_tokens": 0,
            "output_tokens": 60,
            "cost_usd": 0.0,
            "job_id": "job",
            "custom_id": f"job-{pair['pair_id']}",
            "completed_at": MADE_AT,
        }
        for card in judges
        for pair in pairs
    ]


def _scores(
    ids: Sequence[str],
    scores: np.ndarray[Any, Any],
    errors: np.ndarray[Any, Any],
    answers: np.ndarray[Any, Any],
    silent: set[int],
    components: int,
) -> list[dict[str, Any]]:
    component = [index % components for index in range(len(ids))]
    rank: dict[int, int] = {}
    for part in range(components):
        members = [i for i in range(len(ids)) if component[i] == part and i not in silent]
        rank |= {i: place for place, i in enumerate(sorted(members, key=lambda i: -scores[i]), start=1)}
    return [
        {
            "essay_id": ids[i],
            "score": None if i in silent else float(scores[i]),
            "standard_error": None if i in silent else float(errors[i]),
            "unshrunk_score": None if i in silent else 1.1 * float(scores[i]),
            "unshrunk_standard_error": None if i in silent else 1.1 * float(errors[i]),
            "rank": rank.get(i),
            "comparisons": 0 if i in silent else int(answers[i]),
            "wins": 0.0 if i in silent else 7.5,
            "infit": None if i in silent else (2.31 if i == len(ids) // 2 else 0.9 + 0.02 * (i % 11)),
            "outfit": None if i in silent else 1.0,
            "component": component[i],
        }
        for i in range(len(ids))
    ]


def _scale_fit(essays: int, comparisons: int, components: int) -> dict[str, Any]:
    return {
        "essays": essays,
        "comparisons": comparisons,
        "components": components,
        "order_effect": 0.21,
        "order_effect_standard_error": 0.13,
        "gradient_norm": 3e-11,
        "iterations": 5,
        "phi": 1.0,
        "prior_sd": 3.0,
        "auto_prior_sd": 1.62,
        "reliability": 0.86,
        "ssr": 0.81,
        "separation": 2.1,
        "split_by": "comparisons",
        "splits": 100,
        "split_correlation": 0.71,
        "split_reliability": 0.83,
        "uses_discrimination": False,
        "length_effect": 0.31,
        "length_effect_standard_error": 0.12,
        "length_effect_p": 0.013,
        "length_effect_method": "within grades",
        "length_effect_essays": essays,
        "people_votes": 0,
        "terminal_label": "single_wave_complete",
        "scoring_version": SCORING_VERSION,
        "estimator": "newton",
    }


def _judge_fit(card: JudgeCard, comparisons: int, number: int) -> dict[str, Any]:
    return {
        "judge_id": card.judge_id,
        "kind": "model",
        "comparisons": comparisons - 3,
        "unanswered": 3,
        "order_effect": 0.21 - 0.6 * number,
        "order_effect_standard_error": 0.13,
        "infit": 1.02,
        "outfit": 1.1,
        "tie_share": 0.0,
        "first_seat_share": 0.53,
        "mirrored_pairs": 17,
        "flip_rate": 6 / 17,
        "expected_flip_rate": 0.24,
    }


def _projection(score: float, error: float, cuts: np.ndarray[Any, Any]) -> dict[str, Any]:
    spread = math.hypot(error, 0.3)
    below = np.concatenate([[0.0], norm.cdf((cuts - score) / spread), [1.0]])
    shares = np.diff(below)
    reached = np.cumsum(shares)
    median, low, high = (int(np.searchsorted(reached, q)) for q in (0.5, 0.1, 0.9))
    return {"shares": shares, "median": median, "low": low, "high": high}


def _grade_row(essay_id: str, is_anchor: bool, row: Mapping[str, Any] | None, withheld: str | None) -> dict[str, Any]:
    if row is None:
        nothing = dict.fromkeys(field.name for field in CONTRACTS["grade_projections"])
        reason = withheld or "2 answered comparisons, 8 are needed"
        return {**nothing, "essay_id": essay_id, "is_anchor": is_anchor, "reason": reason}
    shares, median = row["shares"], row["median"]
    near = shares[max(0, median - 1) : median + 2].sum()
    return {
        "essay_id": essay_id,
        "is_anchor": is_anchor,
        "grade": LABELS[median],
        "grade_probabilities": list(zip(LABELS, shares.tolist(), strict=True)),
        "grade_low": LABELS[row["low"]],
        "grade_high": LABELS[row["high"]],
        "p_exact": float(shares[median]),
        "p_within_one": float(near),
        "review_priority": float(1 - shares[median]),
        "reason": f"{LABELS[median]} or a neighbour: nearly even" if shares[median] < 0.45 else None,
    }


def _anchor_row(essay_id: str, grade: int, row: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "essay_id": essay_id,
        "grade": LABELS[grade],
        "projected_grade": None if row is None else LABELS[row["median"]],
        "p_grade": None if row is None else float(row["shares"][grade]),
        "residual": None if row is None else float(row["median"] - grade),
    }


def _grade_fit(
    anchors: Sequence[Mapping[str, Any]], cuts: np.ndarray[Any, Any], withheld: str | None
) -> dict[str, Any]:
    nothing = dict.fromkeys(field.name for field in CONTRACTS["grade_fit"])
    if not anchors:
        return {
            **nothing,
            "labels": [],
            "thresholds": [],
            "thresholds_on_scores": [],
            "threshold_standard_errors": [],
            "anchors": 0,
            "withheld": withheld,
        }
    known = [LABELS.index(row["grade"]) for row in anchors]
    given = [LABELS.index(row["projected_grade"]) for row in anchors]
    found = agreement(given, known, len(LABELS))
    return {
        **nothing,
        "scale": "a_to_f",
        "labels": list(LABELS),
        "thresholds": (1.1 * cuts).tolist(),
        "thresholds_on_scores": cuts.tolist(),
        "threshold_standard_errors": [0.2] * len(cuts),
        "anchors": len(anchors),
        "withheld": withheld,
        "exact": found.exact,
        "adjacent": found.adjacent,
        "mae": found.mae,
        "qwk": found.qwk,
        "spearman": found.spearman,
        "anchor_tau": 0.86,
        "anchor_tau_limit": 0.58,
        "anchor_chance": 0.002,
        "largest_deviation": 1.2,
        "largest_deviation_anchor": anchors[0]["essay_id"],
    }
