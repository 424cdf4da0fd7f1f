"""Write docs/tables.md from the contracts in `cj_pipeline.tables`."""

from pathlib import Path

import pyarrow as pa

from cj_pipeline.tables import CONTRACTS

PAGE = Path(__file__).resolve().parent.parent / "docs/tables.md"

HEAD = """\
# The tables

Every stage writes Parquet files of exactly this form: a table is cast to its contract before it is written, so what
you read is what stands here. One file per table and batch, `tables/TABLE/BATCH.parquet` in the store. Money is in US
dollars, time in UTC, scores in logits. Each file also carries the batch's revision and the ledger's version it was
made from, as `cj.revision` and `cj.ledger_version` in its metadata; a stage refuses a file that is out of date.

`cj export BATCH --to FOLDER` writes them as csv or Parquet. Beside them: `grades`, one row per essay as a school reads
it, and `results`, with grade, range, probabilities (`p_GRADE`) and score. Essay texts are left out
unless `--texts` is given.

This page is written by `.ci/write_tables_doc.py`; change `cj_pipeline/tables.py` instead.
"""

ABOUT = {
    "essays": "One row per essay, anchors first, each part sorted by id. Group columns of the batch follow as text.",
    "comparison_pairs": "One row per planned pair, in the order of the plan.",
    "provider_batch_jobs": "The ledger's jobs of the current revision, as they stood when the asset was materialised.",
    "judgments": "Exactly one terminal row per planned pair, judge and replicate.",
    "human_judgments": "One row per vote of a person, as read from `human_judgments.csv` when the scores were made.",
    "bradley_terry_scores": "One row per essay. An essay without an answered comparison has no score.",
    "scale_fit": "One row: the fit as a whole. Written with `bradley_terry_scores`.",
    "wave_path": "One row per wave: what its scores were worth, and what was decided. Written with "
    "`bradley_terry_scores`.",
    "judge_fit": "One row per judge, people after models. Written with `bradley_terry_scores`.",
    "judge_agreement": "One row per two judges that judged a pair in common. Written with `bradley_terry_scores`.",
    "pair_fit": "The 200 pairs of essays whose verdicts surprise most. Written with `bradley_terry_scores`.",
    "group_effects": "One row per group of a group column and contrast. Written with `bradley_terry_scores`.",
    "disagreements": "People against models: pairs, then essays, each with the largest difference in standard errors "
    "first. Written with `bradley_terry_scores`.",
    "grade_projections": "One row per essay, always.",
    "anchor_projections": "One row per anchor that could be projected. Written with `grade_projections`.",
    "grade_fit": "One row: the calibration as a whole. Written with `grade_projections`.",
    "anchor_drift": "One row per anchor shared with the batch of `drift_from`. Written with `grade_projections`.",
}


def tables_page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(_section(name, schema) for name, schema in CONTRACTS.items())])


def _section(name: str, schema: pa.Schema) -> str:
    rows = [
        f"| `{field.name}` | {_kind(field.type)} | {'yes' if field.nullable else ''} | {_meaning(field)} |"
        for field in schema
    ]
    return "\n".join(
        [f"## {name}", "", ABOUT[name], "", "| column | type | null | meaning |", "|---|---|---|---|", *rows, ""]
    )


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return f"{kind.value_type}, dictionary-encoded"
    if pa.types.is_timestamp(kind):
        return f"timestamp ({kind.unit}, {kind.tz})"
    if pa.types.is_map(kind):
        return f"map of {kind.key_type} to {kind.item_type}"
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)


def _meaning(field: pa.Field) -> str:
    meaning: str = field.metadata[b"meaning"].decode()
    return meaning.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(tables_page(), "utf-8")
