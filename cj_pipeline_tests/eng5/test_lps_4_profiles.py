"""LPS-43 to LPS-57: the profiles' judges and runs. What the predecessor's own prompts gave stands in predecessor.py."""

import json
import urllib.error
import urllib.request
from dataclasses import replace

import numpy as np
import pytest

from cj_pipeline.emulator.answer import Circumstances, answer
from cj_pipeline.emulator.judges import Comparison, judge_named
from cj_pipeline.emulator.openai_chat import CHAT_COMPLETIONS
from cj_pipeline.emulator.prompt_cache import CacheUse
from cj_pipeline.eng5.profile_parity import p1, p2, p4, p5, p6
from cj_pipeline.eng5.readings import Reading, red
from cj_pipeline.eng5.run import columns
from cj_pipeline.eng5.trace import TraceEvent, recorded_trace, summarise
from cj_pipeline.judging import Question
from cj_pipeline_tests.eng5.conftest import RunOf
from cj_pipeline_tests.eng5.house import House
from cj_pipeline_tests.eng5.predecessor import (
    ANCHOR_WINNERS,
    ANCHOR_WINS,
    LOWER5_WINNERS,
    fit_of,
    wins_of,
)

PROFILE_JUDGES = ("cj_generic", "eng5_anchor", "eng5_lower5")
QUESTION = Question("Write.", "Clarity.", "0" * 16)


def named(readings: list[Reading], quantity: str) -> Reading:
    (found,) = [reading for reading in readings if reading.quantity == quantity]
    return found


def completion(model: str) -> dict[str, object]:
    """A chat completion's request body, asking one comparison."""
    messages = [{"role": "user", "content": QUESTION.user_message("One.", "Two.")}]
    return {"model": model, "messages": messages}


def call(house: House, model: str) -> int:
    """The HTTP status of one synchronous call."""
    request = urllib.request.Request(
        f"{house.emulator_url}/v1/chat/completions",
        json.dumps(completion(model)).encode(),
        {"content-type": "application/json", "authorization": "Bearer any"},
    )
    try:
        with urllib.request.urlopen(request) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_LPS_43_a_judge_told_to_fail_fails_with_the_status_it_was_told(house: House) -> None:
    house.order("sync_overloaded", times=2)
    assert [call(house, "lexical"), call(house, "lexical"), call(house, "lexical")] == [503, 503, 200]


@pytest.mark.parametrize("name", PROFILE_JUDGES)
def test_LPS_44_a_profile_s_judge_never_fails_by_itself(name: str) -> None:
    """Faults are ordered of the emulator, whatever the judge; no profile has a rate of errors of its own."""
    texts = [f"Text {number}." for number in range(30)]
    replies = [judge_named(name)(Comparison(a, b)) for a in texts for b in texts]
    assert all(reply.content and reply.refusal is None and reply.finish_reason == "stop" for reply in replies)


@pytest.mark.parametrize(
    ("name", "tokens"), [("cj_generic", (5, 17)), ("eng5_anchor", (1_100, 40)), ("eng5_lower5", (1_000, 30))]
)
def test_LPS_45_a_short_prompt_takes_the_profile_s_floor_of_tokens(name: str, tokens: tuple[int, int]) -> None:
    reply = judge_named(name)(Comparison("One.", "Two."))
    assert (reply.input_tokens, reply.output_tokens) == tokens


@pytest.mark.parametrize("name", PROFILE_JUDGES)
def test_LPS_46_a_profile_s_judge_reads_nothing_from_a_cache_and_writes_nothing_to_it(name: str) -> None:
    """There the cache was a coin; here it is the emulator's own, and a profile's bill is its rule's alone."""
    circumstances = Circumstances("r1", 0, in_batch=True)
    answered = answer(CHAT_COMPLETIONS, completion(name), circumstances, cache=CacheUse(read=128, written=64))
    assert (answered.tokens.cached, answered.tokens.cache_write) == (0, 0)
    assert answered.body["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


def test_LPS_47_generic_all_36_for_the_first_seat_and_means_that_do_not_move(run_of: RunOf) -> None:
    run = run_of("cj-generic")
    assert run.judgments["winner"].to_pylist() == ["essay_a"] * 36
    assert red([*p1(run), *p2(run)]) == []
    for kind in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert named(p2(run), f"{kind}_spread_of_means").found == 0.0


def test_LPS_48_sixteen_requests_in_a_batch_job_are_sixteen_answers(run_of: RunOf) -> None:
    run = run_of("cj-generic-batch-api")
    assert (run.judgments.num_rows, run.answered) == (16, 16)
    assert sum(job.items for job in run.jobs) == 16
    assert {job.status for job in run.jobs} == {"completed"}
    assert set(run.judgments["confidence"].to_pylist()) <= {1, 2, 3, 4, 5}


def test_LPS_49_the_anchors_first_seat_wins_about_as_often_as_in_the_recorded_run(run_of: RunOf) -> None:
    """33 of 66 with the predecessor's prompts; with our texts another number by the same rule, within the same band."""
    assert ANCHOR_WINNERS.count("A") == 33
    recorded = recorded_trace("eng5_anchor_align_gpt51_low_20251201").share("Essay A")
    assert abs(33 / 66 - recorded) == pytest.approx(0.0303, abs=5e-5)
    share = named(p4(run_of("eng5-anchor")), "first_seat_share")
    assert share.passed
    assert (share.expected, share.allowance) == (recorded, 0.20)


def test_LPS_50_the_anchors_tokens_are_within_the_bands_of_the_recorded_run(run_of: RunOf) -> None:
    readings = p4(run_of("eng5-anchor"))
    figures = {kind: named(readings, f"mean_{kind}_tokens") for kind in ("prompt", "completion", "total")}
    assert [(one.found, one.expected, one.allowance) for one in figures.values()] == [
        (1_100.0, 1_445.5, 722.75),
        (40.0, 53.5, 53.5),
        (1_140.0, 1_499.0, 749.5),
    ]


def test_LPS_51_the_predecessor_s_winners_give_its_wins() -> None:
    assert wins_of(ANCHOR_WINNERS, 12) == ANCHOR_WINS


def test_LPS_52_the_predecessor_s_winners_give_its_scores_and_standard_errors() -> None:
    fit = fit_of(ANCHOR_WINNERS, 12)
    scores = [-0.1636, -0.9061, 0.5232, -0.1636, 0.8847, 0.5232, 0.1785, -0.1636, 0.1785, -0.9061, 0.1785, -0.1636]
    errors = [0.8447, 0.8885, 0.8597, 0.8447, 0.8895, 0.8597, 0.8457, 0.8447, 0.8457, 0.8885, 0.8457, 0.0]
    np.testing.assert_allclose(fit.scores, scores, atol=1e-3)
    np.testing.assert_allclose(fit.standard_errors, errors, atol=1e-3)
    assert fit.standard_errors.mean() == pytest.approx(0.788, abs=5e-4)
    assert fit.standard_errors.mean() > 0.4  # the predecessor's flag bt_se_inflated


def test_LPS_53_the_lower_five_favour_the_second_seat_as_in_the_recorded_run(run_of: RunOf) -> None:
    assert LOWER5_WINNERS.count("A") == 3
    for readings, allowance in ((p5(run_of("eng5-lower5")), 0.30), (p6(run_of("eng5-lower5")), 0.20)):
        share = named(readings, "first_seat_share")
        assert share.passed
        assert (share.expected, share.allowance) == (0.4, allowance)
    assert named(p6(run_of("eng5-lower5")), "second_seat_share_less_first").passed


def test_LPS_54_three_repetitions_ask_every_pair_once_and_get_the_same_winner(run_of: RunOf) -> None:
    run = run_of("eng5-lower5")
    assert run.judgments.num_rows == run.answered == 30
    winners: dict[frozenset[str], list[str]] = {}
    for a, b, seat in columns(run.judgments, "essay_a", "essay_b", "winner"):
        winners.setdefault(frozenset((a, b)), []).append(a if seat == "essay_a" else b)
    assert [len(names) for names in winners.values()] == [3] * 10
    assert all(len(set(names)) == 1 for names in winners.values())


def test_LPS_55_the_predecessor_s_five_give_its_scores() -> None:
    fit = fit_of(LOWER5_WINNERS, 5)
    np.testing.assert_allclose(fit.scores, [0.0134, -0.9528, 0.9461, -0.9528, 0.9461], atol=1e-3)
    np.testing.assert_allclose(fit.standard_errors, [1.4688, 1.6145, 1.4671, 1.6145, 0.0], atol=1e-3)


@pytest.mark.parametrize(
    ("batch_id", "mean", "p95"), [("eng5-anchor", 1_709.9, 2_431.0), ("eng5-lower5", 1_688.0, 2_342.0)]
)
def test_LPS_56_times_are_bounded_from_above_by_those_of_the_recorded_run(
    run_of: RunOf, batch_id: str, mean: float, p95: float
) -> None:
    """There a stand-in slept; here the bounds are the same and hold for calls, whose times the ledger has."""
    run = run_of(batch_id)
    claim = p4 if batch_id == "eng5-anchor" else p5
    ids = run.judgments["custom_id"].to_pylist()
    timed = claim(replace(run, response_ms=dict.fromkeys(ids, mean)))
    assert named(timed, "mean_response_ms").expected == pytest.approx(mean)
    assert named(timed, "p95_response_ms").expected == pytest.approx(p95)
    assert red(timed) == []
    assert [one.quantity for one in red(claim(replace(run, response_ms=dict.fromkeys(ids, mean + 1))))] == [
        "mean_response_ms"
    ]


def test_LPS_57_five_events_in_one_summary() -> None:
    rows = [
        ("essay_a", None, 50, 25, 100.0), ("essay_a", None, 60, 30, 120.0), ("essay_b", None, 55, 35, 140.0),
        (None, "timeout", 40, 0, 200.0), (None, "rate_limited", 45, 0, 220.0),
    ]  # fmt: skip
    summary = summarise("five", [TraceEvent(*row) for row in rows])
    assert (summary.total_events, summary.success_count, summary.error_count) == (5, 3, 2)
    assert summary.winner_counts == {"Essay A": 2, "Essay B": 1, "error": 2}
    assert summary.error_code_counts == {"timeout": 1, "rate_limited": 1}
    times = summary.response_time_ms
    assert (times.min_ms, times.mean_ms) == (100.0, 156.0)
    assert times.p95_ms == pytest.approx(216.0)
    assert times.p99_ms == pytest.approx(219.2)
    means = {kind: spread.mean for kind, spread in summary.token_usage.items()}
    assert means == {"prompt_tokens": 50.0, "completion_tokens": 18.0, "total_tokens": 68.0}
