"""What the scores of each wave are worth, recomputed from all votes: precision, change, reliability, signal.

Pairs are chosen by earlier scores, and that choice makes chance look like agreement: even scores fitted without
the pairs drawn at random predict those, as both shaped which essays met. Only verdicts on pairs that nobody chose
by score, or held against scores from before they were given, are free of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.scoring.fit import fit_bradley_terry
from cj_pipeline.scoring.residuals import pair_dispersion
from cj_pipeline.scoring.scale import score_comparisons
from cj_pipeline.scoring.splits import split_reliability
from cj_pipeline.scoring.votes import Votes
from cj_pipeline.waves.stop_rules import NO_EVIDENCE, Evidence

OFTEN = 6  # comparisons of an essay, after which it is known whether it gets answers


@dataclass(frozen=True, slots=True)
class Origins:
    """Where each vote (m,) comes from: its wave (0: no wave, a person's own vote), and whether it was drawn."""

    wave: IntArray
    at_random: BoolArray


@dataclass(frozen=True, slots=True)
class _Scored:
    """Scores and standard errors (n,) after a wave; zero and NaN for an essay without votes."""

    scores: FloatArray
    standard_errors: FloatArray
    comparisons: IntArray
    components: IntArray


def vote_origins(votes: Votes, judgments: pa.Table, pairs: pa.Table) -> Origins:
    """The origins of the votes that `collect_votes` made of these judgments; people's own votes stand behind them."""
    answered = judgments.filter(pc.equal(judgments["outcome"], "success"))
    drawn = dict(zip(pairs["pair_id"].to_pylist(), pairs["at_random"].to_pylist(), strict=True))
    n_people = votes.outcome.size - answered.num_rows
    wave = np.concatenate([np.array(answered["wave"].to_pylist(), dtype=np.int64), np.zeros(n_people, dtype=np.int64)])
    at_random = [drawn[pair] for pair in answered["pair_id"].to_pylist()] + [False] * n_people
    return Origins(wave, np.array(at_random, dtype=np.bool_))


def evidence_of(votes: Votes, origins: Origins, asked: IntArray | None = None) -> Evidence:
    """The evidence after the latest wave; `NO_EVIDENCE` without votes. Raises `NotConverged`.

    `asked` (n,) is how many comparisons of each essay have an outcome. One that was asked often and is mostly
    without answers is left out of what all essays must reach, so that it holds up no other.
    """
    path = _path(votes, origins, asked, only_last=True)
    return path[-1] if path else NO_EVIDENCE


def wave_path(votes: Votes, origins: Origins) -> list[Evidence]:
    """The evidence after each wave that has votes, in order: how the batch came where it is. Raises `NotConverged`."""
    return _path(votes, origins, None, only_last=False)


def _path(votes: Votes, origins: Origins, asked: IntArray | None, *, only_last: bool) -> list[Evidence]:
    waves = np.unique(origins.wave).tolist()
    scored = [_score(votes.only(origins.wave <= wave)) for wave in waves]
    margin = _margins(votes, origins.wave, waves, scored)
    fresh = _first_answers(votes, origins.wave)
    return [
        _evidence(votes, origins, wave, scored[: place + 1], margin, fresh, asked)
        for place, wave in enumerate(waves)
        if not only_last or place == len(waves) - 1
    ]


def _evidence(
    votes: Votes, origins: Origins, wave: int, scored: Sequence[_Scored], margin: FloatArray, fresh: BoolArray,
    asked: IntArray | None,
) -> Evidence:  # fmt: skip
    so_far, now = origins.wave <= wave, scored[-1]
    change = float(np.abs(now.scores - scored[-2].scores).max()) if len(scored) > 1 else np.inf
    kept = so_far & fresh & np.isfinite(margin)
    counted = _counted(now.comparisons, asked)
    errors = now.standard_errors[counted & np.isfinite(now.standard_errors)]
    by, reliability = _reliability(votes, so_far & origins.at_random, int(so_far.sum()))
    return Evidence(
        mean_se=float(errors.mean()) if errors.size else np.nan,
        max_se=float(errors.max()) if errors.size else np.nan,
        min_degree=int(now.comparisons[counted].min()) if counted.any() else 0,
        components=int(np.unique(now.components[counted]).size),
        score_change=change,
        reliability=reliability,
        signal=signal(margin[kept], votes.outcome[kept]),
        by=by,
        signal_verdicts=int(kept.sum()),
    )


def signal(margin: FloatArray, outcome: FloatArray) -> float:
    """Standard errors by which outcomes (m,) follow score differences known before them; NaN where nothing varies.

    A sum of chance steps when the scores mean nothing (a martingale), however the pairs were chosen; both are taken
    less their means, so that a preference for one seat is no signal.
    """
    if margin.size < 2:
        return np.nan
    ahead, won = margin - margin.mean(), outcome - outcome.mean()
    spread = float(ahead @ ahead) * float(won @ won) / won.size
    return float(ahead @ won / np.sqrt(spread)) if spread > 0 else np.nan


def _score(votes: Votes) -> _Scored:
    fit = fit_bradley_terry(votes.essay_a, votes.essay_b, votes.outcome, votes.n_essays)
    scores = np.nan_to_num(fit.scores)
    order = np.nan_to_num(fit.order_effect)
    probability = 1 / (1 + np.exp(scores[votes.essay_b] - scores[votes.essay_a] - order))
    n_components = int(fit.components.max(initial=-1)) + 1
    phi = pair_dispersion(
        votes.essay_a, votes.essay_b, votes.outcome - probability, probability * (1 - probability),
        votes.n_essays - n_components,
    )  # fmt: skip
    comparisons = np.bincount(np.concatenate([votes.essay_a, votes.essay_b]), minlength=votes.n_essays)
    return _Scored(scores, fit.standard_errors * np.sqrt(phi), comparisons, fit.components)


def _counted(answered: IntArray, asked: IntArray | None) -> BoolArray:
    """The essays a stop rule waits for: not those that were asked often and mostly went without an answer."""
    if asked is None:
        return np.ones(answered.size, dtype=np.bool_)
    return (asked < OFTEN) | (2 * answered >= asked)


def _margins(votes: Votes, wave: IntArray, waves: list[int], scored: list[_Scored]) -> FloatArray:
    """score[A] - score[B] as it stood before each vote's wave; NaN for the votes of the first."""
    margin = np.full(votes.outcome.size, np.nan)
    for number, before in zip(waves[1:], scored, strict=False):
        rows = wave == number
        margin[rows] = before.scores[votes.essay_a[rows]] - before.scores[votes.essay_b[rows]]
    return margin


def _first_answers(votes: Votes, wave: IntArray) -> BoolArray:
    """Votes on a pair in the first wave it was answered in: a judge that repeats itself confirms nothing."""
    low, high = np.minimum(votes.essay_a, votes.essay_b), np.maximum(votes.essay_a, votes.essay_b)
    _, pair = np.unique(low * np.int64(votes.n_essays) + high, return_inverse=True)
    first = np.full(int(pair.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, pair, wave)
    fresh: BoolArray = wave == first[pair]
    return fresh


def _reliability(votes: Votes, drawn: BoolArray, n_votes: int) -> tuple[str, float]:
    """Reliability on the pairs drawn at random, projected to all votes (Spearman-Brown).

    With several judges the smaller of that and of how halves of them agree: on few pairs two judges agree by chance.
    """
    some = votes.only(drawn)
    if not some.outcome.size:
        return "at_random", np.nan
    fit = score_comparisons(
        some.essay_a, some.essay_b, some.outcome, some.judge, some.n_essays, n_judges=len(some.judge_ids)
    )
    by, found = "at_random", fit.reliability
    if some.active.size > 1:
        by, found = "judges", float(np.fmin(found, split_reliability(some).reliability))
    longer = n_votes / some.outcome.size
    return by, longer * found / (1 + (longer - 1) * found) if found > 0 else found
