"""choix's own optimiser as a second opinion: the same scores, ties and unconnected groups included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cj_pipeline.scoring import NoMaximumLikelihood, fit_bradley_terry, fit_choix_map


@given(st.integers(0, 2**32 - 1), st.integers(2, 10), st.integers(1, 40), st.floats(0.4, 4.0))
@settings(max_examples=50, deadline=None)
def test_choix_and_the_project_agree(seed: int, n_items: int, size: int, prior_sd: float) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(n_items, size=size)
    second = (first + 1 + rng.integers(n_items - 1, size=size)) % n_items
    outcome = rng.choice([0.0, 0.5, 1.0], size=size)
    ours = fit_bradley_terry(first, second, outcome, n_items, prior_sd=prior_sd, order_effect=False).scores
    theirs = fit_choix_map(first, second, outcome, n_items, prior_sd=prior_sd)
    assert theirs == pytest.approx(ours, abs=1e-6, nan_ok=True)


def test_maximum_likelihood_is_had_where_it_exists_and_refused_where_not() -> None:
    scores = fit_choix_map([0, 0, 1, 2], [1, 1, 2, 0], [1] * 4, 3, prior_sd=np.inf)
    assert scores == pytest.approx([0.419617624, -0.419617624, 0], abs=1e-6)
    with pytest.raises(NoMaximumLikelihood):
        fit_choix_map([0], [1], [1], 2, prior_sd=np.inf)


def test_what_choix_cannot_read_is_refused() -> None:
    with pytest.raises(ValueError, match="wins only"):
        fit_choix_map([0], [1], [0.7], 2)
    with pytest.raises(ValueError, match="prior_sd"):
        fit_choix_map([0], [1], [1], 2, prior_sd=0.0)
