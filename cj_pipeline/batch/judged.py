"""The judged batch that new essays join: what of it stands beside them, and the essays of both as one table."""

from dataclasses import dataclass

import pyarrow as pa

from cj_pipeline.batch.manifest import JudgeSection
from cj_pipeline.errors import BatchError
from cj_pipeline.scales import GradeScale
from cj_pipeline.tables import ESSAYS, Provenance, conform

FROM_BATCH = "from_batch"  # a group column of a topped-up batch: the batch in whose folder an essay lies


@dataclass(frozen=True, slots=True)
class JudgedBatch:
    """A batch as it was judged, with all that it topped up itself."""

    batch_id: str
    provenance: Provenance  # the revision and ledger version its judgments were read at
    judges: tuple[JudgeSection, ...]
    scale: GradeScale | None
    assignment: str
    rubric: str
    essays: pa.Table
    pairs: pa.Table  # every pair its essays were asked in
    human_judgments: pa.Table


def joined_essays(new: pa.Table, batch_id: str, earlier: JudgedBatch) -> pa.Table:
    """The essays of both, anchors first and each part sorted by id, with the batch each lies in as a group column.

    Raises `BatchError` for an id that stands in both.
    """
    known = set(earlier.essays["essay_id"].to_pylist())
    for essay_id in new["essay_id"].to_pylist():
        if essay_id in known:
            raise BatchError(
                f"batch {batch_id}: the essay {essay_id!r} stands in {earlier.batch_id} already. Its folder holds only "
                "new essays; remove it, or give the new text an id of its own."
            )
    rows = [
        *({FROM_BATCH: earlier.batch_id, **row} for row in earlier.essays.to_pylist()),
        *({**row, FROM_BATCH: batch_id} for row in new.to_pylist()),
    ]
    rows.sort(key=lambda row: (not row["is_anchor"], row["essay_id"]))
    groups = sorted({name for row in rows for name in row} - set(ESSAYS.names))
    fields = [(field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type) for field in ESSAYS]
    plain = pa.schema([*fields, *((name, pa.string()) for name in groups)])
    return conform("essays", pa.Table.from_pylist(rows, schema=plain))


def joined_votes(own: pa.Table, earlier: JudgedBatch) -> pa.Table:
    """People's votes of both, the earlier first."""
    return pa.concat_tables([earlier.human_judgments, own]).unify_dictionaries()
