"""The question each judge of a batch is put, and the fingerprint of one comparison of it."""

import hashlib
import json

from cj_pipeline.batch import Batch, JudgeSection
from cj_pipeline.judging.prompt import Question, boundary_absent_from
from cj_pipeline.judging.verdict import verdict_schema


def questions_of(batch: Batch) -> dict[str, Question]:
    """By judge id. One boundary serves the whole batch, so that requests share as long a prefix as they can."""
    boundary = boundary_absent_from([*batch.essays["text"].to_pylist(), batch.assignment, batch.rubric])
    return {
        judge.id: Question(batch.assignment, batch.rubric, boundary, ties=judge.ties) for judge in batch.manifest.judges
    }


def instruction_digest(batch: Batch) -> str:
    """One hash over what the judges are told besides assignment, rubric and essays: the wording of the question."""
    digests = {judge.id: Question("", "", "", ties=judge.ties).digest() for judge in batch.manifest.judges}
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()


def fingerprint_stem(judge: JudgeSection, question: Question) -> str:
    """What the fingerprints of all comparisons put to a judge have in common: prompt, parameters and schema."""
    parameters = judge.model_dump(exclude={"id", "base_url", "account", "share"})
    stem = [question.digest(), parameters, verdict_schema(ties=judge.ties)]
    return hashlib.sha256(json.dumps(stem, sort_keys=True).encode()).hexdigest()


def fingerprint(stem: str, sha256_a: str, sha256_b: str) -> str:
    """SHA-256 of all that decides an answer: both texts in the order shown, and the stem.

    A judgment may stand in for another only when the fingerprints are equal.
    """
    return hashlib.sha256(f"{stem}\x1f{sha256_a}\x1f{sha256_b}".encode()).hexdigest()
