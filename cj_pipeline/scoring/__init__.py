"""Bradley-Terry scores with standard errors, reliability and misfit: arrays in, dataclasses out, no I/O."""

from cj_pipeline.scoring.fit import BradleyTerryFit, NoMaximumLikelihood, NotConverged, fit_bradley_terry
from cj_pipeline.scoring.scale import JudgeFit, ScaleFit, score_comparisons

__all__ = [
    "BradleyTerryFit",
    "JudgeFit",
    "NoMaximumLikelihood",
    "NotConverged",
    "ScaleFit",
    "fit_bradley_terry",
    "score_comparisons",
]
