"""LPS-17 to LPS-28: what is done is done, what may be asked again is, and what waiting and answering is counted as.

LPS-25 is listed in docs/parity-lps.md: there is no queue to be cleaned.
"""

import pytest

from cj_pipeline.jobs.job import DONE
from cj_pipeline.jobs.progress import progress_of
from cj_pipeline.jobs.recorded_waves import waves_of
from cj_pipeline.judging import CONSEQUENCES, Answer, ErrorCode, Outcome
from cj_pipeline_tests.eng5.house import House, total
from cj_pipeline_tests.jobs.purchase import bought

WAIT = "llm_provider_queue_wait_time_seconds"
PROCESSING = "llm_provider_queue_processing_time_seconds"
ANSWERS = "llm_provider_comparison_callbacks_total"
EXPIRED = "llm_provider_queue_expiry_total"


def test_LPS_17_what_was_answered_is_done_and_bought_no_more(house: House) -> None:
    batch_id = house.batch(essays=3, comparisons=2)
    house.buy(batch_id)
    opened = house.deployment
    assert progress_of(opened.ledger, batch_id).complete
    _, _, again = bought(opened, batch_id)
    assert not any((again.submitted, again.adopted, again.held))


@pytest.mark.parametrize("code", [ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_VERDICT, ErrorCode.REFUSED])
def test_LPS_18_a_permanent_failure_is_never_asked_again(code: ErrorCode) -> None:
    assert not any(Answer(error_code=code).may_be_asked_again(attempt) for attempt in range(1, 10))
    assert CONSEQUENCES[code].outcome is Outcome.FAILURE


def test_LPS_19_a_rate_limit_is_asked_again_once_more_and_answered(house: House) -> None:
    purchase = house.buy(house.batch(essays=3, comparisons=2), [("rate_limit_lines", 1)])
    assert [(job.attempt, job.items) for job in purchase.jobs] == [(1, 2), (2, 1)]
    assert sorted(purchase.column("attempt")) == [1, 2]
    assert purchase.column("outcome") == ["success", "success"]


def test_LPS_20_five_answers_are_five_ends(house: House) -> None:
    purchase = house.buy(house.batch(essays=5, comparisons=5))
    assert len(set(purchase.column("custom_id"))) == 5
    assert all(job.state in DONE for job in purchase.jobs)
    assert sum(job.items for job in purchase.jobs) == 5


def test_LPS_21_after_the_last_attempt_there_is_one_failure_and_no_more(house: House) -> None:
    """There 1 + 3 executions, here 1 + 2: a provider that turned an item away three times is not asked a fourth."""
    faults = [("rate_limit_lines", count) for count in (3, 2, 1)]
    purchase = house.buy(house.batch(essays=4, comparisons=4), faults)
    assert [job.attempt for job in purchase.jobs] == [1, 2, 3]
    assert max(job.attempt for job in purchase.jobs) == 1 + CONSEQUENCES[ErrorCode.RATE_LIMITED].further_attempts
    (failed,) = [row for row in purchase.rows() if row["outcome"] == "failure"]
    assert (failed["error_code"], failed["attempt"]) == ("rate_limited", 3)


def test_LPS_22_what_expired_waited_but_was_never_processed(house: House) -> None:
    """An expired request counts as expired once per attempt; it has no processing time and is no answer."""
    before = house.metrics()
    house.order("expire_after", 0, times=3)
    house.buy(house.batch(essays=3, comparisons=2))
    after = house.metrics()

    def grown(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    assert grown(f"{WAIT}_count", result="expired") == grown(EXPIRED, expiry_reason="ttl") == 6
    assert grown(f"{PROCESSING}_count") == 0
    assert grown(ANSWERS) == 0


def test_LPS_23_what_was_answered_waited_was_processed_and_is_an_answer_once_each(house: House) -> None:
    before = house.metrics()
    house.buy(house.batch(essays=3, comparisons=2))
    after = house.metrics()

    def grown(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    assert grown(f"{WAIT}_count", result="success") == 2
    assert grown(f"{PROCESSING}_count", status="success") == 2
    assert grown(ANSWERS, result="success") == 2


def test_LPS_24_waiting_is_told_by_the_way_the_request_went(house: House) -> None:
    before = house.metrics()
    house.buy(house.batch(essays=3, comparisons=2))
    house.buy(house.batch(essays=4, comparisons=2, mode="serial_bundle", extra='[stopping]\nrule = "none"\n'))
    after = house.metrics()
    for mode in ("batch_api", "serial_bundle"):
        labels = {"queue_processing_mode": mode, "result": "success"}
        assert total(after, f"{WAIT}_count", **labels) - total(before, f"{WAIT}_count", **labels) == 2


def test_LPS_26_a_prompt_is_counted_by_its_parts(house: House) -> None:
    """Two blocks a request, system and user; none is marked for keeping where the provider keeps prefixes by itself.

    There words were counted as tokens; here the tokens are those that were billed.
    """
    before = house.metrics()
    purchase = house.buy(house.batch(essays=3, comparisons=2))
    after = house.metrics()

    def grown(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    for target in ("system", "user"):
        assert grown("llm_provider_prompt_blocks_total", target=target, cacheable="false", ttl="none") == 2
    assert grown("llm_provider_prompt_tokens_histogram_sum") == sum(purchase.column("input_tokens"))


def test_LPS_27_every_answer_of_a_batch_belongs_to_its_assignment_s_cache(house: House) -> None:
    """The scope is the batch, always; without tokens read or written the cache was passed by."""
    before = house.metrics()
    house.buy(house.batch(essays=3, comparisons=2))
    after = house.metrics()
    name = "llm_provider_cache_scope_total"
    labels = {"scope": "assignment", "result": "bypass"}
    assert total(after, name, **labels) - total(before, name, **labels) == 2
    assert total(after, name) == total(after, name, scope="assignment")


def test_LPS_28_a_judgment_says_who_was_asked_how_and_who_answered(house: House) -> None:
    purchase = house.buy(house.batch(essays=3, comparisons=2))
    assert set(purchase.column("provider")) == {"emulator"}
    assert purchase.column("model_requested") == purchase.column("model_reported") == ["latent", "latent"]
    ledger = house.deployment.ledger
    (wave,) = waves_of(ledger, purchase.batch_id, ledger.provenance(purchase.batch_id).revision)
    assert wave.mode == "provider_batch_api"
