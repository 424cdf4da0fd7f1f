"""A process from which purchases are forked, each to be killed somewhere: started once, so that a fork takes a moment.

It reads one JSON order per line ({"batch", "environment", "die_at", "log"}), answers with the child's pid, then with
how it ended. Run as `python stem.py`.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import alembic.command  # noqa: F401  (loaded before the fork, so that no child pays for it)
import anthropic.resources.messages  # noqa: F401  (the same)
import openai.resources.chat  # noqa: F401  (the same)
import psutil  # noqa: F401  (the same)
from sqlalchemy.engine import Connection

from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.collection import collect
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.plan import open_wave, plan_jobs
from cj_pipeline.jobs.progress import Progress
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.submission import buy
from cj_pipeline.store import Store

MOST_ROUNDS = 400


def purchase(batch_id: str) -> None:
    """From the folder to the stored judgments, as the assets do it, going on after whatever can be tried again."""
    deployment = Deployment.open()
    ledger, store, settings = deployment.ledger, deployment.store, deployment.settings
    batch = deployment.batch(batch_id)
    open_revision(ledger, batch)
    plan_jobs(ledger, store, batch, open_wave(ledger, store, batch), settings)
    for _ in range(MOST_ROUNDS):
        try:
            buy(ledger, store, batch, settings)
            collected = collect(ledger, store, batch, settings)
        except CjError:
            continue
        if not isinstance(collected, Progress):
            deployment.write_tables(batch_id, {"judgments": collected})
            return
    raise TimeoutError(f"{batch_id} does not come to its end")


class Points:
    """Counts every write of the child, before and after it takes effect, and dies at the one that was ordered."""

    def __init__(self, die_at: int | None, log: Path) -> None:
        self._die_at, self._log, self._passed = die_at, log, 0

    def pass_by(self, name: str) -> None:
        self._passed += 1
        with self._log.open("a", encoding="utf-8") as file:
            file.write(name + "\n")
        if self._passed == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Set points around every commit of the ledger and every file of the store."""
        points, force_to_disk, whole = self, Store._force_to_disk, Store._whole

        @contextmanager
        def transaction(ledger: Ledger) -> Iterator[Connection]:
            where = sys._getframe(2).f_code.co_name
            with ledger.engine.begin() as connection:
                yield connection
                points.pass_by(f"before the commit in {where}")
            points.pass_by(f"after the commit in {where}")

        @contextmanager
        def watched(store: Store, path: str) -> Iterator[IO[bytes]]:
            with whole(store, path) as file:
                yield file
            points.pass_by(f"after writing {Path(path).name if 'jobs/' in path else path.split('/')[0]}")

        def forced(store: Store, file: Any) -> None:
            force_to_disk(store, file)
            points.pass_by("before a file gets its name")

        passing = {(Ledger, "transaction"): transaction, (Store, "_whole"): watched, (Store, "_force_to_disk"): forced}
        for (owner, name), with_points in passing.items():
            setattr(owner, name, with_points)


def live(order: dict[str, Any]) -> None:
    """The child's life; it never returns."""
    try:
        os.environ.update(order["environment"])
        Points(order["die_at"], Path(order["log"])).watch()
        purchase(order["batch"])
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            live(order)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
