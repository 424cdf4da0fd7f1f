"""Another estimator's scores in the table, and everything else as it was."""

from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from cj_pipeline.errors import CjError
from cj_pipeline.pairing.arrays import FloatArray
from cj_pipeline.scoring import fit_bradley_terry
from cj_pipeline.scoring.bradley_terry_scores import score_tables
from cj_pipeline.scoring.estimators import MOST_ESSAYS, Estimator
from cj_pipeline.tables import ESSAYS, JUDGMENTS
from cj_pipeline_tests.scoring.vote_tables import essays_of, table_of, votes_of

SHOWN = ["score", "standard_error", "rank"]
FULL_ORDER = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]  # winner, loser


def judged(wins: list[tuple[int, int]]) -> pa.Table:
    return table_of(
        JUDGMENTS,
        [
            {
                "judge_id": "j", "essay_a": f"e{winner:02d}", "essay_b": f"e{loser:02d}", "winner": "essay_a",
                "outcome": "success",
            }
            for winner, loser in wins
        ],
    )  # fmt: skip


def essays(anchors: tuple[int, ...] = ()) -> pa.Table:
    return table_of(
        ESSAYS, [{"essay_id": f"e{n:02d}", "word_count": 100 + n, "is_anchor": n in anchors} for n in range(4)]
    )


def column(table: pa.Table, name: str) -> FloatArray:
    return np.array(table[name].to_pylist(), dtype=float)


@pytest.mark.parametrize(("anchors", "reference"), [((), 3), ((0, 2), 2)])
def test_the_predecessors_scores_and_errors_stand_in_the_table(anchors: tuple[int, ...], reference: int) -> None:
    """Predecessor page, table 5.5: the full order of four, and the same with anchors at 0 and 2 (CJ-P81)."""
    tables = score_tables(essays(anchors), judged(FULL_ORDER), ["j"], estimator="choix_ilsr")
    scores = tables["bradley_terry_scores"]
    assert column(scores, "score") == pytest.approx([3.808503, 1.562342, -1.054058, -4.316787], abs=1e-5)
    expected = [0.0 if essay == reference else 2.0 for essay in range(4)]
    assert column(scores, "standard_error") == pytest.approx(expected, abs=1e-5)
    assert tables["scale_fit"]["estimator"].to_pylist() == ["choix_ilsr"]


def test_choix_finds_the_mode_that_newton_finds() -> None:
    """Without order effect, which choix does not know."""
    scores = score_tables(essays(), judged(FULL_ORDER), ["j"], estimator="choix_map")["bradley_terry_scores"]
    first, second = np.array(FULL_ORDER).T
    ours = fit_bradley_terry(first, second, np.ones(6), 4, prior_sd=3.0, order_effect=False)
    assert column(scores, "score") == pytest.approx(ours.scores, abs=1e-6)


@pytest.mark.parametrize("estimator", get_args(Estimator))
def test_only_scores_errors_and_ranks_are_the_estimators(estimator: Estimator) -> None:
    rng = np.random.default_rng(5)
    batch, votes = essays_of(rng, 9), table_of(JUDGMENTS, [
        {name: value for name, value in row.items() if name != "row"} for row in votes_of(rng, 9, 60, ["j"])
    ])  # fmt: skip
    own, other = score_tables(batch, votes, ["j"]), score_tables(batch, votes, ["j"], estimator=estimator)
    assert own["bradley_terry_scores"].drop_columns(SHOWN) == other["bradley_terry_scores"].drop_columns(SHOWN)
    assert own["scale_fit"].drop_columns(["estimator"]) == other["scale_fit"].drop_columns(["estimator"])
    assert own["pair_fit"] == other["pair_fit"]


def test_a_batch_too_large_for_choix_is_refused_and_told_the_way_on() -> None:
    many = [{"essay_id": f"e{n:02d}", "word_count": 1, "is_anchor": False} for n in range(MOST_ESSAYS + 1)]
    with pytest.raises(CjError, match='estimator = "newton"'):
        score_tables(table_of(ESSAYS, many), judged(FULL_ORDER), ["j"], estimator="choix_ilsr")
