"""The frozen content of a batch: one hash over all that decides what is bought, and which part of it changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cj_pipeline.batch.batch import Batch
from cj_pipeline.batch.manifest import audit_share_of, mode_of, seed_of


@dataclass(frozen=True, slots=True)
class Revision:
    """`parts` maps what a person can edit to the SHA-256 of its content; `digest` is over all of them."""

    digest: str
    parts: Mapping[str, str]

    def changed_since(self, earlier: Mapping[str, str]) -> list[str]:
        """Names of the parts that differ from an earlier revision's, and of those that only one of them has."""
        return [name for name in {**self.parts, **earlier} if self.parts.get(name) != earlier.get(name)]


def revision_of(batch: Batch, *, plan_version: str, question_digest: str) -> Revision:
    """Hash what is bought: essays and who is an anchor, assignment, rubric, pair plan, question, judges.

    Grades, titles, caps on money and thresholds are not part of it: changing them buys nothing again.
    """
    manifest = batch.manifest
    essays = batch.essays
    content = {
        "essays": list(
            zip(
                essays["essay_id"].to_pylist(),
                essays["sha256"].to_pylist(),
                essays["is_anchor"].to_pylist(),
                strict=True,
            )
        ),
        "assignment": batch.assignment,
        "rubric": batch.rubric,
        "pair plan (seed, max_comparisons, audit_share)": [
            plan_version,
            mode_of(manifest),
            seed_of(batch.batch_id, manifest),
            manifest.batch.max_comparisons,
            audit_share_of(manifest),
        ],
        "question put to the judges": question_digest,
        # where a judge is reached (base_url, account) is not what it answers
        "judges": [judge.model_dump(exclude={"base_url", "account"}) for judge in manifest.judges],
    }
    if batch.listed_pairs is not None:
        content["pairs.csv"] = [[pair.essay_a, pair.essay_b, pair.times] for pair in batch.listed_pairs]
    if batch.earlier is not None:
        judged = batch.earlier.provenance
        content["earlier batch"] = [batch.earlier.batch_id, judged.revision, judged.ledger_version]
    parts = {name: _digest(value) for name, value in content.items()}
    return Revision(_digest(parts), parts)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
