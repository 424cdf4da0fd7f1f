"""`pairs.csv` as people write it: the plan as it stands, or a refusal that names the row."""

from pathlib import Path

import pytest

from cj_pipeline.batch import Batch, read_batch, revision_of
from cj_pipeline.batch.listed_pairs import ListedPair
from cj_pipeline.errors import BatchError
from cj_pipeline.jobs.plan import budget_of, pairs_of
from cj_pipeline.pairing.comparison_pairs import PairBudget
from cj_pipeline.pairing.findings import pair_findings
from cj_pipeline_tests.batch.batch_folder import IN_ORDER, MANIFEST, batch_with

HEADER = "essay_a,essay_b,times\n"
CHAIN = "e2,e1,1\ne2,e3,3\ne3,e2,1\ne4,e3,2\ne4,e5,1\ne6,e5,1\n"


def batch_listing(folder: Path, rows: str, *, header: str = HEADER, manifest: str = MANIFEST) -> Batch:
    return read_batch(batch_with(folder, {"pairs.csv": header + rows, "batch.toml": manifest}))


def digest(batch: Batch) -> str:
    return revision_of(batch, plan_version="1", question_digest="q").digest


def test_the_list_is_the_whole_plan_in_its_order_and_with_its_seats(tmp_path: Path) -> None:
    pairs = pairs_of(batch_listing(tmp_path / "six", CHAIN)).to_pylist()
    assert [(row["essay_a"], row["essay_b"]) for row in pairs] == [
        ("e2", "e1"), ("e2", "e3"), ("e2", "e3"), ("e2", "e3"), ("e3", "e2"), ("e4", "e3"), ("e4", "e3"), ("e4", "e5"),
        ("e6", "e5"),
    ]  # fmt: skip
    assert [row["pair_id"] for row in pairs] == list(range(9))
    assert [row["kind"] for row in pairs].count("resampling") == 3


def test_without_times_every_pair_is_asked_once_and_blank_means_once(tmp_path: Path) -> None:
    one = batch_listing(tmp_path / "one", "e1,e2\ne3,e4\n", header="essay_a,essay_b\n")
    other = batch_listing(tmp_path / "other", "e1,e2,\ne3,e4, 1 \n")
    assert one.listed_pairs == other.listed_pairs == (ListedPair("e1", "e2", 1), ListedPair("e3", "e4", 1))


def test_a_list_passes_the_checks_of_any_plan_though_it_repeats_pairs(tmp_path: Path) -> None:
    batch = batch_listing(tmp_path / "six", CHAIN)
    findings = {one.name: one for one in pair_findings(batch.essays, pairs_of(batch), budget_of(batch))}
    assert findings["pairs_unique"].passed
    assert findings["pairs_unique"].summary.startswith("6 different ordered pairs of 9, 3 asked again by pairs.csv")
    assert findings["within_budget"].passed
    assert findings["connected"].passed


def test_essays_that_no_chain_links_are_still_seen(tmp_path: Path) -> None:
    batch = batch_listing(tmp_path / "six", "e1,e2,5\ne3,e4,5\ne5,e6,5\n")
    findings = {one.name: one for one in pair_findings(batch.essays, pairs_of(batch), budget_of(batch))}
    assert not findings["connected"].passed


def test_a_pair_that_stands_twice_in_the_plan_without_being_listed_so_is_still_seen(tmp_path: Path) -> None:
    batch = batch_listing(tmp_path / "six", CHAIN)
    pairs = pairs_of(batch)
    twice = pairs.take([0, 1, 2, 3, 3, *range(5, pairs.num_rows)])
    assert not pair_findings(batch.essays, twice, budget_of(batch))[0].passed


def test_a_batch_may_top_up_one_whose_list_repeats_pairs(tmp_path: Path) -> None:
    batch = batch_listing(tmp_path / "six", CHAIN)
    asked, new = pairs_of(batch), pairs_of(batch_listing(tmp_path / "new", "e1,e6,1\n"))
    findings = pair_findings(batch.essays, new, PairBudget(coverage=1, audit=0), asked)
    assert next(one for one in findings if one.name == "pairs_unique").passed
    again = pair_findings(batch.essays, asked.slice(0, 1), PairBudget(coverage=1, audit=0), asked)
    assert not next(one for one in again if one.name == "pairs_unique").passed


def test_a_list_beyond_the_cap_is_refused_and_without_a_cap_it_may_be_as_long_as_it_is(tmp_path: Path) -> None:
    capped = MANIFEST.replace("[batch]\n", "[batch]\nmax_comparisons = 8\n")
    long = batch_listing(tmp_path / "long", "e1,e2,1000\n")
    assert pairs_of(long).num_rows == budget_of(long).pairs == 1000
    with pytest.raises(BatchError, match=r"max_comparisons = 8, and pairs.csv lists 9 comparisons. Raise it"):
        pairs_of(batch_listing(tmp_path / "capped", CHAIN, manifest=capped))


def test_the_list_is_part_of_the_revision_and_a_batch_without_one_keeps_its_own(tmp_path: Path) -> None:
    without = read_batch(batch_with(tmp_path / "six", IN_ORDER))
    listed, other = batch_listing(tmp_path / "six", CHAIN), batch_listing(tmp_path / "six", CHAIN + "e1,e6,1\n")
    assert len({digest(without), digest(listed), digest(other)}) == 3
    revisions = [revision_of(batch, plan_version="1", question_digest="q") for batch in (without, listed, other)]
    assert revisions[1].changed_since(revisions[0].parts) == ["pairs.csv"]
    assert revisions[0].changed_since(revisions[1].parts) == ["pairs.csv"]
    assert revisions[2].changed_since(revisions[1].parts) == ["pairs.csv"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("e1,e9,1\n", "row 2, essay_b: there is no essay 'e9'"),
        ("e1,e1,1\n", "row 2: 'e1' is set against itself"),
        ("e1,e2,1\ne3,e4,1\ne1,e2,2\n", "row 4: 'e1' and 'e2' stand in row 2 already. To ask them more than once"),
        ("e1,e2,0\n", "row 2, times: '0' is not a whole number from 1 to 1,000"),
        ("e1,e2,1001\n", "'1001' is not a whole number"),
        ("e1,e2,2.5\n", "'2.5' is not a whole number"),
        ("e1,e2,-1\n", "'-1' is not a whole number"),
        ("e1,e2,²\n", "'²' is not a whole number"),
        ("", "no pairs. List some, or remove the file"),
    ],
)
def test_a_mistake_is_refused_with_its_row_and_the_remedy(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(BatchError) as refused:
        batch_listing(tmp_path / "six", rows)
    assert said in str(refused.value)
    assert "pairs.csv" in str(refused.value)


@pytest.mark.parametrize("key", ["[batch]\ntops_up = 'five'", "[pairing]\naudit_share = 0.1"])
def test_a_second_plan_beside_the_list_is_refused(tmp_path: Path, key: str) -> None:
    section, setting = key.split("\n")
    manifest = MANIFEST.replace("[batch]\n", f"[batch]\n{setting}\n") if "batch" in section else f"{MANIFEST}{key}\n"
    with pytest.raises(BatchError, match=r"tops up 'five'|plans by audit_share = 0\.1\. Leave out audit_share"):
        batch_listing(tmp_path / "six", CHAIN, manifest=manifest)
