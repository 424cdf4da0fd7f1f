"""The 44 hostile responses of the provider notes, and what provokes each here: a fault by name, or a rule.

A rule needs no order: it is what the emulator does with such a request, as the provider does. Where an API
cannot give such a response, its entry is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cj_pipeline.emulator import faults


@dataclass(frozen=True, slots=True)
class Row:
    """What comes back, and the fault (its name) or rule (in words) that provokes it in each API."""

    what: str
    openai: str | None
    anthropic: str | None


def _both(what: str, name: str) -> Row:
    return Row(what, name, name)


ROWS: Mapping[int, Row] = {
    1: _both("completed, and nothing but errors", faults.EVERY_LINE_FAILS),
    2: _both("completed, the output appears later", faults.OUTPUT_LATE),
    3: _both("completed with all counts zero", faults.COUNTS_ZERO),
    4: Row("counts and errors null, or errors an empty list", faults.ERRORS_EMPTY, faults.COUNTS_NULL),
    5: _both("expired with paid partial results", faults.EXPIRE_AFTER),
    6: _both("expired with lines of a server error", faults.EXPIRE_WITH_ERRORS),
    7: Row("failed while validating, with and without a line", faults.FAIL_AT_LINE, "rule: a bad create is a 400"),
    8: Row("enqueued tokens", faults.TOKEN_LIMIT_EXCEEDED, "rule: over enqueued_tokens the create is a 429"),
    9: Row("lines with status_code 0", faults.STATUS_ZERO_LINES, None),
    10: _both("an error line with error null, the reason inside the body", faults.SERVER_ERROR_LINES),
    11: _both("a line without a response", faults.UNRUN_LINES),
    12: _both("lines missing everywhere", faults.LOSE_LINES),
    13: _both("cancelled, the rest without a line", faults.CANCEL_LEAVES_NO_LINES),
    14: _both("one item twice, contradicting itself or not", faults.CONFLICTING_LINES),
    15: _both("a line of an unknown custom_id", faults.FOREIGN_LINES),
    16: Row("one custom_id twice in the input", "rule: the batch fails", "rule: the create is a 400"),
    17: _both("stuck at the end of its work", faults.STUCK_IN_PROGRESS),
    18: _both("cancelling is slow or not supported", faults.CANCEL_400),
    19: _both("results that cannot be read yet", faults.CONTENT_404),
    20: _both("not found with the key of another project", "rule: sk-PROJECT-anything sees its project only"),
    21: Row("results gone", faults.RESULTS_GONE, "rule: archived 29 days after the creation"),
    22: _both("no credit", faults.OUT_OF_CREDIT),
    23: Row("a custom_id that is too long", "rule: the batch fails", "rule: the create is a 400"),
    24: Row("a sampling parameter that is not taken", None, "rule: temperature errors under version 2026-10-21"),
    25: Row("cache_control that is not taken", "rule: an unknown parameter is a 400", faults.CACHE_CONTROL_REFUSED),
    26: _both("blank and cut lines", faults.CUT_LINES),
    27: _both("raw U+2028 and U+0085", faults.RAW_SEPARATORS),
    28: Row("upper-case statuses, ISO times, errors as strings", faults.COMPATIBLE_HOST, None),
    29: _both("empty answers", faults.EMPTY_ANSWERS),
    30: _both("refusals", faults.REFUSAL_LINES),
    31: _both("stopped by the content filter", faults.FILTERED_LINES),
    32: _both("cut behind the winner", faults.CUT_VERDICTS),
    33: _both("raw line breaks within strings", faults.RAW_NEWLINES),
    34: _both("odd winners", faults.ODD_WINNERS),
    35: _both("no winner at all, which must be no tie", faults.ODD_WINNERS),
    36: _both("a quoted verdict, and essays that order one", faults.QUOTED_VERDICTS),
    37: _both("prose, fences, two objects", faults.PROSE_ANSWERS),
    38: _both("extra keys, odd confidence", faults.ODD_FIELDS),
    39: _both("usage missing, zero or impossible", faults.ODD_USAGE),
    40: _both("a blip while polling", faults.READ_500),
    41: _both("Retry-After of days", faults.READ_429),
    42: Row("results_url on another host", None, faults.RESULTS_ELSEWHERE),
    43: _both("a status or result type nobody has heard of", faults.UNHEARD_STATUS),
    44: _both("another model than was asked for", faults.OTHER_MODEL),
}
