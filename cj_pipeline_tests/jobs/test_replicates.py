"""A pair that is asked several times: requests the same to the letter, items of their own, numbered from 0."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.batch import read_batch
from cj_pipeline.jobs.chunks import Chunk, ChunkLimits, Comparison, chunked, comparisons_of, custom_id
from cj_pipeline.jobs.plan import pairs_of
from cj_pipeline.pairing.listed_pairs import plan_listed_pairs
from cj_pipeline_tests.installation import small_batch
from cj_pipeline_tests.jobs.made_up import batch_of

LISTED = "essay_a,essay_b,times\ne00,e01,3\ne01,e02,1\ne02,e00,2\ne00,e02,1\ne03,e00,2\ne04,e05,1\ne05,e03,1\n"


def asked(folder: Path, *, twins: bool = False) -> list[Comparison]:
    small_batch(folder, model="lexical")
    if twins:  # e03 and e01 say the same
        essays = folder / "essays.csv"
        essays.write_text(essays.read_text("utf-8").replace("number 3", "number 1"), "utf-8")
    (folder / "pairs.csv").write_text(LISTED, "utf-8")
    batch = read_batch(folder)
    return list(comparisons_of(batch, pairs_of(batch), batch.manifest.judges[0]))


def test_every_time_is_an_item_of_its_own_with_the_same_request(tmp_path: Path) -> None:
    comparisons = asked(tmp_path / "six")
    assert [(one.essay_a, one.essay_b, one.replicate) for one in comparisons] == [
        ("e00", "e01", 0), ("e00", "e01", 1), ("e00", "e01", 2), ("e01", "e02", 0), ("e02", "e00", 0),
        ("e02", "e00", 1), ("e00", "e02", 0), ("e03", "e00", 0), ("e03", "e00", 1), ("e04", "e05", 0),
        ("e05", "e03", 0),
    ]  # fmt: skip
    requests = defaultdict(set)
    for one in comparisons:
        requests[one.essay_a, one.essay_b].add((one.body, one.fingerprint))
    assert {len(found) for found in requests.values()} == {1}


def test_the_custom_id_of_a_first_time_is_as_ever_and_of_a_later_one_says_which(tmp_path: Path) -> None:
    comparisons = asked(tmp_path / "six")
    ids = [custom_id("j0123456789ab", one) for one in comparisons]
    assert len(set(ids)) == len(ids)
    for one, name in zip(comparisons, ids, strict=True):
        mark = f"-r{one.replicate}" if one.replicate else ""
        assert name.endswith(mark)
        assert len(name) == len("j0123456789ab-") + 26 + len(mark) <= 64


def test_two_essays_of_the_same_words_are_one_question(tmp_path: Path) -> None:
    comparisons = asked(tmp_path / "twins", twins=True)
    replicates: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for one in comparisons:
        replicates[one.essay_a, one.essay_b].append(one.replicate)
    assert replicates["e00", "e01"] == [0, 1, 2]
    assert replicates["e03", "e00"] == [0, 1]  # seats differ, so another question
    by_question = Counter((one.fingerprint, one.replicate) for one in comparisons)
    assert set(by_question.values()) == {1}


@pytest.mark.parametrize("requests", [1, 3, 100])
def test_jobs_know_the_bytes_of_their_files_however_they_cut_replicates(tmp_path: Path, requests: int) -> None:
    folder = tmp_path / "six"
    comparisons = asked(folder)
    judge = read_batch(folder).manifest.judges[0]
    limits = ChunkLimits(requests=requests, request_bytes=10**9)
    chunks = list(chunked(iter(comparisons), judge, limits, batch_id="six", revision="r", wave=1, attempt=1))
    held = [one for chunk in chunks for one in chunk.comparisons]
    assert sorted((one.pair_id, one.replicate) for one in held) == sorted(
        (one.pair_id, one.replicate) for one in comparisons
    )
    for chunk in chunks:
        _lines_have_their_length(chunk)


def _lines_have_their_length(chunk: Chunk) -> None:
    assert [len(line) for line in chunk.lines()] == [one.line_bytes for one in chunk.comparisons]
    assert chunk.items()["replicate"].to_pylist() == [one.replicate for one in chunk.comparisons]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=20), st.data())
def test_a_replicate_is_the_number_of_earlier_askings_of_the_same_texts_in_the_same_seats(
    listed: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    texts = data.draw(st.lists(st.sampled_from(["x", "y", "z"]), min_size=4, max_size=4))
    batch = batch_of(texts)
    essay_a, essay_b = ([f"e{pair[side]:02d}" for pair in listed] for side in (0, 1))
    pairs = plan_listed_pairs(essay_a, essay_b, [times for _, _, times in listed])
    text = dict(zip(batch.essays["essay_id"].to_pylist(), texts, strict=True))
    before: Counter[tuple[str, str]] = Counter()
    for one in comparisons_of(batch, pairs, batch.manifest.judges[0]):
        question = (text[one.essay_a], text[one.essay_b])
        assert one.replicate == before[question]
        before[question] += 1
    assert before.total() == pairs.num_rows
