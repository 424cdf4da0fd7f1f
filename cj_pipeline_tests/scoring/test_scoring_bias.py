"""Length and group effects come back as they were put in, and nothing is found where nothing is."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring.bias import GroupEffect, group_effects, length_effect
from cj_pipeline.scoring.bradley_terry_scores import fit_votes
from cj_pipeline.scoring.regression import regress
from cj_pipeline_tests.scoring.simulated_panel import Panel, simulate


def effects_of(panel: Panel, *, graded: bool = True) -> list[GroupEffect]:
    fit = fit_votes(panel.votes)
    return group_effects(panel.scored(fit, graded=graded), panel.votes, panel.schools(), fit.phi)


def test_a_regression_gives_back_its_coefficients_and_their_errors() -> None:
    rng = np.random.default_rng(1)
    off = []
    for _ in range(200):
        design = np.column_stack([rng.normal(size=30), np.ones(30)])
        variances = rng.uniform(0.1, 1.0, 30)
        values = design @ [0.5, -1.0] + rng.normal(size=30) * np.sqrt(variances + 0.4)
        found = regress(values, variances, design)
        assert found is not None
        off.append((found.coefficients - [0.5, -1.0]) / found.standard_errors)
    assert np.mean(off, axis=0) == pytest.approx([0, 0], abs=0.25)
    assert np.mean(np.abs(off) > 2.05) == pytest.approx(0.05, abs=0.04)


def test_with_equal_errors_a_regression_is_least_squares() -> None:
    x, y = np.arange(10.0), np.array([1.0, 3, 2, 5, 4, 6, 8, 7, 9, 12])
    found = regress(y, np.full(10, 1e-9), np.column_stack([x, np.ones(10)]))
    slope, intercept = np.polyfit(x, y, 1)
    assert found is not None
    assert found.coefficients == pytest.approx([slope, intercept])
    residual = y - slope * x - intercept
    assert found.standard_errors[0] == pytest.approx(
        np.sqrt(residual @ residual / 8 / ((x - 4.5) ** 2).sum()), rel=1e-4
    )


def test_too_few_essays_and_columns_that_say_the_same_have_no_regression() -> None:
    assert regress(np.zeros(4), np.ones(4), np.ones((4, 1))) is None
    assert regress(np.zeros(20), np.ones(20), np.ones((20, 2))) is None


def test_a_length_effect_comes_back_as_it_was_put_in() -> None:
    found = []
    for seed in range(10):
        panel = simulate(seed, n_essays=80, n_pairs=1200, length=0.8)
        effect = length_effect(panel.scored(fit_votes(panel.votes)), panel.word_counts)
        assert effect is not None
        assert effect.method == "within grades"
        found.append(effect.effect)
    assert np.mean(found) == pytest.approx(0.8, abs=0.12)


def test_what_is_known_of_grades_decides_how_length_is_measured() -> None:
    panel = simulate(1)
    scored = panel.scored(fit_votes(panel.votes))
    methods = []
    for graded in (48, 12, 0):
        scored.grade[graded:] = -1
        effect = length_effect(scored, panel.word_counts)
        assert effect is not None
        methods.append((effect.method, effect.essays))
    assert methods == [("within grades", 48), ("given grade", 12), ("association", 48)]


def test_essays_of_one_length_have_no_length_effect() -> None:
    panel = simulate(1)
    assert length_effect(panel.scored(fit_votes(panel.votes)), [300] * 48) is None


def test_without_grades_longer_better_essays_look_like_a_length_effect_and_with_them_not() -> None:
    panels = [simulate(seed, n_essays=80, n_pairs=800) for seed in range(6)]
    measured: dict[bool, list[float]] = {True: [], False: []}
    for panel in panels:
        for graded, effects in measured.items():
            effect = length_effect(panel.scored(fit_votes(panel.votes), graded=graded), panel.word_counts)
            assert effect is not None
            effects.append(effect.effect)
    assert np.mean(measured[False]) > 0.5
    assert np.mean(measured[True]) == pytest.approx(0, abs=0.2)


def test_a_group_that_all_judges_favour_is_found_given_the_grade() -> None:
    found = []
    for seed in range(8):
        (effect,) = effects_of(simulate(seed, n_essays=80, n_pairs=1200, group=1.0))
        assert (effect.method, effect.judge, effect.group) == ("within grades", None, "north")
        found.append(effect.effect)
    assert np.mean(found) == pytest.approx(1.0, abs=0.15)


def test_a_group_that_one_judge_favours_is_found_without_any_grade() -> None:
    found = []
    for seed in range(8):
        effects = effects_of(
            simulate(seed, n_essays=80, n_pairs=900, discrimination=[1, 1, 1], private_group=1.0), graded=False
        )
        by_judge = {effect.judge: effect for effect in effects}
        assert set(by_judge) == {None, 0, 1, 2}
        assert by_judge[None].method == "association"
        assert by_judge[0].method == "against the other judges"
        assert by_judge[0].p_adjusted == min(1.0, 4 * by_judge[0].p_value)
        found.append(by_judge[0].effect)
    assert np.mean(found) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize(
    "values",
    [
        ["same"] * 48,  # one group
        [f"pupil {number}" for number in range(48)],  # names
        ["large"] * 45 + ["small"] * 3,  # a group too small
        [None] * 48,
    ],
)
def test_a_column_that_makes_no_groups_is_passed_over(values: list[str | None]) -> None:
    panel = simulate(1)
    fit = fit_votes(panel.votes)
    assert group_effects(panel.scored(fit), panel.votes, {"column": values}, fit.phi) == []


def null_p_values(reps: int, **panel: Any) -> Iterator[tuple[str, float]]:
    for seed in range(reps):
        drawn = simulate(1000 + seed, **panel)
        effect = length_effect(drawn.scored(fit_votes(drawn.votes)), drawn.word_counts)
        assert effect is not None
        yield "length", effect.p_value
        for found in effects_of(drawn):
            yield "group" if found.judge is None else "group by judge", found.p_value


def false_alarms(reps: int, **panel: Any) -> dict[str, FloatArray]:
    found: dict[str, list[float]] = {}
    for name, p_value in null_p_values(reps, **panel):
        found.setdefault(name, []).append(p_value)
    return {name: np.array(values) for name, values in found.items()}


def test_nothing_is_found_where_nothing_is() -> None:
    for name, p_values in false_alarms(25, discrimination=[1.0, 1.0]).items():
        assert np.sum(p_values < 0.01) <= 1, name
        assert np.sum(p_values < 0.05) <= 4, name


@pytest.mark.parametrize(
    ("reps", "discrimination"),
    [
        pytest.param(400, [1.0], marks=pytest.mark.heavy),
        pytest.param(120, [0.5, 1.0, 1.6], marks=pytest.mark.endurance),
    ],
)
def test_false_alarms_are_as_rare_as_they_say(reps: int, discrimination: list[float]) -> None:
    for name, p_values in false_alarms(reps, discrimination=discrimination).items():
        assert np.mean(p_values < 0.05) <= 0.075, name
        assert np.mean(p_values < 0.01) <= 0.02, name
