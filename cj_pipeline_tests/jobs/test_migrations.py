"""A ledger of any age opens in the newest version, and one that cannot be trusted is refused."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from cj_pipeline.errors import CjError
from cj_pipeline.jobs import migrations
from cj_pipeline.jobs.job import State, jobs_of
from cj_pipeline.jobs.ledger import Ledger, file_system_of, refuse_network_file_system
from cj_pipeline.jobs.schema import metadata
from cj_pipeline.settings import normalised_postgres_url

A_JOB = {
    "job_id": "j0123456789ab", "batch_id": "old", "revision": "r", "wave": 1, "attempt": 1, "judge_id": "judge",
    "provider": "openai", "model": "gpt-6-luna", "account": "default", "state": "submitted", "items": 3,
    "request_path": "a", "items_path": "b", "request_bytes": 10, "request_sha256": "c", "bound_nano_usd": 7,
    "reserved_nano_usd": 7, "looks": 0, "planned_at": "2026-11-22T00:00:00+00:00", "provider_job_id": "batch_1",
}  # fmt: skip


def write_first_ledger(url: str) -> None:
    """As the first release wrote it, with a job that is out."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])))
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            sa.text(
                "insert into batches"
                " (batch_id, revision, parts, version, reserved_nano_usd, spent_nano_usd, created_at)"
                " values ('old', 'r', '{}', 4, 7, 0, '2026-11-22T00:00:00+00:00')"
            )
        )
        names = ", ".join(A_JOB)
        values = ", ".join(f":{name}" for name in A_JOB)
        connection.execute(sa.text(f"insert into jobs ({names}) values ({values})"), A_JOB)
    engine.dispose()


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_ledger_of_the_first_release_opens_with_everything_in_it(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    if database == "postgres":
        url = normalised_postgres_url(request.getfixturevalue("postgres_url"))
    write_first_ledger(url)
    ledger = Ledger(url)
    (job,) = jobs_of(ledger, "old")
    assert (job.state, job.provider_job_id, job.bound_nano_usd) == (State.SUBMITTED, "batch_1", 7)
    assert (job.base_url, job.estimated_tokens, job.price) == ("", 0, None)
    with ledger.reading() as connection:
        inspected = sa.inspect(connection)
        assert set(inspected.get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_file_system_of_a_folder_is_known(tmp_path: Path) -> None:
    assert file_system_of(tmp_path) not in {"", "nfs", "cifs"}
    Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "ceph", "NFS"])
def test_a_ledger_on_a_network_file_system_is_refused_with_the_way_on(kind: str) -> None:
    with pytest.raises(CjError, match="CJ_POSTGRES_URL"):
        refuse_network_file_system(Path("/somewhere"), kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "apfs", "overlay", "tmpfs", "ntfs", "zfs", "fuseblk"])
def test_local_file_systems_are_taken(kind: str) -> None:
    refuse_network_file_system(Path("/somewhere"), kind)
