"""Claims about the essays of a batch."""

import re
from collections import defaultdict

import pyarrow as pa

from cj_pipeline.findings import Finding, Kind
from cj_pipeline.scales import GradeScale

# what is said to a judge and hardly ever to a reader; in the languages of the essays that are judged
_INSTRUCTION_LIKE = re.compile(
    r"""\b(ignore|disregard|forget)\s+((all|any|the|your|of)\s+)*(previous|prior|above|earlier|preceding)\b
    |\bdisregard\s+(all|the|your)\s+(instructions?|rubric|assignment|other\s+essay)\b
    |\b(this|my|the\s+following)\s+(essay|text)\s+(is|should\s+be)\s+(the\s+)?(better|best|winner)\b
    |\b(choose|select|prefer|pick|vote\s+for)\s+essay\s+[ab]\b
    |\byou\s+are\s+(an?|the)\s+(ai|(neutral\s+)?assessor|(helpful\s+)?assistant|language\s+model|judge\s+of\s+essays)\b
    |\bsystem\s+prompt\b
    |\bignorier(e|en\s+sie)\s+((alle|die|deine|ihre)\s+)*(vorherigen|vorigen|bisherigen|obigen|früheren)\b
    |\b(wählen?|nimm|nehmen|bevorzugen?)\s+(sie\s+)?(essay|aufsatz|text)\s+[ab]\b
    |\b(ignorera|bortse\s+från)\s+((alla|de|dina)\s+)*(tidigare|föregående|ovanstående)\b
    |\b(välj|föredra)\s+(essä|essay|uppsats|text)\s+[ab]\b
    |"winner"\s*:|\[\[cj\s""",
    re.IGNORECASE | re.VERBOSE,
)


CHECKS = {
    "ids_unique": (Kind.STRUCTURAL, "Every essay has an id of its own."),
    "text_present": (Kind.STRUCTURAL, "Every essay has a text."),
    "texts_differ": (Kind.ADVICE, "No text stands in the batch twice."),
    "no_instructions": (Kind.ADVICE, "No essay speaks to the judge instead of the reader."),
    "anchors_cover_scale": (Kind.ADVICE, "The anchors cover enough of the scale to calibrate it."),
}


def essay_findings(essays: pa.Table, scale: GradeScale | None) -> list[Finding]:
    """All claims about the table `essays`."""
    return [
        _ids_unique(essays),
        _texts_present(essays),
        _texts_differ(essays),
        _no_instructions(essays),
        _anchors_cover(essays, scale),
    ]


def _ids_unique(essays: pa.Table) -> Finding:
    distinct = len(set(essays["essay_id"].to_pylist()))
    return Finding(
        "essays",
        "ids_unique",
        Kind.STRUCTURAL,
        distinct == essays.num_rows,
        f"{distinct} different ids on {essays.num_rows} essays",
        {"essays": essays.num_rows, "distinct_ids": distinct},
    )


def _texts_present(essays: pa.Table) -> Finding:
    empty = [name for name, words in zip(*_columns(essays, "essay_id", "word_count"), strict=True) if words == 0]
    return Finding(
        "essays",
        "text_present",
        Kind.STRUCTURAL,
        not empty,
        f"{len(empty)} essays without text{_named(empty)}",
        {"without_text": len(empty)},
    )


def _texts_differ(essays: pa.Table) -> Finding:
    same: dict[str, list[str]] = defaultdict(list)
    for essay_id, digest in zip(*_columns(essays, "essay_id", "sha256"), strict=True):
        same[digest].append(essay_id)
    repeated = [" = ".join(ids) for ids in same.values() if len(ids) > 1]
    return Finding(
        "essays",
        "texts_differ",
        Kind.ADVICE,
        not repeated,
        f"{len(repeated)} texts stand more than once{_named(repeated)}",
        {"repeated_texts": len(repeated)},
    )


def _no_instructions(essays: pa.Table) -> Finding:
    suspects = [
        essay_id
        for essay_id, text in zip(*_columns(essays, "essay_id", "text"), strict=True)
        if _INSTRUCTION_LIKE.search(text)
    ]
    return Finding(
        "essays",
        "no_instructions",
        Kind.ADVICE,
        not suspects,
        f"{len(suspects)} essays hold words addressed to a judge; a person should read them{_named(suspects)}",
        {"instruction_like": len(suspects)},
    )


def _anchors_cover(essays: pa.Table, scale: GradeScale | None) -> Finding:
    grades = [grade for grade in essays["anchor_grade"].to_pylist() if grade is not None]
    if scale is None:
        return Finding(
            "essays",
            "anchors_cover_scale",
            Kind.ADVICE,
            True,
            "no scale: scores without grades",
            {"anchors": len(grades)},
        )
    missing = [grade for grade in scale.grades if grade not in grades]
    passed = len(grades) >= 3 and len(set(grades)) >= 2 and len(missing) <= len(scale.grades) // 2
    return Finding(
        "essays",
        "anchors_cover_scale",
        Kind.ADVICE,
        passed,
        f"{len(grades)} anchors on {len(set(grades))} of {len(scale.grades)} grades"
        + (f"; none for {', '.join(missing)}" if missing else ""),
        {"anchors": len(grades), "grades_covered": len(set(grades)), "grades": len(scale.grades)},
    )


def _columns(table: pa.Table, *names: str) -> list[list[str]]:
    return [table[name].to_pylist() for name in names]


def _named(names: list[str], shown: int = 5) -> str:
    if not names:
        return ""
    return ": " + ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
