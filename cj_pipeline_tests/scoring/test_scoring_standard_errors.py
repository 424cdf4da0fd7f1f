"""Standard errors: exact where it is affordable, certified above, never those of a reference essay."""

import numpy as np
import pytest
from scipy.special import expit

from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring import fit_bradley_terry
from cj_pipeline.scoring.fit import fit_mode
from cj_pipeline.scoring.pair_counts import count_pairs
from cj_pipeline.scoring.standard_errors import centred_covariances, centred_variances


def outcomes(first: IntArray, second: IntArray, n_items: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n_items) * 1.5
    return (rng.random(first.size) < expit(truth[first] - truth[second] + 0.3)).astype(float)


def test_exact_columns_and_cholesky_agree() -> None:
    first, second = plan_single_wave(150, 12, 1200, 1)
    counts = count_pairs(first, second, outcomes(first, second, 162, 1), 162)
    mode, _ = fit_mode(counts, counts.components())
    exact = centred_variances(mode.information, counts.components())
    columns = centred_covariances(mode.information, counts.components(), np.arange(162))
    assert np.diag(columns) == pytest.approx(exact.scores, rel=1e-6)
    assert columns.sum(axis=0) == pytest.approx(np.zeros(162), abs=1e-9)
    assert columns == pytest.approx(columns.T, abs=1e-7)


@pytest.mark.parametrize(("n_students", "n_anchors", "n_pairs"), [(4000, 0, 40_000), (4000, 12, 44_000)])
def test_the_cavity_iteration_is_within_one_per_cent_of_cholesky(
    n_students: int, n_anchors: int, n_pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = plan_single_wave(n_students, n_anchors, n_pairs, 1)
    n_items = n_students + n_anchors
    counts = count_pairs(first, second, outcomes(first, second, n_items, 1), n_items)
    components = counts.components()
    mode, _ = fit_mode(counts, components)
    cavity = centred_variances(mode.information, components)
    monkeypatch.setattr("cj_pipeline.scoring.standard_errors.EXACT_UP_TO", 5000)
    exact = centred_variances(mode.information, components)
    errors = np.sqrt(cavity.scores / exact.scores) - 1
    assert np.abs(errors[n_anchors:]).max() < 0.01
    assert np.abs(errors).max() < 0.03
    assert cavity.orders == pytest.approx(exact.orders, rel=1e-3)
    assert 0 < cavity.largest_error < 0.03


def test_where_the_cavity_iteration_fails_errors_are_widened_instead_of_trusted() -> None:
    n_items = 3200
    ring = np.arange(n_items)
    first = np.concatenate([ring] * 4)
    second = np.concatenate([(ring + step) % n_items for step in (1, 2, 3, 4)])
    fit = fit_bradley_terry(first, second, outcomes(first, second, n_items, 1), n_items, order_effect=False)
    counts = count_pairs(first, second, outcomes(first, second, n_items, 1), n_items, n_orders=0)
    mode, _ = fit_mode(counts, counts.components())
    sample = np.arange(0, n_items, 160)
    exact = np.diag(centred_covariances(mode.information, counts.components(), sample)[sample])
    assert fit.standard_error_accuracy > 0.02
    assert (fit.standard_errors[sample] > 0.97 * np.sqrt(exact)).all()


def test_repeats_of_a_pair_count_as_one_link_in_the_cavity_iteration() -> None:
    first, second = plan_single_wave(3500, 0, 17_500, 1)
    first, second = np.tile(first, 3), np.tile(second, 3)
    fit = fit_bradley_terry(first, second, outcomes(first, second, 3500, 1), 3500)
    assert fit.standard_error_accuracy < 0.02


def test_small_groups_beside_a_large_one_have_exact_errors() -> None:
    first, second = plan_single_wave(3100, 0, 31_000, 1)
    alone = fit_bradley_terry([0, 1], [1, 0], [1, 1], 2, order_effect=False)
    beside = fit_bradley_terry(
        np.append(first, [3100, 3101]),
        np.append(second, [3101, 3100]),
        np.append(outcomes(first, second, 3100, 1), [1, 1]),
        3103,
        order_effect=False,
    )
    assert beside.standard_errors[3100:3102] == pytest.approx(alone.standard_errors, rel=1e-6)
    assert beside.scores[3100:3102] == pytest.approx(alone.scores, abs=1e-6)
    assert np.isnan(beside.standard_errors[3102])


def test_a_tiny_prior_precision_does_not_spoil_the_errors() -> None:
    first, second = np.triu_indices(12, 1)
    outcome = np.full(first.size, 0.5)
    flat = fit_bradley_terry(first, second, outcome, 12, prior_sd=1e6, order_effect=False).standard_errors
    free = fit_bradley_terry(first, second, outcome, 12, prior_sd=np.inf, order_effect=False).standard_errors
    assert flat == pytest.approx(free, rel=1e-9)
