"""A simulated batch through the product's own tables and findings, so that every gate is asked as in a real run."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.validity.batches import SCALE, Design, Drawn
from cj_pipeline.batch import Batch, read_batch
from cj_pipeline.findings import Kind
from cj_pipeline.grading.findings import grade_findings
from cj_pipeline.grading.grade_projections import grade_tables
from cj_pipeline.judging.findings import judgment_findings
from cj_pipeline.tables import CONTRACTS, JUDGMENTS, conform

MANIFEST = f"""
[scale]
grades = {list(SCALE.grades)}
[[judges]]
id = "simulated"
provider = "emulator"
model = "latent"
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the product makes of a batch: gates by name to whether they pass, and how many pupils have a grade."""

    gates: Mapping[str, bool]
    graded: int

    @property
    def passes(self) -> bool:
        """Whether grades are given."""
        return all(self.gates.values())


def judged_by_the_product(drawn: Drawn) -> Verdict:
    """Judgments, grades and findings, as the assets make them."""
    batch, pairs, judgments = simulated_batch(drawn)
    upstream = judgment_findings(batch, pairs, judgments)
    tables = grade_tables(batch, judgments, upstream, batch.human_judgments)
    checks = batch.manifest.checks
    own = grade_findings({**tables, "essays": batch.essays}, max_ungraded_share=checks.max_ungraded_share)
    rows = tables["grade_projections"]
    return Verdict(
        gates={finding.name: finding.passed for finding in [*upstream, *own] if finding.kind is Kind.GATE},
        graded=sum(not row["is_anchor"] and row["grade"] is not None for row in rows.to_pylist()),
    )


def simulated_batch(drawn: Drawn) -> tuple[Batch, pa.Table, pa.Table]:
    """The batch as read from a folder, its pairs, and the judgments as collected."""
    batch = _labelled(drawn)
    ids = batch.essays["essay_id"].to_pylist()
    first, second = ([ids[item] for item in items] for items in (drawn.first, drawn.second))
    return batch, _pairs(first, second), _judgments(first, second, drawn.won)


@lru_cache
def _folder_read(design: Design) -> Batch:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "simulated"
        folder.mkdir()
        ids = [f"{'a' if item < design.anchors else 'p'}{item:04}" for item in range(design.essays)]
        texts = "\n".join(f"{essay},text of {essay}" for essay in ids)
        grades = "\n".join(f"{essay},{SCALE.grades[0]}" for essay in ids[: design.anchors])
        (folder / "batch.toml").write_text(MANIFEST, "utf-8")
        (folder / "essays.csv").write_text(f"essay_id,text\n{texts}\n", "utf-8")
        (folder / "anchors.csv").write_text(f"essay_id,grade\n{grades}\n", "utf-8")
        return read_batch(folder)


def _labelled(drawn: Drawn) -> Batch:
    batch = _folder_read(drawn.design)
    labels = [SCALE.grades[grade] for grade in drawn.given] + [None] * (drawn.design.essays - drawn.design.anchors)
    place = batch.essays.schema.get_field_index("anchor_grade")
    column = pa.array(labels).cast(batch.essays.schema.field("anchor_grade").type)
    return replace(batch, essays=batch.essays.set_column(place, batch.essays.schema.field("anchor_grade"), column))


def _pairs(first: list[str], second: list[str]) -> pa.Table:
    columns = {"pair_id": range(len(first)), "wave": [1] * len(first), "kind": ["coverage"] * len(first)}
    columns["at_random"] = [True] * len(first)
    return conform("comparison_pairs", pa.table({**columns, "essay_a": first, "essay_b": second}))


def _judgments(first: list[str], second: list[str], won: np.ndarray) -> pa.Table:
    size = len(first)
    refused = np.isnan(won)
    same = {
        "wave": 1,
        "kind": "coverage",
        "judge_id": "simulated",
        "replicate": 0,
        "fingerprint": "",
        "attempt": 1,
        "provider": "emulator",
        "model_requested": "latent",
        "job_id": "",
        "custom_id": "",
        "cost_usd": 0.0,
        "completed_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    own = {
        "pair_id": list(range(size)),
        "essay_a": first,
        "essay_b": second,
        "outcome": ["failure" if no else "success" for no in refused],
        "error_code": ["refused" if no else None for no in refused],
        "winner": [None if no else "essay_a" if win else "essay_b" for no, win in zip(refused, won == 1, strict=True)],
        "model_reported": [None if no else "latent" for no in refused],
    }
    rows = {name: own.get(name, [same.get(name)] * size) for name in JUDGMENTS.names}
    contract = CONTRACTS["judgments"]
    plain = [field.type.value_type if pa.types.is_dictionary(field.type) else field.type for field in contract]
    arrays = [pa.array(rows[field.name], kind) for field, kind in zip(contract, plain, strict=True)]
    return conform("judgments", pa.Table.from_arrays(arrays, names=contract.names))
