"""Before any money is spent: how reliable a plan's scale will be, and how often its grades will be right.

By simulation: essays with normally distributed quality, a judge that follows the Bradley-Terry model, the
planned pairs, and the same fit and projection that the real answers will go through.
"""

from dataclasses import dataclass

import numpy as np

from cj_pipeline.grading.projection import NotGradable, project_grades
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scales import GradeScale
from cj_pipeline.scoring import score_comparisons

# SD of essays in a judge's logits: what published sessions with people show, and what sharp LLM judges show
ORDINARY_JUDGE_SD, SHARP_JUDGE_SD = 1.5, 2.5
REPEATS = {100: 24, 500: 12}  # up to so many essays; the fewer there are, the more one draw differs from the next
REPEATS_OF_MANY = 4
SEED = 20_261_122
MOST_ESSAYS_GRADED = 2_000  # beyond, only the scale is simulated


@dataclass(frozen=True, slots=True)
class Forecast:
    """Means over simulated purchases. `exact` and `adjacent` are shares of pupils, None without grades."""

    judge_sd: float
    reliability: float  # squared correlation of score and true quality
    mean_standard_error: float  # logits
    exact: float | None
    adjacent: float | None


def forecast(
    essay_a: IntArray,
    essay_b: IntArray,
    n_items: int,
    *,
    judge_sd: float,
    anchor_grades: IntArray | None = None,
    scale: GradeScale | None = None,
) -> Forecast:
    """Simulate a plan several times; anchors are the first items, their grades indices into `scale.grades`.

    Grade bands are of equal width over four SDs; every anchor lies at random within its band.
    """
    runs = [
        _simulate(np.random.default_rng([SEED, repeat]), essay_a, essay_b, n_items, judge_sd, anchor_grades, scale)
        for repeat in range(next((count for most, count in REPEATS.items() if n_items <= most), REPEATS_OF_MANY))
    ]
    reliabilities, errors, grades = zip(*runs, strict=True)
    graded = [pair for pair in grades if pair is not None]
    return Forecast(
        judge_sd=judge_sd,
        reliability=float(np.mean(reliabilities)),
        mean_standard_error=float(np.mean(errors)),
        exact=float(np.mean([exact for exact, _ in graded])) if graded else None,
        adjacent=float(np.mean([adjacent for _, adjacent in graded])) if graded else None,
    )


def grade_edges(n_grades: int, judge_sd: float) -> FloatArray:
    """Where the simulated grades begin and end, (n_grades + 1,): bands of equal width over four SDs."""
    edges: FloatArray = judge_sd * np.linspace(-2, 2, n_grades + 1)
    return edges


def _simulate(
    rng: np.random.Generator,
    essay_a: IntArray,
    essay_b: IntArray,
    n_items: int,
    judge_sd: float,
    anchor_grades: IntArray | None,
    scale: GradeScale | None,
) -> tuple[float, float, tuple[float, float] | None]:
    quality = judge_sd * rng.standard_normal(n_items)
    if anchor_grades is not None and scale is not None:
        edges = grade_edges(len(scale.grades), judge_sd)
        quality[: anchor_grades.size] = rng.uniform(edges[anchor_grades], edges[anchor_grades + 1])
    first_wins = rng.random(essay_a.size) < 1 / (1 + np.exp(quality[essay_b] - quality[essay_a]))
    fit = score_comparisons(
        essay_a, essay_b, first_wins.astype(float), np.zeros(essay_a.size, dtype=np.int64), n_items, n_judges=1
    )
    seen = np.isfinite(fit.scores)
    reliability = float(np.corrcoef(fit.scores[seen], quality[seen])[0, 1] ** 2) if seen.sum() > 2 else 0.0
    error = float(np.mean(fit.standard_errors[seen]))
    if anchor_grades is None or scale is None or n_items > MOST_ESSAYS_GRADED:
        return reliability, error, None
    try:
        projection = project_grades(fit, np.arange(anchor_grades.size), anchor_grades, scale)
    except NotGradable:
        return reliability, error, None
    return reliability, error, _accuracy(projection.grade, quality, anchor_grades.size, edges, scale)


def _accuracy(
    projected: IntArray, quality: FloatArray, n_anchors: int, edges: FloatArray, scale: GradeScale
) -> tuple[float, float]:
    true = np.searchsorted(edges[1:-1], quality[n_anchors:]) + scale.labels_below
    graded = projected[n_anchors:] >= 0
    distance = np.abs(projected[n_anchors:][graded] - true[graded])
    return float((distance == 0).mean()), float((distance <= 1).mean())
