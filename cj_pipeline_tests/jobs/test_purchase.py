"""What a batch buys is bought once, and every comparison ends in exactly one row."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from cj_pipeline.errors import AccountBusy, NotApproved, OverBudget, ProviderUnreachable
from cj_pipeline.jobs.job import State, jobs_of
from cj_pipeline.jobs.leases import account_lease
from cj_pipeline.jobs.plan import FIRST_WAVE
from cj_pipeline.jobs.provider_batch_jobs import job_table
from cj_pipeline.jobs.spending import approve
from cj_pipeline_tests.installation import ON_BOTH_DATABASES, Installation, small_batch
from cj_pipeline_tests.jobs.purchase import bought, judged


def outcomes(rows: pa.Table) -> Counter[str]:
    return Counter(code or "verdict" for code in rows["error_code"].to_pylist())


@ON_BOTH_DATABASES
def test_every_planned_pair_gets_one_row_and_is_asked_once(installation: Installation) -> None:
    installation.copy_of_demo()
    rows = judged(installation.deployment, "demo")
    assert rows.num_rows == 259
    assert len(set(rows["pair_id"].to_pylist())) == 259
    assert outcomes(rows) == {"verdict": 259}
    bill = installation.bill()
    assert (bill["requests_seen"], bill["distinct_bodies"], bill["batches_created"]) == (259, 259, 1)


def test_buying_again_buys_nothing(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    _, _, again = bought(installation.deployment, "small")
    assert (again.submitted, again.adopted) == ((), ())
    assert installation.bill()["batches_created"] == 1


@ON_BOTH_DATABASES
@pytest.mark.parametrize("fault", ["drop_connection_after_create", "create_500_after_accept"])
def test_a_job_created_behind_a_lost_reply_is_adopted_not_repeated(installation: Installation, fault: str) -> None:
    small_batch(installation.batches / "small")
    installation.arm(fault)
    _, _, first = bought(installation.deployment, "small")
    assert len(first.held) == 1
    assert jobs_of(installation.deployment.ledger, "small")[0].state is State.UNKNOWN
    rows = judged(installation.deployment, "small")
    assert outcomes(rows) == {"verdict": 15}
    bill = installation.bill()
    assert (bill["batches_created"], bill["asked_more_than_once"]) == (1, [])


def test_a_refused_job_fails_its_comparisons_and_says_why(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    installation.arm("create_400")
    rows = judged(installation.deployment, "small")
    assert outcomes(rows) == {"job_refused": 15}
    job = jobs_of(installation.deployment.ledger, "small")[0]
    assert job.state is State.REFUSED
    assert job.status == "failed"
    assert "400" in str(job.reason)


@pytest.mark.parametrize(
    ("fault", "value"),
    [("lose_lines", 4), ("rate_limit_lines", 3), ("expire_after", 0.4), ("token_limit_exceeded", True)],
)
def test_what_may_be_asked_again_is_asked_again_and_nothing_else(
    installation: Installation, fault: str, value: object
) -> None:
    small_batch(installation.batches / "small")
    installation.arm(fault, value)
    rows = judged(installation.deployment, "small")
    assert outcomes(rows) == {"verdict": 15}
    jobs = jobs_of(installation.deployment.ledger, "small")
    assert {job.attempt for job in jobs} == {1, 2}
    again = Counter(rows["attempt"].to_pylist())
    assert again[2] == sum(job.items for job in jobs if job.attempt == 2)
    if fault in {"lose_lines", "rate_limit_lines"}:
        assert again[2] == value


def test_a_repeated_line_that_agrees_counts_once(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    installation.arm("duplicate_lines", 5)
    rows = judged(installation.deployment, "small")
    assert outcomes(rows) == {"verdict": 15}
    assert set(rows["attempt"].to_pylist()) == {1}


def test_refusals_and_broken_answers_are_never_turned_into_verdicts(installation: Installation) -> None:
    small_batch(
        installation.batches / "small", essays=12, max_comparisons=66, model="latent:refusal=0.2,malformed=0.2,seed=4"
    )
    rows = judged(installation.deployment, "small")
    found = outcomes(rows)
    assert rows.num_rows == 66
    assert found["refused"] > 3
    assert found["invalid_verdict"] > 3
    assert found["verdict"] == 66 - found["refused"] - found["invalid_verdict"]
    assert set(rows["attempt"].to_pylist()) == {1}
    assert [row["winner"] for row in rows.to_pylist() if row["error_code"]] == [None] * (66 - found["verdict"])


def test_a_truncated_answer_is_asked_once_more_with_twice_the_room(installation: Installation) -> None:
    small_batch(installation.batches / "small", model="latent:truncated=0.5,seed=2")
    rows = judged(installation.deployment, "small")
    jobs = jobs_of(installation.deployment.ledger, "small")
    assert [job.attempt for job in jobs] == [1, 2]
    second = installation.deployment.store.read(jobs[1].request_path)
    assert b'"max_completion_tokens":1200' in second
    assert rows.num_rows == 15


def test_an_unreachable_provider_changes_nothing(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    small_batch(installation.batches / "small")
    monkeypatch.setenv("CJ_EMULATOR_URL", "http://127.0.0.1:9")
    with pytest.raises(ProviderUnreachable, match="Nothing was changed"):
        bought(installation.deployment, "small")
    assert jobs_of(installation.deployment.ledger, "small")[0].state is State.PLANNED
    monkeypatch.setenv("CJ_EMULATOR_URL", installation.emulator_url)
    assert judged(installation.deployment, "small").num_rows == 15


@pytest.mark.heavy
@ON_BOTH_DATABASES
def test_two_processes_at_once_buy_once(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    script = (
        "from cj_pipeline.deployment import Deployment\n"
        "from cj_pipeline_tests.jobs.purchase import bought\n"
        "bought(Deployment.open(), 'small')\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2]) for _ in range(4)]
    assert [child.wait(60) for child in children] == [0, 0, 0, 0]
    judged(installation.deployment, "small")
    bill = installation.bill()
    assert (bill["batches_created"], bill["requests_seen"]) == (1, 15)


def test_an_account_is_held_by_one_living_process(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    holder = (
        "import sys, time\n"
        "from cj_pipeline.deployment import Deployment\n"
        "from cj_pipeline.jobs.leases import account_lease\n"
        "with account_lease(Deployment.open().ledger, 'emulator/default'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    ledger = installation.deployment.ledger
    with (
        pytest.raises(AccountBusy, match=str(child.pid)),
        account_lease(ledger, "emulator/default", patience_seconds=0),
    ):
        raise AssertionError("held by two")
    child.kill()
    child.wait()
    # the dead process's lease is nobody's
    assert bought(installation.deployment, "small")[2].submitted


@pytest.fixture
def key(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-no-account")


def paid_batch(installation: Installation, spending: str) -> None:
    folder = small_batch(installation.batches / "paid", extra=f"[spending]\n{spending}")
    manifest = folder / "batch.toml"
    manifest.write_text(
        manifest.read_text("utf-8")
        .replace('provider = "emulator"', 'provider = "openai"')
        .replace('model = "latent"', 'model = "gpt-6-luna"'),
        "utf-8",
    )


@pytest.mark.usefixtures("key")
def test_nothing_is_bought_that_nobody_approved(installation: Installation) -> None:
    paid_batch(installation, "max_usd = 1.0")
    with pytest.raises(NotApproved, match="cj approve paid"):
        bought(installation.deployment, "paid")
    assert installation.bill()["files_uploaded"] == 0


@pytest.mark.parametrize(
    ("spending", "ceiling", "message"),
    [
        ("max_usd = 0.0001", 5.0, "the cap is USD 0.0001"),
        ("max_usd = 5.0", 0.0001, "the cap is USD 0.0001"),
    ],
)
@pytest.mark.usefixtures("key")
def test_no_cap_is_passed(installation: Installation, spending: str, ceiling: float, message: str) -> None:
    paid_batch(installation, spending)
    with pytest.raises(NotApproved):
        bought(installation.deployment, "paid")
    approve(installation.deployment.ledger, "paid", approved_by="head of study", max_usd=ceiling)
    with pytest.raises(OverBudget, match=message):
        bought(installation.deployment, "paid")
    assert installation.bill()["files_uploaded"] == 0
    assert job_table(installation.deployment.ledger, "paid")["reserved_usd"].to_pylist() == [0.0]


@pytest.mark.usefixtures("key")
def test_an_account_s_daily_cap_stops_the_purchase(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    paid_batch(installation, 'max_usd = 5.0\napproval = "auto"')
    monkeypatch.setenv("CJ_ACCOUNT_MAX_USD_PER_DAY", "0.0001")
    with pytest.raises(OverBudget, match="CJ_ACCOUNT_MAX_USD_PER_DAY"):
        bought(installation.deployment, "paid")


def test_a_missing_key_is_named_and_never_shown(installation: Installation) -> None:
    paid_batch(installation, 'max_usd = 5.0\napproval = "auto"')
    with pytest.raises(Exception, match="OPENAI_API_KEY"):
        bought(installation.deployment, "paid")


def test_jobs_are_planned_all_or_none_and_never_again(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    batch, pairs, _ = bought(installation.deployment, "small")
    first = jobs_of(installation.deployment.ledger, "small")
    bought(installation.deployment, "small")
    assert [job.job_id for job in jobs_of(installation.deployment.ledger, "small")] == [job.job_id for job in first]
    assert first[0].wave == FIRST_WAVE
    assert sum(job.items for job in first) == pairs.num_rows
    assert batch.essays.num_rows == 6
