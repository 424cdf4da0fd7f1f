"""Whose scores the table shows: the project's own, or choix's, to be laid beside the predecessor's or as an oracle.

Grades, reliability and misfit rest on the project's own fit in any case.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from cj_pipeline.errors import CjError
from cj_pipeline.scoring.choix_ilsr import fit_choix_ilsr
from cj_pipeline.scoring.choix_map import fit_choix_map
from cj_pipeline.scoring.scale import ScaleFit
from cj_pipeline.scoring.votes import Votes

Estimator = Literal["newton", "choix_map", "choix_ilsr"]
MOST_ESSAYS = 2_000  # choix holds dense matrices of all essays: at this size a quarter of an hour


def shown_by(estimator: Estimator, fit: ScaleFit, votes: Votes, reference: int) -> ScaleFit:
    """The fit with the scores and standard errors of the estimator; essays without a comparison stay NaN.

    `choix_map`: the same posterior mode without order effect by another optimiser, with the standard errors of the
    project's fit. `choix_ilsr`: the predecessor's scores with its standard errors against the essay number
    `reference` (there the last anchor). Raises `CjError` above `MOST_ESSAYS` essays.
    """
    decided = votes.outcome != 0.5
    if estimator == "newton" or not decided.any():
        return fit
    if votes.n_essays > MOST_ESSAYS:
        raise CjError(
            f"estimator {estimator!r} is for {MOST_ESSAYS:,} essays at the most, and here are {votes.n_essays:,}: "
            'it holds dense matrices. Set  [scoring]  estimator = "newton".'
        )
    comparisons = (votes.essay_a, votes.essay_b, votes.outcome, votes.n_essays)
    if estimator == "choix_map":
        return replace(fit, scores=fit_choix_map(*comparisons, prior_sd=fit.prior_sd))
    found = fit_choix_ilsr(*comparisons, reference=reference)
    compared = fit.comparisons > 0
    return replace(
        fit,
        scores=np.where(compared, found.scores, np.nan),
        standard_errors=np.where(compared, found.standard_errors, np.nan),
    )
