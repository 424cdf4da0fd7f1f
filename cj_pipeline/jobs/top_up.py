"""What of a judged batch stands beside the essays that join it, as the ledger and the store have it."""

import json

import pyarrow as pa
import sqlalchemy as sa

from cj_pipeline.batch import Batch, JudgedBatch
from cj_pipeline.errors import BatchError, StaleTable
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.revisions import current_revision
from cj_pipeline.jobs.schema import batches
from cj_pipeline.store import Store
from cj_pipeline.tables import Provenance, refuse_stale


def judged_batch(ledger: Ledger, store: Store, earlier: Batch, topped_up_by: str) -> JudgedBatch:
    """The judged batch as its folder, its revision and its stored pairs make it.

    Raises `BatchError` when it is not judged yet, or was changed since.
    """
    judged = _judged_at(ledger, earlier, topped_up_by)
    pairs = _stored(store, "comparison_pairs", earlier, judged, topped_up_by)
    _stored(store, "judgments", earlier, judged, topped_up_by)
    if earlier.earlier is not None:
        pairs = pa.concat_tables([earlier.earlier.pairs, pairs]).unify_dictionaries()
    return JudgedBatch(
        batch_id=earlier.batch_id,
        provenance=judged,
        judges=tuple(earlier.manifest.judges),
        scale=earlier.scale,
        assignment=earlier.assignment,
        rubric=earlier.rubric,
        essays=earlier.essays,
        pairs=pairs,
        human_judgments=earlier.human_judgments,
    )


def _judged_at(ledger: Ledger, earlier: Batch, topped_up_by: str) -> Provenance:
    with ledger.reading() as connection:
        row = connection.execute(sa.select(batches).where(batches.c.batch_id == earlier.batch_id)).one_or_none()
    if row is None:
        raise BatchError(_not_judged(earlier.batch_id, topped_up_by))
    revision = current_revision(earlier)
    if revision.digest != row.revision:
        changed = ", ".join(revision.changed_since(json.loads(row.parts)))
        raise BatchError(
            f"batch {topped_up_by}: tops up {earlier.batch_id}, whose {changed} changed since it was judged. Undo the "
            f"change, or judge {earlier.batch_id} again first."
        )
    return Provenance(row.revision, row.version)


def _stored(store: Store, name: str, earlier: Batch, judged: Provenance, topped_up_by: str) -> pa.Table:
    try:
        table, found = store.read_table(name, earlier.batch_id)
        refuse_stale(name, earlier.batch_id, found, judged)
    except (FileNotFoundError, StaleTable):
        raise BatchError(_not_judged(earlier.batch_id, topped_up_by)) from None
    return table


def _not_judged(batch_id: str, topped_up_by: str) -> str:
    return f"batch {topped_up_by}: tops up {batch_id}, which is not judged to its end. First: cj run {batch_id}"
