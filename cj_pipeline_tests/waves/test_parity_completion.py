"""Parity with the predecessor: totals, completion, stuck batches (CJ-P15 to CJ-P31, CJ-P48 to CJ-P53)."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cj_pipeline.batch import JudgeSection
from cj_pipeline.errors import BatchError
from cj_pipeline.jobs.job import Job, State
from cj_pipeline.jobs.plan import comparison_budget, pairs_of
from cj_pipeline.jobs.reconciliation import answers_of
from cj_pipeline.judging import Answer, ErrorCode
from cj_pipeline.store import Store
from cj_pipeline.waves.budget import ComparisonBudget
from cj_pipeline.waves.coverage import Coverage, coverage_of
from cj_pipeline.waves.decision import Decision, TerminalLabel, WaveState, decide
from cj_pipeline.waves.failed_pool import FailedComparison, retry_round
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline.waves.next_wave import plan_first_wave, plan_next_wave
from cj_pipeline.waves.processing_metadata import processing_metadata
from cj_pipeline.waves.rules import StopRule, WaveRules
from cj_pipeline_tests.waves.in_waves import batch_of
from cj_pipeline_tests.waves.parity_case import case
from cj_pipeline_tests.waves.pure_loop import essays_numbered, latent_judge, play

PER_REQUEST, BUNDLE, BATCH_API = LLMBatchingMode
SCORE, FAIL, MORE, WAIT = Decision


def single_wave(answered: int, failed: int, *, planned: int | None = None, rate: float = 0.8) -> WaveState:
    """A batch in provider_batch_api with so many outcomes."""
    planned = answered + failed if planned is None else planned
    return WaveState(
        BATCH_API, 24, 0, planned, answered, failed, Coverage(276, answered), rules=WaveRules(min_success_rate=rate)
    )


@pytest.mark.parametrize(("cap", "n_essays", "pairs"), [case("CJ-P15", 350, 4, 6), (60, 24, 60)])
def test_all_of_it_means_the_planned_comparisons(tmp_path: Path, cap: int, n_essays: int, pairs: int) -> None:
    """There 350, the cap, which no batch of 4 essays can reach. Corrected by design §7: min(cap, nC2)."""
    assert pairs_of(batch_of(tmp_path / "batch", BATCH_API, n_essays, cap)).num_rows == pairs
    assert decide(single_wave(pairs, 0)).label is TerminalLabel.SINGLE_WAVE_COMPLETE


@pytest.mark.parametrize("cap", [case("CJ-P16", 0)])
def test_a_batch_without_a_budget_is_refused_and_one_without_pairs_is_not_complete(tmp_path: Path, cap: int) -> None:
    """There a RuntimeError deep in the completion check, caught by each caller in its own way.

    Corrected by design §4: refused when the batch is read; without a cap it has the default.
    """
    with pytest.raises(BatchError, match=r"batch\.toml.*max_comparisons"):
        batch_of(tmp_path / "none", BUNDLE, 4, cap)
    assert comparison_budget(batch_of(tmp_path / "default", BUNDLE, 24, None)).pairs == 7 * 24
    assert decide(single_wave(0, 0)).decision is MORE


@pytest.mark.parametrize(
    ("n_essays", "budget", "n_waves", "total"),
    [case("CJ-P17", 50, 100, 1, 25), case("CJ-P18", 80, 55, 2, 55), case("CJ-P19", 20, 100, 10, 100)],
)
def test_waves_add_up_to_the_budget_and_never_change_it(n_essays: int, budget: int, n_waves: int, total: int) -> None:
    """P18: 40 pairs and a second wave of the 15 that the budget leaves."""
    essays = essays_numbered(n_essays)
    pairs = plan_first_wave(essays, budget, 7)
    for wave in range(2, n_waves + 1):
        asked = frozenset(pairs["pair_id"].to_pylist())
        following = plan_next_wave("coverage", essays, pairs, asked, {}, budget - pairs.num_rows, wave, 7)
        pairs = pa.concat_tables([pairs, following]).unify_dictionaries()
    assert pairs.num_rows == total
    assert max(pairs["wave"].to_pylist()) == n_waves
    assert pairs["pair_id"].to_pylist() == list(range(total))


@pytest.mark.parametrize(("budget", "first_wave"), [case("CJ-P20", 60, 10)])
def test_the_budget_of_five_essays_stays_60_though_their_single_wave_holds_10(
    tmp_path: Path, budget: int, first_wave: int
) -> None:
    pairs = {mode: comparison_budget(batch_of(tmp_path / mode, mode, 5, budget)).pairs for mode in (BUNDLE, BATCH_API)}
    assert pairs == {BUNDLE: budget, BATCH_API: first_wave}


@pytest.mark.parametrize(
    "decisions",
    [
        case("CJ-P21", {(7, 3): FAIL, (8, 2): SCORE}),
        case("CJ-P22", {(7, 3): FAIL, (8, 2): SCORE, (9, 1): SCORE}),
        case("CJ-P31", {(5, 5): FAIL, (8, 2): SCORE, (35, 10): FAIL, (36, 9): SCORE}),
        case("CJ-P48", {(17, 3): SCORE}),
        case("CJ-P49", {(8, 2): SCORE}),
        case("CJ-P50", {(6, 4): FAIL}),
    ],
)
def test_a_batch_is_scored_from_four_fifths_of_verdicts_on(decisions: dict[tuple[int, int], Decision]) -> None:
    """There three thresholds (a policy, a flag that nobody read, a monitor after four hours) with one number.

    Corrected by design §7: one guard, when every comparison has its outcome; what a provider did not run is expired
    and counts as failed, so that no batch is stuck (P48 to P50).
    """
    assert {counts: decide(single_wave(*counts)).decision for counts in decisions} == decisions


@pytest.mark.parametrize("state", [case("CJ-P23", single_wave(9, 1))])
def test_deciding_twice_changes_nothing(state: WaveState) -> None:
    """There a flag that was set once. Here the decision is a function of the counts."""
    assert decide(state) == decide(state)


@pytest.mark.parametrize("before", [case("CJ-P24", single_wave(5, 0, planned=10))])
def test_an_answer_without_a_verdict_counts_as_failed_and_nothing_else(before: WaveState) -> None:
    after = replace(before, failed=before.failed + 1)
    counts = [
        {name: shown[name] for name in ("total_comparisons", "completed_comparisons", "failed_comparisons")}
        for shown in (
            processing_metadata(state, decide(state), ComparisonBudget(10, "service_default"), wave=1)
            for state in (before, after)
        )
    ]
    assert counts[0] == {"total_comparisons": 10, "completed_comparisons": 5, "failed_comparisons": 0}
    assert counts[1] == counts[0] | {"failed_comparisons": 1}


@pytest.mark.parametrize(("planned", "answered", "rates"), [case("CJ-P25", 100, 34, [0.95, 0.5])])
def test_a_batch_with_comparisons_out_waits_for_them_at_any_threshold(
    planned: int, answered: int, rates: list[float]
) -> None:
    """There 34 of 100 were complete at a threshold of 30 %. Corrected by design §7: every comparison has an outcome."""
    for rate in rates:
        assert decide(single_wave(answered, 0, planned=planned, rate=rate)).decision is WAIT


@pytest.mark.parametrize(
    "rows",
    [
        case(
            "CJ-P26",
            [
                (95, 5, 0.95, True),
                (80, 20, 0.95, False),
                (85, 15, 0.8, True),
                (48, 2, 0.96, True),
                (180, 20, 0.85, True),
            ],
        )
    ],
)
def test_the_success_rate_that_is_asked_for_can_be_set(rows: list[tuple[int, int, float, bool]]) -> None:
    for answered, failed, rate, enough in rows:
        assert (decide(single_wave(answered, failed, rate=rate)).decision is SCORE) is enough


@pytest.mark.parametrize("rows", [case("CJ-P27", [(5, 3, 2, False), (6, 3, 2, True)])])
def test_nothing_is_decided_before_the_last_outcome_of_a_wave(rows: list[tuple[int, int, int, bool]]) -> None:
    """There nothing happened with nothing submitted, either; here that asks for the first wave (design §7)."""
    for planned, answered, failed, waits in rows:
        state = WaveState(BUNDLE, 24, 100, planned, answered, failed, Coverage(276, answered))
        assert (decide(state).decision is WAIT) is waits
    assert decide(WaveState(BUNDLE, 24, 100, 0, 0, 0, Coverage(276, 0))).wave_kind == "coverage"


JUDGE = JudgeSection(id="j", provider="openai", model="m")


def verdict_line(custom_id: str, winner: str = "Essay A") -> dict[str, Any]:
    content = json.dumps({"winner": winner, "justification": "Clear.", "confidence": 4})
    message = {"choices": [{"message": {"content": content}, "finish_reason": "stop"}], "model": "m"}
    return {"custom_id": custom_id, "response": {"status_code": 200, "body": message}, "error": None}


def answers_to(tmp_path: Path, asked: int, lines: list[dict[str, Any]]) -> dict[str, Answer]:
    """What is read of a result file with these lines for a job of so many items."""
    store = Store(str(tmp_path))
    store.write_parquet("items.parquet", pa.table({"custom_id": [f"i{number}" for number in range(asked)]}))
    written = store.write("output.jsonl", (json.dumps(line).encode() + b"\n" for line in lines))
    nothing: dict[str, Any] = {field.name: None for field in fields(Job)}
    job = Job(
        **nothing
        | {"job_id": "j", "batch_id": "b", "provider": "openai", "items_path": "items.parquet", "state": State.FETCHED}
        | {"output_path": written.path, "output_sha256": written.sha256, "phase": "completed"}
    )
    return answers_of(store, job, JUDGE)


@pytest.mark.parametrize("repeated", [case("CJ-P28", 2)])
def test_an_answer_that_comes_twice_counts_once(tmp_path: Path, repeated: int) -> None:
    """There a second callback; here a line that stands twice in the result file."""
    (answer,) = answers_to(tmp_path, 1, [verdict_line("i0")] * repeated).values()
    assert answer.error_code is None
    (contradicted,) = answers_to(tmp_path, 1, [verdict_line("i0"), verdict_line("i0", "Essay B")]).values()
    assert contradicted.error_code is ErrorCode.CONFLICTING_RESULTS


@pytest.mark.parametrize("codes", [case("CJ-P29", {None: ErrorCode.MISSING_RESULT, True: ErrorCode.SERVER_ERROR})])
def test_a_line_with_neither_verdict_nor_reason_is_a_failure_with_a_code(
    tmp_path: Path, codes: dict[bool | None, ErrorCode]
) -> None:
    """There INVALID_RESPONSE, never asked again. Corrected by design §6.9: nothing was judged, so it is asked again."""
    for error, code in codes.items():
        (answer,) = answers_to(tmp_path, 1, [{"custom_id": "i0", "response": None, "error": error}]).values()
        assert (answer.verdict, answer.error_code) == (None, code)
        assert answer.may_be_asked_again(1)
        assert not answer.may_be_asked_again(3)


@pytest.mark.parametrize("count", [case("CJ-P30", 10)])
def test_ten_answers_in_any_order_are_ten_judgments(tmp_path: Path, count: int) -> None:
    """There ten callbacks at once; here ten lines in an order of the provider's."""
    lines = [verdict_line(f"i{number}") for number in reversed(range(count))]
    answers = answers_to(tmp_path, count, lines)
    assert [answer.error_code for answer in answers.values()] == [None] * count


@pytest.mark.parametrize("state", [case("CJ-P51", single_wave(0, 0))])
def test_a_batch_with_nothing_planned_is_planned_and_not_failed(state: WaveState) -> None:
    """There 0 of 0 was 0 % and failed after four hours. Corrected by design §7: no dead ends."""
    assert decide(state).decision is MORE


@pytest.mark.parametrize("n_essays", [case("CJ-P52", 1)])
def test_a_batch_of_too_few_essays_is_at_its_end_and_stays_there(n_essays: int) -> None:
    state = WaveState(BUNDLE, n_essays, 100, 0, 0, 0, Coverage(0, 0))
    assert decide(state).label is TerminalLabel.INSUFFICIENT_ESSAYS
    assert decide(replace(state, planned=3)).label is TerminalLabel.INSUFFICIENT_ESSAYS


@pytest.mark.parametrize(("pairs", "budget"), [case("CJ-P53", 45, 120)])
def test_a_wave_that_is_answered_ends_at_once_though_the_budget_is_larger(
    tmp_path: Path, pairs: int, budget: int
) -> None:
    """There a sweep ended it within five minutes, without looking at the success rate, as COMPLETE_STABLE."""
    assert comparison_budget(batch_of(tmp_path / "batch", BATCH_API, 10, budget)).pairs == pairs
    done = WaveState(BATCH_API, 10, budget - pairs, pairs, pairs, 0, Coverage(45, 45))
    assert decide(done).label is TerminalLabel.SINGLE_WAVE_COMPLETE
    run = play(10, budget, latent_judge(10, 2, 1), rules=WaveRules(rule=StopRule.NONE))
    assert run.label == "coverage_exhausted"
    assert sum(run.waves) == 2 * pairs


def test_expired_comparisons_are_asked_again_before_a_batch_is_called_failed() -> None:
    """What takes the monitor's place: the expired are asked again at the end of the batch, and only then counted."""
    expired = [FailedComparison(pair) for pair in range(4)]
    assert len(retry_round(expired, end_of_batch=True).now) == 4
    assert coverage_of(essays_numbered(2), plan_first_wave(essays_numbered(2), 1, 1), {0}).complete
