"""How many pairs a cap buys, which ones, and that every claim about them goes red for its own fault."""

import hashlib
from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.pairing.comparison_pairs import PairBudget, item_indices, pair_budget, plan_comparison_pairs
from cj_pipeline.pairing.findings import CHECKS, pair_findings
from cj_pipeline.tables import conform

Row = dict[str, Any]


def essays(n: int, n_anchors: int = 0) -> pa.Table:
    rows = [
        {
            "essay_id": f"e{i:03d}",
            "text": f"Text {i}.",
            "sha256": hashlib.sha256(f"Text {i}.".encode()).hexdigest(),
            "word_count": 2,
            "is_anchor": i < n_anchors,
            "anchor_grade": "A" if i < n_anchors else None,
            "known_grade": None,
        }
        for i in range(n)
    ]
    return conform("essays", pa.Table.from_pylist(rows))


# --- the budget -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "cap", "shares", "audit_share", "coverage", "audit"),
    [
        (37, None, 1.0, 0.0, 259, 0),  # 7 per essay
        (37, None, 1.0, 0.06, 243, 16),  # the audit lies within the default as well
        (37, 259, 1.0, 0.06, 243, 16),
        (10, None, 1.0, 0.0, 45, 0),  # no more than 10 * 9 / 2 different pairs exist
        (10, 288, 1.0, 0.0, 45, 0),
        (10, 288, 1.0, 0.06, 45, 3),  # room for both: an audit of 6 % of 45
        (10, 46, 1.0, 0.06, 43, 3),
        (100, 288, 2.0, 0.0, 144, 0),  # two judges answer each pair
        (100, 288, 1.5, 0.0, 192, 0),
        (100, None, 2.0, 0.0, 700, 0),  # the default is per judge
        (2, 1, 1.0, 0.5, 1, 0),
        (2, 288, 1.0, 0.5, 1, 0),  # half of one pair rounds to none
        (3, 2, 1.0, 0.5, 2, 0),
        (6, 3, 1.0, 0.5, 3, 0),  # five pairs link six essays; they go before an audit
        (6, 7, 1.0, 0.5, 5, 2),
        (6, 11, 1.0, 0.5, 6, 5),  # six audits of five pairs would ask one of them three times
        (6, 1, 1.0, 0.06, 1, 0),
    ],
)
def test_a_cap_buys_different_pairs_and_the_audit_within_it(
    n: int, cap: int | None, shares: float, audit_share: float, coverage: int, audit: int
) -> None:
    budget = pair_budget(n, max_comparisons=cap, judge_shares=shares, audit_share=audit_share)
    assert (budget, budget.pairs) == (PairBudget(coverage, audit), coverage + audit)


@pytest.mark.parametrize(("cap", "shares"), [(1, 2.0), (2, 2.5)])
def test_a_cap_below_one_pair_for_all_judges_is_refused(cap: int, shares: float) -> None:
    with pytest.raises(ValueError, match=f"max_comparisons = {cap} is less than one pair"):
        pair_budget(10, max_comparisons=cap, judge_shares=shares, audit_share=0.0)


BUDGETS = st.tuples(st.integers(2, 40), st.none() | st.integers(3, 900), st.floats(0.1, 3), st.floats(0, 0.5))


@given(BUDGETS)
def test_no_budget_passes_its_cap_or_mirrors_a_pair_twice(case: tuple[int, int | None, float, float]) -> None:
    n, cap, shares, audit_share = case
    budget = pair_budget(n, max_comparisons=cap, judge_shares=shares, audit_share=audit_share)
    assert 1 <= budget.coverage <= comb(n, 2)
    assert 0 <= budget.audit <= budget.coverage
    if cap is not None:
        assert budget.pairs * shares <= cap * (1 + 1e-12)
        # the denominator is what is planned: the cap, or every pair there is
        assert budget.pairs == int(cap / shares) or budget.coverage == comb(n, 2)


# --- the plan ---------------------------------------------------------------------------------------------


@given(
    st.integers(2, 24).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    st.integers(1, 120),
    st.floats(0, 0.5),
    st.integers(0, 2**62),
)
def test_every_plan_keeps_its_budget_and_mirrors_pairs_of_its_own(
    size: tuple[int, int], cap: int, audit_share: float, seed: int
) -> None:
    table = essays(*size)
    budget = pair_budget(size[0], max_comparisons=cap, judge_shares=1.0, audit_share=audit_share)
    pairs = plan_comparison_pairs(table, budget, seed)
    rows = pairs.to_pylist()
    ids = set(table["essay_id"].to_pylist())
    coverage = [(row["essay_a"], row["essay_b"]) for row in rows if row["kind"] == "coverage"]
    audit = [(row["essay_a"], row["essay_b"]) for row in rows if row["kind"] == "audit"]
    assert [row["pair_id"] for row in rows] == list(range(len(rows)))
    assert {row["wave"] for row in rows} == {1}
    assert all({a, b} <= ids and a != b for a, b in coverage)
    assert (len(coverage), len(audit)) == (budget.coverage, budget.audit)
    assert len({frozenset(pair) for pair in coverage}) == len(coverage)
    assert {(b, a) for a, b in audit} <= set(coverage)
    assert len(set(audit)) == len(audit)
    assert pairs.equals(plan_comparison_pairs(table, budget, seed))
    promised = [f for f in pair_findings(table, pairs, budget) if f.name != "comparisons_per_essay"]
    assert [finding.summary for finding in promised if not finding.passed] == []


def test_another_seed_is_another_plan() -> None:
    plans = [plan_comparison_pairs(essays(12, 4), PairBudget(40, 2), seed).to_pylist() for seed in (1, 2)]
    assert plans[0] != plans[1]


def test_two_anchors_meet_only_when_every_other_pair_is_used() -> None:
    anchors = {"e000", "e001", "e002"}
    pairs = plan_comparison_pairs(essays(8, 3), PairBudget(comb(8, 2) - 3, 0), 1).to_pylist()
    assert not any({row["essay_a"], row["essay_b"]} <= anchors for row in pairs)


# --- positions --------------------------------------------------------------------------------------------


def test_essays_are_found_by_their_place_in_the_table_whatever_the_encoding() -> None:
    ids = essays(4)["essay_id"]
    plain = pa.chunked_array([["e003", "e000"], ["e003"]])
    assert item_indices(plain, ids).tolist() == [3, 0, 3]
    assert item_indices(plain.dictionary_encode(), ids).tolist() == [3, 0, 3]
    assert item_indices(plain, ids).dtype == np.int64
    assert item_indices(plain.slice(0, 0), ids).tolist() == []


def test_an_essay_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="e999"):
        item_indices(pa.chunked_array([["e001", "e999"]]), essays(4)["essay_id"])


# --- the claims -------------------------------------------------------------------------------------------

SIX = essays(6)
ALL_PAIRS = PairBudget(15, 0)


def complete() -> list[Row]:
    """Every essay meets all five others; seats differ by one."""
    return plan_comparison_pairs(SIX, ALL_PAIRS, 1).to_pylist()


def red(rows: list[Row], budget: PairBudget = ALL_PAIRS) -> set[str]:
    pairs = conform("comparison_pairs", pa.Table.from_pylist(rows))
    return {finding.name for finding in pair_findings(SIX, pairs, budget) if not finding.passed}


def pair(a: str, b: str) -> Row:
    return {"pair_id": 99, "wave": 1, "kind": "coverage", "at_random": True, "essay_a": a, "essay_b": b}


def test_a_plan_in_order_is_green_and_shows_its_numbers() -> None:
    findings = pair_findings(SIX, conform("comparison_pairs", pa.Table.from_pylist(complete())), ALL_PAIRS)
    assert {finding.name: finding.kind for finding in findings} == {name: kind for name, (kind, _) in CHECKS.items()}
    assert all(finding.passed for finding in findings)
    assert findings[1].summary == "15 pairs, 15 allowed (15 different, 0 mirrored)"


FAULTS: dict[str, tuple[Callable[[list[Row]], list[Row]], PairBudget, set[str]]] = {
    "a pair twice": (lambda rows: [*rows, rows[0]], PairBudget(16, 0), {"pairs_unique"}),
    "an essay against itself": (lambda rows: [*rows, pair("e000", "e000")], PairBudget(16, 0), {"pairs_unique"}),
    "one pair too many": (lambda rows: rows, PairBudget(14, 0), {"within_budget"}),
    "two parts that never meet": (
        lambda rows: [row for row in rows if (row["essay_a"] < "e003") == (row["essay_b"] < "e003")],
        ALL_PAIRS,
        {"connected", "comparisons_per_essay"},
    ),
    "an essay left out": (
        lambda rows: [row for row in rows if "e005" not in (row["essay_a"], row["essay_b"])],
        ALL_PAIRS,
        {"connected", "comparisons_per_essay"},
    ),
    "an essay always first": (
        lambda rows: [pair(row["essay_b"], row["essay_a"]) if row["essay_b"] == "e002" else row for row in rows],
        ALL_PAIRS,
        {"seats_balanced"},
    ),
    "one comparison fewer": (lambda rows: rows[:-1], ALL_PAIRS, {"comparisons_per_essay"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_plan_turns_its_own_claim_red(fault: str) -> None:
    spoil, budget, expected = FAULTS[fault]
    assert red(spoil(complete()), budget) == expected


def test_a_mirrored_pair_is_no_repetition() -> None:
    first = complete()[0]
    assert red([*complete(), pair(first["essay_b"], first["essay_a"])], PairBudget(15, 1)) == set()


def test_a_cap_too_small_to_link_all_essays_is_told_and_not_refused() -> None:
    # four pairs cannot link six essays: each part is then scored apart
    rows = plan_comparison_pairs(SIX, PairBudget(4, 0), 1).to_pylist()
    assert "connected" not in red(rows, PairBudget(4, 0))
    assert "comparisons_per_essay" in red(rows, PairBudget(4, 0))


def test_ten_comparisons_are_enough_for_any_essay() -> None:
    table, budget = essays(40), PairBudget(200, 0)
    pairs = plan_comparison_pairs(table, budget, 1)
    assert all(finding.passed for finding in pair_findings(table, pairs, budget))
    fewer = plan_comparison_pairs(table, PairBudget(180, 0), 1)
    assert [f.name for f in pair_findings(table, fewer, budget) if not f.passed] == ["comparisons_per_essay"]
