"""Votes as the tables hold them."""

import numpy as np
import pyarrow as pa

from cj_pipeline.tables import ESSAYS

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
