"""Whatever was answered, by whomever, the tables of the scale can be made and hold no false number."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cj_pipeline.scales import own_scale
from cj_pipeline.scoring.bradley_terry_scores import SCORE_TABLES, score_tables
from cj_pipeline.scoring.findings import CHECKS, score_findings
from cj_pipeline.tables import CONTRACTS, ESSAYS, HUMAN_JUDGMENTS, JUDGMENTS

GRADES = ["F", "E", "C", "A"]
WINNERS = ["essay_a", "essay_b", "tie"]


def table_of(contract: pa.Schema, rows: list[dict[str, object]]) -> pa.Table:
    plain = [
        (field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type) for field in contract
    ]
    filled = [{**dict.fromkeys(contract.names), **row} for row in rows]
    return pa.Table.from_pylist(filled, schema=pa.schema(plain)).cast(
        pa.schema([pa.field(field.name, field.type) for field in contract])
    )


def essays_of(rng: np.random.Generator, n_essays: int) -> pa.Table:
    rows: list[dict[str, object]] = [
        {
            "essay_id": f"e{number:02d}",
            "word_count": int(rng.integers(1, 600)),
            "is_anchor": number < n_essays // 3,
            "anchor_grade": str(rng.choice(GRADES)) if number < n_essays // 3 else None,
            "known_grade": str(rng.choice(GRADES)) if number >= n_essays // 2 else None,
        }
        for number in range(n_essays)
    ]
    groups = pa.array([str(rng.choice(["north", "south"])) for _ in range(n_essays)])
    return table_of(ESSAYS, rows).append_column("school", groups)


def votes_of(rng: np.random.Generator, n_essays: int, size: int, judges: list[str]) -> list[dict[str, object]]:
    first = rng.integers(n_essays, size=size)
    second = (first + 1 + rng.integers(n_essays - 1, size=size)) % n_essays
    shares = rng.dirichlet([0.5, 0.5, 0.3])
    return [
        {
            "judge_id": str(rng.choice(judges)),
            "essay_a": f"e{a:02d}",
            "essay_b": f"e{b:02d}",
            "winner": str(rng.choice(WINNERS, p=shares)),
            "outcome": "success",
            "row": number,
        }
        for number, (a, b) in enumerate(zip(first, second, strict=True))
    ]


@pytest.mark.filterwarnings("error")
@given(
    seed=st.integers(0, 2**32 - 1),
    n_essays=st.integers(2, 24),
    asked=st.integers(0, 120),
    by_people=st.integers(0, 60),
    discrimination=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_any_answers_at_all_have_their_tables(
    seed: int, n_essays: int, asked: int, by_people: int, discrimination: bool
) -> None:
    rng = np.random.default_rng(seed)
    judgments = table_of(
        JUDGMENTS,
        [
            {name: value for name, value in row.items() if name != "row"}
            for row in votes_of(rng, n_essays, asked, ["luna", "sol"][: 1 + seed % 2])
        ],
    )
    people = [
        {name: value for name, value in row.items() if name != "outcome"}
        for row in votes_of(rng, n_essays, by_people, ["kim", "lee"])
    ]
    tables = score_tables(
        essays_of(rng, n_essays),
        judgments,
        ["luna", "sol"],
        table_of(HUMAN_JUDGMENTS, people),
        scale=own_scale(GRADES) if seed % 3 else None,
        discrimination=discrimination,
    )
    assert tuple(tables) == SCORE_TABLES
    for name, table in tables.items():
        assert table.schema.names == CONTRACTS[name].names
        for field in table.schema:
            if pa.types.is_floating(field.type):
                assert np.isfinite(table[field.name].drop_null().to_numpy()).all(), (name, field.name)
    assert [finding.name for finding in score_findings(tables, least_reliability=0.7)] == list(CHECKS)
