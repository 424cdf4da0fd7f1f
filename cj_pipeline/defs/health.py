"""Whether Dagster can be used from this folder, and whether exactly one daemon keeps the sensors going."""

import time
from collections.abc import Iterator
from pathlib import Path

from cj_pipeline.defs.drive import open_instance
from cj_pipeline.defs.partitions import live_partitions
from cj_pipeline.doctor import Look, Verdict

FRESH_SECONDS = 120.0  # a daemon says every 30 s that it is there


def look_at_dagster() -> Iterator[Look]:
    """The instance that dagster.yaml here describes, and the daemons that are heard from."""
    if not Path("dagster.yaml").exists():
        yield Look("dagster", Verdict.WRONG, f"no dagster.yaml in {Path.cwd()}", "run this in the project's folder")
        return
    try:
        with open_instance() as instance:
            partitions = len(live_partitions(instance))
            heard = {
                beat.daemon_id
                for beat in instance.get_daemon_heartbeats().values()
                if time.time() - beat.timestamp < FRESH_SECONDS
            }
    except Exception as error:
        # the storage's own words can hold an address
        yield Look(
            "dagster", Verdict.WRONG, f"its storage cannot be opened ({type(error).__name__})", "see dagster.yaml"
        )
        return
    yield Look("dagster", Verdict.OK, f"dagster.yaml is here, {partitions} batches are registered")
    yield _daemons(len(heard))


def _daemons(heard: int) -> Look:
    if heard == 0:
        return Look(
            "daemon", Verdict.WARNING, "none was heard from in the last two minutes; no sensor and no backfill goes on",
            "`make ui` starts one; `cj run` needs none",
        )  # fmt: skip
    if heard > 1:
        return Look(
            "daemon", Verdict.WRONG, f"{heard} were heard from in the last two minutes",
            "run exactly one; if one was just restarted, look again in two minutes",
        )  # fmt: skip
    return Look("daemon", Verdict.OK, "exactly one is heard from")
