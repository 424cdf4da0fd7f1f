"""A child process that runs a batch and is killed at a named point. Started by the tests as `killed.py POINT BATCH`.

It wraps functions of the pipeline, never of an SDK: the point is reached, the process is gone.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from cj_pipeline import cli, store
from cj_pipeline.jobs import collection, submission
from cj_pipeline.jobs.job import State
from cj_pipeline.providers.openai import OpenAIBatches


def die() -> None:
    """No exit handler, no flush, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(function: Callable[..., Any], when: Callable[..., bool] = lambda *_, **__: True) -> Callable[..., Any]:
    """Let a call finish, then die if it is the one."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if when(*args, **kwargs):
            die()
        return result

    return wrapped


def before(function: Callable[..., Any], when: Callable[..., bool]) -> Callable[..., Any]:
    """Die instead of making the call, if it is the one."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if when(*args, **kwargs):
            die()
        return function(*args, **kwargs)

    return wrapped


def moved_to(state: State) -> Callable[..., bool]:
    return lambda _ledger, _job, to, **_: to is state


def writes(name: str) -> Callable[..., bool]:
    return lambda _store, table, *_: table == name


POINTS: dict[str, Callable[[], None]] = {
    "after the jobs are planned": lambda: setattr(submission, "caps_for", before(submission.caps_for, lambda *_: True)),
    "after the money is reserved": lambda: setattr(submission, "reserve", after(submission.reserve)),
    "after the upload": lambda: setattr(OpenAIBatches, "_upload", after(OpenAIBatches._upload)),
    "after the upload is recorded": lambda: setattr(
        submission, "advance", after(submission.advance, moved_to(State.UPLOADED))
    ),
    "after the intent": lambda: setattr(submission, "advance", after(submission.advance, moved_to(State.SUBMITTING))),
    "after the create": lambda: setattr(OpenAIBatches, "submit", after(OpenAIBatches.submit)),
    "after the submission is recorded": lambda: setattr(
        submission, "advance", after(submission.advance, moved_to(State.SUBMITTED))
    ),
    "after the end is seen": lambda: setattr(collection, "advance", after(collection.advance, moved_to(State.ENDED))),
    "before the fetch is recorded": lambda: setattr(
        collection, "advance", before(collection.advance, moved_to(State.FETCHED))
    ),
    "after the fetch is recorded": lambda: setattr(
        collection, "advance", after(collection.advance, moved_to(State.FETCHED))
    ),
    "after the reconciliation": lambda: setattr(collection, "reconcile", after(collection.reconcile)),
    "before the judgments' Parquet": lambda: setattr(
        store.Store, "write_table", before(store.Store.write_table, writes("judgments"))
    ),
    "after the judgments' Parquet": lambda: setattr(
        store.Store, "write_table", after(store.Store.write_table, writes("judgments"))
    ),
    "before the report": lambda: setattr(
        store.Store, "write", before(store.Store.write, lambda _s, path, _c: "report" in path)
    ),
}

if __name__ == "__main__":
    POINTS[sys.argv[1]]()
    sys.argv = ["cj", "run", sys.argv[2]]
    cli.main()
