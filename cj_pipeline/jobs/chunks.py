"""From planned pairs to request files: which comparisons a judge is asked, in which lines, in which jobs."""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from cj_pipeline.batch import Batch, JudgeSection, seed_of
from cj_pipeline.errors import StructuralFault
from cj_pipeline.judging.questions import fingerprint, fingerprint_stem, questions_of
from cj_pipeline.pairing.comparison_pairs import item_indices
from cj_pipeline.providers.openai_wire import (
    MAX_REQUEST_FILE_BYTES,
    encode_essay,
    request_form,
    request_line,
)

# Soft limits, far below the platform's: a job that fails or expires takes fewer comparisons with it.
REQUESTS_PER_JOB = 2_000
REQUEST_FILE_BYTES = 20_000_000
LINE_OVERHEAD_BYTES = 200  # custom_id, method, url and braces around a body
JOB_ID_HEX = 12
COMPARISON_CHARS = 26  # 130 bits in base 32
COMPARISON_BYTES = 20  # whole groups of five bytes, eight characters each, that hold them

ITEMS = pa.schema(
    [
        pa.field("custom_id", pa.string()),
        pa.field("pair_id", pa.int32()),
        pa.field("essay_a", pa.string()),
        pa.field("essay_b", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("replicate", pa.int32()),
        pa.field("fingerprint", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A pair asked of a judge, with the canonical bytes of its request."""

    pair_id: int
    essay_a: str
    essay_b: str
    kind: str
    replicate: int
    fingerprint: str
    max_output_tokens: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Chunk:
    """The comparisons of one job. Its id is a hash of everything it asks, so planning twice gives the same job."""

    job_id: str
    attempt: int
    judge: JudgeSection
    comparisons: Sequence[Comparison]

    def lines(self) -> Iterator[bytes]:
        """The request file, line by line."""
        for comparison in self.comparisons:
            yield request_line(custom_id(self.job_id, comparison), comparison.body)

    def items(self) -> pa.Table:
        """Our own list of what the job must answer, in the order of the request file."""
        columns = [
            [custom_id(self.job_id, comparison) for comparison in self.comparisons],
            *(
                [getattr(comparison, name) for comparison in self.comparisons]
                for name in ("pair_id", "essay_a", "essay_b", "kind", "replicate", "fingerprint")
            ),
        ]
        return pa.table(dict(zip(ITEMS.names, columns, strict=True)), schema=ITEMS)


def comparisons_of(batch: Batch, pairs: pa.Table, judge: JudgeSection) -> Iterator[Comparison]:
    """What a judge is asked of a wave, in the order of the plan."""
    question = questions_of(batch)[judge.id]
    stem, form = fingerprint_stem(judge, question), request_form(judge, question)
    ids, texts, digests = (batch.essays[name].to_pylist() for name in ("essay_id", "text", "sha256"))
    texts = [encode_essay(text) for text in texts]
    first = item_indices(pairs["essay_a"], batch.essays["essay_id"])
    second = item_indices(pairs["essay_b"], batch.essays["essay_id"])
    pair_ids, kinds = pairs["pair_id"].to_pylist(), pairs["kind"].to_pylist()
    for row in _rows_for(judge, pairs.num_rows, seed_of(batch.batch_id, batch.manifest)):
        a, b = first[row], second[row]
        yield Comparison(
            pair_id=pair_ids[row],
            essay_a=ids[a],
            essay_b=ids[b],
            kind=kinds[row],
            replicate=0,
            fingerprint=fingerprint(stem, digests[a], digests[b]),
            max_output_tokens=judge.max_output_tokens,
            body=form.body(texts[a], texts[b]),
        )


def comparisons_planned(judge: JudgeSection, n_pairs: int) -> int:
    """How many of a wave's pairs a judge is asked: its share, rounded down, since the shares lie under one cap."""
    return max(1, int(judge.share * n_pairs))


def chunked(
    comparisons: Iterator[Comparison],
    judge: JudgeSection,
    *,
    batch_id: str,
    revision: str,
    wave: int,
    attempt: int,
) -> Iterator[Chunk]:
    """Fill jobs up to the soft limits. Raises `StructuralFault` for a request no job could carry."""

    def close(held: list[Comparison]) -> Chunk:
        job_id = _job_id([batch_id, revision, str(wave), str(attempt), judge.id, judge.provider, judge.model], held)
        return Chunk(job_id, attempt, judge, held)

    held: list[Comparison] = []
    size = 0
    for comparison in comparisons:
        line = len(comparison.body) + LINE_OVERHEAD_BYTES
        if line > MAX_REQUEST_FILE_BYTES:
            raise StructuralFault(f"pair {comparison.pair_id}: one request of {line:,} bytes is beyond any job's limit")
        if held and (len(held) == REQUESTS_PER_JOB or size + line > REQUEST_FILE_BYTES):
            yield close(held)
            held, size = [], 0
        held.append(comparison)
        size += line
    if held:
        yield close(held)


def custom_id(job_id: str, comparison: Comparison) -> str:
    """The item's name at the provider: the job and a hash of the comparison; nothing about pupil or essay id."""
    asked = f"{comparison.pair_id}\x1f{comparison.replicate}\x1f{comparison.fingerprint}"
    digest = hashlib.sha256(asked.encode()).digest()[:COMPARISON_BYTES]
    return f"{job_id}-{base64.b32encode(digest).decode().lower()[:COMPARISON_CHARS]}"


def _rows_for(judge: JudgeSection, n_pairs: int, seed: int) -> np.ndarray:
    if judge.share == 1:
        return np.arange(n_pairs)
    salt = int.from_bytes(hashlib.sha256(judge.id.encode()).digest()[:8], "big")
    drawn = np.random.default_rng([seed, salt]).permutation(n_pairs)
    return np.sort(drawn[: comparisons_planned(judge, n_pairs)])


def _job_id(identity: Sequence[str], held: Sequence[Comparison]) -> str:
    digest = hashlib.sha256("\x1f".join(identity).encode())
    for comparison in held:
        digest.update(f"\x1e{comparison.pair_id}\x1f{comparison.replicate}\x1f".encode())
        digest.update(hashlib.sha256(comparison.body).digest())
    return "j" + digest.hexdigest()[:JOB_ID_HEX]
