"""What was bought cannot be edited under one's hands: a change is refused, or wanted and kept apart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cj_pipeline.errors import RevisionChanged, StaleTable
from cj_pipeline.jobs.job import jobs_of
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import bought, judged


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")

    return edit


EDITS = {
    "essays": replace("essays.csv", "Essay number 3", "Essay no. 3"),
    "rubric": replace("rubric.md", "well", "better"),
    "assignment": replace("assignment.md", "Say", "Write"),
    "pair plan": replace("batch.toml", "max_comparisons = 15", "max_comparisons = 15\nseed = 7"),
    "judges": replace("batch.toml", 'model = "latent"', 'model = "latent:seed=2"'),
}
FREE = {
    "title": replace("batch.toml", "[batch]", '[batch]\ntitle = "another"'),
    "threshold": replace("batch.toml", "[[judges]]", "[checks]\nmin_reliability = 0.5\n[[judges]]"),
    "spending": replace("batch.toml", "[[judges]]", "[spending]\nmax_usd = 3\n[[judges]]"),
}


@pytest.mark.parametrize("part", EDITS)
def test_an_edit_after_a_purchase_is_refused_with_the_two_ways_on(installation: Installation, part: str) -> None:
    folder = small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    EDITS[part](folder)
    with pytest.raises(RevisionChanged) as refused:
        bought(installation.deployment, "small")
    message = str(refused.value)
    assert part in message
    assert "USD 0.0000" in message
    assert "new batch id" in message
    assert "--new-revision" in message
    assert installation.bill()["batches_created"] == 1


@pytest.mark.parametrize("part", [*EDITS, *FREE])
def test_before_a_purchase_everything_may_be_edited(installation: Installation, part: str) -> None:
    folder = small_batch(installation.batches / "small")
    deployment = installation.deployment
    open_revision(deployment.ledger, deployment.batch("small"))
    (EDITS | FREE)[part](folder)
    assert judged(deployment, "small").num_rows == 15


@pytest.mark.parametrize("part", FREE)
def test_what_is_not_bought_may_be_edited_afterwards(installation: Installation, part: str) -> None:
    folder = small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    FREE[part](folder)
    assert bought(installation.deployment, "small")[2].submitted == ()


def test_a_new_revision_buys_anew_and_keeps_the_old_one(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small")
    deployment = installation.deployment
    first = judged(deployment, "small")
    old = deployment.ledger.provenance("small")
    deployment.write_tables("small", {"judgments": first})
    EDITS["rubric"](folder)
    open_revision(deployment.ledger, deployment.batch("small"), new_revision=True)
    with pytest.raises(StaleTable, match="Materialise judgments again"):
        deployment.read_table("judgments", "small")
    deployment.keep_tables_of_earlier_revision("small")
    second = judged(deployment, "small")
    assert set(first["fingerprint"].to_pylist()).isdisjoint(second["fingerprint"].to_pylist())
    assert len(jobs_of(deployment.ledger, "small")) == 2
    assert deployment.store.exists(f"revisions/small/{old.revision[:16]}/judgments.parquet")


def test_undoing_the_edit_is_the_other_way_on(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small")
    judged(installation.deployment, "small")
    EDITS["rubric"](folder)
    replace("rubric.md", "better", "well")(folder)
    assert bought(installation.deployment, "small")[2].submitted == ()
