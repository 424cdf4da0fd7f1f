"""What a batch is: its folder, its manifest, its essays and grades, and the revision that freezes them."""

from cj_pipeline.batch.batch import Batch, batch_folder, batch_ids, read_batch, word_count
from cj_pipeline.batch.judged import FROM_BATCH, JudgedBatch
from cj_pipeline.batch.manifest import (
    JudgeSection,
    Manifest,
    audit_share_of,
    mode_of,
    needs_single_wave,
    read_manifest,
    seed_of,
)
from cj_pipeline.batch.revision import Revision, revision_of

__all__ = [
    "FROM_BATCH",
    "Batch",
    "JudgeSection",
    "JudgedBatch",
    "Manifest",
    "Revision",
    "audit_share_of",
    "batch_folder",
    "batch_ids",
    "mode_of",
    "needs_single_wave",
    "read_batch",
    "read_manifest",
    "revision_of",
    "seed_of",
    "word_count",
]
