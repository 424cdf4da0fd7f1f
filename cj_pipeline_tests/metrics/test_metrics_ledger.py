"""What follows from ledger rows that an offline purchase seldom or never writes: waves, calls, doubts, old ledgers."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import generate_latest

from cj_pipeline.deployment import Deployment
from cj_pipeline.jobs import schema
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.metrics import registry_of
from cj_pipeline.settings import Settings, normalised_postgres_url
from cj_pipeline.store import Store
from cj_pipeline_tests.metrics.scraping import Scrape

NOW = datetime.now(UTC)
HOURS = 3_600.0


def at(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat(timespec="microseconds")


@dataclass(frozen=True)
class Books:
    """A ledger that is written by hand, and the scrape of it."""

    deployment: Deployment

    def write(self, table: sa.Table, **row: Any) -> None:
        with self.deployment.ledger.transaction() as connection:
            connection.execute(table.insert(), row)

    def batch(self, batch_id: str, mode: str = "provider_batch_api", *, waves: int = 1) -> None:
        self.write(
            schema.batches, batch_id=batch_id, revision="r", parts="{}", version=1, reserved_nano_usd=0,
            spent_nano_usd=0, created_at=at(0),
        )  # fmt: skip
        for wave in range(1, waves + 1):
            self.write(
                schema.waves, batch_id=batch_id, revision="r", wave=wave, decision="asked for", pairs=10,
                pairs_path="", decided_at=at(0), mode=mode,
            )  # fmt: skip

    def job(self, job_id: str, batch_id: str, **changed: Any) -> None:
        row = {
            "job_id": job_id, "batch_id": batch_id, "revision": "r", "wave": 1, "attempt": 1, "judge_id": "judge",
            "provider": "openai", "model": "gpt", "account": "default", "state": "reconciled", "phase": "completed",
            "items": 10, "unanswered": 0, "request_path": "", "items_path": "", "request_bytes": 1,
            "request_sha256": "", "bound_nano_usd": 1, "reserved_nano_usd": 0, "looks": 0, "planned_at": at(0),
            "reserved_at": at(10), "submitted_at": at(20), "ended_at": at(80), "fetched_at": at(90),
            "reconciled_at": at(91),
        }  # fmt: skip
        self.write(schema.jobs, **(row | changed))

    def decision(self, batch_id: str, wave: int, decision: str, label: str | None, **noted: Any) -> None:
        self.write(
            schema.decisions, batch_id=batch_id, revision="r", wave=wave, decision=decision, label=label, reason="so",
            processing_metadata=json.dumps(noted), decided_at=at(100 * wave),
        )  # fmt: skip

    def scrape(self) -> Scrape:
        return Scrape.of(generate_latest(registry_of(self.deployment)).decode())


ON_BOTH = pytest.mark.parametrize("books", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def books(tmp_path: Path, request: pytest.FixtureRequest) -> Books:
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    if getattr(request, "param", "sqlite") == "postgres":
        url = normalised_postgres_url(request.getfixturevalue("postgres_url"))
    return Books(Deployment(Settings(), Ledger(url), Store(str(tmp_path / "store"))))


def flags(*, inflated: bool, sparse: bool) -> dict[str, bool]:
    return {"bt_se_inflated": inflated, "comparison_coverage_sparse": sparse, "has_isolated_items": False}


@ON_BOTH
def test_a_batch_of_three_waves_counts_once_when_it_ends(books: Books) -> None:
    """The flags of waves before the last are no matter of the batch: there each counted."""
    books.batch("iterative", "serial_bundle", waves=3)
    for wave in (1, 2, 3):
        books.job(f"j{wave}", "iterative", wave=wave, transport="calls", submitted_at=at(20 + wave))
    more = "request_more_comparisons"
    books.decision("iterative", 1, more, None, bt_quality_flags=flags(inflated=True, sparse=True))
    books.decision(
        "iterative", 2, more, None, bt_quality_flags=flags(inflated=True, sparse=False), last_score_change=0.4
    )
    before = books.scrape()
    assert before.value("cj_bt_se_inflated_batches_total") == 0
    assert before.value("cj_batch_state", state="scoring") == 1
    assert before.total("cj_iterations_per_batch_count") == 0
    last = flags(inflated=True, sparse=False)
    books.decision("iterative", 3, "finalize_scoring", "stable", bt_quality_flags=last, last_score_change=0.02)
    seen = books.scrape()
    assert seen.value("cj_bt_se_inflated_batches_total") == 1
    assert seen.value("cj_bt_sparse_coverage_batches_total") == 0
    assert seen.value("cj_workflow_decisions_total", decision=more) == 2
    assert seen.value("cj_workflow_decisions_total", decision="finalize_scoring") == 1
    assert seen.value("cj_pipeline_batches_ended_total", label="stable") == 1
    assert seen.value("cj_batch_state", state="completed") == 1
    assert seen.value("cj_iterations_per_batch_sum") == 3
    assert seen.value("huleedu_cj_comparisons_made_sum") == 30
    assert seen.value("cj_batch_progress_percentage_sum") == 100
    assert seen.value("cj_score_stability_changes_bucket", le="0.05") == 1
    assert seen.value("cj_score_stability_changes_bucket", le="0.5") == 2
    assert seen.value("cj_llm_batches_started_total", batching_mode="serial_bundle") == 1
    assert seen.value("huleedu_cj_assessment_duration_seconds_sum") == 300
    assert seen.value("cj_batch_processing_duration_seconds_sum") == 279


def test_metadata_without_flags_leaves_a_batch_uncounted(books: Books) -> None:
    books.batch("plain")
    books.job("j1", "plain")
    books.decision(
        "plain", 1, "finalize_scoring", "single_wave_complete", bt_quality_flags=None, last_score_change=None
    )
    seen = books.scrape()
    assert seen.value("cj_bt_se_inflated_batches_total") == 0
    assert seen.total("cj_score_stability_changes_count") == 0


def test_modes_are_told_apart_in_both_vocabularies(books: Books) -> None:
    for mode, transport in {"per_request": "calls", "serial_bundle": "calls", "provider_batch_api": "batch"}.items():
        books.batch(mode.replace("_", "-"), mode)
        books.job(f"j-{mode}", mode.replace("_", "-"), transport=transport, items=7)
    seen = books.scrape()
    for mode, word in {"per_request": "per_request", "serial_bundle": "serial_bundle"}.items():
        assert seen.value("cj_llm_requests_total", batching_mode=mode) == 7
        assert seen.value("llm_provider_comparison_callbacks_total", queue_processing_mode=word, result="success") == 7
    labels = {"queue_processing_mode": "batch_api", "result": "success"}
    assert seen.value("llm_provider_queue_wait_time_seconds_sum", **labels) == 7 * 70
    assert seen.value("llm_provider_queue_wait_time_seconds_bucket", le="60.0", **labels) == 0
    assert seen.value("llm_provider_queue_wait_time_seconds_bucket", le="120.0", **labels) == 7
    assert seen.total("llm_provider_serial_bundle_calls_total") == 1
    assert seen.total("llm_provider_serial_bundle_items_per_call_sum") == 7
    assert seen.total("llm_provider_batch_api_jobs_total", status="completed") == 1


@ON_BOTH
def test_synchronous_calls_are_counted_and_timed(books: Books) -> None:
    books.batch("calls", "per_request")
    books.job("j1", "calls", transport="calls", items=5, state="submitted", ended_at=None, reconciled_at=None)
    made = [
        ("answered", 1, 2.0),
        ("answered", 3, 0.25),
        ("uncertain", 1, 60.0),
        ("asked", 1, None),
        ("turned_away", 4, 1.0),
    ]
    for number, (state, times, took) in enumerate(made):
        books.write(
            schema.calls, job_id="j1", custom_id=f"c{number}", state=state, times_asked=times, bound_nano_usd=1,
            asked_at=at(0), ended_at=None if took is None else at(took),
        )  # fmt: skip
    seen = books.scrape()
    model = {"provider": "openai", "model": "gpt"}
    assert seen.value("llm_provider_response_duration_seconds_count", **model) == 2
    assert seen.value("llm_provider_response_duration_seconds_sum", **model) == pytest.approx(2.25, abs=0.002)
    assert seen.value("llm_provider_response_duration_seconds_bucket", le="0.5", **model) == 1
    assert seen.value("llm_provider_response_duration_seconds_bucket", le="2.5", **model) == 2
    assert seen.value("cj_assessment_llm_api_calls_total", status="queued", **model) == 3
    assert seen.value("cj_assessment_llm_api_calls_total", status="error", **model) == 7
    assert seen.value("llm_provider_concurrent_requests", provider="openai") == 1
    assert seen.value("llm_provider_queue_depth", queue_type="total") == 5


def test_a_job_given_up_recovers_or_fails_with_its_batch_never_both(books: Books) -> None:
    for batch_id, decision, label in (
        ("saved", "finalize_scoring", "partial"),
        ("lost", "finalize_failure", "failed_low_success"),
    ):
        books.batch(batch_id)
        books.job(
            f"j-{batch_id}", batch_id, state="cancelled", failure_code="given_up", phase=None, submitted_at=None,
            ended_at=None, fetched_at=None,
        )  # fmt: skip
        books.decision(batch_id, 1, decision, label)
    seen = books.scrape()
    assert seen.value("cj_stuck_batches_recovered_total") == 1
    assert seen.value("cj_stuck_batches_failed_total") == 1
    assert seen.value("cj_failed_comparisons_total", failure_reason="uncertain") == 20
    assert seen.value("cj_permanently_failed_comparisons_total") == 0  # each may be asked twice more
    assert seen.total("llm_provider_batch_api_jobs_total", status="scheduled") == 2


@pytest.mark.parametrize(
    ("state", "ago", "stuck"),
    [
        ("unknown", {"reserved_at": 11 * 60}, 1),
        ("unknown", {"reserved_at": 60}, 0),
        ("submitted", {"submitted_at": 25 * HOURS}, 1),
        ("submitted", {"submitted_at": 23 * HOURS}, 0),
        ("planned", {"planned_at": 99 * HOURS}, 0),
        ("reconciled", {"submitted_at": 99 * HOURS}, 0),
    ],
)
def test_a_batch_is_stuck_when_a_job_is_in_doubt_or_late(
    books: Books, state: str, ago: dict[str, int], stuck: int
) -> None:
    books.batch("stuck")
    # by today's clock: a whole run takes longer than a doubt may last
    began = {name: (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat() for name, seconds in ago.items()}
    moments = dict.fromkeys(("reserved_at", "submitted_at", "ended_at", "fetched_at", "reconciled_at")) | began
    books.job("j1", "stuck", phase="running", state=state, **moments)
    books.job("j2", "stuck", phase="running", state=state, **moments)
    assert books.scrape().value("cj_stuck_batches_detected") == stuck


def test_open_jobs_and_the_age_of_the_oldest_are_shown_by_state(books: Books) -> None:
    books.batch("out")
    waiting = {"phase": "running", "ended_at": None, "fetched_at": None, "reconciled_at": None}
    books.job("j1", "out", state="submitted", submitted_at=at(-100), **waiting)
    books.job("j2", "out", state="submitted", submitted_at=at(-900), **waiting)
    books.job("j3", "out", state="planned", **(waiting | {"submitted_at": None, "reserved_at": None}))
    seen = books.scrape()
    assert seen.value("cj_pipeline_open_jobs", provider="openai", state="submitted") == 2
    oldest = seen.value("cj_pipeline_oldest_open_job_timestamp_seconds", provider="openai", state="submitted")
    assert oldest == pytest.approx(NOW.timestamp() - 900, abs=1e-3)
    assert seen.value("llm_provider_queue_depth", queue_type="queued") == 10
    assert seen.value("cj_llm_requests_total", batching_mode="provider_batch_api") == 20


def test_jobs_read_before_failures_were_counted_by_code_still_add_up(books: Books) -> None:
    books.batch("old")
    books.job("j1", "old", unanswered=4)
    seen = books.scrape()
    assert seen.value("cj_comparisons_total", status="completed") == 6
    assert seen.value("cj_failed_comparisons_total", failure_reason="unrecorded") == 4
    assert seen.value("cj_permanently_failed_comparisons_total") == 4


def test_a_job_cancelled_before_it_was_bought_was_never_scheduled(books: Books) -> None:
    books.batch("stopped")
    books.job(
        "j1", "stopped", state="cancelled", phase=None, reserved_at=None, submitted_at=None, ended_at=None,
        fetched_at=None, reconciled_at=at(5),
    )  # fmt: skip
    seen = books.scrape()
    assert seen.total("llm_provider_batch_api_jobs_total") == 0
    assert seen.total("cj_llm_requests_total") == 0
    assert seen.value("cj_comparisons_total", status="failed") == 10
    assert seen.value("cj_failed_comparisons_total", failure_reason="cancelled") == 10


def test_an_earlier_revision_counts_as_bought_but_is_no_batch_that_stands(books: Books) -> None:
    books.batch("changed")
    books.job("j1", "changed")
    books.write(
        schema.waves, batch_id="changed", revision="earlier", wave=1, decision="", pairs=10, pairs_path="",
        decided_at=at(-50),
    )  # fmt: skip
    books.job("j0", "changed", revision="earlier")
    seen = books.scrape()
    assert seen.value("cj_llm_requests_total", batching_mode="provider_batch_api") == 20
    assert seen.value("cj_llm_batches_started_total", batching_mode="provider_batch_api") == 2
    assert seen.total("cj_batch_state") == 1


def test_holds_approvals_and_erased_essays_are_counted(books: Books) -> None:
    books.batch("people")
    books.write(schema.account_holds, account="openai/school", reason="credit", since=at(0))
    books.write(
        schema.account_holds, account="openai/default", reason="credit", since=at(0), lifted_at=at(1), lifted_by="a"
    )
    books.write(schema.approvals, batch_id="people", revision="r", approved_by="a", approved_at=at(0), max_nano_usd=1)
    books.write(
        schema.erasures, batch_id="people", what="essay", name="0", how="deleted", why="asked for", erased_by="a",
        erased_at=at(0),
    )  # fmt: skip
    seen = books.scrape()
    assert seen.value("cj_pipeline_accounts_on_hold", provider="openai") == 1
    for operation, times in {"hold": 2, "lift_hold": 1, "approve": 1, "erase": 1}.items():
        assert seen.value("cj_assessment_operations_total", operation=operation, status="success") == times


def test_a_provider_s_clock_behind_ours_makes_no_negative_duration(books: Books) -> None:
    books.batch("clock")
    books.job("j1", "clock", submitted_at=at(20.7), ended_at=at(20))
    seen = books.scrape()
    assert seen.total("llm_provider_batch_api_job_duration_seconds_sum") == 0
    assert seen.total("llm_provider_batch_api_job_duration_seconds_bucket", le="0.1") == 1


def test_a_job_of_25_hours_lies_within_the_bounds(books: Books) -> None:
    books.batch("long")
    books.job("j1", "long", submitted_at=at(0), ended_at=at(24.5 * HOURS), phase="expired", unanswered=10)
    books.write(schema.tallies, job_id="j1", kind="failure", name="expired", items=10)
    seen = books.scrape()
    assert seen.total("llm_provider_batch_api_job_duration_seconds_bucket", le="86400.0") == 0
    assert seen.total("llm_provider_batch_api_job_duration_seconds_bucket", le="90000.0") == 1
    assert seen.total("llm_provider_queue_expiry_total", expiry_reason="ttl") == 10
    assert seen.total("llm_provider_queue_expiry_age_seconds_bucket", le="90000.0") == 10
    assert seen.total("llm_provider_queue_processing_time_seconds_count") == 0
    assert seen.total("llm_provider_comparison_callbacks_total") == 0
