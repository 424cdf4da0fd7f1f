"""What a hard look at the purchase found: money not counted, answers that waited, ways that did not lead out."""

import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from cj_pipeline.batch import Batch
from cj_pipeline.defs.drive import run_batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.due import batches_to_buy, batches_to_collect
from cj_pipeline.errors import OverBudget, ProviderUnreachable
from cj_pipeline.jobs import collection, fetching, plan, reconciliation, submission
from cj_pipeline.jobs.findings import job_findings
from cj_pipeline.jobs.job import Job, State, advance, job_named, jobs_of
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.polling import look_at, poll
from cj_pipeline.jobs.progress import Progress, progress_of
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.schema import account_leases, batches
from cj_pipeline.jobs.spending import Caps, reserve
from cj_pipeline.providers import TokenPrice
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import bought, judged

DOLLAR = 1_000_000_000
PRICE = TokenPrice(1 * DOLLAR, DOLLAR // 10, 1 * DOLLAR, 10 * DOLLAR, "a price list")  # per million tokens


@pytest.fixture
def priced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator's judges cost something, so that caps have something to hold."""
    for room in (plan, reconciliation):
        monkeypatch.setattr(room, "job_price", lambda *_: PRICE)


@pytest.fixture
def jobs_of_five(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifteen comparisons make three jobs."""
    monkeypatch.setenv("CJ_REQUESTS_PER_JOB", "5")


def ended(deployment: Deployment, batch_id: str) -> None:
    """Look until the provider has ended every job that is out."""
    batch = deployment.batch(batch_id)
    for _ in range(100):
        if not poll(deployment.ledger, batch, deployment.settings).waiting:
            return
        time.sleep(0.1)
    raise AssertionError("the jobs do not end")


def with_planned_jobs(deployment: Deployment) -> Batch:
    """The batch "small" with its jobs in the ledger, and nothing sent."""
    batch = deployment.batch("small")
    open_revision(deployment.ledger, batch)
    pairs = plan.open_wave(deployment.ledger, deployment.store, batch)
    plan.plan_jobs(deployment.ledger, deployment.store, batch, pairs, deployment.settings)
    return batch


def bound_of_one_job(installation: Installation) -> int:
    """What one of the three jobs of a small batch may cost, in nano-USD."""
    small_batch(installation.batches / "measure", extra="[spending]\nmax_usd = 10")
    bought(installation.deployment, "measure")
    return max(job.bound_nano_usd for job in jobs_of(installation.deployment.ledger, "measure"))


# --- money ---


@pytest.mark.usefixtures("priced")
def test_twice_the_room_for_an_answer_is_reserved_at_twice_the_price(installation: Installation) -> None:
    small_batch(installation.batches / "small", model="latent:truncated=0.5,seed=2", extra="[spending]\nmax_usd = 10")
    judged(installation.deployment, "small")
    first, second = jobs_of(installation.deployment.ledger, "small")
    output = PRICE.output_nano_per_million // 1_000_000
    assert first.bound_nano_usd > first.items * 600 * output
    assert second.bound_nano_usd > second.items * 1200 * output


@pytest.mark.usefixtures("priced")
def test_answers_without_a_count_of_tokens_are_booked_at_their_upper_bound(installation: Installation) -> None:
    small_batch(installation.batches / "small", extra="[spending]\nmax_usd = 10")
    installation.arm("odd_usage", 15)
    rows = judged(installation.deployment, "small")
    (job,) = jobs_of(installation.deployment.ledger, "small")
    assert rows["cost_usd"].null_count == 15
    assert job.spent_nano_usd == job.bound_nano_usd


@pytest.mark.usefixtures("priced")
def test_lines_that_were_lost_may_have_been_paid_and_count_at_their_upper_bound(installation: Installation) -> None:
    small_batch(installation.batches / "small", extra="[spending]\nmax_usd = 10")
    installation.arm("lose_lines", 5)
    rows = judged(installation.deployment, "small")
    first, second = jobs_of(installation.deployment.ledger, "small")
    assert first.bound_nano_usd / 3 < (first.spent_nano_usd or 0) < first.bound_nano_usd
    assert (second.spent_nano_usd or 0) < second.bound_nano_usd
    assert rows["cost_usd"].null_count == 5  # the second answer's price is known, the first one's is not


@pytest.mark.usefixtures("priced")
@pytest.mark.parametrize("fault", ["token_limit_exceeded", "rate_limit_lines", "expire_after"])
def test_what_the_provider_never_ran_costs_nothing(installation: Installation, fault: str) -> None:
    small_batch(installation.batches / "small", extra="[spending]\nmax_usd = 10")
    installation.arm(fault, {"token_limit_exceeded": True, "rate_limit_lines": 15, "expire_after": 0}[fault])
    rows = judged(installation.deployment, "small")
    assert jobs_of(installation.deployment.ledger, "small")[0].spent_nano_usd == 0
    assert rows["cost_usd"].null_count == 0


def test_shares_of_a_panel_stay_within_the_cap_on_comparisons(installation: Installation) -> None:
    panel = '[[judges]]\nid = "second"\nprovider = "emulator"\nmodel = "latent"\nshare = 0.5\n'
    folder = small_batch(installation.batches / "small", extra="share = 0.5\n" + panel)
    assert "max_comparisons = 15" in (folder / "batch.toml").read_text("utf-8")
    bought(installation.deployment, "small")
    assert sum(job.items for job in jobs_of(installation.deployment.ledger, "small")) <= 15


# --- nothing is bought twice ---


@pytest.mark.parametrize("kept", ["planned jobs", "nothing"])
def test_a_ledger_restored_from_before_the_purchase_adopts_what_was_bought(
    installation: Installation, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batch(installation.batches / "small")
    deployment = installation.deployment
    batch = deployment.batch("small")
    open_revision(deployment.ledger, batch)
    if kept == "planned jobs":
        with_planned_jobs(deployment)
    deployment.ledger.engine.dispose()
    ledger = installation.folder / "ledger.sqlite"
    shutil.copy(ledger, installation.folder / "backup.sqlite")
    judged(installation.deployment, "small")
    for file in installation.folder.glob("ledger.sqlite*"):
        file.unlink()
    shutil.copy(installation.folder / "backup.sqlite", ledger)
    assert judged(installation.deployment, "small").num_rows == 15
    assert installation.bill()["batches_created"] == 1


def test_an_upload_that_may_be_gone_is_not_used_again(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    deployment = installation.deployment
    with_planned_jobs(deployment)
    (job,) = jobs_of(deployment.ledger, "small")
    long_ago = (datetime.now(UTC) - timedelta(days=8)).isoformat(timespec="microseconds")
    advance(deployment.ledger, job, State.UPLOADED, input_file_id="file-of-last-week", reserved_at=long_ago)
    assert set(judged(deployment, "small")["outcome"].to_pylist()) == {"success"}


@pytest.mark.usefixtures("jobs_of_five")
def test_the_hold_on_an_account_is_renewed_with_every_job(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batch(installation.batches / "small")
    deployment = installation.deployment
    batch = with_planned_jobs(deployment)
    seen: list[str] = []

    def reserve_and_note(ledger: Ledger, job: Job, caps: Caps) -> None:
        with ledger.reading() as connection:
            seen.append(connection.execute(sa.select(account_leases.c.expires_at)).scalar_one())
        reserve(ledger, job, caps)

    monkeypatch.setattr(submission, "reserve", reserve_and_note)
    submission.buy(deployment.ledger, deployment.store, batch, deployment.settings)
    assert len(set(seen)) == 3


# --- nothing bought is lost ---


@pytest.mark.heavy
@pytest.mark.usefixtures("priced", "jobs_of_five")
def test_a_cap_that_holds_back_a_job_does_not_hold_back_the_answers_that_make_room_for_it(
    installation: Installation,
) -> None:
    cap = 2.5 * bound_of_one_job(installation) / DOLLAR
    small_batch(installation.batches / "tight", extra=f"[spending]\nmax_usd = {cap:.6f}")
    with pytest.raises(OverBudget):
        bought(installation.deployment, "tight")
    progress = run_batch(installation.deployment, "tight", tell=lambda _: None, wait=True, new_revision=False)
    assert progress.complete
    with installation.deployment.ledger.reading() as connection:
        row = connection.execute(sa.select(batches).where(batches.c.batch_id == "tight")).one()
    assert row.reserved_nano_usd == 0
    assert row.spent_nano_usd <= cap * DOLLAR


@pytest.mark.usefixtures("priced")
def test_a_cap_that_is_too_low_is_said_and_not_waited_for(installation: Installation) -> None:
    small_batch(installation.batches / "small", extra="[spending]\nmax_usd = 0.000001")
    with pytest.raises(OverBudget, match="small"):
        run_batch(installation.deployment, "small", tell=lambda _: None, wait=True, new_revision=False)


@pytest.mark.usefixtures("jobs_of_five")
def test_answers_are_kept_also_while_another_job_is_in_doubt(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    deployment = installation.deployment
    bought(deployment, "small")
    ended(deployment, "small")
    first, *_ = jobs_of(deployment.ledger, "small")
    advance(deployment.ledger, first, State.UNKNOWN)
    assert [due.batch_id for due in batches_to_collect(deployment).due] == ["small"]
    collected = collection.collect(deployment.ledger, deployment.store, deployment.batch("small"), deployment.settings)
    assert isinstance(collected, Progress)
    assert (collected.uncertain, collected.done) == (1, 2)
    assert batches_to_collect(deployment).due == ()


@pytest.mark.usefixtures("jobs_of_five")
def test_one_file_that_cannot_be_fetched_does_not_hold_back_the_others(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batch(installation.batches / "small")
    deployment = installation.deployment
    batch, _, _ = bought(deployment, "small")
    ended(deployment, "small")
    broken = jobs_of(deployment.ledger, "small")[0].job_id
    fetch = fetching.fetch

    def failing(*arguments: Any) -> Job:
        if arguments[-1].job_id == broken:
            raise ProviderUnreachable("not now")
        return fetch(*arguments)

    monkeypatch.setattr(collection, "fetch", failing)
    with pytest.raises(ProviderUnreachable, match="not now"):
        collection.collect(deployment.ledger, deployment.store, batch, deployment.settings)
    assert progress_of(deployment.ledger, "small") == Progress(ended=1, done=2)


def test_two_who_collect_at_once_both_get_the_answers(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batch(installation.batches / "small")
    deployment = installation.deployment
    batch, _, _ = bought(deployment, "small")
    ended(deployment, "small")
    fetch = fetching.fetch

    def overtaken(*arguments: Any) -> Job:
        monkeypatch.setattr(collection, "fetch", fetch)
        collection.collect(deployment.ledger, deployment.store, batch, deployment.settings)
        return fetch(*arguments)

    monkeypatch.setattr(collection, "fetch", overtaken)
    collected = collection.collect(deployment.ledger, deployment.store, batch, deployment.settings)
    assert isinstance(collected, pa.Table)
    assert collected.num_rows == 15


def test_a_server_that_is_down_does_not_hide_how_the_jobs_of_another_stand(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = '[[judges]]\nid = "dead"\nprovider = "emulator"\nmodel = "latent"\naccount = "dead"\n'
    small_batch(installation.batches / "small", extra=dead)
    deployment = installation.deployment
    batch, _, _ = bought(deployment, "small")
    judges = {judge.id: judge for judge in batch.manifest.judges}
    # the same provider under a name that nobody answers at
    judges["dead"] = judges["dead"].model_copy(update={"provider": "openai", "base_url": "http://127.0.0.1:9/v1"})
    monkeypatch.setenv("OPENAI_API_KEY_DEAD", "sk-of-no-account")
    jobs = sorted(jobs_of(deployment.ledger, "small"), key=lambda job: job.judge_id != "dead")
    jobs[0] = replace(jobs[0], provider="openai")
    judge_of = {job.job_id: judges[job.judge_id] for job in jobs}
    for _ in range(100):
        with pytest.raises(ProviderUnreachable):
            look_at(deployment.ledger, jobs, judge_of, deployment.settings)
        if job_named(deployment.ledger, jobs[1].job_id).state is State.ENDED:
            return
        time.sleep(0.1)
    raise AssertionError("the living server's job was never looked at")


def test_an_account_that_may_not_spend_does_not_stop_another_from_buying(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = '[[judges]]\nid = "other"\nprovider = "emulator"\nmodel = "latent"\naccount = "z"\n'
    small_batch(installation.batches / "small", extra=other)

    def poor(ledger: Ledger, job: Job, caps: Caps) -> None:
        if job.account == "default":
            raise OverBudget("account emulator/default: no money this day")
        reserve(ledger, job, caps)

    monkeypatch.setattr(submission, "reserve", poor)
    with pytest.raises(OverBudget, match="emulator/default"):
        bought(installation.deployment, "small")
    states = {job.judge_id: job.state for job in jobs_of(installation.deployment.ledger, "small")}
    assert states == {"judge": State.PLANNED, "other": State.SUBMITTED}


# --- ways out, and what people are told ---


def test_a_refused_job_was_not_bought_and_its_cause_may_be_corrected(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small", model="lexical")
    installation.arm("create_400")
    judged(installation.deployment, "small")
    manifest = folder / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('"lexical"', '"latent"'), "utf-8")
    assert set(judged(installation.deployment, "small")["outcome"].to_pylist()) == {"success"}


def test_a_collection_that_failed_is_asked_for_again_an_hour_later(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    deployment, now = installation.deployment, datetime(2026, 5, 22, 12, 5, tzinfo=UTC)
    bought(deployment, "small")
    ended(deployment, "small")
    first = batches_to_collect(deployment, now).due
    assert len(first) == 1
    assert batches_to_collect(deployment, now + timedelta(minutes=30)).due == first
    assert batches_to_collect(deployment, now + timedelta(hours=1)).due != first


def test_a_purchase_that_failed_is_asked_for_again_an_hour_later(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    deployment, now = installation.deployment, datetime(2026, 5, 22, 12, 5, tzinfo=UTC)
    batch = deployment.batch("small")
    open_revision(deployment.ledger, batch)
    plan.open_wave(deployment.ledger, deployment.store, batch)
    first = batches_to_buy(deployment, now).due
    assert batches_to_buy(deployment, now + timedelta(minutes=30)).due == first
    assert batches_to_buy(deployment, now + timedelta(hours=1)).due != first


def test_a_job_out_for_longer_than_the_window_is_noticed(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    deployment = installation.deployment
    batch, pairs, _ = bought(deployment, "small")
    (job,) = jobs_of(deployment.ledger, "small")
    long_ago = (datetime.now(UTC) - timedelta(days=3)).isoformat(timespec="microseconds")
    advance(deployment.ledger, job, State.SUBMITTED, submitted_at=long_ago)
    found = {finding.name: finding for finding in job_findings(deployment.ledger, batch, pairs, deployment.settings)}
    assert not found["within_window"].passed
    assert job.job_id in found["within_window"].summary
