"""The scale held against the judgments it stands on, by formulas of its own: slope zero at the mode, errors by inverse.

The predecessor asserted nothing of its scores; `bt_se_summary` of its traces stayed empty. A standard error that is
off would pass every other check.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from cj_pipeline.eng5.readings import Reading, computed, exactly
from cj_pipeline.eng5.run import ProfileRun, columns
from cj_pipeline.pairing.arrays import FloatArray, IntArray

ROUNDING = 1e-6
ORDER_EFFECT_PRIOR_SD = 3.0  # docs/decisions: the prior of the first seat's advantage


@dataclass(frozen=True, slots=True)
class _Votes:
    """Decided comparisons (m,) as numbers; the parameters are the essays' scores, then the judges' order effects."""

    first: IntArray
    second: IntArray
    judge: IntArray
    first_won: FloatArray
    judges: int


def scale(run: ProfileRun) -> list[Reading]:
    """Scores at the mode of the posterior, standard errors by the inverse of its curvature, wins as counted."""
    votes, essays = _votes(run), run.scores["essay_id"].to_pylist()
    scores = _numbers(run, "score")
    stored = _numbers(run, "standard_error")
    prior_sd, phi = (float(run.scale_fit[name][0].as_py()) for name in ("prior_sd", "phi"))
    order = np.array([value or 0.0 for value in run.judge_fit["order_effect"].to_pylist()])
    slope, curvature = _posterior(votes, np.concatenate([scores, order]), len(essays), prior_sd)
    expected = _centred_errors(curvature, len(essays), phi)
    wins = np.bincount(np.where(votes.first_won > 0, votes.first, votes.second), minlength=len(essays))
    return [
        exactly("wins_not_as_counted", int((wins != _numbers(run, "wins")).sum()), 0),
        computed("largest_slope_at_the_scores", float(np.abs(slope).max()), 0.0, ROUNDING),
        computed("mean_standard_error", float(stored.mean()), float(expected.mean()), ROUNDING),
        computed("largest_difference_of_standard_errors", float(np.abs(stored - expected).max()), 0.0, ROUNDING),
    ]


def _votes(run: ProfileRun) -> _Votes:
    essay = {name: number for number, name in enumerate(run.scores["essay_id"].to_pylist())}
    judge = {name: number for number, name in enumerate(run.judge_fit["judge_id"].to_pylist())}
    rows = [
        (essay[a], essay[b], judge[name], winner == "essay_a")
        for a, b, name, winner in columns(run.judgments, "essay_a", "essay_b", "judge_id", "winner")
        if winner is not None
    ]
    first, second, who, won = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return _Votes(first, second, who, won.astype(np.float64), len(judge))


def _posterior(votes: _Votes, parameters: FloatArray, essays: int, prior_sd: float) -> tuple[FloatArray, FloatArray]:
    """Gradient (p,) and negative Hessian (p, p) of the log posterior at the parameters."""
    size = essays + votes.judges
    design = np.zeros((votes.first.size, size))
    rows = np.arange(votes.first.size)
    design[rows, votes.first] += 1.0
    design[rows, votes.second] -= 1.0
    design[rows, essays + votes.judge] += 1.0
    expected = expit(design @ parameters)
    precision = np.array([prior_sd**-2] * essays + [ORDER_EFFECT_PRIOR_SD**-2] * votes.judges)
    slope = design.T @ (votes.first_won - expected) - precision * parameters
    curvature = design.T @ (design * (expected * (1 - expected))[:, None]) + np.diag(precision)
    return slope, curvature


def _centred_errors(curvature: FloatArray, essays: int, phi: float) -> FloatArray:
    """Of the scores less their mean, all essays being linked: sqrt(phi diag(Q V Q))."""
    covariance = np.linalg.inv(curvature)[:essays, :essays]
    centre = np.eye(essays) - 1.0 / essays
    errors: FloatArray = np.sqrt(phi * np.diagonal(centre @ covariance @ centre))
    return errors


def _numbers(run: ProfileRun, name: str) -> FloatArray:
    return np.array([np.nan if value is None else value for value in run.scores[name].to_pylist()], dtype=np.float64)
