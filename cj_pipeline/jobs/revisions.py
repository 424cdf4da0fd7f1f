"""Registering a batch in the ledger, and refusing an edit of what was already bought."""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cj_pipeline.batch import Batch, Revision, revision_of
from cj_pipeline.errors import RevisionChanged
from cj_pipeline.jobs.job import State
from cj_pipeline.jobs.ledger import Ledger, insert_new, utc_now
from cj_pipeline.jobs.schema import batches, jobs
from cj_pipeline.judging.questions import instruction_digest
from cj_pipeline.pairing.comparison_pairs import PLAN_VERSION
from cj_pipeline.providers import usd
from cj_pipeline.tables import Provenance


def current_revision(batch: Batch) -> Revision:
    """The revision that the folder's content makes, whatever the ledger says."""
    return revision_of(batch, plan_version=PLAN_VERSION, question_digest=instruction_digest(batch))


def open_revision(ledger: Ledger, batch: Batch, *, new_revision: bool = False) -> Provenance:
    """Make the folder's content the batch's revision in the ledger, unless another one was bought already.

    Free, and safe to call at any time. With `new_revision` the change is wanted: jobs, answers and bookings of
    the earlier revision stay in the ledger, and what it cost counts towards the batch's cap. Raises
    `RevisionChanged` with what was spent and the two ways on.
    """
    revision = current_revision(batch)
    parts = json.dumps(dict(revision.parts))
    with ledger.transaction() as connection:
        insert_new(connection, batches, _first_row(batch.batch_id, revision.digest, parts))
        row = connection.execute(sa.select(batches).where(batches.c.batch_id == batch.batch_id).with_for_update()).one()
        if row.revision != revision.digest:
            if not new_revision and _was_bought(connection, batch.batch_id, row.revision):
                changed = revision.changed_since(json.loads(row.parts))
                raise RevisionChanged(_refusal(batch.batch_id, changed, row.spent_nano_usd + row.reserved_nano_usd))
            connection.execute(
                batches.update()
                .where(batches.c.batch_id == batch.batch_id)
                .values(revision=revision.digest, parts=parts, version=batches.c.version + 1)
            )
    return ledger.provenance(batch.batch_id)


def _first_row(batch_id: str, revision: str, parts: str) -> dict[str, object]:
    return {
        "batch_id": batch_id,
        "revision": revision,
        "parts": parts,
        "version": 1,
        "reserved_nano_usd": 0,
        "spent_nano_usd": 0,
        "created_at": utc_now(),
    }


def _was_bought(connection: Connection, batch_id: str, revision: str) -> bool:
    attempted = sa.select(jobs.c.job_id).where(
        jobs.c.batch_id == batch_id,
        jobs.c.revision == revision,
        jobs.c.submitting_at.is_not(None),
        jobs.c.state != str(State.REFUSED),  # of a refused job nothing exists
    )
    return connection.execute(attempted.limit(1)).first() is not None


def _refusal(batch_id: str, changed: Sequence[str], nano_usd: int) -> str:
    return (
        f"batch {batch_id}: {', '.join(changed)} changed after judgments were bought "
        f"(USD {usd(nano_usd):.4f} spent or reserved). Undo the change, or choose: copy the folder to a new batch id, "
        f"or buy anew beside the old with `cj run {batch_id} --new-revision`."
    )
