"""LPS-70 to LPS-76 and LPS-81: the predecessor's runner, its artefact and exit codes, on this project's assets.

Where the predecessor did otherwise, the test holds what stands in its place; docs/eng5-runbook.md lists the reasons.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cj_pipeline.batch import Batch, read_batch
from cj_pipeline.cli import main
from cj_pipeline.deployment import Deployment
from cj_pipeline.eng5.anchor_names import grade_from_file_name
from cj_pipeline.eng5.artefact import (
    ArtefactInvalid,
    artefact_of,
    checksum,
    executed_run,
    git_sha,
    keep_artefact,
    refuse_invalid,
    schema,
    written,
)
from cj_pipeline.eng5.assessment_run import Run, cache_use
from cj_pipeline.errors import BatchError, StructuralFault
from cj_pipeline.pairing.findings import pair_findings
from cj_pipeline.store import Store
from cj_pipeline_tests.eng5.anchors import anchor_batch
from cj_pipeline_tests.eng5.profile_runs import materialise
from cj_pipeline_tests.installation import Installation, small_batch

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SHA = "0" * 64
NO_VERDICT = {"winner": None, "outcome": "failure", "confidence": None, "justification": None}


def three_essays(folder: Path) -> Batch:
    """An anchor and two pupils."""
    folder.mkdir(parents=True)
    (folder / "batch.toml").write_text(
        '[scale]\nname = "eng5_np_legacy_9_step"\n'
        '[[judges]]\nid = "luna"\nprovider = "openai"\nmodel = "gpt-6-luna"\n[spending]\nmax_usd = 1.0\n',
        "utf-8",
    )
    (folder / "essays.csv").write_text("essay_id,text\nA1,One text.\nS1,Another.\nS2,A third.\n", "utf-8")
    (folder / "anchors.csv").write_text("essay_id,grade\nA1,B\n", "utf-8")
    batch = read_batch(folder)
    section = batch.manifest.batch.model_copy(update={"mode": "provider_batch_api"})
    return replace(batch, manifest=batch.manifest.model_copy(update={"batch": section}))


def judged(number: int, essay_a: str, essay_b: str, **other: Any) -> dict[str, Any]:
    """A judgment of 250 tokens for 15 cents; essay A won unless `other` says so."""
    row = {
        "custom_id": f"job-{number}", "job_id": "job", "judge_id": "luna", "wave": 1, "attempt": 1,
        "essay_a": essay_a, "essay_b": essay_b, "winner": "essay_a", "outcome": "success", "error_code": None,
        "fingerprint": SHA, "provider": "openai", "model_requested": "gpt-6-luna", "model_reported": "gpt-6-luna",
        "input_tokens": 200, "cached_tokens": 0, "cache_write_tokens": 0, "output_tokens": 50, "cost_usd": 0.15,
        "completed_at": NOW, "confidence": 4, "justification": "It says more.",
    }  # fmt: skip
    return {**row, **other}


def scored(essay_id: str, score: float, rank: int) -> dict[str, Any]:
    return {
        "essay_id": essay_id, "score": score, "standard_error": 0.9, "rank": rank, "comparisons": 2, "wins": 1.0,
        "component": 0,
    }  # fmt: skip


def projected(essay_id: str, grade: str) -> dict[str, Any]:
    return {
        "essay_id": essay_id, "grade": grade, "grade_probabilities": [("B", 0.8), ("A", 0.2)], "grade_low": "B",
        "grade_high": "A", "p_exact": 0.8, "reason": None,
    }  # fmt: skip


def run_of(folder: Path, **other: Any) -> Run:
    """Three comparisons in a circle, as the predecessor's test has them."""
    whole: dict[str, Any] = {
        "batch": three_essays(folder), "revision": SHA, "mode": "execute", "jobs": (), "ended": True,
        "judgments": [judged(1, "A1", "S1"), judged(2, "S2", "A1"), judged(3, "S1", "S2")],
        "scores": [scored("A1", 0.1, 1), scored("S1", 0.0, 2), scored("S2", -0.4, 3)],
        "projections": [projected(name, "B") for name in ("A1", "S1", "S2")],
        "timeout_seconds": None, "planned_comparisons": 3, "estimate_usd": None, "made_at": NOW, "git_sha": None,
    }  # fmt: skip
    return Run(**{**whole, **other})


def artefact(tmp_path: Path, **other: Any) -> dict[str, Any]:
    made = artefact_of(run_of(tmp_path / "batch", **other), Store(str(tmp_path / "store")))
    refuse_invalid(made)
    return made


def ended(monkeypatch: pytest.MonkeyPatch, *argv: str) -> int:
    monkeypatch.setattr("sys.argv", ["cj", "eng5", *argv])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def stored(mode: str, batch_id: str) -> dict[str, Any]:
    return dict(json.loads(Deployment.open().store.read(f"artefacts/{batch_id}/assessment_run.{mode}.json")))


def test_LPS_70_winners_are_taken_by_seat_and_probabilities_and_counts_are_kept(tmp_path: Path) -> None:
    rows = [
        judged(1, "A1", "S1"),
        judged(2, "S2", "A1", winner="essay_b"),
        judged(3, "S1", "S2", winner="tie"),
        judged(4, "S2", "S1", **NO_VERDICT, error_code="refused"),
    ]
    made = artefact(tmp_path, judgments=rows)
    assert [(row["winner_id"], row["loser_id"], row["status"]) for row in made["llm_comparisons"]] == [
        ("A1", "S1", "succeeded"),
        ("A1", "S2", "succeeded"),
        (None, None, "succeeded"),
        (None, None, "failed"),
    ]
    assert made["grade_projections"][0]["probabilities"] == {"B": 0.8, "A": 0.2}
    assert all(len(row["prompt_hash"]) == 64 for row in made["llm_comparisons"])


def test_LPS_70_a_second_answer_to_one_request_stops_the_table_it_would_stand_in(installation: Installation) -> None:
    """The predecessor's collector skipped it; here no table with it is ever written."""
    from cj_pipeline.findings import refuse_structural
    from cj_pipeline.judging.findings import judgment_findings

    small_batch(installation.batches / "small", model="lexical")
    assert materialise("small").success
    deployment = installation.deployment
    pairs, table = (deployment.read_table(name, "small") for name in ("comparison_pairs", "judgments"))
    import pyarrow as pa

    twice = pa.concat_tables([table, table.slice(0, 1)])
    with pytest.raises(StructuralFault, match="Nothing was written"):
        refuse_structural("small", judgment_findings(deployment.batch("small"), pairs, twice))


def test_LPS_71_the_artefact_of_three_comparisons(tmp_path: Path) -> None:
    made = artefact(tmp_path)
    assert len(made["llm_comparisons"]) == len(made["bt_summary"]) == len(made["grade_projections"]) == 3
    assert [row["comparison_count"] for row in made["bt_summary"]] == [2, 2, 2]  # there: 3 for all, an estimate
    assert [row["standard_error"] for row in made["bt_summary"]] == [0.9] * 3  # there: 0.0
    assert made["costs"]["total_usd"] == 0.45
    (tokens,) = made["costs"]["token_counts"]
    assert tokens == {
        "provider": "openai", "model": "gpt-6-luna", "prompt_tokens": 600, "completion_tokens": 150, "usd": 0.45,
    }  # fmt: skip
    status = made["validation"]["runner_status"]
    assert status["partial_data"] is False
    assert status["observed_events"] == {"llm_comparisons": 3, "assessment_results": 1, "completions": 1}
    anchor = next(row for row in made["bt_summary"] if row["is_anchor"])
    assert (anchor["essay_id"], anchor["anchor_grade"]) == ("A1", "B")
    pupil = next(row for row in made["grade_projections"] if row["essay_id"] == "S2")
    assert (pupil["primary_anchor_id"], pupil["anchor_alignment"]) == ("A1", pytest.approx(-0.5))


def test_LPS_71_a_real_run_leaves_an_artefact_whose_files_and_figures_are_the_store_s(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.copy_of_demo("exam")
    assert materialise("exam").success
    deployment = installation.deployment
    run = executed_run(deployment.batch("exam"), deployment, mode="execute", ended=True)
    location = keep_artefact(deployment.store, artefact_of(run, deployment.store))
    made = stored("execute", "exam")
    assert location.endswith("artefacts/exam/assessment_run.execute.json")
    scores = {row["essay_id"]: row for row in deployment.read_table("bradley_terry_scores", "exam").to_pylist()}
    for row in made["bt_summary"]:
        assert row["standard_error"] == scores[row["essay_id"]]["standard_error"] > 0
        assert row["comparison_count"] == scores[row["essay_id"]]["comparisons"]
    probabilities = [row["probabilities"] for row in made["grade_projections"]]
    assert all(sum(one.values()) == pytest.approx(1) and len(one) > 1 for one in probabilities)
    assert made["validation"]["manifest"]
    for file in made["validation"]["manifest"]:
        assert len(deployment.store.read(file["path"])) == file["bytes"]
    assert not any(text in json.dumps(made) for text in deployment.batch("exam").essays["text"].to_pylist())
    assert made["metadata"]["batch_uuid"] == stored_again(deployment, run)


def stored_again(deployment: Deployment, run: Run) -> str:
    """The uuid of a second artefact of the same content."""
    return str(artefact_of(run, deployment.store)["metadata"]["batch_uuid"])


def test_LPS_72_a_run_that_was_not_waited_for_leaves_a_partial_artefact(tmp_path: Path) -> None:
    made = artefact(
        tmp_path, judgments=[judged(1, "A1", "S1")], scores=[], projections=[], ended=False, timeout_seconds=10.0
    )
    status = made["validation"]["runner_status"]
    assert (len(made["llm_comparisons"]), status["partial_data"], status["timeout_seconds"]) == (1, True, 10.0)
    assert status["observed_events"] == {"llm_comparisons": 1, "assessment_results": 0, "completions": 0}
    assert made["bt_summary"] == made["grade_projections"] == []


@pytest.mark.heavy
def test_LPS_73_nothing_is_asked_twice_and_a_new_revision_asks_anew(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place of the upload cache: 0 reused and 2 sent, then 2 and 0; forced, all again; a changed file, refused."""
    folder = small_batch(installation.batches / "small", model="lexical", essays=4, max_comparisons=6)
    sent = []
    for _ in range(2):
        assert ended(monkeypatch, "execute", "small") == 0
        sent.append(installation.bill()["requests_seen"])
    (folder / "rubric.md").write_text("Say it otherwise.", "utf-8")
    assert ended(monkeypatch, "execute", "small") == 1
    sent.append(installation.bill()["requests_seen"])
    assert ended(monkeypatch, "execute", "small", "--new-revision") == 0
    sent.append(installation.bill()["requests_seen"])
    assert sent == [6, 6, 6, 12]


@pytest.mark.parametrize(
    ("cap", "linked"),
    [
        pytest.param(1, False, id="one-there-refused"),
        pytest.param(9, False, id="nine-there-cut-to-three-by-three"),
        pytest.param(13, True, id="thirteen-the-least-that-links-all"),
        pytest.param(30, True, id="thirty"),
    ],
)
def test_LPS_74_a_cap_is_kept_to_the_unit_and_no_essay_is_cut_to_fit_it(
    installation: Installation, cap: int, linked: bool
) -> None:
    """Four anchors and ten pupils; with fewer pairs than a chain needs the parts are scored apart, and it is said."""
    from cj_pipeline.jobs.plan import budget_of, pairs_of

    folder = small_batch(installation.batches / "small", essays=14, max_comparisons=cap)
    (folder / "anchors.csv").write_text("essay_id,grade\n" + "".join(f"e0{n},B\n" for n in range(4)), "utf-8")
    batch = installation.deployment.batch("small")
    pairs = pairs_of(batch)
    assert pairs.num_rows == cap
    found = {one.name: one.numbers for one in pair_findings(batch.essays, pairs, budget_of(batch))}
    assert (found["connected"]["components"] == 1) is linked


def test_LPS_74_no_pupils_is_an_alignment_run_and_no_anchors_is_scores_without_grades(
    installation: Installation,
) -> None:
    anchor_batch(installation.batches / "no-pupils")
    small_batch(installation.batches / "no-anchors", max_comparisons=12)
    assert installation.deployment.batch("no-pupils").n_students == 0
    assert installation.deployment.batch("no-anchors").n_anchors == 0


@pytest.mark.parametrize(
    ("name", "grade"),
    [("A1.docx", "A"), ("F+2.docx", "F+"), ("c-.docx", "C-"), ("ANCHOR_ESSAY_ENG_5_d+1.docx", "D+")],
)
def test_LPS_75_the_grade_in_a_file_s_name(name: str, grade: str) -> None:
    assert grade_from_file_name(name) == grade


def test_LPS_75_a_name_without_a_grade_is_refused() -> None:
    with pytest.raises(BatchError, match="no grade in the name"):
        grade_from_file_name("123.docx")


def test_LPS_75_anchors_are_registered_by_the_names_of_their_files(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small_batch(installation.batches / "exam", scale='[scale]\nname = "eng5_np_legacy_9_step"')
    (folder / "essays.csv").unlink()
    (folder / "essays").mkdir()
    for name in ("anchor_F+1", "anchor_b", "anna_b_larsson", "elev0007"):
        (folder / "essays" / f"{name}.txt").write_text(f"The text of {name}.", "utf-8")
    assert ended(monkeypatch, "register-anchors", "exam") == 0
    assert (folder / "anchors.csv").read_text("utf-8") == "essay_id,grade\nanchor_F+1,F+\nanchor_b,B\n"
    assert ended(monkeypatch, "register-anchors", "exam") == 1  # there is a list: nothing is overwritten
    assert "has a list of 2 anchors" in capsys.readouterr().err


def test_LPS_76_done_is_0_a_mistake_or_no_end_is_1_and_an_unknown_option_is_2(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small_batch(installation.batches / "small", model="lexical", essays=4, max_comparisons=6)
    assert ended(monkeypatch, "plan", "small") == 0
    assert ended(monkeypatch, "dry-run", "small") == 0
    dry = stored("dry-run", "small")
    assert (dry["metadata"]["runner_mode"], dry["llm_comparisons"]) == ("dry-run", [])
    assert dry["validation"]["runner_status"]["planned_comparisons"] == 6
    assert installation.bill()["requests_seen"] == 0
    assert ended(monkeypatch, "plan", "nobody") == 1
    assert ended(monkeypatch, "execute", "--max-everything", "small") == 2
    assert ended(monkeypatch, "execute", "small", "--completion-timeout", "0") == 1
    status = stored("execute", "small")["validation"]["runner_status"]
    assert (status["partial_data"], status["timeout_seconds"]) == (True, 0.0)
    capsys.readouterr()


def test_LPS_76_an_artefact_that_breaks_its_schema_is_not_written_and_ends_with_2(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small_batch(installation.batches / "small", model="lexical", essays=4, max_comparisons=6)
    monkeypatch.setattr("cj_pipeline.eng5.assessment_run.SCHEMA_VERSION", "0.9")
    assert ended(monkeypatch, "dry-run", "small") == 2
    assert "$.metadata.schema_version" in capsys.readouterr().err
    assert not installation.deployment.store.exists("artefacts/small/assessment_run.dry-run.json")


def test_LPS_81_what_the_prompt_cache_did() -> None:
    """A hit reads, a miss writes; limits of requests and tokens a minute have no counterpart in batches."""
    rows: list[Mapping[str, Any]] = [
        {"cached_tokens": 1_000, "cache_write_tokens": 0},
        {"cached_tokens": 0, "cache_write_tokens": 1_200},
        {"cached_tokens": None, "cache_write_tokens": None},
    ]
    assert cache_use(rows) == {
        "hits": 1, "misses": 1, "bypasses": 1, "tokens_read": 1_000, "tokens_written": 1_200, "hit_rate": 0.5,
    }  # fmt: skip


def test_the_published_schema_is_itself_valid_and_names_every_block_of_the_predecessor_s() -> None:
    Draft202012Validator.check_schema(schema())
    assert list(schema()["properties"]) == [
        "metadata", "inputs", "llm_comparisons", "bt_summary", "grade_projections", "costs", "validation",
    ]  # fmt: skip


def test_an_artefact_that_was_changed_is_told_by_its_checksum(tmp_path: Path) -> None:
    made = json.loads(written(artefact(tmp_path)))
    assert made["validation"]["artefact_checksum"] == checksum(made)
    made["bt_summary"][0]["theta"] = 3.0
    with pytest.raises(ArtefactInvalid, match="checksum"):
        refuse_invalid(made)


def test_the_commit_is_read_from_a_branch_a_packed_branch_and_a_detached_head(tmp_path: Path) -> None:
    commit = "a" * 40
    git = tmp_path / ".git"
    assert git_sha(tmp_path) is None
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    assert git_sha(tmp_path) is None
    (git / "packed-refs").write_text(f"# pack-refs\n{'b' * 40} refs/heads/main\n", "utf-8")
    assert git_sha(tmp_path) == "b" * 40
    (git / "refs/heads/main").write_text(f"{commit}\n", "utf-8")
    assert git_sha(tmp_path) == commit
    (git / "HEAD").write_text(commit, "utf-8")
    assert git_sha(tmp_path) == commit
