"""Claims about the essays of a batch."""

import re
from collections import defaultdict

import pyarrow as pa

from cj_pipeline.findings import Finding, Kind
from cj_pipeline.scales import GradeScale

# what is said to a judge and hardly ever to a reader; in the languages of the essays that are judged
_INSTRUCTION_LIKE = re.compile(
    r"""\b(ignore|disregard|forget)\s+((all|any|the|your|of)\s+)*
        ((previous|prior|above|earlier|preceding)(\s+(instructions?|rules?|text|prompts?)|\s*(?=[.,;:!]|\band\b|$))
        |(instructions?|rubric|criteria|other\s+(essay|text))\b)
    |\b(this|my|the\s+following|the\s+first|the\s+second|the\s+present)\s+(essay|text|one)\s+
        (is|wins|should\s+be|must\s+be)\b(\s+the)?(\s+(better|winner|winning))?(?<!\sis)(?<!\sbe)
    |\b(choose|select|prefer|pick|vote\s+for|give)\s+((the\s+)?(first|second)\s+(essay|text)
        |(this|my)\s+essay|(essay|text)\s+[ab]\b|the\s+present\s+one)
    |\bessay\s+[ab]\s+(wins|is\s+the\s+(winner|better))\b|\b(answer|verdict)\b[^.]{0,40}\bessay\s+[ab]\b
    |\byou\s+are\s+(an?|the)\s+(ai|(neutral\s+)?assessor|(helpful\s+)?assistant|language\s+model|judge\s+of\s+essays)\b
    |\b(as\s+the|dear)\s+(ai|judge|assessor|language\s+model)\b
    |\b(judge|assessors?|whoever\s+compares)\b[^.]{0,50}\b(must|should|please)\b[^.]{0,20}\b(choose|prefer|select|pick)\b
    |\bsystem\s+prompt\b|<\s*/?\s*(system|essay|instructions?)\s*>|\#\#\#\s*instruction
    |\b(ignorier(e|en\s+sie)|vergiss|vergessen\s+sie)\s+((alle|die|deine|ihre)\s+)*(vorherigen|vorigen|bisherigen|obigen)\b
    |\b(wählen?|nimm|nehmen|bevorzugen?)\s+(sie\s+)?((essay|aufsatz|text)\s+[ab]\b|(diesen|meinen)\s+(text|aufsatz))
    |\b(du\s+bist|als)\s+eine?\s+(ki|sprachmodell)\b|\bliebe\s+ki\b
    |\b(ignorera|bortse\s+från|glöm)\s+((alla|de|dina)\s+)*((tidigare|föregående)\s+(instruktioner|anvisningar|regler)|ovanstående)
    |\b(välj|föredra)\s+((essä|essay|uppsats|text)\s+[ab]\b|(min|den\s+här)\s+(essä|text|uppsats))
    |\bdu\s+är\s+en\s+(ai|språkmodell)\b|\bsnälla\s+ai\b|\bessay\s+[ab]\s+vinner\b
    |"winner"\s*:|\[\[cj\s""",
    re.IGNORECASE | re.VERBOSE,
)


def speaks_to_a_judge(text: str) -> bool:
    """Whether a text holds words that are said to a judge and hardly ever to a reader (measured in docs/attacks.md)."""
    return _INSTRUCTION_LIKE.search(text) is not None


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
        if speaks_to_a_judge(text)
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
