"""From judgments to the scale: the table `bradley_terry_scores` and the tables that stand beside it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cj_pipeline.scales import GradeScale
from cj_pipeline.scoring.bias import LengthEffect, Scored, group_effects, length_effect
from cj_pipeline.scoring.disagreements import Disagreements, disagreements
from cj_pipeline.scoring.estimators import Estimator, shown_by
from cj_pipeline.scoring.judge_agreement import judge_agreement
from cj_pipeline.scoring.pair_fit import pair_fit
from cj_pipeline.scoring.panel_tables import agreement_table, disagreement_table, group_table, pair_table
from cj_pipeline.scoring.scale import ScaleFit, score_comparisons
from cj_pipeline.scoring.splits import SplitReliability, split_between_judges, split_reliability
from cj_pipeline.scoring.votes import Votes, collect_votes
from cj_pipeline.tables import ESSAYS, HUMAN_JUDGMENTS, conform

SCORING_VERSION = 1  # of what scores and grades are computed by; the next one makes all scales due to be made again
MOST_PAIRS = 200  # of the most surprising ones in `pair_fit`
SCORE_TABLES = (
    "bradley_terry_scores", "scale_fit", "judge_fit", "human_judgments", "judge_agreement", "pair_fit",
    "group_effects", "disagreements",
)  # fmt: skip


def fit_judgments(
    essays: pa.Table,
    judgments: pa.Table,
    judge_ids: Sequence[str],
    human_judgments: pa.Table | None = None,
    *,
    discrimination: bool = False,
) -> ScaleFit:
    """The scale of a batch from its answered comparisons; items in the order given, people after the judges.

    Raises `NotConverged`.
    """
    return fit_votes(collect_votes(essays, judgments, judge_ids, human_judgments), discrimination=discrimination)


def fit_votes(votes: Votes, *, discrimination: bool = False) -> ScaleFit:
    """The scale of all votes in one fit. Raises `NotConverged`."""
    return score_comparisons(
        votes.essay_a,
        votes.essay_b,
        votes.outcome,
        votes.judge,
        votes.n_essays,
        n_judges=len(votes.judge_ids),
        discrimination=discrimination,
    )


def score_tables(
    essays: pa.Table,
    judgments: pa.Table,
    judge_ids: Sequence[str],
    human_judgments: pa.Table | None = None,
    *,
    scale: GradeScale | None = None,
    discrimination: bool = False,
    chosen_by_score: bool = False,
    estimator: Estimator = "newton",
) -> dict[str, pa.Table]:
    """All tables of the scale, by name. `scale` orders the grades that effects of length and group are held against.

    Where later pairs were chosen by earlier scores, what such pairs flatter is left out: SSR, separation, and the
    agreement of one judge's own halves. Reliability is then for whoever knows which pairs were not.

    The estimator gives score, standard error and rank; all else rests on the project's own fit.

    Raises `NotConverged`.
    """
    human_judgments = HUMAN_JUDGMENTS.empty_table() if human_judgments is None else human_judgments
    votes = collect_votes(essays, judgments, judge_ids, human_judgments)
    fit = fit_votes(votes, discrimination=discrimination)
    scored = Scored(fit.unshrunk_scores, fit.unshrunk_standard_errors**2, fit.component, _grades(essays, scale))
    length = length_effect(scored, essays["word_count"].to_pylist())
    people = disagreements(votes, fit.phi)
    split = split_between_judges(votes) if chosen_by_score else split_reliability(votes)
    groups = group_effects(scored, votes, _group_columns(essays), fit.phi)
    ids = essays["essay_id"]
    return {
        "bradley_terry_scores": _scores(essays, shown_by(estimator, fit, votes, _reference(essays))),
        "scale_fit": _scale_fit(
            essays, votes, fit, split, length, people, chosen_by_score=chosen_by_score, estimator=estimator
        ),
        "judge_fit": _judge_fit(judgments, votes, fit),
        "human_judgments": conform("human_judgments", human_judgments),
        "judge_agreement": agreement_table(judge_agreement(votes), votes.judge_ids),
        "pair_fit": pair_table(pair_fit(votes, fit.probability, MOST_PAIRS), ids),
        "group_effects": group_table(groups, votes.judge_ids),
        "disagreements": disagreement_table(people, ids),
    }


def _grades(essays: pa.Table, scale: GradeScale | None) -> np.ndarray:
    """Place on the scale of every essay whose grade is known, anchor or not; -1 for the others."""
    if scale is None:
        return np.full(essays.num_rows, -1)
    known = zip(essays["anchor_grade"].to_pylist(), essays["known_grade"].to_pylist(), strict=True)
    places = [scale.grade_index(grade) if (grade := anchor or pupil) else -1 for anchor, pupil in known]
    return np.array(places, dtype=np.int64)


def _group_columns(essays: pa.Table) -> dict[str, list[str | None]]:
    return {name: essays[name].to_pylist() for name in essays.column_names if name not in ESSAYS.names}


def _reference(essays: pa.Table) -> int:
    """The last anchor, or the last essay where there is none: as the predecessor had it."""
    anchors = np.flatnonzero(essays["is_anchor"].to_numpy(zero_copy_only=False))
    return int(anchors[-1]) if anchors.size else essays.num_rows - 1


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
            "leverage": _nullable(fit.leverage),
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


def _scale_fit(
    essays: pa.Table,
    votes: Votes,
    fit: ScaleFit,
    split: SplitReliability,
    length: LengthEffect | None,
    people: Disagreements | None,
    *,
    chosen_by_score: bool,
    estimator: Estimator,
) -> pa.Table:
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
        "reliability": None if chosen_by_score else _number(fit.reliability),
        "ssr": None if chosen_by_score else _number(fit.ssr),
        "separation": None if chosen_by_score else _number(fit.separation),
        "split_by": split.by,
        "splits": split.splits,
        "split_correlation": _number(split.correlation),
        "split_reliability": _number(split.reliability),
        "uses_discrimination": fit.uses_discrimination,
        "length_effect": length.effect if length else None,
        "length_effect_standard_error": length.standard_error if length else None,
        "length_effect_p": length.p_value if length else None,
        "length_effect_method": length.method if length else None,
        "length_effect_essays": length.essays if length else 0,
        "people_votes": int(votes.by_person.sum()),
        "people_predicted": _number(people.predicted) if people else None,
        "people_correlation": _number(people.correlation) if people else None,
        "terminal_label": None,  # whoever decides that nothing follows writes it in
        "scoring_version": SCORING_VERSION,
        "estimator": estimator,
    }
    return conform("scale_fit", pa.table({name: [value] for name, value in row.items()}))


def _judge_fit(judgments: pa.Table, votes: Votes, fit: ScaleFit) -> pa.Table:
    judges = fit.judges
    asked = _per_judge(judgments["judge_id"], votes.judge_ids)
    unanswered = _per_judge(
        judgments.filter(pc.not_equal(judgments["outcome"], "success"))["judge_id"], votes.judge_ids
    )
    asked = np.where(votes.is_person, judges.comparisons, asked)  # a person's row is a verdict by its form
    with np.errstate(invalid="ignore"):
        first_seat = np.bincount(votes.judge, votes.outcome, len(votes.judge_ids)) / judges.comparisons
        unanswered_share = unanswered / asked
    table = pa.table(
        {
            "judge_id": list(votes.judge_ids),
            "kind": ["person" if person else "model" for person in votes.is_person],
            "comparisons": judges.comparisons,
            "unanswered": unanswered,
            "unanswered_share": _nullable(unanswered_share),
            "order_effect": _nullable(judges.order_effect),
            "order_effect_standard_error": _nullable(judges.order_effect_standard_error),
            "discrimination": _nullable(judges.discrimination),
            "discrimination_standard_error": _nullable(judges.discrimination_standard_error),
            "infit": _nullable(judges.infit),
            "outfit": _nullable(judges.outfit),
            "infit_z": _nullable(judges.infit_z),
            "tie_share": _nullable(judges.tie_share),
            "first_seat_share": _nullable(first_seat),
            "mirrored_pairs": judges.mirrored_pairs,
            "flip_rate": _nullable(judges.flip_rate),
            "expected_flip_rate": _nullable(judges.expected_flip_rate),
        }
    )
    return conform("judge_fit", table)


def _per_judge(column: pa.ChunkedArray, judge_ids: Sequence[str]) -> np.ndarray:
    counts: dict[Any, int] = {row["values"]: row["counts"] for row in pc.value_counts(column).to_pylist()}
    return np.array([counts.get(judge_id, 0) for judge_id in judge_ids], dtype=np.int64)


def _nullable(values: np.ndarray) -> pa.Array:
    return pa.array(values.astype(float), pa.float64(), from_pandas=True)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
