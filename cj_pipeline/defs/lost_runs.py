"""Runs whose process was killed: Dagster's default launcher cannot tell, and would count them as running for an hour.

Meanwhile they would take places of the queue, and no sensor would ask for their batch again.
"""

import os
import socket

import dagster as dg
import psutil

PROCESS_TAG = "cj/process"  # of a run: the host, id and birth of the process that carries it out


def this_process() -> str:
    """This process by host, id and birth: ids are given out again."""
    return f"{socket.gethostname()}/{os.getpid()}/{psutil.Process().create_time():.0f}"


def fail_lost_runs(instance: dg.DagsterInstance) -> list[str]:
    """Report runs as failed that were carried out on this host by a process that is gone; returns their ids.

    `run_retries` in dagster.yaml then starts them again, as it does for any lost worker.
    """
    at_work = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    lost = [
        run for run in instance.get_runs(dg.RunsFilter(statuses=at_work)) if _is_gone(run.tags.get(PROCESS_TAG, ""))
    ]
    for run in lost:
        instance.report_run_failed(run, f"its process ({run.tags[PROCESS_TAG]}) is gone")
    return [run.run_id for run in lost]


def _is_gone(process: str) -> bool:
    host, _, rest = process.rpartition("/")[0].partition("/")
    if host != socket.gethostname():
        return False  # nothing can be known about it from here; max_runtime_seconds ends it
    try:
        return f"{psutil.Process(int(rest)).create_time():.0f}" != process.rpartition("/")[2]
    except psutil.NoSuchProcess:
        return True
