"""Bradley-Terry scores with standard errors, reliability and misfit: arrays in, dataclasses out, no I/O."""

from cj_pipeline.scoring.choix_ilsr import PredecessorFit, fit_choix_ilsr
from cj_pipeline.scoring.choix_map import fit_choix_map
from cj_pipeline.scoring.existence import NoMaximumLikelihood
from cj_pipeline.scoring.fit import BradleyTerryFit, NotConverged, fit_bradley_terry
from cj_pipeline.scoring.judge_fit import JudgeFit
from cj_pipeline.scoring.scale import ScaleFit, score_comparisons

__all__ = [
    "BradleyTerryFit",
    "JudgeFit",
    "NoMaximumLikelihood",
    "NotConverged",
    "PredecessorFit",
    "ScaleFit",
    "fit_bradley_terry",
    "fit_choix_ilsr",
    "fit_choix_map",
    "score_comparisons",
]
