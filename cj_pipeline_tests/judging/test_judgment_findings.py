"""Each claim about judgments goes red for its own fault, and for no other."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cj_pipeline.batch import Batch, read_batch
from cj_pipeline.findings import Finding, Kind
from cj_pipeline.judging import CONSEQUENCES, ErrorCode
from cj_pipeline.judging.findings import CHECKS, judgment_findings, unanswered_essays
from cj_pipeline.judging.questions import fingerprint, fingerprint_stem, questions_of
from cj_pipeline.pairing.comparison_pairs import pair_budget, plan_comparison_pairs
from cj_pipeline.tables import conform
from cj_pipeline_tests.installation import small_batch

ESSAYS = 15  # every essay meets all others: 105 pairs, 14 comparisons each
Row = dict[str, Any]
Spoil = Callable[[list[Row]], list[Row]]


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return read_batch(small_batch(tmp_path_factory.mktemp("b") / "fifteen", essays=ESSAYS, max_comparisons=1000))


@pytest.fixture(scope="module")
def pairs(batch: Batch) -> pa.Table:
    budget = pair_budget(ESSAYS, max_comparisons=1000, judge_shares=1.0, audit_share=0.0)
    return plan_comparison_pairs(batch.essays, budget, seed=1)


@pytest.fixture
def rows(batch: Batch, pairs: pa.Table) -> list[Row]:
    """One judgment for every pair, all well; the better essay is the one with the lower id."""
    judge = batch.manifest.judges[0]
    stem = fingerprint_stem(judge, questions_of(batch)[judge.id])
    digests = dict(zip(batch.essays["essay_id"].to_pylist(), batch.essays["sha256"].to_pylist(), strict=True))
    return [
        {
            **pair,
            "judge_id": judge.id,
            "replicate": 0,
            "fingerprint": fingerprint(stem, digests[pair["essay_a"]], digests[pair["essay_b"]]),
            "outcome": "success",
            "error_code": None,
            "winner": "essay_a" if pair["essay_a"] < pair["essay_b"] else "essay_b",
            "confidence": 3,
            "justification": "Clearer.",
            "attempt": 1,
            "provider": "emulator",
            "model_requested": "latent",
            "model_reported": "latent-1",
            "input_tokens": 100,
            "cached_tokens": 0,
            "cache_write_tokens": 0,
            "output_tokens": 10,
            "cost_usd": 0.001,
            "job_id": "j",
            "custom_id": f"j-{pair['pair_id']}",
            "completed_at": datetime(2026, 11, 22, tzinfo=UTC),
        }
        for pair in pairs.drop_columns(["at_random"]).to_pylist()
    ]


def table(rows: list[Row]) -> pa.Table:
    return conform("judgments", pa.Table.from_pylist(rows))


def failed(row: Row, code: ErrorCode) -> Row:
    answer = {"winner": None, "confidence": None, "justification": None, "error_code": str(code)}
    return {**row, **answer, "outcome": str(CONSEQUENCES[code].outcome)}


def naming(rows: list[Row], essay: str) -> list[int]:
    return [index for index, row in enumerate(rows) if essay in (row["essay_a"], row["essay_b"])]


def with_failed(rows: list[Row], indices: list[int], code: ErrorCode) -> list[Row]:
    return [failed(row, code) if index in set(indices) else row for index, row in enumerate(rows)]


def findings_of(batch: Batch, pairs: pa.Table, rows: list[Row]) -> dict[str, Finding]:
    return {finding.name: finding for finding in judgment_findings(batch, pairs, table(rows))}


def red(batch: Batch, pairs: pa.Table, rows: list[Row]) -> set[str]:
    return {name for name, finding in findings_of(batch, pairs, rows).items() if not finding.passed}


def spread(count: int) -> list[int]:
    """So many positions among 105, evenly spread over the essays."""
    return [round(step * 105 / count) for step in range(count)]


def test_a_batch_that_went_well_is_green_and_shows_its_numbers(batch: Batch, pairs: pa.Table, rows: list[Row]) -> None:
    findings = findings_of(batch, pairs, rows)
    assert list(findings) == list(CHECKS)
    assert all(finding.passed for finding in findings.values())
    assert {name: finding.kind for name, finding in findings.items()} == {n: k for n, (k, _) in CHECKS.items()}
    assert findings["success_rate"].summary == "105 of 105 comparisons have a verdict (100.0%; none failed)"
    assert findings["price_applied"].numbers["cost_usd"] == pytest.approx(0.105)
    assert findings["one_model_per_judge"].summary == "judge: latent-1"


STRUCTURAL: dict[str, tuple[Spoil, set[str]]] = {
    "a lost row": (lambda rows: rows[1:], {"one_outcome_per_comparison"}),
    "a row twice": (lambda rows: [*rows, rows[0]], {"one_outcome_per_comparison"}),
    "a pair that was never planned": (
        lambda rows: [*rows, {**rows[0], "pair_id": 999}],
        {"one_outcome_per_comparison"},
    ),
    "the answer to another pair": (
        lambda rows: [
            *rows[2:],
            {**rows[0], "pair_id": rows[1]["pair_id"]},
            {**rows[1], "pair_id": rows[0]["pair_id"]},
        ],
        {"one_outcome_per_comparison"},
    ),
    "a judge nobody appointed": (
        lambda rows: [*rows, {**rows[0], "judge_id": "someone"}],
        {"one_outcome_per_comparison", "fingerprints_match"},
    ),
    "an essay of nobody": (
        lambda rows: [{**rows[0], "essay_a": "nobody"}, *rows[1:]],
        {"one_outcome_per_comparison", "fingerprints_match"},
    ),
    "the seats exchanged on the way": (
        lambda rows: [{**rows[0], "essay_a": rows[0]["essay_b"], "essay_b": rows[0]["essay_a"]}, *rows[1:]],
        {"one_outcome_per_comparison", "fingerprints_match"},
    ),
    "another question": (lambda rows: [{**rows[0], "fingerprint": "0" * 64}, *rows[1:]], {"fingerprints_match"}),
}


@pytest.mark.parametrize("fault", STRUCTURAL)
def test_what_can_never_be_right_is_structural(batch: Batch, pairs: pa.Table, rows: list[Row], fault: str) -> None:
    spoil, expected = STRUCTURAL[fault]
    findings = findings_of(batch, pairs, spoil(rows))
    assert {name for name, finding in findings.items() if not finding.passed} == expected
    assert {findings[name].kind for name in expected} == {Kind.STRUCTURAL}


def test_a_deliberate_replicate_is_no_repetition(batch: Batch, pairs: pa.Table, rows: list[Row]) -> None:
    assert red(batch, pairs, [*rows, {**rows[0], "replicate": 1}]) == set()


def test_a_low_success_rate_withholds_grades_and_says_why(batch: Batch, pairs: pa.Table, rows: list[Row]) -> None:
    # 22 of 105 failed is a success rate of .79, under the floor of .8 and evenly spread
    few = with_failed(rows, spread(22), ErrorCode.SERVER_ERROR)
    finding = findings_of(batch, pairs, few)["success_rate"]
    assert red(batch, pairs, few) == {"success_rate"}
    assert finding.stops_grades
    assert finding.numbers["failed_server_error"] == 22
    assert "22 server_error" in finding.summary
    assert red(batch, pairs, with_failed(rows, spread(21), ErrorCode.SERVER_ERROR)) == set()


def test_not_one_success_is_red_even_where_no_success_is_asked_for(
    tmp_path: Path, pairs: pa.Table, rows: list[Row]
) -> None:
    lenient = read_batch(small_batch(tmp_path / "fifteen", essays=ESSAYS, extra="[checks]\nmin_success_rate = 0.0\n"))
    nothing = with_failed(rows, list(range(105)), ErrorCode.EXPIRED)
    assert red(lenient, pairs, nothing) == {"success_rate", "answered_per_essay"}


def test_two_models_behind_one_judge_withhold_grades(batch: Batch, pairs: pa.Table, rows: list[Row]) -> None:
    changed = [*rows[:50], *({**row, "model_reported": "latent-2"} for row in rows[50:])]
    finding = findings_of(batch, pairs, changed)["one_model_per_judge"]
    assert red(batch, pairs, changed) == {"one_model_per_judge"}
    assert finding.stops_grades
    assert finding.summary == "judge: latent-1, latent-2"


def test_answers_that_name_no_model_do_not_count_as_a_second_one(
    batch: Batch, pairs: pa.Table, rows: list[Row]
) -> None:
    assert red(batch, pairs, [{**rows[0], "model_reported": None}, *rows[1:]]) == set()


def test_a_judge_for_whom_the_first_seat_wins_is_told(batch: Batch, pairs: pa.Table, rows: list[Row]) -> None:
    biased = [{**row, "winner": "essay_a"} for row in rows]
    assert red(batch, pairs, biased) == {"position_bias"}
    numbers = findings_of(batch, pairs, biased)["position_bias"].numbers
    assert (numbers["first_seat_share"], numbers["decided"]) == (1.0, 105)


@pytest.mark.parametrize(("first_wins", "passed"), [(68, False), (67, True), (38, True), (37, False)])
def test_position_bias_is_told_beyond_three_standard_errors(
    batch: Batch, pairs: pa.Table, rows: list[Row], first_wins: int, passed: bool
) -> None:
    # 105 decided: 3 SE are 3 * .5 / sqrt(105) = 14.6 %, so 37.1 to 67.9 wins of the first seat are within it
    winners = [{**row, "winner": "essay_a" if i < first_wins else "essay_b"} for i, row in enumerate(rows)]
    assert findings_of(batch, pairs, winners)["position_bias"].passed is passed


def test_ties_say_nothing_about_seats(batch: Batch, pairs: pa.Table, rows: list[Row]) -> None:
    assert red(batch, pairs, [{**row, "winner": "tie"} for row in rows]) == set()


def test_many_answers_that_are_no_verdict_are_told(batch: Batch, pairs: pa.Table, rows: list[Row]) -> None:
    # at most 5 %: 5 of 105 are within, 6 are not; a refusal is not an answer out of form
    for code in (ErrorCode.INVALID_VERDICT, ErrorCode.TRUNCATED, ErrorCode.EMPTY):
        assert red(batch, pairs, with_failed(rows, spread(6), code)) == {"invalid_verdicts"}
        assert red(batch, pairs, with_failed(rows, spread(5), code)) == set()
    assert red(batch, pairs, with_failed(rows, spread(6), ErrorCode.REFUSED)) == set()


def test_an_unknown_cost_is_told_and_not_counted_as_nothing(batch: Batch, pairs: pa.Table, rows: list[Row]) -> None:
    unknown = [{**rows[0], "cost_usd": None}, *rows[1:]]
    assert red(batch, pairs, unknown) == {"price_applied"}
    assert findings_of(batch, pairs, unknown)["price_applied"].numbers["unknown"] == 1


# --- essays that must not be graded -----------------------------------------------------------------------


def test_an_essay_needs_half_of_its_plan_or_eight_answers(batch: Batch, pairs: pa.Table, rows: list[Row]) -> None:
    # 14 planned: 7 answers are needed
    mentions = naming(rows, "e03")
    enough = with_failed(rows, mentions[:7], ErrorCode.SERVER_ERROR)
    too_few = with_failed(rows, mentions[:8], ErrorCode.SERVER_ERROR)
    assert unanswered_essays(batch, table(enough)) == {}
    assert unanswered_essays(batch, table(too_few)) == {"e03": "6 of 14 comparisons answered, 7 are needed"}
    finding = findings_of(batch, pairs, too_few)["answered_per_essay"]
    assert not finding.passed
    assert "e03: 6 of 14" in finding.summary


def test_a_person_may_ask_for_more_or_fewer_answers(tmp_path: Path, rows: list[Row]) -> None:
    def needing(least: int) -> Batch:
        extra = f"[checks]\nmin_answered = {least}\n"
        return read_batch(small_batch(tmp_path / f"n{least}", essays=ESSAYS, extra=extra))

    gone = table(with_failed(rows, naming(rows, "e03")[:8], ErrorCode.SERVER_ERROR))
    assert unanswered_essays(needing(6), gone) == {}
    assert unanswered_essays(needing(7), gone) == {"e03": "6 of 14 comparisons answered, 7 are needed"}
    assert len(unanswered_essays(needing(14), gone)) == 9  # e03, and the eight it was not compared with


def test_an_essay_no_comparison_names_needs_one(batch: Batch, rows: list[Row]) -> None:
    without = [row for index, row in enumerate(rows) if index not in naming(rows, "e03")]
    assert unanswered_essays(batch, table(without)) == {"e03": "0 of 0 comparisons answered, 1 are needed"}


@pytest.mark.parametrize(("refused", "set_apart"), [(4, False), (5, True), (7, True)])
def test_an_essay_refused_beyond_the_binomial_band_is_set_apart(
    batch: Batch, rows: list[Row], refused: int, set_apart: bool
) -> None:
    # binomial tails at the batch's own rates: P(X >= 4 | 14, 4/105) = .0015, P(X >= 5 | 14, 5/105) = .0004
    told = unanswered_essays(batch, table(with_failed(rows, naming(rows, "e03")[:refused], ErrorCode.REFUSED)))
    assert told == ({"e03": f"the judge refused {refused} of its 14 comparisons"} if set_apart else {})


def test_refusals_that_meet_everyone_set_nobody_apart(batch: Batch, rows: list[Row]) -> None:
    assert unanswered_essays(batch, table(with_failed(rows, spread(20), ErrorCode.REFUSED))) == {}


def test_server_errors_are_no_refusals(batch: Batch, rows: list[Row]) -> None:
    errors = with_failed(rows, naming(rows, "e03")[:7], ErrorCode.SERVER_ERROR)
    assert unanswered_essays(batch, table(errors)) == {}
