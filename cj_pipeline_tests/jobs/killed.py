"""A child process that runs a batch and is killed at a named point. Started by the tests as `killed.py POINT BATCH`.

It wraps functions of the pipeline, never of an SDK: the point is reached, the process is gone.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cj_pipeline import cli
from cj_pipeline.jobs import collection, fetching, polling, submission
from cj_pipeline.jobs.job import State
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.store import Store

Condition = Callable[..., bool]


def die() -> None:
    """No exit handler, no flush, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


def always(*_: object, **__: object) -> bool:
    return True


def moved_to(state: State) -> Condition:
    """A transition of a job, as `jobs.job.advance` is called."""
    return lambda _ledger, _job, to, **_: to is state


def writes(name: str) -> Condition:
    """A file or table of the store, by a part of its name."""
    return lambda _store, path, *_: name in path


@dataclass(frozen=True)
class Point:
    """A call to die before or after, when it is the one."""

    owner: object
    function: str
    when: Condition = always
    before: bool = False

    def set(self) -> None:
        original = getattr(self.owner, self.function)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if self.before and self.when(*args, **kwargs):
                die()
            result = original(*args, **kwargs)
            if self.when(*args, **kwargs):
                die()
            return result

        setattr(self.owner, self.function, wrapped)


POINTS = {
    "after the jobs are planned": Point(submission, "caps_for", before=True),
    "after the money is reserved": Point(submission, "reserve"),
    "after the upload": Point(OpenAIBatches, "_upload"),
    "after the upload is recorded": Point(submission, "advance", moved_to(State.UPLOADED)),
    "after the intent": Point(submission, "advance", moved_to(State.SUBMITTING)),
    "after the create": Point(OpenAIBatches, "submit"),
    "after the submission is recorded": Point(submission, "advance", moved_to(State.SUBMITTED)),
    "after the end is seen": Point(polling, "advance", moved_to(State.ENDED)),
    "before the fetch is recorded": Point(fetching, "advance", moved_to(State.FETCHED), before=True),
    "after the fetch is recorded": Point(fetching, "advance", moved_to(State.FETCHED)),
    "after the reconciliation": Point(collection, "reconcile"),
    "before the judgments' Parquet": Point(Store, "write_table", writes("judgments"), before=True),
    "after the judgments' Parquet": Point(Store, "write_table", writes("judgments")),
    "before the report": Point(Store, "write", writes("report"), before=True),
}

if __name__ == "__main__":
    POINTS[sys.argv[1]].set()
    sys.argv = ["cj", "run", sys.argv[2]]
    cli.main()
