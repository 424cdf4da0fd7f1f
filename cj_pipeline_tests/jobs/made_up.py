"""A batch of chosen texts, nothing on disk."""

import hashlib
from pathlib import Path

import pyarrow as pa

from cj_pipeline.batch import Batch, JudgeSection, Manifest
from cj_pipeline.tables import conform

LUNA = JudgeSection(id="luna", provider="openai", model='gpt-6 "luna"', max_output_tokens=600)
SOL = JudgeSection(id="sol", provider="emulator", model="lexical", max_output_tokens=50, ties=True, share=0.5)


def batch_of(texts: list[str], *, assignment: str = "Write.", rubric: str = "Clearly.") -> Batch:
    ids = [f"e{number:02d}" for number in range(len(texts))]
    columns = {
        "essay_id": ids,
        "text": texts,
        "sha256": [hashlib.sha256(text.encode()).hexdigest() for text in texts],
        "word_count": [len(text.split()) for text in texts],
        "is_anchor": [False for _ in texts],
        "anchor_grade": pa.nulls(len(texts), pa.string()),
        "known_grade": pa.nulls(len(texts), pa.string()),
    }
    essays = conform("essays", pa.table(columns))
    return Batch("bytes", Path("bytes"), Manifest(judges=[LUNA, SOL]), None, essays, assignment, rubric, ())
