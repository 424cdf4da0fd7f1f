"""Pupils' texts can be erased: nothing of them is left in folder, store or provider, and the results stay."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.batch import read_batch
from cj_pipeline.defs.drive import run_batch
from cj_pipeline.erase import batches_past_retention, erase_essays, erase_what_is_due, receipts
from cj_pipeline.errors import BatchError, CjError
from cj_pipeline.jobs.job import jobs_of
from cj_pipeline.providers import read_result, redacted
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import bought, ended, judged, paid_batch

GONE = "Essay number 2 says something of its own."


def files_that_quote(folder: Path, text: str) -> list[str]:
    """Every file below a folder in which a text stands, Parquet read as what it says."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if path.suffix == ".parquet":
            table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
            content = json.dumps(table.to_pylist(), default=str).encode()
        if text.encode() in content:
            found.append(path.name)
    return found


def run(installation: Installation, batch_id: str) -> None:
    run_batch(installation.deployment, batch_id, tell=lambda _: None, wait=True, new_revision=False)


def test_an_erased_essay_is_nowhere_and_its_score_is_what_it_was(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    run(installation, "small")
    deployment = installation.deployment
    before = {name: deployment.read_table(name, "small") for name in ("judgments", "bradley_terry_scores")}
    assert files_that_quote(installation.folder, GONE)

    erase_essays(deployment, deployment.batch("small"), ["e02"], erased_by="somebody")
    run(installation, "small")

    assert files_that_quote(installation.folder, GONE) == []
    after = {name: deployment.read_table(name, "small") for name in before}
    assert after["bradley_terry_scores"].equals(before["bradley_terry_scores"])
    named = [{"e02"} & {row["essay_a"], row["essay_b"]} for row in after["judgments"].to_pylist()]
    assert [not row["justification"] for row in after["judgments"].to_pylist()] == [bool(hit) for hit in named]
    for name in ("winner", "confidence", "cost_usd", "input_tokens", "fingerprint"):
        assert after["judgments"][name].to_pylist() == before["judgments"][name].to_pylist()
    assert deployment.store.exists("reports/small.html")
    assert installation.bill()["requests_seen"] == 15

    said = receipts(deployment, "small")
    assert {row["what"] for row in said} >= {"essay", "request", "output", "input"}
    assert all(GONE not in json.dumps(row) for row in said)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_whole_batch_goes_and_its_money_stays(installation: Installation, provider: str) -> None:
    paid_batch(installation, "paid", provider=provider)
    run(installation, "paid")
    deployment = installation.deployment
    before = deployment.read_table("judgments", "paid")
    batch = deployment.batch("paid")
    spent = [job.spent_nano_usd for job in jobs_of(deployment.ledger, "paid")]
    erase_essays(deployment, batch, batch.essays["essay_id"].to_pylist(), erased_by="somebody")
    assert files_that_quote(installation.folder, "says something of its own") == []
    again = judged(deployment, "paid")
    assert again["winner"].to_pylist() == before["winner"].to_pylist()
    assert again["cost_usd"].to_pylist() == before["cost_usd"].to_pylist()
    assert [job.spent_nano_usd for job in jobs_of(deployment.ledger, "paid")] == spent
    assert set(deployment.batch("paid").essays["text"].to_pylist()) == {""}


def test_erasing_twice_is_erasing_once(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    run(installation, "small")
    deployment = installation.deployment
    for _ in range(2):
        erase_essays(deployment, deployment.batch("small"), ["e02"], erased_by="somebody")
    assert deployment.batch("small").essays.num_rows == 6
    assert judged(deployment, "small").num_rows == 15


def test_nothing_is_erased_while_it_is_being_asked(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    bought(installation.deployment, "small")
    deployment = installation.deployment
    with pytest.raises(CjError, match="not at their end"):
        erase_essays(deployment, deployment.batch("small"), ["e02"], erased_by="somebody")
    assert GONE in deployment.batch("small").essays["text"].to_pylist()


def test_an_essay_nobody_knows_is_a_mistake(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    deployment = installation.deployment
    with pytest.raises(BatchError, match="no essay 'e99'"):
        erase_essays(deployment, deployment.batch("small"), ["e99"], erased_by="somebody")


@pytest.mark.heavy
def test_a_text_that_comes_back_is_refused(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small")
    run(installation, "small")
    essays = folder / "essays.csv"
    before = essays.read_text("utf-8")
    erase_essays(installation.deployment, installation.deployment.batch("small"), ["e02"], erased_by="somebody")
    essays.write_text(before, "utf-8")
    with pytest.raises(BatchError, match="was erased on"):
        read_batch(folder)


@pytest.mark.heavy
def test_a_batch_is_erased_when_its_days_are_over(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small")
    manifest = folder / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace("[batch]", "[batch]\nretain_days = 30"), "utf-8")
    run(installation, "small")
    deployment = installation.deployment
    later = datetime.now(UTC) + timedelta(days=31)
    assert batches_past_retention(deployment) == []
    assert [batch.batch_id for batch in batches_past_retention(deployment, later)] == ["small"]
    assert erase_what_is_due(deployment, later)
    assert files_that_quote(installation.folder, "says something of its own") == []
    assert batches_past_retention(deployment, later) == []


def test_the_provider_keeps_no_copy_once_the_answers_are_read(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    deployment = installation.deployment
    bought(deployment, "small")
    ended(deployment, "small")
    assert files_that_quote(installation.folder / "emulator", GONE)
    judged(deployment, "small")
    assert files_that_quote(installation.folder / "emulator", GONE) == []
    assert {row["what"] for row in receipts(deployment, "small")} >= {"input", "output"}
    assert {row["why"] for row in receipts(deployment, "small")} == {"reconciled"}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "xlsx", "txt"])
def test_every_form_of_essays_loses_the_text_and_keeps_the_others(tmp_path: Path, suffix: str) -> None:
    from cj_pipeline.batch.erased import remove_texts

    rows = [{"essay_id": f"e{number}", "text": f"Text {number}, with a comma."} for number in range(3)]
    path = tmp_path / f"essays.{suffix}"
    if suffix == "csv":
        path.write_text("essay_id,text\n" + "".join(f'{row["essay_id"]},"{row["text"]}"\n' for row in rows), "utf-8")
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    elif suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == "xlsx":
        import openpyxl

        book = openpyxl.Workbook()
        for values in [["essay_id", "text"], *([row["essay_id"], row["text"]] for row in rows)]:
            book.active.append(values)
        book.save(path)
    else:
        (tmp_path / "essays").mkdir()
        for row in rows:
            (tmp_path / "essays" / f"{row['essay_id']}.txt").write_text(row["text"], "utf-8")
    from cj_pipeline.batch.readers import read_essays
    from cj_pipeline.batch.text_files import Notices

    assert remove_texts(tmp_path, {"e1"})
    kept = {essay.essay_id: essay.text for essay in read_essays(tmp_path, Notices())}
    assert kept == {"e0": "Text 0, with a comma.", "e2": "Text 2, with a comma."}


A_LINE = {
    "openai": {
        "custom_id": "j-a", "error": None,
        "response": {"status_code": 200, "body": {"model": "m", "choices": [{"finish_reason": "stop", "message": {}}],
                     "usage": {"prompt_tokens": 9, "completion_tokens": 3}}},
    },
    "anthropic": {
        "custom_id": "j-a",
        "result": {"type": "succeeded", "message": {"model": "m", "stop_reason": "end_turn", "content": [],
                   "usage": {"input_tokens": 9, "output_tokens": 3}}},
    },
}  # fmt: skip


def line_that_says(provider: str, said: str) -> bytes:
    line = json.loads(json.dumps(A_LINE[provider]))
    if provider == "openai":
        line["response"]["body"]["choices"][0]["message"]["content"] = said
    else:
        line["result"]["message"]["content"] = [{"type": "text", "text": said}]
    return json.dumps(line).encode()


@given(st.sampled_from(["openai", "anthropic"]), st.sampled_from(["Essay A", "Essay B", "Tie"]), st.text(max_size=80))
def test_a_line_without_its_words_says_who_won_and_what_it_cost(provider: str, winner: str, reason: str) -> None:
    said = json.dumps({"winner": winner, "justification": reason, "confidence": 4})
    line = line_that_says(provider, said)
    before = read_result(provider, line, ties=True)
    after = read_result(provider, redacted(provider, line, {"j-a"}, ties=True), ties=True)
    assert before is not None
    assert after is not None
    assert after.answer.verdict is not None
    assert (after.answer.verdict.winner, after.answer.verdict.confidence, after.answer.verdict.justification) == (
        before.answer.verdict and before.answer.verdict.winner, 4, "",
    )  # fmt: skip
    assert after.answer.usage == before.answer.usage


@given(st.sampled_from(["openai", "anthropic"]), st.text(min_size=3, max_size=80))
def test_a_line_without_its_words_is_no_verdict_where_it_was_none(provider: str, said: str) -> None:
    line = line_that_says(provider, said)
    before = read_result(provider, line, ties=True)
    after = read_result(provider, redacted(provider, line, {"j-a"}, ties=True), ties=True)
    assert before is not None
    assert after is not None
    assert after.answer.error_code == before.answer.error_code
