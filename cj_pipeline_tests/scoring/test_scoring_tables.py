"""Whatever was answered, by whomever, the tables of the scale can be made and hold no false number."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cj_pipeline.scales import own_scale
from cj_pipeline.scoring.bradley_terry_scores import SCORE_TABLES, score_tables
from cj_pipeline.scoring.findings import CHECKS, score_findings
from cj_pipeline.tables import CONTRACTS, HUMAN_JUDGMENTS, JUDGMENTS
from cj_pipeline_tests.scoring.vote_tables import GRADES, essays_of, table_of, votes_of


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
