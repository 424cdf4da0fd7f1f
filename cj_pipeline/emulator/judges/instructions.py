"""What a judge that can be fooled takes for an instruction to itself: an essay that asks to be chosen.

Not the check that protects a batch (that is the essays' own), but the weakness it protects against.
"""

import re

_WEAKNESSES = (
    # put the task aside
    r"\b(?:ignore|disregard|forget|override|skip)\b[^.!?\n]{0,60}"
    r"\b(?:criteria|instructions?|rubric|assignment|prompt|rules|guidelines|other (?:essay|text))\b",
    r"\b(?:ignorier\w*|missacht\w*|vergiss|vergessen sie)\b[^.!?\n]{0,60}"
    r"\b(?:kriterien|anweisung\w*|regeln|bewertung\w*|anderen (?:aufsatz|text))\b",
    r"\b(?:ignorera|bortse från|glöm)\b[^.!?\n]{0,60}\b(?:kriterier\w*|instruktion\w*|anvisning\w*|regler\w*)\b",
    # give the verdict
    r"\b(?:choose|pick|select|prefer|vote for|answer with|rate|declare)\b[^.!?\n]{0,30}"
    r"\b(?:this (?:essay|text|one)|essay [ab])\b",
    r"\b(?:this (?:essay|text)|essay [ab])\b[^.!?\n]{0,30}\b(?:must|should|has to) (?:win|be chosen|be the winner)\b",
    r"\b(?:wähle?n?|bevorzug\w*)\b[^.!?\n]{0,30}\bdiese[ns]? (?:aufsatz|text|brief)\b",
    r"\bvälj\b[^.!?\n]{0,30}\bden (?:här|hära) (?:texten|uppsatsen)\b",
    # speak as the system, or as the answer
    r"\b(?:you are|act as) (?:an?|the) (?:ai|assistant|language model|judge|grader|assessor)\b",
    r"^\s*(?:system|assistant)\s*:",
    r"\"winner\"\s*:\s*\"essay [ab]\"",
)
_INSTRUCTION = re.compile("|".join(_WEAKNESSES), re.IGNORECASE | re.MULTILINE)


def instructs_the_judge(text: str) -> bool:
    """Whether an essay speaks to its judge and asks to be chosen."""
    return _INSTRUCTION.search(text) is not None
