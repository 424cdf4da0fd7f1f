"""Groups that never met, and maxima that do not exist, are found from a sample of the comparisons exactly."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from cj_pipeline.pairing.design import component_labels
from cj_pipeline.scoring import NoMaximumLikelihood
from cj_pipeline.scoring.existence import refuse_separated
from cj_pipeline.scoring.pair_counts import count_pairs


@given(
    st.integers(0, 2**32 - 1), st.integers(2, 30), st.integers(1, 800), st.integers(1, 3), st.sampled_from([1, 3, 8])
)
@settings(max_examples=150, deadline=None)
def test_a_sample_of_the_links_finds_what_all_of_them_say(
    seed: int, n_items: int, size: int, n_groups: int, sigma: float
) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(n_groups, size=n_items)
    first, second = rng.integers(n_items, size=(2, size))
    kept = (first != second) & (group[first] == group[second])
    first, second = first[kept], second[kept]
    truth = rng.normal(size=n_items) * sigma
    won = (rng.random(first.size) < 1 / (1 + np.exp(truth[second] - truth[first]))).astype(float)
    won[rng.random(first.size) < 0.02] = 0.5

    components = count_pairs(first, second, won, n_items, n_orders=0).components()
    assert components.tolist() == component_labels(first, second, n_items).tolist()

    winner = np.concatenate([first[won > 0], second[won < 1]])
    loser = np.concatenate([second[won > 0], first[won < 1]])
    graph = sp.csr_array((np.ones(winner.size), (winner, loser)), shape=(n_items, n_items))
    _, strong = connected_components(graph, directed=True, connection="strong")
    if (np.bincount(strong)[strong] < np.bincount(components)[components]).any():
        with pytest.raises(NoMaximumLikelihood):
            refuse_separated(first, second, won, components)
    else:
        refuse_separated(first, second, won, components)


def test_the_refusal_names_the_essays_on_the_smaller_side() -> None:
    first, second = np.array([0, 1, 2, 0]), np.array([1, 2, 0, 3])
    with pytest.raises(NoMaximumLikelihood, match=r"essays \[3\] never lose to, or never beat"):
        refuse_separated(first, second, np.ones(4), np.zeros(4, dtype=int))
