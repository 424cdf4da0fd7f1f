"""The edges of sense, through every way of fitting: finite numbers or a refusal by name, never an error of zero."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring import NoMaximumLikelihood, fit_bradley_terry, fit_choix_ilsr, fit_choix_map

Comparisons = tuple[list[int], list[int], list[float], int]


def ring_of_many(n_items: int) -> Comparisons:
    """So many essays that errors come from the cavity iteration; the last two were never asked about."""
    rng = np.random.default_rng(n_items)
    items = np.arange(n_items - 2)
    first = np.concatenate([items, items, items])
    second = np.concatenate([np.roll(items, 1), np.roll(items, 7), rng.permutation(items)])
    apart = first != second
    won = (rng.random(first.size) < expit((first - second) / n_items)).astype(float)
    return first[apart].tolist(), second[apart].tolist(), won[apart].tolist(), n_items


CASES: dict[str, Comparisons] = {
    "two essays, one comparison": ([0], [1], [1.0], 2),
    "two essays, one win each": ([0, 1], [1, 0], [1.0, 1.0], 2),
    "one pair asked a thousand times, one winner": ([0] * 1000, [1] * 1000, [1.0] * 1000, 2),
    "all ties": ([0, 1, 2], [1, 2, 0], [0.5] * 3, 3),
    "two essays, all ties": ([0, 1], [1, 0], [0.5] * 2, 2),
    "one essay wins everything": ([0, 0, 0, 1, 2, 3], [1, 2, 3, 2, 3, 1], [1.0] * 6, 4),
    "one essay loses everything": ([0, 0, 0, 1, 2, 3], [1, 2, 3, 2, 3, 1], [0.0] * 3 + [1.0] * 3, 4),
    "a full order": ([0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3], [1.0] * 6, 4),
    "the first seat wins everything": ([0, 1, 2], [1, 2, 0], [1.0] * 3, 3),
    "disconnected: two pairs": ([0, 1, 2, 3], [1, 0, 3, 2], [1.0] * 4, 4),
    "disconnected: one group separated, one not": ([0, 1, 2], [1, 0, 3], [1.0, 1.0, 1.0], 4),
    "an isolated essay": ([0, 1, 1, 2], [1, 2, 0, 1], [1.0] * 4, 4),
    "all refusals: no comparison at all": ([], [], [], 5),
    "no essays": ([], [], [], 0),
    "one essay": ([], [], [], 1),
    "thousands of essays, two isolated": ring_of_many(3400),
}

TOO_LONG = ("thousands of essays, two isolated", "choix_map")  # Python loops over a dense matrix
NOTHING_ASKED = {"all refusals: no comparison at all", "no essays", "one essay"}
Fit = Callable[[Comparisons], tuple[FloatArray, FloatArray | None]]


def ours(**options: Any) -> Fit:
    def fit(data: Comparisons) -> tuple[FloatArray, FloatArray | None]:
        found = fit_bradley_terry(*data, **options)
        return found.scores, found.standard_errors

    return fit


WAYS: dict[str, Fit] = {
    "default": ours(),
    "without order effect": ours(order_effect=False),
    "automatic prior": ours(prior_sd="auto"),
    "maximum likelihood": ours(prior_sd=np.inf),
    "maximum likelihood without order effect": ours(prior_sd=np.inf, order_effect=False),
    "Davidson": ours(ties="davidson"),
    "Davidson, maximum likelihood": ours(ties="davidson", prior_sd=np.inf),
    "choix_map": lambda data: (fit_choix_map(*data), None),
}

FITS_WITHOUT_A_PRIOR = {  # everything else has no finite maximum
    "maximum likelihood": {"all ties", "two essays, all ties", *NOTHING_ASKED},
    "maximum likelihood without order effect": {
        "two essays, one win each",
        "all ties",
        "two essays, all ties",
        "the first seat wins everything",
        "disconnected: two pairs",
        "an isolated essay",
        *NOTHING_ASKED,
    },
    "Davidson, maximum likelihood": NOTHING_ASKED,
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("case", "way"), [(case, way) for case in CASES for way in WAYS if (case, way) != TOO_LONG])
def test_every_edge_gives_finite_numbers_or_a_refusal_by_name(case: str, way: str) -> None:
    data = CASES[case]
    fit = WAYS[way]
    if case not in FITS_WITHOUT_A_PRIOR.get(way, CASES):
        with pytest.raises(NoMaximumLikelihood, match="prior_sd"):
            fit(data)
        return
    scores, errors = fit(data)
    compared = np.isin(np.arange(data[3]), data[0] + data[1])
    assert scores.shape == (data[3],)
    assert np.isfinite(scores[compared]).all()
    assert np.isnan(scores[~compared]).all()
    if errors is not None:
        assert (errors[compared] > 0.03).all()
        assert np.isfinite(errors[compared]).all()
        assert np.isnan(errors[~compared]).all()


@pytest.mark.parametrize("case", [name for name in CASES if name.startswith(("one essay w", "one essay l", "a full"))])
def test_without_a_prior_what_has_no_maximum_is_refused(case: str) -> None:
    with pytest.raises(NoMaximumLikelihood, match="never lose to, or never beat"):
        fit_bradley_terry(*CASES[case], prior_sd=np.inf)


def test_the_predecessors_estimator_refuses_what_holds_no_decided_comparison() -> None:
    for case in ("all ties", "all refusals: no comparison at all"):
        with pytest.raises(ValueError, match="decided"):
            fit_choix_ilsr(*CASES[case])
