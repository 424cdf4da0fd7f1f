import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cj_pipeline.errors import StaleTable, StructuralFault
from cj_pipeline.tables import (
    CONTRACTS,
    FROM_PURCHASE,
    Provenance,
    conform,
    provenance_of,
    refuse_stale,
    stamp,
)

PAIR: dict[str, Any] = {"pair_id": 0, "wave": 1, "kind": "coverage", "at_random": True, "essay_a": "a", "essay_b": "b"}
ESSAY: dict[str, Any] = {
    "essay_id": "a",
    "text": "One.",
    "sha256": "0" * 64,
    "word_count": 1,
    "is_anchor": False,
    "anchor_grade": None,
    "known_grade": None,
}
NOW = Provenance("a" * 64, 4)
EARLIER = Provenance("a" * 64, 3)
OTHER = Provenance("b" * 64, 4)


def table(**changed: object) -> pa.Table:
    return pa.Table.from_pylist([{**PAIR, **changed}])


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_column_of_every_contract_says_what_it_means(name: str) -> None:
    contract = CONTRACTS[name]
    assert len(set(contract.names)) == len(contract.names)
    assert all(len(field.metadata[b"meaning"]) > 5 for field in contract)


@pytest.mark.parametrize("name", CONTRACTS)
def test_an_empty_table_of_every_contract_survives_a_file(name: str) -> None:
    file = io.BytesIO()
    pq.write_table(stamp(conform(name, CONTRACTS[name].empty_table()), NOW), file)
    read = pq.read_table(io.BytesIO(file.getvalue()))
    assert read.schema.equals(CONTRACTS[name])
    assert provenance_of(read) == NOW


def test_columns_are_cast_and_put_in_the_contracts_order() -> None:
    shuffled = pa.table({name: table()[name] for name in reversed(PAIR)})
    conformed = conform("comparison_pairs", shuffled)
    assert conformed.schema.equals(CONTRACTS["comparison_pairs"], check_metadata=True)
    assert conformed.to_pylist() == [PAIR]


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (table().drop_columns(["kind"]), r"columns missing \['kind'\], unknown \[\]"),
        (table(score=1.0), r"columns missing \[\], unknown \['score'\]"),
        (table(kind=None), "column kind has 1 nulls"),
        (table(pair_id="first"), "table comparison_pairs: .*first"),
        (table(pair_id=2**40), "table comparison_pairs: .*1099511627776"),
        (table(pair_id=0.5), "table comparison_pairs: .*0.5"),
        (table(wave=[1]), "table comparison_pairs: "),
        (table(essay_a={"id": "a"}), "table comparison_pairs: "),
    ],
)
def test_a_breach_of_contract_is_named_with_table_and_column(broken: pa.Table, named: str) -> None:
    with pytest.raises(StructuralFault, match=named):
        conform("comparison_pairs", broken)


def test_essays_may_carry_columns_of_their_own_and_no_other_table_may() -> None:
    grouped = conform("essays", pa.Table.from_pylist([{**ESSAY, "school": "north", "class": None}]))
    assert grouped.schema.names == [*CONTRACTS["essays"].names, "school", "class"]
    assert grouped.schema.field("class").type == pa.string()
    assert grouped["class"].to_pylist() == [None]


def test_the_provenance_travels_with_the_table_and_changes_nothing_in_it() -> None:
    conformed = conform("comparison_pairs", table())
    stamped = stamp(conformed, NOW)
    assert provenance_of(stamped) == NOW
    assert stamped.equals(conformed)
    assert provenance_of(stamp(stamped, OTHER)) == OTHER
    assert provenance_of(stamped.slice(0, 0)) == NOW


def test_a_table_without_provenance_is_refused() -> None:
    with pytest.raises(StaleTable, match=r"carries no revision.*Materialise it again"):
        provenance_of(table())


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_table_of_another_revision_is_refused_by_name(name: str) -> None:
    with pytest.raises(StaleTable, match=f"batch spring: the stored {name} belong to revision bbbbbbbbbbbb"):
        refuse_stale(name, "spring", OTHER, NOW)
    refuse_stale(name, "spring", NOW, NOW)


@pytest.mark.parametrize("name", sorted(FROM_PURCHASE))
def test_a_newer_state_of_the_purchase_makes_stale_what_is_made_of_answers(name: str) -> None:
    with pytest.raises(StaleTable, match=f"stored {name} were made at ledger version 3, the ledger is at 4"):
        refuse_stale(name, "spring", EARLIER, NOW)


@pytest.mark.parametrize("name", ["essays", "comparison_pairs", "provider_batch_jobs"])
def test_and_leaves_alone_what_is_not(name: str) -> None:
    refuse_stale(name, "spring", EARLIER, NOW)
    assert name not in FROM_PURCHASE


def test_a_ledger_that_was_restored_from_a_backup_makes_newer_tables_stale_too() -> None:
    with pytest.raises(StaleTable, match="ledger version 4, the ledger is at 3"):
        refuse_stale("judgments", "spring", NOW, EARLIER)
