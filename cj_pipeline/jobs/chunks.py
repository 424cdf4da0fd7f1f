"""From planned pairs to request files: which comparisons a judge is asked, in which lines, in which jobs.

A job takes its comparisons in the order of the plan, so that what one job loses thins out all essays alike;
within the job they stand by Essay A, so that neighbours share as long a prompt prefix as they can.
"""

import base64
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from cj_pipeline.batch import Batch, JudgeSection, seed_of
from cj_pipeline.errors import StructuralFault
from cj_pipeline.judging.questions import fingerprint, fingerprint_stem, questions_of
from cj_pipeline.pairing.comparison_pairs import item_indices
from cj_pipeline.providers import batch_price, cache_pays, job_limits
from cj_pipeline.providers.openai_wire import encode_essay, request_form, request_line
from cj_pipeline.settings import Settings

BYTES_PER_TOKEN_HIGH = 3  # of UTF-8 per token: about 4 in English prose, below 3 only in rare scripts
BYTES_PER_TOKEN = 4
LEAST_CACHED_TOKENS, CACHED_STEP_TOKENS = 1_024, 128  # OpenAI prompt caching guide: shorter prefixes are not kept
SHARE_OF_ENQUEUED = 2  # a job takes at most this fraction (one half) of what an account may have waiting
MOST_CALLS = 64  # items of a job of calls: what a killed process or a lost answer leaves in doubt stays small
JOB_ID_HEX = 12
COMPARISON_CHARS = 26  # 130 bits in base 32
COMPARISON_BYTES = 20  # whole groups of five bytes, eight characters each, that hold them
LINE_BYTES = len(request_line("x" * (1 + JOB_ID_HEX + 1 + COMPARISON_CHARS), b""))  # around a body

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

    @property
    def line_bytes(self) -> int:
        """Size of its line in a request file."""
        return len(self.body) + LINE_BYTES + len(_replicate_mark(self.replicate))


@dataclass(frozen=True, slots=True)
class Chunk:
    """The comparisons of one job. Its id is a hash of everything it asks, so planning twice gives the same job."""

    job_id: str
    attempt: int
    judge: JudgeSection
    comparisons: Sequence[Comparison]

    @property
    def estimated_tokens(self) -> int:
        """Prompt tokens that the job puts into the provider's queue, rather too many than too few."""
        return sum(estimated_tokens(comparison) for comparison in self.comparisons)

    @property
    def cacheable_tokens(self) -> int:
        """Prompt tokens that the provider could read from its cache if it ran the lines in order.

        Anthropic keeps only what is marked; the others keep what neighbours share, from 1,024 tokens in steps of 128.
        """
        if self.judge.provider == "anthropic":
            return self.shared_tokens * (len(self.comparisons) - 1) if self.cache_before else 0
        shared = (
            shared_prefix_bytes(before.body, after.body) // BYTES_PER_TOKEN
            for before, after in itertools.pairwise(self.comparisons)
        )
        return sum(
            tokens // CACHED_STEP_TOKENS * CACHED_STEP_TOKENS for tokens in shared if tokens >= LEAST_CACHED_TOKENS
        )

    @property
    def cache_before(self) -> str | None:
        """The section before which Anthropic is asked to keep the prompt: assignment and rubric, where that pays."""
        if self.judge.provider != "anthropic":
            return None
        pays = cache_pays(self.shared_tokens, len(self.comparisons), batch_price("anthropic", self.judge.model))
        return "ESSAY A" if pays else None

    @property
    def shared_tokens(self) -> int:
        """Prompt tokens that all its requests begin with."""
        first = self.comparisons[0].body
        return min(shared_prefix_bytes(first, other.body) for other in self.comparisons) // BYTES_PER_TOKEN

    def lines(self) -> Iterator[bytes]:
        """The request file, line by line."""
        cache_before = self.cache_before
        for comparison in self.comparisons:
            yield request_line(custom_id(self.job_id, comparison), comparison.body, cache_before=cache_before)

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
    wave = pairs["wave"][0].as_py() if pairs.num_rows else 1
    rows = _rows_for(judge, pairs.num_rows, seed_of(batch.batch_id, batch.manifest), wave)
    replicates = _times_asked_before(first[rows], second[rows], digests)
    for row, replicate in zip(rows, replicates.tolist(), strict=True):
        a, b = first[row], second[row]
        yield Comparison(
            pair_id=pair_ids[row],
            essay_a=ids[a],
            essay_b=ids[b],
            kind=kinds[row],
            replicate=replicate,
            fingerprint=fingerprint(stem, digests[a], digests[b]),
            max_output_tokens=judge.max_output_tokens,
            body=form.body(texts[a], texts[b]),
        )


def comparisons_planned(judge: JudgeSection, n_pairs: int) -> int:
    """How many of a wave's pairs a judge is asked: its share, rounded down, since the shares lie under one cap."""
    return max(1, int(judge.share * n_pairs))


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """What one job may hold: requests, bytes of its file, prompt tokens (None: as many as they come to)."""

    requests: int
    request_bytes: int
    tokens: int | None = None

    @classmethod
    def of(cls, settings: Settings, provider: str) -> Self:
        """The deployment's own limits, never above the provider's."""
        most = job_limits(provider)
        return cls(
            requests=min(settings.requests_per_job, most.requests),
            request_bytes=min(int(settings.request_megabytes_per_job * 1e6), most.request_bytes),
            tokens=settings.enqueued_tokens // SHARE_OF_ENQUEUED if settings.enqueued_tokens else None,
        )

    @classmethod
    def of_calls(cls, settings: Settings, provider: str, items: int) -> Self:
        """A job of synchronous calls: at most so many, and no more than `MOST_CALLS`; no queue waits for them."""
        limits = cls.of(settings, provider)
        return cls(min(items, MOST_CALLS, limits.requests), limits.request_bytes)


def chunked(
    comparisons: Iterator[Comparison],
    judge: JudgeSection,
    limits: ChunkLimits,
    *,
    batch_id: str,
    revision: str,
    wave: int,
    attempt: int,
) -> Iterator[Chunk]:
    """Fill jobs up to the limits. Raises `StructuralFault` for a request no job could carry."""
    identity = [batch_id, revision, str(wave), str(attempt), judge.id, judge.provider, judge.model]

    def close(held: list[Comparison]) -> Chunk:
        ordered = sorted(held, key=lambda comparison: comparison.essay_a)
        return Chunk(_job_id(identity, ordered), attempt, judge, ordered)

    held: list[Comparison] = []
    size = tokens = 0
    for comparison in comparisons:
        line, prompt = comparison.line_bytes, estimated_tokens(comparison)
        if line > job_limits(judge.provider).request_bytes:
            raise StructuralFault(f"pair {comparison.pair_id}: one request of {line:,} bytes is beyond any job's limit")
        full = len(held) == limits.requests or size + line > limits.request_bytes
        if held and (full or (limits.tokens is not None and tokens + prompt > limits.tokens)):
            yield close(held)
            held, size, tokens = [], 0, 0
        held.append(comparison)
        size += line
        tokens += prompt
    if held:
        yield close(held)


def estimated_tokens(comparison: Comparison) -> int:
    """Prompt tokens of a request, from its bytes, rounded up."""
    return tokens_at_most(len(comparison.body))


def tokens_at_most(body_bytes: int) -> int:
    """Prompt tokens in so many bytes, rather too many than too few."""
    return -(-body_bytes // BYTES_PER_TOKEN_HIGH)


def shared_prefix_bytes(one: bytes, other: bytes) -> int:
    """Length of the longest common beginning, by bisection."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def custom_id(job_id: str, comparison: Comparison) -> str:
    """The item's name at the provider: the job and a hash of the comparison; nothing about pupil or essay id.

    The second time that a judge is asked the same ends in -r1, the third in -r2: the request itself is the same to
    the letter.
    """
    asked = f"{comparison.pair_id}\x1f{comparison.replicate}\x1f{comparison.fingerprint}"
    digest = hashlib.sha256(asked.encode()).digest()[:COMPARISON_BYTES]
    name = base64.b32encode(digest).decode().lower()[:COMPARISON_CHARS]
    return f"{job_id}-{name}{_replicate_mark(comparison.replicate)}"


def _replicate_mark(replicate: int) -> str:
    return f"-r{replicate}" if replicate else ""


def _times_asked_before(first: np.ndarray, second: np.ndarray, digests: Sequence[str]) -> np.ndarray:
    """For each comparison, how many earlier ones show the same two texts in the same seats: (rows,).

    By text, not by essay: a judge cannot tell two essays of the same words apart, so it is the same question.
    """
    _, text = np.unique(np.array(digests), return_inverse=True)
    question = text[first] * len(digests) + text[second]
    order = np.argsort(question, kind="stable")
    begins = np.flatnonzero(np.diff(question[order], prepend=-1))
    before = np.empty(question.size, dtype=np.int64)
    before[order] = np.arange(question.size) - np.repeat(begins, np.diff(begins, append=question.size))
    return before


def _rows_for(judge: JudgeSection, n_pairs: int, seed: int, wave: int) -> np.ndarray:
    if judge.share == 1:
        return np.arange(n_pairs)
    salt = int.from_bytes(hashlib.sha256(judge.id.encode()).digest()[:8], "big")
    # each wave draws anew, or a judge would always be asked of the pairs that stand in the same places
    seeds = [seed, salt] if wave == 1 else [seed, salt, wave]
    drawn = np.random.default_rng(seeds).permutation(n_pairs)
    return np.sort(drawn[: comparisons_planned(judge, n_pairs)])


def _job_id(identity: Sequence[str], held: Sequence[Comparison]) -> str:
    digest = hashlib.sha256("\x1f".join(identity).encode())
    for comparison in held:
        digest.update(f"\x1e{comparison.pair_id}\x1f{comparison.replicate}\x1f".encode())
        digest.update(hashlib.sha256(comparison.body).digest())
    return "j" + digest.hexdigest()[:JOB_ID_HEX]
