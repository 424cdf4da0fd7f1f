"""Groups that never met, and maxima that do not exist, are found from a sample of the comparisons exactly."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.design import component_labels
from cj_pipeline.scoring import NoMaximumLikelihood
from cj_pipeline.scoring.existence import proves_no_separation, refuse_separated
from cj_pipeline.scoring.likelihood import Prior
from cj_pipeline.scoring.newton import find_mode
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


@given(
    st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(1, 120), st.floats(0.5, 8), st.integers(0, 12),
    st.booleans(), st.booleans(),
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_the_gradient_proves_a_maximum_only_where_there_is_one(
    seed: int, n_items: int, size: int, sigma: float, steps: int, order_effect: bool, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(n_items, size=(2, size))
    first, second = first[first != second], second[first != second]
    truth = rng.normal(size=n_items) * sigma
    won = (rng.random(first.size) < 1 / (1 + np.exp(truth[second] - truth[first]))).astype(float)
    weights = rng.uniform(0.01, 3, first.size) if weighted else None
    counts = count_pairs(first, second, won, n_items, n_orders=int(order_effect and first.size > 0), weights=weights)
    components = counts.components()
    if proves_no_separation(counts, find_mode(counts, components, Prior(0.0, 0.0), at_most=steps)):
        refuse_separated(first, second, won, components)


@pytest.mark.parametrize("ties", [False, True])
def test_the_gradient_of_a_large_batch_proves_that_its_maximum_exists(ties: bool) -> None:
    rng = np.random.default_rng(3)
    first, second = plan_single_wave(400, 0, 12_000, 3)
    truth = rng.normal(size=400)
    won = (rng.random(first.size) < 1 / (1 + np.exp(truth[second] - truth[first]))).astype(float)
    won[::7] = 0.5
    counts = count_pairs(first, second, won, 400, tie_parameter=ties)
    mode = find_mode(counts, counts.components(), Prior(0.0, 0.0))
    assert mode.settled
    assert proves_no_separation(counts, mode)


def test_the_refusal_names_the_essays_on_the_smaller_side() -> None:
    first, second = np.array([0, 1, 2, 0]), np.array([1, 2, 0, 3])
    with pytest.raises(NoMaximumLikelihood, match=r"essays \[3\] never lose to, or never beat"):
        refuse_separated(first, second, np.ones(4), np.zeros(4, dtype=int))
