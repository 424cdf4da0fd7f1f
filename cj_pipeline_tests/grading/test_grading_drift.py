"""Drift against an earlier batch, seen in the anchors that both share."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.validity.batches import Design, draw
from benchmarks.validity.judges import ORDINARY
from benchmarks.validity.product import simulated_batch
from cj_pipeline.grading.drift import EarlierBatch, aligned_shifts, drift_of, drift_rows, judge_drift
from cj_pipeline.grading.findings import grade_findings
from cj_pipeline.grading.grade_projections import grade_tables
from cj_pipeline.scoring.bradley_terry_scores import score_tables
from cj_pipeline.tables import CONTRACTS

DRAWN = draw(Design(), ORDINARY, 1)


def simulated() -> tuple[pa.Table, dict[str, pa.Table]]:
    """Essays and scores of one batch."""
    batch, _, judgments = simulated_batch(DRAWN)
    return batch.essays, score_tables(batch.essays, judgments, ["simulated"])


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=20), st.floats(-9, 9))
def test_another_origin_is_no_drift(scores: list[float], origin: float) -> None:
    before = np.array(scores)
    shifts = aligned_shifts(before + origin, before, np.full(before.size, 0.5))
    assert shifts == pytest.approx(np.zeros(before.size), abs=1e-9)
    assert not judge_drift(shifts, np.full(before.size, 0.5)).drifted


def test_one_anchor_that_moved_is_found_and_does_not_move_the_others() -> None:
    before = np.linspace(-2, 2, 12)
    after = before + 0.7
    after[4] += 4
    errors = np.full(12, 0.8)
    drift = judge_drift(aligned_shifts(after, before, errors), errors)
    assert drift.drifted
    assert np.flatnonzero(drift.moved).tolist() == [4]
    assert drift.spread < 0.1


def test_anchors_that_all_moved_a_little_are_a_spread() -> None:
    rng = np.random.default_rng(3)
    errors = np.full(12, 0.3)
    drift = judge_drift(aligned_shifts(rng.normal(size=12) * 0.9, np.zeros(12), errors), errors)
    assert drift.spread > drift.spread_limit


def test_two_shared_anchors_say_nothing() -> None:
    with pytest.raises(ValueError, match="at least 3"):
        judge_drift(np.zeros(2), np.ones(2))
    assert drift_of(CONTRACTS["anchor_drift"].empty_table()) is None


def test_anchors_are_known_by_their_text_and_the_finding_names_those_that_moved() -> None:
    batch, _, judgments = simulated_batch(DRAWN)
    essays, tables = simulated()
    renamed = essays.set_column(
        0, essays.schema.field(0), pa.array([f"old-{n}" for n in range(37)]).cast(essays.schema.field(0).type)
    )
    scores = tables["bradley_terry_scores"]
    moved = scores["unshrunk_score"].to_numpy().copy()
    moved[7] += 9
    scores = scores.set_column(0, scores.schema.field(0), renamed["essay_id"])
    place = scores.schema.get_field_index("unshrunk_score")
    scores = scores.set_column(place, scores.schema.field(place), pa.array(moved))
    graded = grade_tables(batch, judgments, [], earlier=EarlierBatch("autumn", renamed, scores))
    rows = graded["anchor_drift"].to_pylist()
    assert [row["earlier_essay_id"] for row in rows] == [f"old-{n}" for n in range(12)]
    assert {row["earlier_batch"] for row in rows} == {"autumn"}
    found = {one.name: one for one in grade_findings({**graded, "essays": essays}, max_ungraded_share=0.2)}["drift"]
    assert not found.passed
    assert f"furthest: {rows[7]['essay_id']} -" in found.summary
    assert not found.stops_grades


def test_without_an_earlier_batch_there_is_nothing_to_say() -> None:
    batch, _, judgments = simulated_batch(DRAWN)
    graded = grade_tables(batch, judgments, [])
    assert graded["anchor_drift"].num_rows == 0
    found = grade_findings({**graded, "essays": batch.essays}, max_ungraded_share=0.2)
    assert {one.name: one.passed for one in found}["drift"]


def test_anchors_of_another_set_of_linked_essays_are_left_out() -> None:
    essays, tables = simulated()
    batch, _, _ = simulated_batch(DRAWN)
    fit = DRAWN.fit()
    apart = replace(fit, component=np.where(np.arange(37) < 2, 1, 0))
    rows = drift_rows(batch, apart, EarlierBatch("autumn", essays, tables["bradley_terry_scores"]))
    assert len(rows) == 10
