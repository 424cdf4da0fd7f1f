"""Grade scales, agreement and review."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.grading import (
    GradeScale,
    UnknownGrade,
    UnknownScale,
    agreement,
    own_scale,
    review_priority,
    scale_named,
)


def test_the_built_in_scales_run_from_worst_to_best() -> None:
    assert scale_named("swedish_8_anchor").labels == ("F", "E", "D", "D+", "C", "C+", "B", "A")
    assert scale_named("eng5_np_legacy_9_step").labels == ("F", "F+", "E-", "E+", "D-", "D+", "C-", "C+", "B", "A")
    assert scale_named("eng5_np_national_9_step").labels == tuple("0123456789")
    assert scale_named("cefr").labels == ("A1", "A2", "B1", "B2", "C1", "C2")


def test_a_grade_is_found_among_grades_and_labels() -> None:
    scale = scale_named("eng5_np_legacy_9_step")
    assert scale.grade_index("F+") == 0
    assert scale.label_index("F+") == scale.grade_index("F+") + scale.labels_below == 1
    assert scale.label_index("F") == 0


def test_a_grade_off_the_scale_is_refused_with_those_on_it() -> None:
    with pytest.raises(UnknownGrade, match=r"'D'.*A1, A2"):
        scale_named("cefr").grade_index("D")
    with pytest.raises(UnknownGrade, match=r"F\+, E-"):
        scale_named("eng5_np_legacy_9_step").grade_index("F")
    with pytest.raises(UnknownScale, match="cefr"):
        scale_named("gcse")


def test_ones_own_scale_is_a_scale() -> None:
    assert own_scale(["fail", "pass"]).labels == ("fail", "pass")
    assert own_scale(["E", "A"], below_lowest="F").labels == ("F", "E", "A")


@pytest.mark.parametrize(
    ("grades", "below", "complaint"),
    [
        (["A"], None, "at least two"),
        (["A", "A"], None, "twice"),
        (["A", " "], None, "empty"),
        (["A", "B"], "A", "twice"),
    ],
)
def test_what_cannot_be_a_scale_is_refused(grades: list[str], below: str | None, complaint: str) -> None:
    with pytest.raises(UnknownScale, match=complaint):
        GradeScale("mine", tuple(grades), below)


def test_agreement_by_hand() -> None:
    found = agreement([0, 1, 2, 3], [0, 2, 2, 1], 4)
    assert (found.n, found.exact, found.adjacent, found.mae) == (4, 0.5, 0.75, 0.75)
    # weights d^2: observed 0+1+0+4 = 5 of 4 pairs; expected over the 16 pairs of margins 23 / 4
    differences = [(a - b) ** 2 for a in (0, 1, 2, 3) for b in (0, 2, 2, 1)]
    assert found.qwk == pytest.approx(1 - 5 / (sum(differences) / 4))
    assert found.spearman == pytest.approx(0.316228, abs=1e-6)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=40))
def test_perfect_agreement_is_perfect(grades: list[int]) -> None:
    found = agreement(grades, grades, 6)
    assert (found.exact, found.adjacent, found.mae) == (1.0, 1.0, 0.0)
    assert np.isnan(found.qwk) if len(set(grades)) == 1 else found.qwk == 1.0


def test_agreement_that_is_not_defined_is_not_a_number() -> None:
    assert np.isnan(agreement([], [], 3).exact)
    assert np.isnan(agreement([1, 1], [0, 2], 3).spearman)


def test_ungraded_essays_do_not_slip_into_agreement() -> None:
    with pytest.raises(ValueError, match="leave ungraded"):
        agreement([-1, 0], [0, 0], 3)
    with pytest.raises(ValueError, match="one length"):
        agreement([0], [0, 1], 3)


def test_review_puts_doubt_first_and_large_errors_before_small_ones() -> None:
    probabilities = np.array(
        [[0.0, 1.0, 0.0, 0.0], [0.0, 0.6, 0.4, 0.0], [0.0, 0.6, 0.0, 0.4], [0.3, 0.3, 0.2, 0.2], [np.nan] * 4]
    )
    priority = review_priority(probabilities, np.array([1, 1, 1, 1, -1]))
    assert priority == pytest.approx([0, 0.4 * 0.5, 0.4 * 0.75, 0.3 * 0.5 + 0.2 * 0.5 + 0.2 * 0.75, 1.0])
