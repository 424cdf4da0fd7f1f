"""New essays join a judged batch: a real purchase on the emulator, beside one that is not repeated."""

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from cj_pipeline.definitions import ASSETS, CHECKS, RESOURCES
from cj_pipeline.deployment import Deployment
from cj_pipeline.emulator.judges.latent import latent_quality
from cj_pipeline.errors import BatchError, RevisionChanged
from cj_pipeline.jobs.plan import budget_of, pairs_of
from cj_pipeline.jobs.revisions import current_revision, open_revision
from cj_pipeline.pairing.findings import pair_findings
from cj_pipeline_tests.installation import Installation, small_batch

LATE = [f"late{number}" for number in range(7)]
GRADES, CUTS = ["E", "D", "C", "B", "A"], [-1.4, -0.5, 0.5, 1.4]  # logits of the simulated judge
MANIFEST = """[batch]
{batch}
[scale]
grades = ["E", "D", "C", "B", "A"]
[[judges]]
id = "judge"
provider = "emulator"
model = "latent:noise=0.5"
"""


def run(batch_id: str) -> None:
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions("batch", [batch_id])
    dg.materialize(
        [*ASSETS, *CHECKS],
        partition_key=batch_id,
        instance=instance,
        resources=RESOURCES,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


def essay_rows(names: Iterable[str]) -> dict[str, str]:
    return {name: f"{name} says something of its own, and says it in its own way." for name in names}


def grade(text: str) -> str:
    return GRADES[bisect(CUTS, latent_quality(text))]


def write_batch(folder: Path, essays: Mapping[str, str], anchors: Collection[str], *, tops_up: str = "") -> None:
    """A graded batch judged by the simulated judge, to whom the grades are true."""
    folder.mkdir(parents=True)
    batch = f'tops_up = "{tops_up}"' if tops_up else "max_comparisons = 259"
    (folder / "batch.toml").write_text(MANIFEST.format(batch=batch), "utf-8")
    pd.DataFrame({"essay_id": essays.keys(), "text": essays.values()}).to_csv(folder / "essays.csv", index=False)
    if anchors:
        graded = {"essay_id": list(anchors), "grade": [grade(essays[name]) for name in anchors]}
        pd.DataFrame(graded).to_csv(folder / "anchors.csv", index=False)
        (folder / "assignment.md").write_text("Say something.", "utf-8")
        (folder / "rubric.md").write_text("Say it well.", "utf-8")


@pytest.fixture
def spring_and_late(installation: Installation) -> Installation:
    """`spring`, judged, of 12 anchors and 18 pupils; `late`, judged, which tops it up with 7 pupils."""
    anchors = [f"anchor{number:02d}" for number in range(12)]
    write_batch(installation.batches / "spring", essay_rows([*anchors, *(f"s{n:02d}" for n in range(18))]), anchors)
    write_batch(installation.batches / "late", essay_rows(LATE), [], tops_up="spring")
    run("spring")
    run("late")
    return installation


def scores_of(deployment: Deployment, batch_id: str) -> dict[str, float]:
    table = deployment.read_table("bradley_terry_scores", batch_id)
    return dict(zip(table["essay_id"].to_pylist(), table["score"].to_pylist(), strict=True))


def test_new_essays_join_a_judged_batch_and_nothing_of_it_is_bought_again(spring_and_late: Installation) -> None:
    deployment = spring_and_late.deployment
    bought = deployment.read_table("judgments", "late").to_pylist()
    earlier = deployment.read_table("judgments", "spring").to_pylist()
    assert spring_and_late.bill()["requests_seen"] == len(bought) + len(earlier)
    assert all({row["essay_a"], row["essay_b"]} & set(LATE) for row in bought)
    assert not {row["pair_id"] for row in bought} & {row["pair_id"] for row in earlier}
    met = Counter(row[seat] for row in bought for seat in ("essay_a", "essay_b"))
    assert {met[name] for name in LATE} <= set(range(13, 18))
    fit = deployment.read_table("scale_fit", "late").to_pylist()[0]
    assert fit["comparisons"] == len(bought) + len(earlier)
    assert fit["components"] == 1


def test_the_earlier_essays_keep_their_places_and_new_ones_are_graded(spring_and_late: Installation) -> None:
    deployment = spring_and_late.deployment
    before, after = scores_of(deployment, "spring"), scores_of(deployment, "late")
    assert after.keys() == before.keys() | set(LATE)
    old = np.array([before[name] for name in before])
    now = np.array([after[name] for name in before])
    errors = deployment.read_table("bradley_terry_scores", "spring")["standard_error"].to_numpy()
    assert np.corrcoef(old, now)[0, 1] > 0.98
    assert np.std(now - old) < 0.5 * errors.mean()
    grades = {row["essay_id"]: row["grade"] for row in deployment.read_table("grade_projections", "late").to_pylist()}
    true = essay_rows(LATE)
    errors_in_grades = [abs(GRADES.index(grades[name]) - GRADES.index(grade(true[name]))) for name in LATE]
    assert grades.keys() == after.keys()
    assert max(errors_in_grades) <= 1
    from_batch = Counter(deployment.read_table("essays", "late")["from_batch"].to_pylist())
    assert from_batch == {"spring": 30, "late": 7}


def test_an_assignment_that_is_not_in_the_folder_is_the_earlier_one_s(spring_and_late: Installation) -> None:
    late = spring_and_late.deployment.batch("late")
    assert (late.assignment, late.rubric) == ("Say something.", "Say it well.")
    assert late.notices == ()


def test_the_report_marks_the_new_essays_and_names_the_batch_they_joined(spring_and_late: Installation) -> None:
    pages = [spring_and_late.deployment.store.read(f"reports/{name}.html").decode() for name in ("late", "spring")]
    revision = spring_and_late.deployment.ledger.provenance("spring").revision
    assert [page.count(">new</small>") for page in pages] == [2 * 7, 0]  # in the overview and in the psychometrics
    assert [f"revision {revision}" in page for page in pages] == [True, False]


def test_a_topped_up_batch_can_be_topped_up_again_even_by_one_essay(spring_and_late: Installation) -> None:
    write_batch(spring_and_late.batches / "last", essay_rows(["straggler"]), [], tops_up="late")
    run("last")
    deployment = spring_and_late.deployment
    batch = deployment.batch("last")
    assert Counter(batch.essays["from_batch"].to_pylist()) == {"spring": 30, "late": 7, "last": 1}
    assert deployment.read_table("judgments", "last").num_rows == 14
    every_judgment = sum(deployment.read_table("judgments", name).num_rows for name in ("spring", "late", "last"))
    assert deployment.read_table("scale_fit", "last")["comparisons"][0].as_py() == every_judgment
    findings = pair_findings(batch.essays, pairs_of(batch), budget_of(batch), batch.earlier and batch.earlier.pairs)
    assert [finding.summary for finding in findings if not finding.passed] == []


@pytest.fixture
def judged(installation: Installation) -> Installation:
    """`six` is judged; `more` tops it up with two essays."""
    small_batch(installation.batches / "six")
    run("six")
    more = small_batch(installation.batches / "more", essays=2)
    set_manifest(more, "[batch]", '[batch]\ntops_up = "six"')
    (more / "essays.csv").write_text("essay_id,text\nf1,One more essay.\nf2,And another one.\n", "utf-8")
    return installation


def set_manifest(folder: Path, old: str, new: str) -> None:
    path = folder / "batch.toml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_the_earlier_batch_is_part_of_the_revision(judged: Installation) -> None:
    batch = judged.deployment.batch("more")
    six = judged.deployment.ledger.provenance("six")
    assert batch.earlier is not None
    assert batch.earlier.provenance == six
    assert "earlier batch" in current_revision(batch).parts
    assert "earlier batch" not in current_revision(judged.deployment.batch("six")).parts


QUESTIONS: dict[str, tuple[Callable[[Path], object], str]] = {
    "assignment": (lambda folder: (folder / "assignment.md").write_text("Say another thing.", "utf-8"), "assignment"),
    "rubric": (lambda folder: (folder / "rubric.md").write_text("Say it badly.", "utf-8"), "rubric"),
    "model": (lambda folder: set_manifest(folder, '"latent"', '"lexical"'), 'model = "lexical" instead of "latent"'),
    "judge": (lambda folder: set_manifest(folder, 'id = "judge"', 'id = "jury"'), "jury instead of judge"),
    "ties": (lambda folder: set_manifest(folder, 'model = "latent"', 'model = "latent"\nties = true'), "ties = true"),
    "scale": (lambda folder: set_manifest(folder, "[[judges]]", '[scale]\nname = "cefr"\n[[judges]]'), "scale"),
}


@pytest.mark.parametrize("part", QUESTIONS)
def test_another_question_is_refused_before_anything_is_bought_and_says_what_differs(
    judged: Installation, part: str
) -> None:
    change, said = QUESTIONS[part]
    change(judged.batches / "more")
    with pytest.raises(BatchError, match=said):
        judged.deployment.batch("more")


def test_a_batch_that_is_not_judged_cannot_be_topped_up_yet(judged: Installation) -> None:
    small_batch(judged.batches / "unjudged")
    set_manifest(judged.batches / "more", '"six"', '"unjudged"')
    with pytest.raises(BatchError, match=r"not judged to its end\. First: cj run unjudged"):
        judged.deployment.batch("more")


def test_a_batch_that_was_changed_since_cannot_be_topped_up(judged: Installation) -> None:
    (judged.batches / "six" / "rubric.md").write_text("Something else.", "utf-8")
    with pytest.raises(BatchError, match="whose rubric changed since it was judged"):
        judged.deployment.batch("more")


def test_an_essay_that_stands_in_the_earlier_batch_is_refused_by_name(judged: Installation) -> None:
    (judged.batches / "more" / "essays.csv").write_text("essay_id,text\ne01,An old name.\n", "utf-8")
    with pytest.raises(BatchError, match="the essay 'e01' stands in six already"):
        judged.deployment.batch("more")


def test_a_batch_cannot_top_up_itself_by_any_detour(judged: Installation) -> None:
    set_manifest(judged.batches / "six", "[batch]", '[batch]\ntops_up = "more"')
    with pytest.raises(BatchError, match="tops up itself"):
        judged.deployment.batch("more")


def test_buying_the_earlier_batch_anew_under_a_bought_top_up_is_refused(judged: Installation) -> None:
    run("more")
    (judged.batches / "six" / "rubric.md").write_text("Something else.", "utf-8")
    (judged.batches / "more" / "rubric.md").write_text("Something else.", "utf-8")
    deployment = judged.deployment
    open_revision(deployment.ledger, deployment.batch("six"), new_revision=True)
    deployment.keep_tables_of_earlier_revision("six")
    run("six")
    with pytest.raises(RevisionChanged, match="earlier batch"):
        open_revision(deployment.ledger, deployment.batch("more"))
