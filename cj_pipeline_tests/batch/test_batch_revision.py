from collections.abc import Callable
from pathlib import Path

import pytest

from cj_pipeline.batch import Revision, read_batch, revision_of
from cj_pipeline_tests.batch.batch_folder import ANCHORS, ESSAYS, MANIFEST, Files, batch_with

SECOND_JUDGE = '[[judges]]\nid = "sol"\nprovider = "emulator"\nmodel = "latent"\n'
PLAN = "pair plan (seed, max_comparisons, audit_share)"

Revise = Callable[[Files], Revision]


@pytest.fixture
def revise(tmp_path: Path) -> Revise:
    """The revision of the batch in order with some changes; the folder's name stays the same."""
    places = iter(range(100))

    def revise(changes: Files) -> Revision:
        batch = read_batch(batch_with(tmp_path / str(next(places)) / "six", changes))
        return revision_of(batch, plan_version="1", question_digest="q")

    return revise


def manifest(old: str, new: str) -> Files:
    assert old in MANIFEST
    return {"batch.toml": MANIFEST.replace(old, new)}


SHUFFLED = "essay_id,text,school\n" + "".join(sorted(ESSAYS.splitlines(keepends=True)[1:], reverse=True))
AS_JSONL = "".join(
    f'{{"text": "Text number {i} says something.", "essay_id": "e{i}", "school": "north"}}\n' for i in range(1, 7)
)

NOTHING_BOUGHT: dict[str, Files] = {
    "the title": manifest("Six essays", "Half a dozen"),
    "grades of the anchors": {"anchors.csv": ANCHORS.replace("e3,A", "e3,C")},
    "known grades": {"known_grades.csv": "essay_id,grade\ne5,A\n"},
    "the scale": manifest('["F", "E", "C", "A"]', '["F", "E", "D", "C", "A"]'),
    "thresholds and overrides": {"batch.toml": MANIFEST + '[checks]\nmin_reliability = 0.1\noverride.a = "because"\n'},
    "caps on money": {"batch.toml": MANIFEST + '[spending]\nmax_usd = 3.0\napproval = "auto"\non_unknown = "hold"\n'},
    "where the judge is reached": {"batch.toml": MANIFEST + 'base_url = "http://localhost/v1"\naccount = "b"\n'},
    "the order of rows": {"essays.csv": SHUFFLED},
    "the form of the file": {"essays.csv": None, "essays.jsonl": AS_JSONL},
    "line ends": {"essays.csv": ESSAYS.replace("\n", "\r\n")},
    "a group column": {"essays.csv": ESSAYS.replace("north", "south")},
    "blank lines around the rubric": {"rubric.md": "\n\nClarity.\n\n"},
    "what is said by default": {"batch.toml": MANIFEST + "max_output_tokens = 600\nties = false\nshare = 1.0\n"},
}

BOUGHT: dict[str, tuple[Files, str]] = {
    "a word of an essay": ({"essays.csv": ESSAYS.replace("number 5", "number five")}, "essays"),
    "one more essay": ({"essays.csv": ESSAYS + "e7,Seven.,north\n"}, "essays"),
    "an id": ({"essays.csv": ESSAYS.replace("e5,", "e55,")}, "essays"),
    "who is an anchor": ({"anchors.csv": ANCHORS + "e4,E\n"}, "essays"),
    "the assignment": ({"assignment.md": "Write two letters."}, "assignment"),
    "no assignment": ({"assignment.md": None}, "assignment"),
    "the rubric": ({"rubric.md": "Brevity."}, "rubric"),
    "the seed": (manifest("[scale]", "seed = 1\n[scale]"), PLAN),
    "the cap": (manifest("[scale]", "max_comparisons = 5\n[scale]"), PLAN),
    "the audit": ({"batch.toml": MANIFEST + "[pairing]\naudit_share = 0.5\n"}, PLAN),
    "the model": (manifest('"lexical"', '"latent"'), "judges"),
    "the judge's id": (manifest('"luna"', '"sol"'), "judges"),
    "the provider": (
        {"batch.toml": MANIFEST.replace('"emulator"', '"openai"') + "[spending]\nmax_usd = 1\n"},
        "judges",
    ),
    "ties": ({"batch.toml": MANIFEST + "ties = true\n"}, "judges"),
    "the answer's length": ({"batch.toml": MANIFEST + "max_output_tokens = 601\n"}, "judges"),
    "a judge's share": ({"batch.toml": MANIFEST + "share = 0.5\n"}, "judges"),
    "a second judge": ({"batch.toml": MANIFEST + SECOND_JUDGE}, "judges"),
}


@pytest.mark.parametrize("change", NOTHING_BOUGHT)
def test_what_buys_nothing_keeps_the_revision(revise: Revise, change: str) -> None:
    before, after = revise({}), revise(NOTHING_BOUGHT[change])
    assert after.digest == before.digest
    assert after.changed_since(before.parts) == []


@pytest.mark.parametrize("change", BOUGHT)
def test_what_is_bought_changes_the_revision_and_is_named(revise: Revise, change: str) -> None:
    files, part = BOUGHT[change]
    before, after = revise({}), revise(files)
    assert after.digest != before.digest
    assert after.changed_since(before.parts) == [part]


def test_a_new_plan_or_a_new_question_changes_the_revision_too(tmp_path: Path) -> None:
    batch = read_batch(batch_with(tmp_path / "six", {}))
    before = revision_of(batch, plan_version="1", question_digest="q")
    replanned = revision_of(batch, plan_version="2", question_digest="q")
    rephrased = revision_of(batch, plan_version="1", question_digest="r")
    assert replanned.changed_since(before.parts) == [PLAN]
    assert rephrased.changed_since(before.parts) == ["question put to the judges"]


def test_the_name_of_the_folder_draws_the_pairs_unless_a_seed_is_given(tmp_path: Path) -> None:
    seeded = {"batch.toml": MANIFEST.replace("[scale]", "seed = 1\n[scale]")}
    digests = [
        revision_of(
            read_batch(batch_with(tmp_path / label / name, files)), plan_version="1", question_digest="q"
        ).digest
        for label, files in (("own", {}), ("seeded", seeded))
        for name in ("spring", "autumn")
    ]
    assert digests[0] != digests[1]
    assert digests[2] == digests[3]
