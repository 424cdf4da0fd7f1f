"""The judges as introduced and as fitted, and the seats of the plan."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cj_pipeline.report.evidence import Evidence, JudgeCard
from cj_pipeline.report.figures.stored import stored
from cj_pipeline.tables import CONTRACTS


@dataclass(frozen=True, slots=True)
class JudgeFigures:
    """A judge as introduced, as fitted, and why it has no verdict where it has none (`error_code`: count)."""

    card: JudgeCard
    fit: Mapping[str, Any]
    reported: tuple[str, ...]
    unanswered: Mapping[str, int]


def judge_figures(evidence: Evidence) -> list[JudgeFigures]:
    """The judges in the order of the manifest."""
    fits = {row["judge_id"]: row for row in stored(evidence, "judge_fit").to_pylist()}
    answers = stored(evidence, "judgments").select(["judge_id", "outcome", "error_code", "model_reported"])
    reported: dict[str, set[str]] = {}
    unanswered: dict[str, Counter[str]] = {}
    for answer in answers.to_pylist():
        judge = answer["judge_id"]
        if answer["model_reported"]:
            reported.setdefault(judge, set()).add(answer["model_reported"])
        if answer["outcome"] != "success":
            unanswered.setdefault(judge, Counter())[answer["error_code"] or answer["outcome"]] += 1
    nothing = dict.fromkeys(CONTRACTS["judge_fit"].names)
    return [
        JudgeFigures(
            card=card,
            fit=fits.get(card.judge_id, nothing),
            reported=tuple(sorted(reported.get(card.judge_id, ()))),
            unanswered=unanswered.get(card.judge_id, Counter()),
        )
        for card in evidence.judges
    ]


def seat_differences(evidence: Evidence) -> list[int]:
    """Per essay in the plan: times shown first minus times shown second."""
    pairs = stored(evidence, "comparison_pairs")
    balance = Counter(pairs["essay_a"].to_pylist())
    balance.subtract(pairs["essay_b"].to_pylist())
    return list(balance.values())


def first_wins(order_effect: float) -> float:
    """Probability that the first of two equally good essays wins, from the order effect in logits."""
    return 1.0 / (1.0 + math.exp(-max(-700.0, min(700.0, order_effect))))
