"""Faults in what a judge says: each changes a reply, whichever API then carries it.

Where a fault has several kinds they come by turns; `number` is how many items it has met before (from 0).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cj_pipeline.emulator import faults
from cj_pipeline.emulator.judges import Reply
from cj_pipeline.emulator.judges.comparison import ESSAY_A, ESSAY_B

SEPARATORS = "\u2028\u0085"
ODD_WINNERS = ("a", "ESSAY A", " Tie ", "left", "Essay A and Essay B", None)
_REFUSAL = "I'm sorry, but I can't help with comparing these texts."


def _filtered(_: Reply, number: int) -> Reply:
    return Reply(None, finish_reason="content_filter")


def _refused(_: Reply, number: int) -> Reply:
    return Reply(None, refusal=_REFUSAL)


def _empty(reply: Reply, number: int) -> Reply:
    """No content and blank content; `faulty_lines` makes the third kind of it, no choices at all."""
    return replace(reply, content=("", None)[number % 2])


def _cut(reply: Reply, number: int) -> Reply:
    head = json.dumps({"winner": _winner(reply)})
    return Reply(head.removesuffix("}") + ', "justifi', finish_reason="length")


def _raw_newlines(reply: Reply, number: int) -> Reply:
    justification = "First line.\nSecond line.\tEnd."
    verdict = json.dumps(_verdict(reply) | {"justification": justification})
    return Reply(verdict.replace("\\n", "\n").replace("\\t", "\t"))


def _separators(reply: Reply, number: int) -> Reply:
    verdict = _verdict(reply)
    said = f"{verdict['justification']}{SEPARATORS}So it seems."
    return Reply(json.dumps(verdict | {"justification": said}, ensure_ascii=False))


def _odd_winner(reply: Reply, number: int) -> Reply:
    return Reply(json.dumps(_verdict(reply) | {"winner": ODD_WINNERS[number % len(ODD_WINNERS)]}))


def _quoted(reply: Reply, number: int) -> Reply:
    return Reply('At first sight one would say "[[A]]", as Essay A says itself. But the verdict is [[B]].')


def _prose(reply: Reply, number: int) -> Reply:
    verdict = _verdict(reply)
    other = verdict | {"winner": ESSAY_B if verdict["winner"] == ESSAY_A else ESSAY_A}
    fenced = f"```json\n{json.dumps(verdict)}\n```"
    kinds = (
        f"Both texts address the task, but {verdict['winner']} is the better one overall.",
        fenced,
        f"Here is my verdict:\n{fenced}\nI hope this helps.",
        f"{json.dumps(verdict)}\n{json.dumps(other)}",
    )
    return Reply(kinds[number % len(kinds)])


def _odd_field(reply: Reply, number: int) -> Reply:
    changes: tuple[dict[str, Any], ...] = ({"score_a": 4}, {"confidence": "high"}, {"confidence": 6})
    return Reply(json.dumps(_verdict(reply) | changes[number % len(changes)]))


FAULTY_REPLIES: Mapping[str, Callable[[Reply, int], Reply]] = {
    faults.FILTERED_LINES: _filtered,
    faults.REFUSAL_LINES: _refused,
    faults.EMPTY_ANSWERS: _empty,
    faults.CUT_VERDICTS: _cut,
    faults.RAW_NEWLINES: _raw_newlines,
    faults.RAW_SEPARATORS: _separators,
    faults.ODD_WINNERS: _odd_winner,
    faults.QUOTED_VERDICTS: _quoted,
    faults.PROSE_ANSWERS: _prose,
    faults.ODD_FIELDS: _odd_field,
}


def _verdict(reply: Reply) -> dict[str, Any]:
    """The reply's verdict; a judge that gave none (a refusal, a broken answer) is given one."""
    try:
        verdict = json.loads(reply.content or "")
    except ValueError:
        verdict = None
    usual = {"winner": ESSAY_A, "justification": "The clearer text.", "confidence": 3}
    return verdict if isinstance(verdict, dict) and verdict.keys() == usual.keys() else usual


def _winner(reply: Reply) -> str:
    return str(_verdict(reply)["winner"])
