"""Answered comparisons of a batch as arrays: every vote its own row, whether a model or a person gave it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cj_pipeline.pairing.arrays import BoolArray, FloatArray, IntArray
from cj_pipeline.pairing.comparison_pairs import item_indices

POINTS = {"essay_a": 1.0, "essay_b": 0.0, "tie": 0.5}


@dataclass(frozen=True, slots=True)
class Votes:
    """Votes (m,) over n essays by J judges, A being shown first."""

    essay_a: IntArray
    essay_b: IntArray
    outcome: FloatArray  # 1 if A wins, 0 if B wins, .5 a tie
    judge: IntArray
    n_essays: int
    judge_ids: tuple[str, ...]
    is_person: BoolArray  # (J,)

    @property
    def by_person(self) -> BoolArray:
        """(m,) whether a person gave the vote."""
        return self.is_person[self.judge]

    @property
    def active(self) -> IntArray:
        """The judges with at least one vote, rising."""
        return np.unique(self.judge)

    def only(self, kept: BoolArray) -> "Votes":
        """Some of the votes, essays and judges numbered as before."""
        return replace(
            self,
            essay_a=self.essay_a[kept],
            essay_b=self.essay_b[kept],
            outcome=self.outcome[kept],
            judge=self.judge[kept],
        )


def collect_votes(
    essays: pa.Table, judgments: pa.Table, judge_ids: Sequence[str], human_judgments: pa.Table | None = None
) -> Votes:
    """The verdicts of the models in the order of `judge_ids`, then those of people in the order of their names."""
    answered = judgments.filter(pc.equal(judgments["outcome"], "success"))
    columns = ("essay_a", "essay_b", "winner", "judge_id")
    tables = [answered.select(columns)]
    if human_judgments is not None and human_judgments.num_rows:
        tables.append(human_judgments.select(columns))
    people = sorted(set(tables[1]["judge_id"].to_pylist())) if len(tables) > 1 else []
    judges = (*judge_ids, *people)
    number = {judge: index for index, judge in enumerate(judges)}
    return Votes(
        essay_a=np.concatenate([item_indices(table["essay_a"], essays["essay_id"]) for table in tables]),
        essay_b=np.concatenate([item_indices(table["essay_b"], essays["essay_id"]) for table in tables]),
        outcome=np.array([POINTS[name] for table in tables for name in table["winner"].to_pylist()], dtype=float),
        judge=np.array([number[name] for table in tables for name in table["judge_id"].to_pylist()], dtype=np.int64),
        n_essays=essays.num_rows,
        judge_ids=judges,
        is_person=np.arange(len(judges)) >= len(judge_ids),
    )
