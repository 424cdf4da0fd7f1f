"""The mirrored audit and the description of a design."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cj_pipeline.pairing import describe_design, draw_mirrored_audit, plan_single_wave


@given(st.integers(4, 40), st.integers(0, 10), st.data())
@settings(max_examples=100, deadline=None)
def test_an_audit_draws_different_pairs_of_the_plan(n_students: int, n_anchors: int, data: st.DataObject) -> None:
    first, second = plan_single_wave(n_students, n_anchors, 6 * n_students, 5)
    n_audit = data.draw(st.integers(0, first.size))
    drawn = draw_mirrored_audit(first, second, n_audit, seed=3)
    assert drawn.size == np.unique(drawn).size == n_audit
    assert np.array_equal(drawn, np.sort(drawn))
    assert np.array_equal(drawn, draw_mirrored_audit(first, second, n_audit, seed=3))


def test_a_small_audit_takes_no_essay_twice() -> None:
    first, second = plan_single_wave(25, 12, 260, 1)
    drawn = draw_mirrored_audit(first, second, 16, seed=1)
    essays = np.concatenate([first[drawn], second[drawn]])
    assert np.bincount(essays).max() <= 2
    assert np.unique(essays).size >= 28


def test_a_larger_audit_stays_even() -> None:
    first, second = plan_single_wave(100, 0, 1000, 1)
    drawn = draw_mirrored_audit(first, second, 200, seed=1)
    load = np.bincount(np.concatenate([first[drawn], second[drawn]]), minlength=100)
    assert load.min() >= 2
    assert load.max() <= 6


def test_an_audit_of_more_pairs_than_there_are_is_refused() -> None:
    first, second = plan_single_wave(4, 0, 6, 0)
    with pytest.raises(ValueError, match="audit of 7"):
        draw_mirrored_audit(first, second, 7, seed=0)


def test_a_design_is_described_as_it_is() -> None:
    first, second = np.array([0, 1, 1, 4, 1]), np.array([1, 0, 2, 5, 2])
    design = describe_design(first, second, 7)
    assert design.comparisons.tolist() == [2, 4, 2, 0, 1, 1, 0]
    assert design.first_seats.tolist() == [1, 3, 0, 0, 1, 0, 0]
    assert design.components.tolist() == [0, 0, 0, 2, 1, 1, 3]
    assert design.n_components == 4
    assert design.max_seat_imbalance == 2
    assert design.n_duplicates == 2
    assert (design.min_comparisons, design.max_comparisons) == (0, 4)


def test_no_pairs_at_all_is_a_design_of_separate_essays() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    design = describe_design(nothing, nothing, 3)
    assert design.n_components == 3
    assert design.comparisons.tolist() == [0, 0, 0]
