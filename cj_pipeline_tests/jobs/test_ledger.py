"""The ledger: what the migrations build is what the code expects, and a state is left only by whoever saw it."""

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from cj_pipeline.errors import OverBudget
from cj_pipeline.jobs.job import LostRace, State, advance, job_named, jobs_of
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.schema import batches, bookings, metadata
from cj_pipeline.jobs.spending import Caps, reserve, settle
from cj_pipeline.providers import TokenPrice
from cj_pipeline_tests.installation import ON_BOTH_DATABASES, Installation, small_batch
from cj_pipeline_tests.jobs.purchase import judged


def test_the_migrations_build_the_schema_that_the_code_names(tmp_path: Path) -> None:
    with Ledger(f"sqlite:///{tmp_path}/ledger.sqlite").reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_commit_is_forced_to_disk_and_readers_never_wait(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    with ledger.reading() as connection:
        assert connection.execute(sa.text("PRAGMA synchronous")).scalar_one() == 2  # FULL
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar_one() == "wal"
    with ledger.transaction(), ledger.reading() as reader:
        assert reader.execute(sa.select(sa.func.count()).select_from(batches)).scalar_one() == 0


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    row = {"batch_id": "b", "revision": "r", "parts": "{}", "version": 1, "created_at": "now"}

    def fail_midway() -> None:
        with ledger.transaction() as connection:
            connection.execute(batches.insert().values(**row, reserved_nano_usd=0, spent_nano_usd=0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_midway()
    with ledger.reading() as connection:
        assert connection.execute(sa.select(batches)).all() == []


@ON_BOTH_DATABASES
def test_of_two_who_saw_the_same_state_one_moves_it(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    ledger = installation.deployment.ledger
    seen = jobs_of(ledger, "small")[0]
    advance(ledger, seen, State.CANCELLED)
    with pytest.raises(LostRace):
        advance(ledger, seen, State.CANCELLED, since={State.RECONCILED})


@ON_BOTH_DATABASES
def test_every_change_of_a_job_grows_the_version(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    ledger = installation.deployment.ledger
    before = ledger.provenance("small").ledger_version
    advance(ledger, jobs_of(ledger, "small")[0], State.RECONCILED, looks=1)
    assert ledger.provenance("small").ledger_version == before + 1


def planned_jobs(installation: Installation, bound: int) -> Ledger:
    """Jobs as if just planned, each able to cost `bound`."""
    small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    ledger = installation.deployment.ledger
    job = jobs_of(ledger, "small")[0]
    fresh = {"state": "planned", "bound_nano_usd": bound, "reserved_at": None, "spent_nano_usd": None}
    columns = ", ".join(
        column.name for column in sa.inspect(metadata.tables["jobs"]).columns if column.name != "job_id"
    )
    with ledger.transaction() as connection:
        connection.execute(metadata.tables["jobs"].update().values(**fresh))
        for number in range(9):
            copy = (
                f"INSERT INTO jobs (job_id, {columns}) SELECT 'copy{number}', {columns} FROM jobs WHERE job_id = :job"
            )
            connection.execute(sa.text(copy), {"job": job.job_id})
    return ledger


@ON_BOTH_DATABASES
def test_many_at_once_never_reserve_more_than_the_cap(installation: Installation) -> None:
    ledger = planned_jobs(installation, bound=300)
    caps = Caps(batch=1000, account_per_day=10**9, account_per_month=10**9)

    def try_to_reserve(job_id: str) -> None:
        try:
            reserve(ledger, job_named(ledger, job_id), caps)
        except OverBudget:
            return

    threads = [threading.Thread(target=try_to_reserve, args=(job.job_id,)) for job in jobs_of(ledger, "small")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.reading() as connection:
        assert connection.execute(sa.select(batches.c.reserved_nano_usd)).scalar_one() == 900
        booked = sa.select(sa.func.sum(bookings.c.nano_usd)).where(
            bookings.c.kind == "reserve", bookings.c.nano_usd > 0
        )
        assert connection.execute(booked).scalar_one() == 900


@ON_BOTH_DATABASES
def test_a_settled_bill_replaces_its_reservation(installation: Installation) -> None:
    ledger = planned_jobs(installation, bound=300)
    caps = Caps(batch=1000, account_per_day=10**9, account_per_month=10**9)
    reserve(ledger, jobs_of(ledger, "small")[0], caps)
    reserved = jobs_of(ledger, "small")[0]
    with ledger.transaction() as connection:
        settle(connection, reserved, State.RECONCILED, 120, TokenPrice(1, 1, 1, 1, "a price list"), None)
    with ledger.reading() as connection:
        row = connection.execute(sa.select(batches)).one()
    assert (row.reserved_nano_usd, row.spent_nano_usd) == (0, 120)


@ON_BOTH_DATABASES
def test_what_an_account_used_today_counts_against_its_cap(installation: Installation) -> None:
    ledger = planned_jobs(installation, bound=300)
    first, second, *_ = jobs_of(ledger, "small")
    caps = Caps(batch=10**9, account_per_day=500, account_per_month=10**9)
    reserve(ledger, first, caps)
    with pytest.raises(OverBudget, match="this day"):
        reserve(ledger, second, caps)
    with pytest.raises(OverBudget, match="this month"):
        reserve(ledger, second, Caps(batch=10**9, account_per_day=10**9, account_per_month=500))
