"""A scrape equals the ledger and the tables to the unit, wherever and whenever it is taken."""

import pyarrow as pa
import pytest

from cj_pipeline.jobs.job import Job, all_jobs
from cj_pipeline.metrics import ABSENT, FAMILIES, LABELS
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import bought, judged, paid_batch
from cj_pipeline_tests.metrics.scraping import Scrape, scraped, scraped_once, serving

BY_BATCH = {"batching_mode": "provider_batch_api"}
BY_API = {"queue_processing_mode": "batch_api"}


def buy_all_sorts(installation: Installation) -> pa.Table:
    """A smooth batch, a refused job, two refused items, a job that expires midway, transient errors, a paid batch."""
    tables = []
    for number, (fault, value) in enumerate(FAULTS.items()):
        small_batch(installation.batches / f"batch-{number}")
        if fault:
            installation.arm(fault, value)
        tables.append(judged(installation.deployment, f"batch-{number}"))
    paid_batch(installation, "paid")
    tables.append(judged(installation.deployment, "paid"))
    return pa.concat_tables(tables).unify_dictionaries()


FAULTS = {"": None, "create_400": True, "refusal_lines": 2, "expire_after": 0.6, "server_error_lines": 3}


def counted(table: pa.Table, column: str, value: str) -> int:
    return table[column].to_pylist().count(value)


@pytest.mark.parametrize("installation", ["sqlite", pytest.param("postgres", marks=pytest.mark.heavy)], indirect=True)
def test_a_scrape_equals_ledger_and_tables_to_the_unit(installation: Installation) -> None:
    judgments = buy_all_sorts(installation)
    jobs = all_jobs(installation.deployment.ledger)
    seen = scraped_once(installation)
    assert_comparisons_tokens_and_cost(seen, jobs, judgments)
    assert_jobs_by_what_became_of_them(seen, jobs)
    assert_every_family_keeps_to_its_table(seen, {job.job_id for job in jobs})


def assert_comparisons_tokens_and_cost(seen: Scrape, jobs: list[Job], judgments: pa.Table) -> None:
    asked = sum(job.items for job in jobs)
    assert judgments.num_rows == 90
    assert asked == 90 + 6 + 3

    assert seen.value("cj_llm_requests_total", **BY_BATCH) == asked
    assert seen.value("cj_llm_batches_started_total", **BY_BATCH) == 6
    success = counted(judgments, "outcome", "success")
    assert success == 90 - 15 - 2
    assert seen.value("cj_comparisons_total", status="completed") == success
    assert seen.value("cj_comparisons_total", status="failed") == asked - success
    assert seen.total("llm_provider_comparison_callbacks_total", result="success", **BY_API) == success
    assert seen.total("llm_provider_comparison_callbacks_total", result="failure", **BY_API) == asked - success - 6
    assert seen.total("llm_provider_queue_expiry_total", expiry_reason="ttl", **BY_API) == 6
    assert seen.total("llm_provider_queue_wait_time_seconds_count", **BY_API) == asked
    assert seen.total("llm_provider_queue_wait_time_seconds_count", result="expired", **BY_API) == 6
    assert seen.total("llm_provider_queue_processing_time_seconds_count") == asked - 15 - 6
    for code, times in {"refused": 2, "expired": 6, "server_error": 3, "job_refused": 15}.items():
        assert seen.value("cj_failed_comparisons_total", failure_reason=code) == times
        assert seen.total("llm_provider_errors_total", error_type=code) == times
    assert seen.value("cj_permanently_failed_comparisons_total") == 90 - success
    assert seen.value("cj_successful_retries_total") == 9
    assert seen.value("cj_retry_batches_submitted_total") == 2
    assert seen.value("cj_failed_pool_size") == 0

    for winner in ("essay_a", "essay_b"):
        assert seen.total("cj_pipeline_winners_total", winner=winner) == counted(judgments, "winner", winner)
    assert seen.total("llm_provider_prompt_cache_events_total") == success + 2  # a refusal is billed, too
    for token_type in ("input", "cached", "cache_write", "output"):
        in_ledger = sum(getattr(job, f"{token_type}_tokens") or 0 for job in jobs)
        assert seen.total("llm_provider_tokens_used_total", token_type=token_type) == in_ledger
        in_table = sum(judgments[f"{token_type}_tokens"].drop_null().to_pylist())
        assert in_ledger == in_table
    paid = [cost for cost in judgments["cost_usd"].to_pylist() if cost]
    assert len(paid) == 15
    cost = seen.value("llm_provider_cost_dollars_total", provider="openai", model="latent")
    assert cost == pytest.approx(sum(paid), abs=1e-12)
    assert cost == sum(job.spent_nano_usd or 0 for job in jobs) / 1e9


def assert_jobs_by_what_became_of_them(seen: Scrape, jobs: list[Job]) -> None:
    counts = {
        status: seen.total("llm_provider_batch_api_jobs_total", status=status)
        for status in ("scheduled", "completed", "failed", "expired", "cancelled")
    }
    assert counts == {"scheduled": 8, "completed": 6, "failed": 1, "expired": 1, "cancelled": 0}
    assert seen.total("llm_provider_batch_api_items_per_job_sum") == sum(job.items for job in jobs)
    assert seen.total("llm_provider_batch_api_items_per_job_count") == len(jobs) == 8
    assert seen.total("llm_provider_batch_api_job_duration_seconds_count") == 7
    assert seen.total("llm_provider_batch_api_job_duration_seconds_bucket", le="604800.0") == 7
    assert seen.total("cj_assessment_llm_api_calls_total", status="queued") == 7
    assert seen.total("cj_assessment_llm_api_calls_total", status="error") == 1
    assert seen.total("cj_pipeline_open_jobs") == 0
    assert seen.value("llm_provider_queue_depth", queue_type="total") == 0


def test_a_scrape_is_the_same_after_a_restart_and_from_two_servers(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    first = scraped_once(installation)
    with serving(installation) as one, serving(installation) as another:
        assert scraped(one).text == scraped(another).text == first.text
        assert scraped(one).text == first.text


def test_a_server_shows_what_is_bought_while_it_runs(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    with serving(installation) as url:
        assert scraped(url).value("cj_llm_requests_total", **BY_BATCH) == 0
        bought(installation.deployment, "small")
        out = scraped(url)
        assert out.value("cj_llm_requests_total", **BY_BATCH) == 15
        assert out.value("llm_provider_queue_depth", queue_type="total") == 15
        assert out.value("llm_provider_concurrent_requests", provider="emulator") == 15
        assert out.value("cj_batch_state", state="waiting_callbacks") == 1
        judged(installation.deployment, "small")
        after = scraped(url)
        assert after.value("llm_provider_queue_depth", queue_type="total") == 0
        assert after.value("cj_comparisons_total", status="completed") == 15


def test_p106_five_comparisons_and_three_asked_again_are_eight_requests_of_one_batch(
    installation: Installation,
) -> None:
    small_batch(installation.batches / "p106", essays=5, max_comparisons=5)
    installation.arm("server_error_lines", 3)
    assert judged(installation.deployment, "p106").num_rows == 5
    seen = scraped_once(installation)
    assert seen.value("cj_llm_requests_total", **BY_BATCH) == 8
    assert seen.value("cj_llm_batches_started_total", **BY_BATCH) == 1


def assert_every_family_keeps_to_its_table(seen: Scrape, ids: set[str]) -> None:
    """Names, types, help, labels, closed sets of values; and not one label that holds an id."""
    told = {
        family.name.removesuffix("_total") if family.kind == "counter" else family.name: family for family in FAMILIES
    }
    assert set(seen.families) == set(told)
    ids = ids | {f"batch-{number}" for number in range(5)} | {"paid", "judge"}
    for name, metric in seen.families.items():
        family = told[name]
        assert (metric.type, metric.documentation) == (str(family.kind), family.help)
        for sample in metric.samples:
            labels = {label: value for label, value in sample.labels.items() if label != "le"}
            assert set(labels) == set(family.labels)
            assert not ids & set(labels.values())
            for label, value in labels.items():
                values = LABELS[label].values
                assert values is None or value in values, (name, label, value)
            assert sample.value >= 0


def test_histograms_are_cumulative_and_end_at_their_count(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    seen = scraped_once(installation)
    for family in (family for family in FAMILIES if family.buckets):
        series: dict[tuple[str, ...], list[float]] = {}
        for labels, value in seen.samples(f"{family.name}_bucket"):
            series.setdefault(tuple(labels[label] for label in family.labels), []).append(value)
        for labels_of, values in series.items():
            named = dict(zip(family.labels, labels_of, strict=True))
            assert values == sorted(values)
            assert len(values) == len(family.buckets) + 1
            assert values[-1] == seen.value(f"{family.name}_count", **named)


def test_an_empty_installation_has_a_scrape_of_zeros(installation: Installation) -> None:
    seen = scraped_once(installation)
    assert {family.name for family in FAMILIES} & set(ABSENT) == set()
    assert seen.value("cj_workflow_decisions_total", decision="finalize_failure") == 0
    assert seen.total("cj_failed_comparisons_total") == 0
    assert seen.value("cj_stuck_batches_detected") == 0
