"""Where people and models differ: pairs on which people's votes contradict the models' scale, and essays."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from cj_pipeline.pairing.arrays import FloatArray, IntArray, grouped_sums
from cj_pipeline.scoring.linking import link
from cj_pipeline.scoring.votes import Votes


@dataclass(frozen=True, slots=True)
class Differences:
    """People less models, one entry per pair or essay, largest in standard errors first; `essay_b` -1 for an essay.

    For a pair: share of people's votes for A against P(A wins) on the models' scale, at people's sharpness. For an
    essay: its score by people alone, in units of the models' scale, against that by models alone.
    """

    essay_a: IntArray
    essay_b: IntArray
    people: FloatArray
    models: FloatArray
    difference: FloatArray
    standard_error: FloatArray
    votes: IntArray  # people's, on the pair or in which the essay stands


@dataclass(frozen=True, slots=True)
class Disagreements:
    """`predicted` is the share of people's decided votes that go to the essay the models score higher."""

    pairs: Differences
    essays: Differences
    predicted: float
    correlation: float  # of people's scores with the models'


def disagreements(votes: Votes, phi: float = 1.0) -> Disagreements | None:
    """Compare people with models; None unless both judged enough of the same essays.

    Every pair that people judged counts, also when no model was asked about it: the models' scale says what they would
    have answered.
    """
    linked = link(votes, votes.by_person, phi)
    if linked is None:
        return None
    scores = np.where(linked.other_alone.component == 0, linked.other_alone.scores, np.nan)
    people = votes.only(votes.by_person)
    margin = scores[people.essay_a] - scores[people.essay_b]
    comparable = np.isfinite(margin)
    people, margin = people.only(comparable), margin[comparable]
    decided = (people.outcome != 0.5) & (margin != 0)
    right = (people.outcome > 0.5) == (margin > 0)
    stands_in = np.concatenate([people.essay_a, people.essay_b])
    return Disagreements(
        pairs=_pairs(people, expit(linked.sharpness * margin)),
        essays=_essays(
            linked.one,
            linked.other,
            linked.standard_error,
            grouped_sums(stands_in, None, votes.n_essays).astype(np.int64),
        ),
        predicted=float(right[decided].mean()) if decided.any() else np.nan,
        correlation=linked.correlation,
    )


def _pairs(people: Votes, probability: FloatArray) -> Differences:
    lower_first = people.essay_a < people.essay_b
    low, high = np.minimum(people.essay_a, people.essay_b), np.maximum(people.essay_a, people.essay_b)
    keys, pair = np.unique(low * np.int64(people.n_essays) + high, return_inverse=True)
    count = grouped_sums(pair, None, keys.size)
    won = grouped_sums(pair, np.where(lower_first, people.outcome, 1 - people.outcome), keys.size) / count
    expected = grouped_sums(pair, np.where(lower_first, probability, 1 - probability), keys.size) / count
    error = np.sqrt(np.maximum(expected * (1 - expected), 1e-12) / count)
    return _sorted(keys // people.n_essays, keys % people.n_essays, won, expected, error, count.astype(np.int64))


def _essays(people: FloatArray, models: FloatArray, error: FloatArray, votes: IntArray) -> Differences:
    both = np.flatnonzero(np.isfinite(error))
    return _sorted(both, np.full(both.size, -1), people[both], models[both], error[both], votes[both])


def _sorted(
    one: IntArray, other: IntArray, people: FloatArray, models: FloatArray, error: FloatArray, votes: IntArray
) -> Differences:
    difference = people - models
    order = np.argsort(-np.abs(difference) / error, kind="stable")
    return Differences(
        essay_a=one[order],
        essay_b=other[order],
        people=people[order],
        models=models[order],
        difference=difference[order],
        standard_error=error[order],
        votes=votes[order],
    )
