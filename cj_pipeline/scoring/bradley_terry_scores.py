"""From judgments to the scale: the tables `bradley_terry_scores`, `scale_fit` and `judge_fit`."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cj_pipeline.pairing.comparison_pairs import item_indices
from cj_pipeline.scoring.scale import ScaleFit, score_comparisons
from cj_pipeline.tables import conform

_OUTCOME = {"essay_a": 1.0, "essay_b": 0.0, "tie": 0.5}
LEAST_SUCCESS = 0.8  # below this share of answered comparisons a batch ends as failed_low_success


def fit_judgments(essays: pa.Table, judgments: pa.Table, judge_ids: Sequence[str]) -> ScaleFit:
    """The scale of a batch from its answered comparisons; items and judges in the order given.

    Raises `NotConverged`.
    """
    answered = judgments.filter(pc.equal(judgments["outcome"], "success"))
    outcome = np.array([_OUTCOME[winner] for winner in answered["winner"].to_pylist()], dtype=float)
    judge = np.array([judge_ids.index(judge_id) for judge_id in answered["judge_id"].to_pylist()], dtype=np.int64)
    first = item_indices(answered["essay_a"], essays["essay_id"])
    second = item_indices(answered["essay_b"], essays["essay_id"])
    return score_comparisons(first, second, outcome, judge, essays.num_rows, n_judges=len(judge_ids))


def score_tables(essays: pa.Table, judgments: pa.Table, judge_ids: Sequence[str]) -> dict[str, pa.Table]:
    """The three tables of the scale, by name."""
    fit = fit_judgments(essays, judgments, judge_ids)
    return {
        "bradley_terry_scores": _scores(essays, fit),
        "scale_fit": _scale_fit(essays, judgments, fit),
        "judge_fit": _judge_fit(judgments, judge_ids, fit),
    }


def terminal_label(judgments: pa.Table, least_success: float = LEAST_SUCCESS) -> str:
    """How a single wave ended: single_wave_complete, partial, or failed_low_success."""
    answered = judgments["error_code"].null_count
    if answered == 0 or answered / judgments.num_rows < least_success:
        return "failed_low_success"
    return "single_wave_complete" if answered == judgments.num_rows else "partial"


def _scores(essays: pa.Table, fit: ScaleFit) -> pa.Table:
    scores = pa.table(
        {
            "essay_id": essays["essay_id"],
            "score": _nullable(fit.scores),
            "standard_error": _nullable(fit.standard_errors),
            "unshrunk_score": _nullable(fit.unshrunk_scores),
            "unshrunk_standard_error": _nullable(fit.unshrunk_standard_errors),
            "rank": _ranks(fit),
            "comparisons": fit.comparisons,
            "wins": fit.wins,
            "infit": _nullable(fit.infit),
            "outfit": _nullable(fit.outfit),
            "component": fit.component,
        }
    )
    return conform("bradley_terry_scores", scores)


def _ranks(fit: ScaleFit) -> pa.Array:
    """1 is the best of each component; equal scores share the better rank."""
    ranks = np.full(fit.scores.size, np.nan)
    for component in range(fit.n_components):
        members = np.flatnonzero((fit.component == component) & ~np.isnan(fit.scores))
        ascending = np.sort(fit.scores[members])
        ranks[members] = 1 + members.size - np.searchsorted(ascending, fit.scores[members], side="right")
    return pa.array(ranks, pa.int32(), from_pandas=True)


def _scale_fit(essays: pa.Table, judgments: pa.Table, fit: ScaleFit) -> pa.Table:
    row = {
        "essays": essays.num_rows,
        "comparisons": int(fit.comparisons.sum()) // 2,
        "components": fit.n_components,
        "order_effect": float(np.nan_to_num(fit.order_effect)),
        "order_effect_standard_error": _number(fit.order_effect_standard_error),
        "gradient_norm": fit.gradient_norm,
        "iterations": fit.iterations,
        "phi": fit.phi,
        "prior_sd": fit.prior_sd,
        "auto_prior_sd": _number(fit.auto_prior_sd),
        "reliability": _number(fit.reliability),
        "ssr": _number(fit.ssr),
        "separation": _number(fit.separation),
        "terminal_label": terminal_label(judgments),
    }
    return conform("scale_fit", pa.table({name: [value] for name, value in row.items()}))


def _judge_fit(judgments: pa.Table, judge_ids: Sequence[str], fit: ScaleFit) -> pa.Table:
    judges = fit.judges
    asked = [judgments.filter(pc.equal(judgments["judge_id"], judge_id)) for judge_id in judge_ids]
    table = pa.table(
        {
            "judge_id": list(judge_ids),
            "comparisons": judges.comparisons,
            "unanswered": [int(pc.sum(pc.not_equal(rows["outcome"], "success")).as_py() or 0) for rows in asked],
            "order_effect": _nullable(judges.order_effect),
            "order_effect_standard_error": _nullable(judges.order_effect_standard_error),
            "infit": _nullable(judges.infit),
            "outfit": _nullable(judges.outfit),
            "tie_share": _nullable(judges.tie_share),
            "first_seat_share": pa.array([_first_seat_share(rows) for rows in asked], pa.float64()),
            "mirrored_pairs": judges.mirrored_pairs,
            "flip_rate": _nullable(judges.flip_rate),
            "expected_flip_rate": _nullable(judges.expected_flip_rate),
        }
    )
    return conform("judge_fit", table)


def _first_seat_share(rows: pa.Table) -> float | None:
    outcomes = [_OUTCOME[winner] for winner in rows["winner"].to_pylist() if winner is not None]
    return float(np.mean(outcomes)) if outcomes else None


def _nullable(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype(float), pa.float64(), from_pandas=True)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
