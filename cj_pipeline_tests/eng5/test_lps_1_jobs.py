"""LPS-01 to LPS-16: how requests become jobs or bundles, and what becomes of every one of them.

There a queue was taken from; here a plan is. What the cases ask for in numbers holds all the same, over a real
emulator; where the project promises more than the predecessor did, the docstring says what.
"""

import pytest
from pydantic import ValidationError

from cj_pipeline.jobs.chunks import ChunkLimits
from cj_pipeline.judging import ErrorCode
from cj_pipeline.providers import Transport, job_limits
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store
from cj_pipeline_tests.eng5.house import House, total

SECOND_JUDGE = '[[judges]]\nid = "second"\nprovider = "emulator"\nmodel = "latent"\nmax_output_tokens = 321\n'
NO_RULE = '[stopping]\nrule = "none"\n'


def test_LPS_01_two_compatible_requests_are_one_job_with_two_answers(house: House) -> None:
    purchase = house.buy(house.batch(essays=3, comparisons=2))
    (job,) = purchase.jobs
    assert job.items == 2
    items = Store(house.settings.store).read_parquet(job.items_path)["custom_id"].to_pylist()
    assert sorted(purchase.column("custom_id")) == sorted(items)
    assert purchase.column("outcome") == ["success", "success"]


def test_LPS_02_a_job_is_counted_when_scheduled_and_completed_with_its_size_and_duration(house: House) -> None:
    before = house.metrics()
    house.buy(house.batch(essays=3, comparisons=2))
    after = house.metrics()

    def grown(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    assert grown("llm_provider_batch_api_jobs_total", status="scheduled") == 1
    assert grown("llm_provider_batch_api_jobs_total", status="completed") == 1
    assert grown("llm_provider_batch_api_items_per_job_count") == 1
    assert grown("llm_provider_batch_api_items_per_job_sum") == 2
    assert grown("llm_provider_batch_api_job_duration_seconds_count") == 1
    assert grown("llm_provider_batch_api_job_duration_seconds_sum") >= 0


def test_LPS_03_requests_with_other_parameters_are_a_job_of_their_own(house: House) -> None:
    """There the second waited as `pending`; here it is planned at once, in its own job."""
    batch_id = house.batch(essays=3, comparisons=4, extra=SECOND_JUDGE)
    purchase = house.buy(batch_id)
    assert sorted((job.judge_id, job.items) for job in purchase.jobs) == [("judge", 2), ("second", 2)]
    store = Store(house.settings.store)
    limits = {job.judge_id: {b'"max_completion_tokens":321' in line for line in store.lines(job.request_path)}
              for job in purchase.jobs}  # fmt: skip
    assert limits == {"judge": {False}, "second": {True}}


def test_LPS_04_one_failed_item_is_a_failure_in_a_completed_job(house: House) -> None:
    """The item keeps the provider's reason; there all became PROCESSING_ERROR."""
    house.order("refusal_lines", 1)
    purchase = house.buy(house.batch(essays=3, comparisons=2))
    assert sorted(purchase.column("outcome")) == ["failure", "success"]
    assert [code for code in purchase.column("error_code") if code] == ["refused"]
    assert [job.status for job in purchase.jobs] == ["completed"]


def test_LPS_05_a_job_that_fails_fails_each_of_its_items_once_and_is_scheduled_once(house: House) -> None:
    before = house.metrics()
    house.order("fail_without_line")
    purchase = house.buy(house.batch(essays=3, comparisons=2))
    assert purchase.column("outcome") == ["failure", "failure"]
    assert set(purchase.column("error_code")) == {"job_failed"}
    assert [(job.status, job.attempt) for job in purchase.jobs] == [("failed", 1)]
    after = house.metrics()
    for status in ("scheduled", "failed"):
        name = "llm_provider_batch_api_jobs_total"
        assert total(after, name, status=status) - total(before, name, status=status) == 1


def test_LPS_06_a_missing_line_is_a_failure_once_asking_again_did_not_help(house: House) -> None:
    """There it failed at once; here it is asked twice more, and only then called missing."""
    lost = [("lose_lines", count) for count in (3, 2, 1)]
    purchase = house.buy(house.batch(essays=4, comparisons=4), lost)
    assert [job.items for job in purchase.jobs] == [4, 3, 2]
    assert sorted(purchase.column("outcome")) == ["failure", "success", "success", "success"]
    (missing,) = [row for row in purchase.rows() if row["outcome"] == "failure"]
    assert (missing["error_code"], missing["attempt"]) == (ErrorCode.MISSING_RESULT, 3)


def test_LPS_07_repeated_and_foreign_lines_leave_one_outcome_per_request(house: House) -> None:
    """A line that contradicts an earlier one voids both; there the last one won."""
    house.order("duplicate_lines", 1)
    house.order("foreign_lines", 2)
    purchase = house.buy(house.batch(essays=3, comparisons=2))
    assert purchase.column("outcome") == ["success", "success"]
    assert len(set(purchase.column("custom_id"))) == 2


def bundle_sizes(house: House, preferred: int, comparisons: int) -> list[int]:
    """Of the first wave of a batch of calls under a preferred size."""
    batch_id = house.batch(essays=2 * comparisons, comparisons=comparisons, mode="serial_bundle", extra=NO_RULE)
    purchase = house.with_settings(preferred_bundle_size=preferred).buy(batch_id)
    assert {job.transport for job in purchase.jobs} == {Transport.CALLS}
    assert purchase.column("outcome") == ["success"] * comparisons
    return sorted((job.items for job in purchase.jobs), reverse=True)


def test_LPS_08_a_preferred_size_below_the_cap_is_the_size_of_a_bundle(house: House) -> None:
    assert bundle_sizes(house, preferred=2, comparisons=4) == [2, 2]


def test_LPS_09_no_bundle_or_job_is_larger_than_its_cap(house: House) -> None:
    """Bundles hold 64 at most; a batch job, what its provider takes, whatever the installation asks for."""
    assert bundle_sizes(house, preferred=64, comparisons=4) == [4]
    beyond = house.settings.model_copy(update={"requests_per_job": 10**9})
    for provider in ("openai", "anthropic"):
        assert ChunkLimits.of(beyond, provider).requests == job_limits(provider).requests


@pytest.mark.parametrize("value", ["0", "-1", "65", "100", "10.5", "ten", ""])
def test_LPS_10_a_preferred_size_that_is_none_is_refused(value: str) -> None:
    """There it was ignored without a word; only a whole number from 1 to 64 is one, and 10 is."""
    assert Settings(preferred_bundle_size="10").preferred_bundle_size == 10
    with pytest.raises(ValidationError):
        Settings(preferred_bundle_size=value)


@pytest.mark.parametrize("value", [1, 64])
def test_LPS_11_both_bounds_of_the_preferred_size_are_sizes(value: int) -> None:
    assert Settings(preferred_bundle_size=value).preferred_bundle_size == value


def test_LPS_12_what_expires_has_an_outcome_of_its_own_and_is_counted(house: House) -> None:
    """There no callback came and the batch waited for hours; here every expired request has its row."""
    before = house.metrics()
    house.order("expire_after", 0, times=3)
    purchase = house.buy(house.batch(essays=3, comparisons=2))
    assert purchase.column("outcome") == ["expired", "expired"]
    assert set(purchase.column("error_code")) == {"expired"}
    assert [job.status for job in purchase.jobs] == ["expired"] * 3
    after = house.metrics()
    name = "llm_provider_queue_expiry_total"
    assert total(after, name) - total(before, name) == 6


def test_LPS_13_past_its_time_no_call_leaves_and_the_rest_is_expired(house: House) -> None:
    """The time to live runs from the plan's first call; what is left at its end has a row that says expired."""
    batch_id = house.batch(essays=4, comparisons=2, mode="serial_bundle", extra=NO_RULE)
    before = house.bill()["sync"]["requests_seen"]
    purchase = house.with_settings(request_ttl_hours=1e-9).buy(batch_id)
    assert set(purchase.column("outcome")) == {"expired"}
    assert {job.status for job in purchase.jobs} == {"expired"}
    assert house.bill()["sync"]["requests_seen"] == before


def test_LPS_14_batch_jobs_leave_the_figures_of_bundles_untouched(house: House) -> None:
    before = house.metrics()
    house.buy(house.batch(essays=3, comparisons=2))
    after = house.metrics()
    for name in ("llm_provider_serial_bundle_calls_total", "llm_provider_serial_bundle_items_per_call_count"):
        assert total(after, name) == total(before, name)


def test_LPS_15_a_bundle_of_two_is_one_bundle_and_both_are_answered(house: House) -> None:
    before = house.metrics()
    assert bundle_sizes(house, preferred=64, comparisons=2) == [2]
    after = house.metrics()

    def grown(name: str) -> float:
        return total(after, name) - total(before, name)

    assert grown("llm_provider_serial_bundle_calls_total") == 1
    assert grown("llm_provider_serial_bundle_items_per_call_count") == 1
    assert grown("llm_provider_serial_bundle_items_per_call_sum") == 2


def test_LPS_16_one_call_that_fails_takes_no_other_with_it(house: House) -> None:
    """There one error was every request's; here the other answer is kept, and the failed one has its own end."""
    batch_id = house.batch(essays=4, comparisons=2, mode="serial_bundle", extra=NO_RULE)
    house.order("sync_500_after_billing", times=1)
    purchase = house.buy(batch_id)
    first = [row for row in purchase.rows() if row["attempt"] == 1]
    assert purchase.judgments.num_rows == 2
    assert any(row["outcome"] == "success" for row in first)
