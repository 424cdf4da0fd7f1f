"""Collecting: look at the jobs, keep what came byte for byte, then read it, book its cost, and state every outcome.

What a provider sent is stored and hashed before anything is parsed, so a wrong parser never costs money twice.
"""

import logging
import time

import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.erasure import erase_at_provider
from cj_pipeline.jobs.fetching import fetch
from cj_pipeline.jobs.job import LostRace, State, jobs_of
from cj_pipeline.jobs.judgments import judgments_of
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.plan import batch_mode, rules_of
from cj_pipeline.jobs.polling import poll
from cj_pipeline.jobs.progress import Progress, progress_of
from cj_pipeline.jobs.reconciliation import reconcile
from cj_pipeline.jobs.retries import plan_further_attempt
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.2  # between looks at the local emulator


def collect(ledger: Ledger, store: Store, batch: Batch, settings: Settings) -> pa.Table | Progress:
    """The table `judgments` when every comparison has its terminal outcome, else how far the purchase is.

    Looks at the provider's jobs, fetches and reconciles those that ended (of earlier revisions too: they were paid),
    removes the provider's copies, and plans further attempts for what may be asked again; those wait for `buy`.
    Raises `ProviderUnreachable` when something could not be read, after everything that could be was kept: results
    do not stay at the provider for ever.
    """
    unread: list[CjError] = []
    try:
        poll(ledger, batch, settings)
    except CjError as error:
        unread.append(error)
    for job in jobs_of(ledger, batch.batch_id):
        try:
            if job.state is State.ENDED:
                job = fetch(ledger, store, batch, settings, job)
            if job.state is State.FETCHED:
                reconcile(ledger, store, batch, job)
        except LostRace:
            continue  # another process collects at the same time and was faster
        except CjError as error:
            unread.append(error)
    if settings.delete_at_provider:
        erase_at_provider(ledger, batch, settings)
    if unread:
        raise unread[0]
    if progress_of(ledger, batch.batch_id).complete:
        final = not batch_mode(batch).iterative  # a single wave ends with its batch
        plan_further_attempt(ledger, store, batch, settings, rules_of(batch), final=final)
    progress = progress_of(ledger, batch.batch_id)
    return judgments_of(ledger, store, batch) if progress.complete else progress


def collect_patiently(ledger: Ledger, store: Store, batch: Batch, settings: Settings) -> pa.Table | Progress:
    """`collect`, looking again for a while when all judges are offline: their jobs take seconds, not hours."""
    deadline = time.monotonic() + (settings.emulator_patience_seconds if batch.manifest.offline else 0)
    while True:
        collected = collect(ledger, store, batch, settings)
        waiting = isinstance(collected, Progress) and collected.at_provider > 0 and not collected.planned
        if not waiting or time.monotonic() > deadline:
            return collected
        time.sleep(LOOK_AGAIN_SECONDS)
