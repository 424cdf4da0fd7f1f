"""Money: what a purchase is said to cost, the caps it stays under, and what stops it."""

import multiprocessing
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import AccountOnHold, CjError, OverBudget
from cj_pipeline.jobs.collection import collect
from cj_pipeline.jobs.costs import accounts, judge_costs
from cj_pipeline.jobs.holds import holds, lift_hold
from cj_pipeline.jobs.job import State, all_jobs, jobs_of
from cj_pipeline.jobs.plan import estimate_wave, open_wave
from cj_pipeline.jobs.progress import Progress, progress_of
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.schema import batches
from cj_pipeline.jobs.spending import Observed, observed
from cj_pipeline.jobs.submission import buy
from cj_pipeline.providers import nano_usd
from cj_pipeline_tests.installation import ON_BOTH_DATABASES, Installation, small_batch
from cj_pipeline_tests.jobs.purchase import bought, ended, judged, paid_batch

PROFILES = ("lexical", "latent", "latent:sd=1.5,order=0.4")
AT_ONCE = 50


def spent(deployment: Deployment) -> int:
    return sum(job.spent_nano_usd or 0 for job in all_jobs(deployment.ledger))


# --- the estimate ---


@pytest.mark.parametrize("model", PROFILES)
def test_what_a_judge_of_the_same_model_took_before_is_what_is_expected_of_it(
    installation: Installation, model: str
) -> None:
    paid_batch(installation, "first", model=model)
    judged(installation.deployment, "first")
    paid_batch(installation, "second", model=model, essays=9, max_comparisons=36)
    deployment = installation.deployment
    batch = deployment.batch("second")
    open_revision(deployment.ledger, batch)
    said = estimate_wave(deployment.ledger, batch, open_wave(deployment.ledger, deployment.store, batch))["judge"]
    judged(deployment, "second")
    actual = sum(job.spent_nano_usd or 0 for job in jobs_of(deployment.ledger, "second"))
    assert said.expected == pytest.approx(actual, rel=0.05)
    assert said.low <= said.expected
    assert actual <= said.high


def test_without_earlier_answers_ordinary_prose_is_expected(installation: Installation) -> None:
    assert observed(installation.deployment.ledger, "openai", "never-asked") == Observed()


# --- the caps ---


@pytest.mark.heavy
@ON_BOTH_DATABASES
def test_fifty_batches_at_once_stay_under_the_cap_of_their_account(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are bought by four processes at a time; the cap has room for some of them only."""
    names = [f"b{number:02d}" for number in range(AT_ONCE)]
    for name in names:
        paid_batch(installation, name)
    deployment = installation.deployment
    measured = deployment.batch("b00")
    open_revision(deployment.ledger, measured)
    pairs = open_wave(deployment.ledger, deployment.store, measured)
    bound = estimate_wave(deployment.ledger, measured, pairs)["judge"].high
    cap = 20.5 * bound / 1e9
    environment = {
        **installation.environment, "CJ_ACCOUNT_MAX_USD_PER_DAY": f"{cap:.12f}", "CJ_PRICES": os.environ["CJ_PRICES"],
        "OPENAI_API_KEY": "sk-any",
    }  # fmt: skip
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        results = [pool.apply_async(_bought_under_cap, (name, environment)) for name in names]
        accepted = sum(result.get(timeout=240) for result in results)
    assert accepted == 20
    with deployment.ledger.reading() as connection:
        reserved = connection.execute(sa.select(sa.func.sum(batches.c.reserved_nano_usd))).scalar_one()
    assert reserved == sum(job.reserved_nano_usd for job in all_jobs(deployment.ledger)) <= nano_usd(cap)
    assert installation.bill()["batches_created"] == 20


def _bought_under_cap(batch_id: str, environment: dict[str, str]) -> bool:
    os.environ.update(environment)
    try:
        bought(Deployment.open(), batch_id)
    except OverBudget:
        return False
    return True


def test_what_is_still_open_counts_against_every_period(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that was reserved yesterday may still send its bill today."""
    paid_batch(installation, "yesterday")
    deployment = installation.deployment
    bought(deployment, "yesterday")
    job = jobs_of(deployment.ledger, "yesterday")[0]
    with deployment.ledger.transaction() as connection:
        earlier = (datetime.now(UTC) - timedelta(days=40)).isoformat()
        connection.execute(sa.text("update jobs set reserved_at = :at"), {"at": earlier})
    monkeypatch.setenv("CJ_ACCOUNT_MAX_USD_PER_DAY", f"{1.5 * job.bound_nano_usd / 1e9:.12f}")
    paid_batch(installation, "today")
    with pytest.raises(OverBudget, match="this day"):
        bought(installation.deployment, "today")


def test_a_panel_shares_one_cap(installation: Installation) -> None:
    folder = paid_batch(installation, "panel", max_usd=1.0)
    manifest = folder / "batch.toml"
    text = manifest.read_text("utf-8")
    head, judge, rest = text.partition("[[judges]]")
    one, spending, end = rest.partition("[spending]")
    manifest.write_text(head + judge + one + judge + one.replace('"judge"', '"other"') + spending + end, "utf-8")
    deployment = installation.deployment
    bought(deployment, "panel")
    bound = max(job.bound_nano_usd for job in jobs_of(deployment.ledger, "panel"))
    paid_batch(installation, "tight", max_usd=1.5 * bound / 1e9)
    tight = installation.batches / "tight/batch.toml"
    both = manifest.read_text("utf-8").partition("[spending]")[0]
    tight.write_text(both + "[spending]" + tight.read_text("utf-8").partition("[spending]")[2], "utf-8")
    with pytest.raises(OverBudget, match="tight"):
        bought(installation.deployment, "tight")
    assert sum(job.state is State.SUBMITTED for job in jobs_of(deployment.ledger, "tight")) == 1


# --- an account without credit ---


@pytest.mark.parametrize("fault", ["out_of_credit", "create_out_of_credit"])
def test_an_account_without_credit_stops_everything_under_it_and_burns_nothing(
    installation: Installation, fault: str
) -> None:
    paid_batch(installation, "poor")
    paid_batch(installation, "next")
    deployment = installation.deployment
    installation.arm(fault)
    with pytest.raises(AccountOnHold, match="cj jobs lift-hold openai/default"):
        judged(deployment, "poor")
    assert [hold.account for hold in holds(deployment.ledger)] == ["openai/default"]
    with pytest.raises(AccountOnHold):
        bought(deployment, "next")
    assert installation.bill()["batches_created"] <= 1
    assert spent(deployment) == 0

    lift_hold(deployment.ledger, "openai/default", lifted_by="somebody who paid")
    rows = judged(deployment, "poor")
    assert set(rows["outcome"].to_pylist()) == {"success"}
    assert judged(deployment, "next").num_rows == 15


# --- what it came to ---


def test_costs_are_told_by_judge_and_account(installation: Installation) -> None:
    paid_batch(installation, "told")
    deployment = installation.deployment
    judged(deployment, "told")
    (row,) = judge_costs(deployment.ledger, "told")
    assert row.comparisons == 15
    assert row.spent_usd == pytest.approx(spent(deployment) / 1e9)
    assert row.price_source == "a price list of this test"
    (account,) = accounts(deployment.ledger, deployment.settings)
    assert account.today_usd == pytest.approx(row.spent_usd)
    assert account.account == "openai/default"


def test_a_row_keeps_the_price_it_was_bought_at(installation: Installation) -> None:
    paid_batch(installation, "kept")
    deployment = installation.deployment
    before = judged(deployment, "kept")
    prices = installation.folder / "prices.toml"
    prices.write_text(prices.read_text("utf-8").replace("0.317", "9.317"), "utf-8")
    again = judged(installation.deployment, "kept")
    assert again["cost_usd"].to_pylist() == before["cost_usd"].to_pylist()
    booked = sum(job.spent_nano_usd or 0 for job in jobs_of(deployment.ledger, "kept"))
    assert sum(again["cost_usd"].to_pylist()) == pytest.approx(booked / 1e9, abs=1e-12)


# --- a full queue ---


def test_a_job_that_found_the_queue_full_comes_back_smaller_and_later(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batch(installation.batches / "small")
    monkeypatch.setenv("CJ_BACKOFF_SECONDS", "3600")
    installation.arm("token_limit_exceeded")
    deployment = installation.deployment
    bought(deployment, "small")
    ended(deployment, "small")
    progress = collect(deployment.ledger, deployment.store, deployment.batch("small"), deployment.settings)
    assert isinstance(progress, Progress)
    assert bought(deployment, "small")[2].submitted == ()
    first, *later = jobs_of(deployment.ledger, "small")
    assert (first.items, sorted(job.items for job in later)) == (15, [1, 7, 7])
    assert all(str(job.not_before) > datetime.now(UTC).isoformat() for job in later)
    assert installation.bill()["batches_created"] == 1

    with deployment.ledger.transaction() as connection:
        connection.execute(sa.text("update jobs set not_before = null"))
    assert judged(deployment, "small").num_rows == 15
    assert installation.bill()["requests_seen"] == 15


def test_a_queue_of_known_size_is_never_overfilled(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    small_batch(installation.batches / "sized")
    deployment = installation.deployment
    bought(deployment, "sized")
    tokens = jobs_of(deployment.ledger, "sized")[0].estimated_tokens
    small_batch(installation.batches / "small")
    monkeypatch.setenv("CJ_ENQUEUED_TOKENS", str(int(tokens * 0.8)))
    judged(deployment, "sized")
    deployment = installation.deployment
    _, _, first = bought(deployment, "small")
    jobs = jobs_of(deployment.ledger, "small")
    assert len(jobs) == 3
    assert max(job.estimated_tokens for job in jobs) <= tokens * 0.4
    assert (len(first.submitted), len(first.waiting)) == (2, 1)
    assert judged(deployment, "small").num_rows == 15


# --- the order of the requests ---


def test_requests_of_a_job_stand_by_essay_a_and_say_what_a_cache_could_save(installation: Installation) -> None:
    folder = small_batch(installation.batches / "long", essays=8, max_comparisons=28)
    (folder / "rubric.md").write_text("Judge what is said and how it is said. " * 150, "utf-8")
    deployment = installation.deployment
    bought(deployment, "long")
    (job,) = jobs_of(deployment.ledger, "long")
    first = deployment.store.read_parquet(job.items_path)["essay_a"].to_pylist()
    assert first == sorted(first)
    shared = len("Judge what is said and how it is said. " * 150) // 4
    assert 27 * 1024 <= (job.cacheable_tokens or 0) <= 27 * (shared + 1000)


def test_short_prompts_have_nothing_to_cache(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    bought(installation.deployment, "small")
    assert jobs_of(installation.deployment.ledger, "small")[0].cacheable_tokens == 0


# --- jobs in doubt that are given up ---


def test_a_job_given_up_counts_at_its_bound_and_is_asked_again(installation: Installation) -> None:
    from cj_pipeline.jobs.interventions import give_up_job

    paid_batch(installation, "doubt")
    deployment = installation.deployment
    _, _, done = bought(deployment, "doubt")
    (name,) = done.submitted
    with deployment.ledger.transaction() as connection:
        connection.execute(sa.text("update jobs set state = 'unknown', provider_job_id = null"))
    job = jobs_of(deployment.ledger, "doubt")[0]
    closed = give_up_job(deployment.ledger, replace(job))
    assert (closed.state, closed.spent_nano_usd) == (State.CANCELLED, job.bound_nano_usd)
    rows = judged(deployment, "doubt")
    assert set(rows["outcome"].to_pylist()) == {"success"}
    assert set(rows["attempt"].to_pylist()) == {2}
    assert rows["job_id"][0].as_py() != name
    assert progress_of(deployment.ledger, "doubt").complete
    assert buy(deployment.ledger, deployment.store, deployment.batch("doubt"), deployment.settings).submitted == ()


def test_a_request_file_that_was_altered_is_not_sent(installation: Installation) -> None:
    paid_batch(installation, "altered", max_usd=1e-6)
    with pytest.raises(OverBudget):
        bought(installation.deployment, "altered")
    (job,) = jobs_of(installation.deployment.ledger, "altered")
    path = installation.folder / "store" / job.request_path
    path.write_bytes(path.read_bytes().replace(b"Say something", b"Say nothing", 1))
    manifest = installation.batches / "altered/batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("max_usd = 0.000001000", "max_usd = 1.0"), "utf-8")
    with pytest.raises(CjError, match="SHA-256 changed"):
        bought(installation.deployment, "altered")
    assert installation.bill()["files_uploaded"] == 0
