"""Some judges against the others: two scales of the same essays, laid on each other."""

from dataclasses import dataclass

import numpy as np

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.scoring.fit import fit_mode
from cj_pipeline.scoring.pair_counts import count_pairs
from cj_pipeline.scoring.panel import fit_panel
from cj_pipeline.scoring.scale import score_comparisons
from cj_pipeline.scoring.votes import Votes

LEAST_SHARED = 3  # essays that both scored; with fewer nothing can be laid on anything


@dataclass(frozen=True, slots=True)
class Alone:
    """Scores from some of the votes alone; NaN for essays without any."""

    scores: FloatArray  # (n,) drawn to the middle by the prior
    unshrunk: FloatArray  # (n,) without its pull
    unshrunk_variances: FloatArray
    component: IntArray


@dataclass(frozen=True, slots=True)
class Link:
    """Two scales on the units of the second; arrays (n,) hold NaN for essays that not both scored.

    `sharpness` is how many times as sharply the first tells essays apart.
    """

    one: FloatArray
    other: FloatArray
    difference: FloatArray  # one - other, mean 0
    standard_error: FloatArray
    sharpness: float
    correlation: float
    other_alone: Alone


def score_alone(votes: Votes) -> Alone:
    """Scores from the votes given, with one order effect."""
    fit = score_comparisons(
        votes.essay_a, votes.essay_b, votes.outcome, np.zeros_like(votes.judge), votes.n_essays, n_judges=1
    )
    return Alone(fit.scores, fit.unshrunk_scores, fit.unshrunk_standard_errors**2 / fit.phi, fit.component)


def link(votes: Votes, one: BoolArray, phi: float = 1.0) -> Link | None:
    """The scale of the votes `one` (m,) on that of all others; None where they share too little.

    Each side is scored alone. The ratio of their units is the ratio of discriminations when the two sides stand as two
    judges in one fit; origins are laid together over the essays that both scored within one group of linked
    essays. `phi` is the dispersion of repeats, which widens the errors.
    """
    if not one.any() or one.all():
        return None
    first, second = score_alone(votes.only(one)), score_alone(votes.only(~one))
    shared = (first.component == 0) & (second.component == 0)
    shared &= np.isfinite(first.unshrunk_variances) & np.isfinite(second.unshrunk_variances)
    if shared.sum() < LEAST_SHARED:
        return None
    sharpness = _sharpness(votes, one)
    on_shared = np.where(shared, 1.0, np.nan)
    mine = first.unshrunk / sharpness * on_shared
    theirs = second.unshrunk * on_shared
    mine, theirs = mine - np.nanmean(mine), theirs - np.nanmean(theirs)
    spread = min(np.nanstd(mine), np.nanstd(theirs))
    return Link(
        one=mine,
        other=theirs,
        difference=mine - theirs,
        standard_error=np.sqrt(phi * (first.unshrunk_variances / sharpness**2 + second.unshrunk_variances)) * on_shared,
        sharpness=sharpness,
        correlation=float(np.corrcoef(mine[shared], theirs[shared])[0, 1]) if spread > 1e-9 else np.nan,
        other_alone=second,
    )


def _sharpness(votes: Votes, one: BoolArray) -> float:
    arrays = (votes.essay_a, votes.essay_b, votes.outcome)
    counts = count_pairs(*arrays, votes.n_essays)
    components = counts.components()
    mode, sd = fit_mode(counts, components)
    fit = fit_panel(*arrays, np.where(one, 0, 1), components, 2, prior_sd=sd, start=mode.scores)
    return float(fit.discriminations[0] / fit.discriminations[1])
