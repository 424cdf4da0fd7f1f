"""What is kept and shown of a batch's way: mode, budget, waves, coverage, precision, decision. One JSON object."""

from collections.abc import Mapping
from math import isfinite

from cj_pipeline.waves.budget import ComparisonBudget
from cj_pipeline.waves.decision import Decided, WaveState
from cj_pipeline.waves.quality import SeSummary

Json = str | int | float | bool | None | dict[str, "Json"] | list["Json"]


def processing_metadata(
    state: WaveState,
    decided: Decided,
    budget: ComparisonBudget,
    *,
    wave: int,
    summary: SeSummary | None = None,
    retries: Mapping[str, int] | None = None,
) -> dict[str, Json]:
    """The record of a decision after wave number `wave`, under the predecessor's names where it had one.

    What is not known (no scores yet, the first wave's change) is null, so that the object is valid JSON.
    """
    evidence = state.evidence
    return {
        "llm_batching_mode": str(state.mode),
        "comparison_budget": {"max_pairs_requested": budget.pairs, "source": budget.source},
        "waves": wave,
        "total_comparisons": state.planned,
        "completed_comparisons": state.answered,
        "failed_comparisons": state.failed,
        "pairs_remaining": state.budget_left,
        "max_possible_pairs": state.coverage.possible,
        "successful_pairs_count": state.coverage.answered,
        "unanswered_pairs_count": state.coverage.unanswered,
        "unique_coverage_complete": state.coverage.complete,
        "resampling_pass_count": state.resampling_passes,
        "stop_rule": str(state.rules.rule),
        "last_score_change": _number(evidence.score_change),
        "mean_se": _number(evidence.mean_se),
        "reliability": _number(evidence.reliability),
        "reliability_by": evidence.by,
        "signal": _number(evidence.signal),
        "bt_se_summary": None
        if summary is None
        else {name: _number(value) for name, value in summary.as_dict().items()},
        "bt_quality_flags": None if summary is None else dict(summary.flags()),
        "pool_statistics": dict(retries or {}),
        "decision": str(decided.decision),
        "wave_kind": decided.wave_kind,
        "terminal_label": decided.label and str(decided.label),
        "reason": decided.reason,
    }


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
