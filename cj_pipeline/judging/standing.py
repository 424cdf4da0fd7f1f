"""Judgments of an earlier batch beside those of the batch that tops it up: the same question, or none of them."""

import json
from typing import Any

import pyarrow as pa

from cj_pipeline.batch import Batch, JudgedBatch, JudgeSection
from cj_pipeline.errors import BatchError, StructuralFault
from cj_pipeline.judging.questions import fingerprint, fingerprint_stem, questions_of


def refuse_another_question(batch: Batch) -> None:
    """Raise `BatchError` naming what differs between what the earlier batch's judges were asked and these are.

    A judge's address, account and share may differ: they do not decide an answer.
    """
    if batch.earlier is None:
        return
    differing = [
        *(f"the {name}" for name in ("assignment", "rubric") if getattr(batch, name) != getattr(batch.earlier, name)),
        *_differing_judges(batch, batch.earlier),
        *(["the [scale]"] if batch.scale != batch.earlier.scale else []),
    ]
    if differing:
        raise BatchError(
            f"{batch.folder}: tops up {batch.earlier.batch_id}, but differs from it in {'; '.join(differing)}. Its "
            "judgments can stand beside new ones only if both answer the same question. Make it the same, or leave "
            "out tops_up and judge all essays anew."
        )


def standing_judgments(batch: Batch, own: pa.Table, earlier: pa.Table) -> pa.Table:
    """The judgments a topped-up batch's scale stands on: the earlier ones as they are, then its own.

    No judgment is a replicate of another: every new pair holds a new essay. Raises `StructuralFault` for an
    earlier judgment that answers another question or another text, or a comparison that stands in both.
    """
    questions = questions_of(batch)
    stems = {judge.id: fingerprint_stem(judge, questions[judge.id]) for judge in batch.manifest.judges}
    digests = dict(zip(*(batch.essays[name].to_pylist() for name in ("essay_id", "sha256")), strict=True))
    strange = sum(
        fingerprint(stems.get(row["judge_id"], ""), digests.get(row["essay_a"], ""), digests.get(row["essay_b"], ""))
        != row["fingerprint"]
        for row in earlier.select(["judge_id", "essay_a", "essay_b", "fingerprint"]).to_pylist()
    )
    twice = len(_comparisons(earlier) & _comparisons(own))
    if strange or twice:
        raise StructuralFault(
            f"batch {batch.batch_id}: {strange} judgments of the earlier batch answer another question or another "
            f"text, {twice} comparisons stand in both. Judge all essays anew in a batch of their own."
        )
    return pa.concat_tables([earlier, own]).unify_dictionaries()


def _differing_judges(batch: Batch, earlier: JudgedBatch) -> list[str]:
    now, before = ({judge.id: judge for judge in judges} for judges in (batch.manifest.judges, earlier.judges))
    if now.keys() != before.keys():
        return [f"its judges ({', '.join(sorted(now))} instead of {', '.join(sorted(before))})"]
    return [
        f"judge {name}: {', '.join(keys)}"
        for name, judge in now.items()
        if (keys := _differing_parameters(judge, before[name]))
    ]


def _differing_parameters(one: JudgeSection, other: JudgeSection) -> list[str]:
    left_out = {"base_url", "account", "share"}
    here, there = (judge.model_dump(exclude=left_out) for judge in (one, other))
    return [
        f"{key} = {json.dumps(value)} instead of {json.dumps(there[key])}"
        for key, value in here.items()
        if value != there[key]
    ]


def _comparisons(rows: pa.Table) -> set[tuple[Any, ...]]:
    names = ("essay_a", "essay_b", "judge_id", "replicate")
    return set(zip(*(rows[name].to_pylist() for name in names), strict=True))
