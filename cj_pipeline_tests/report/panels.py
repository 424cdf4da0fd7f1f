"""Evidence of batches judged by several judges, people among them."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.scoring.bradley_terry_scores import score_tables
from cj_pipeline.tables import CONTRACTS
from cj_pipeline_tests.report.evidence_factory import LUNA, TERRA, make_evidence


def people_on(evidence: Evidence, votes: int, names: int = 2) -> pa.Table:
    pairs = evidence.tables["comparison_pairs"].to_pylist()[:votes]
    draw = np.random.default_rng(1)
    contract = CONTRACTS["human_judgments"]
    rows = [
        {
            "judge_id": f"teacher {number % names + 1}",
            "essay_a": pair["essay_a"],
            "essay_b": pair["essay_b"],
            "winner": str(draw.choice(["essay_a", "essay_b"])),
            "row": number + 2,
        }
        for number, pair in enumerate(pairs)
    ]
    plain = [(field.name, pa.int32() if field.name == "row" else pa.string()) for field in contract]
    return pa.Table.from_pylist(rows, schema=pa.schema(plain)).cast(contract)


def with_panel(votes: int = 120, names: int = 2, schools: bool = True) -> Evidence:
    evidence = make_evidence(judges=(LUNA, TERRA))
    essays = evidence.tables["essays"]
    if schools:
        names_of_schools = pa.array([("north", "south")[row % 2] for row in range(essays.num_rows)])
        essays = essays.append_column("school", names_of_schools)
    made = score_tables(
        essays, evidence.tables["judgments"], [LUNA.judge_id, TERRA.judge_id], people_on(evidence, votes, names)
    )
    return replace(evidence, tables={**evidence.tables, **made})
