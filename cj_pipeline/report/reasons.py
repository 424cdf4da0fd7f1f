"""Why an essay has no grade, or should be read: the stages' own English sentences, in the language of the report.

A reason is a few known sentences joined by "; ". What is not known here stays as it was written.
"""

import re
from collections.abc import Mapping

_Sentences = tuple[tuple[re.Pattern[str], str], ...]


def told(reason: str | None, language: str) -> str | None:
    """The reason in that language."""
    if reason is None or language not in REASONS:
        return reason
    withheld = _WITHHELD.fullmatch(reason)
    if withheld:  # what a gate found is told in English, as under Checks
        return f"{WITHHELD[language]} {withheld['found']}"
    return "; ".join(_told(part, REASONS[language]) for part in reason.split("; "))


def _told(sentence: str, known: _Sentences) -> str:
    for pattern, meaning in known:
        found = pattern.fullmatch(sentence)
        if found:
            named = {name: _told(part, known) for name, part in found.groupdict().items()}
            return meaning.format(*found.groups(), **named)
    return sentence


def _sentences(table: Mapping[str, str]) -> _Sentences:
    return tuple((re.compile(pattern, re.DOTALL), meaning) for pattern, meaning in table.items())


_WITHHELD = re.compile(r"withheld\. (?P<found>.*)", re.DOTALL)
WITHHELD: Mapping[str, str] = {"sv": "hålls inne."}
REASONS: Mapping[str, _Sentences] = {
    "sv": _sentences(
        {
            # judging: too few answers
            r"(\d+) of (\d+) comparisons answered, (\d+) are needed": ("{0} av {1} jämförelser besvarades, {2} behövs"),
            r"the judge refused (\d+) of its (\d+) comparisons": "bedömaren vägrade i {0} av dess {1} jämförelser",
            "no comparisons": "inga jämförelser",
            # grading: what keeps scores and grades apart
            "the batch names no scale": "omgången anger ingen betygsskala",
            "there are no anchors, so scores cannot be tied to grades": (
                "det finns inga ankaruppsatser, så skalvärden kan inte knytas till betyg"
            ),
            r"(\d+) of (\d+) anchors have comparisons": "{0} av {1} ankaruppsatser har jämförelser",
            r"grades need at least (\d+)": "betyg kräver minst {0}",
            r"(\d+) usable anchors": "{0} användbara ankaruppsatser",
            r"anchors of (\d+) grade only": "ankaruppsatser med bara {0} betyg",
            r"at least (\d+) are needed": "minst {0} behövs",
            r"there are (?P<what>\d+ usable anchors|anchors of \d+ grade only)": "det finns {what}",
            r"its group of linked essays has (?P<what>.*)": "dess delmängd av sammanlänkade uppsatser har {what}",
            r"the essays fall into (\d+) groups that never met, and none of them holds (\d+) anchors of (\d+) grades": (
                "uppsatserna faller isär i {0} delmängder som aldrig har jämförts, och ingen av dem har {1} "
                "ankaruppsatser med {2} olika betyg"
            ),
            # grading: why a graded essay should be read
            r"(.+) (\d+)%, (.+) (\d+)% probable": "{0} {1} %, {2} {3} % sannolikt",
            r"judged inconsistently \(infit (\d+)\.(\d+)\)": "omdömena om den går isär (infit {0},{1})",
        }
    )
}
