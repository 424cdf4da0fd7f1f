"""Bradley-Terry scores with standard errors, reliability and misfit: arrays in, dataclasses out, no I/O."""

from cj_pipeline.scoring.choix_ilsr import PredecessorFit, fit_choix_ilsr
from cj_pipeline.scoring.fit import BradleyTerryFit, NoMaximumLikelihood, NotConverged, fit_bradley_terry
from cj_pipeline.scoring.scale import JudgeFit, ScaleFit, score_comparisons

__all__ = [
    "BradleyTerryFit",
    "JudgeFit",
    "NoMaximumLikelihood",
    "NotConverged",
    "PredecessorFit",
    "ScaleFit",
    "fit_bradley_terry",
    "fit_choix_ilsr",
    "score_comparisons",
]
