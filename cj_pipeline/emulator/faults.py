"""The faults a test can order: a closed table, armed over the admin endpoint.

What meets a batch is used up by the next accepted create (or the next `times`) and stored with that batch, so
that a restarted server goes on misbehaving in the same way. What meets a call is used up by the next such call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Takes(StrEnum):
    """What kind of number a fault is ordered with."""

    NOTHING = "nothing"
    COUNT = "count"
    SHARE = "share"
    SECONDS = "seconds"


class Meets(StrEnum):
    """What a fault strikes: a call, a whole batch, or so many items of it."""

    CREATE = "create"
    READ = "read"
    SYNC = "sync"
    BATCH = "batch"
    ITEMS = "items"


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the table; `row` is its number in the list of hostile responses, where it has one.

    `api` names the one API it can strike, where there is only one.
    """

    what: str
    meets: Meets
    takes: Takes = Takes.NOTHING
    row: int | None = None
    api: str | None = None


FOR_EVER: Final = 1e10  # seconds, three hundred years: what `true` means for a fault that takes seconds

CREATE_400 = "create_400"
CREATE_500 = "create_500"
CREATE_429 = "create_429"
CREATE_OVERLOADED = "create_overloaded"
CREATE_OUT_OF_CREDIT = "create_out_of_credit"
DROP_CONNECTION_BEFORE_CREATE = "drop_connection_before_create"
CREATE_500_AFTER_ACCEPT = "create_500_after_accept"
DROP_CONNECTION_AFTER_CREATE = "drop_connection_after_create"

READ_500 = "read_500"
READ_DROPPED = "read_dropped"
READ_429 = "read_429"

SYNC_429 = "sync_429"
SYNC_503 = "sync_503"
SYNC_OVERLOADED = "sync_overloaded"
SYNC_OUT_OF_CREDIT = "sync_out_of_credit"
SYNC_400 = "sync_400"
SYNC_500 = "sync_500"
SYNC_500_AFTER_BILLING = "sync_500_after_billing"
SYNC_DROPPED = "sync_dropped"
SYNC_DROPPED_AFTER_BILLING = "sync_dropped_after_billing"
SYNC_HANG = "sync_hang"
SYNC_HTML = "sync_html"

TOKEN_LIMIT_EXCEEDED = "token_limit_exceeded"  # noqa: S105 (an error code, no password)
FAIL_AT_LINE = "fail_at_line"
FAIL_WITHOUT_LINE = "fail_without_line"
EXPIRE_AFTER = "expire_after"
EXPIRE_WITH_ERRORS = "expire_with_errors"
STUCK_IN_PROGRESS = "stuck_in_progress"
STUCK_FINALIZING = "stuck_finalizing"
SLOW_CANCEL = "slow_cancel"
CANCEL_400 = "cancel_400"
CANCEL_LEAVES_NO_LINES = "cancel_leaves_no_lines"
OUTPUT_LATE = "output_late"
CONTENT_404 = "content_404"
RESULTS_GONE = "results_gone"
RESULTS_ELSEWHERE = "results_elsewhere"
COUNTS_ZERO = "counts_zero"
COUNTS_NULL = "counts_null"
ERRORS_EMPTY = "errors_empty"
COMPATIBLE_HOST = "compatible_host"
UNHEARD_STATUS = "unheard_status"
EVERY_LINE_FAILS = "every_line_fails"
OUT_OF_CREDIT = "out_of_credit"
CACHE_CONTROL_REFUSED = "cache_control_refused"

RATE_LIMIT_LINES = "rate_limit_lines"
SERVER_ERROR_LINES = "server_error_lines"
STATUS_ZERO_LINES = "status_zero_lines"
UNRUN_LINES = "unrun_lines"
ERROR_STRINGS = "error_strings"
FILTERED_LINES = "filtered_lines"
REFUSAL_LINES = "refusal_lines"
EMPTY_ANSWERS = "empty_answers"
CUT_VERDICTS = "cut_verdicts"
RAW_NEWLINES = "raw_newlines"
RAW_SEPARATORS = "raw_separators"
ODD_WINNERS = "odd_winners"
QUOTED_VERDICTS = "quoted_verdicts"
PROSE_ANSWERS = "prose_answers"
ODD_FIELDS = "odd_fields"
ODD_USAGE = "odd_usage"
OTHER_MODEL = "other_model"
UNHEARD_RESULTS = "unheard_results"
LOSE_LINES = "lose_lines"
DUPLICATE_LINES = "duplicate_lines"
CONFLICTING_LINES = "conflicting_lines"
FOREIGN_LINES = "foreign_lines"
BLANK_LINES = "blank_lines"
CUT_LINES = "cut_lines"

_NOTHING, _COUNT, _SHARE, _SECONDS = Takes.NOTHING, Takes.COUNT, Takes.SHARE, Takes.SECONDS
_CREATE, _READ, _SYNC, _BATCH, _ITEMS = Meets.CREATE, Meets.READ, Meets.SYNC, Meets.BATCH, Meets.ITEMS

FAULTS: Mapping[str, Fault] = {
    CREATE_400: Fault("the create answers 400 and creates nothing", _CREATE),
    CREATE_500: Fault("the create answers 500 and creates nothing", _CREATE),
    CREATE_429: Fault("the create answers 429 with this Retry-After and creates nothing", _CREATE, _SECONDS, 41),
    CREATE_OVERLOADED: Fault("the create answers 529 (OpenAI: 503) and creates nothing", _CREATE),
    CREATE_OUT_OF_CREDIT: Fault("the create is refused for want of credit: 400, Anthropic 402", _CREATE, row=22),
    DROP_CONNECTION_BEFORE_CREATE: Fault("the connection closes without an answer, nothing is created", _CREATE),
    CREATE_500_AFTER_ACCEPT: Fault("the batch is created, the answer is a 500", _BATCH),
    DROP_CONNECTION_AFTER_CREATE: Fault("the batch is created, the connection closes without an answer", _BATCH),
    READ_500: Fault("so many list and retrieve calls answer 500", _READ, _COUNT, 40),
    READ_DROPPED: Fault("so many list and retrieve calls get no answer", _READ, _COUNT, 40),
    READ_429: Fault("the next list or retrieve answers 429 with this Retry-After", _READ, _SECONDS, 41),
    SYNC_429: Fault("a synchronous call answers 429 with this Retry-After", _SYNC, _SECONDS, 41),
    SYNC_503: Fault("a synchronous call answers 503 with this Retry-After", _SYNC, _SECONDS),
    SYNC_OVERLOADED: Fault("a synchronous call answers 529 (OpenAI: 503)", _SYNC),
    SYNC_OUT_OF_CREDIT: Fault("a synchronous call is refused for want of credit", _SYNC, row=22),
    SYNC_400: Fault("a synchronous call is refused as a bad request", _SYNC),
    SYNC_500: Fault("a synchronous call is not carried out, the answer is a 500", _SYNC),
    SYNC_500_AFTER_BILLING: Fault("a synchronous call is carried out and billed, the answer is a 500", _SYNC),
    SYNC_DROPPED: Fault("a synchronous call is not carried out, no answer comes", _SYNC),
    SYNC_DROPPED_AFTER_BILLING: Fault("a synchronous call is carried out and billed, no answer comes", _SYNC),
    SYNC_HANG: Fault("a synchronous call is carried out and billed, the answer comes so much later", _SYNC, _SECONDS),
    SYNC_HTML: Fault("a synchronous call is not carried out, the answer is 200 and a page of HTML", _SYNC),
    TOKEN_LIMIT_EXCEEDED: Fault("fails while validating: enqueued token limit", _BATCH, row=8, api="openai"),
    FAIL_AT_LINE: Fault("fails while validating, naming this line", _BATCH, _COUNT, 7, "openai"),
    FAIL_WITHOUT_LINE: Fault("fails while validating, naming no line", _BATCH, row=7, api="openai"),
    EXPIRE_AFTER: Fault("expires when this share of its items was done", _BATCH, _SHARE, 5),
    EXPIRE_WITH_ERRORS: Fault("expires likewise, but the rest are lines of a server error", _BATCH, _SHARE, 6),
    STUCK_IN_PROGRESS: Fault(
        "stays in progress with all items done, so many seconds or for ever", _BATCH, _SECONDS, 17
    ),
    STUCK_FINALIZING: Fault("stays in finalizing, so many seconds or for ever", _BATCH, _SECONDS, 17),
    SLOW_CANCEL: Fault("stays in cancelling, so many seconds or for ever", _BATCH, _SECONDS, 18),
    CANCEL_400: Fault("cannot be cancelled: 400, and it runs on", _BATCH, row=18),
    CANCEL_LEAVES_NO_LINES: Fault("cancelled, what was not run stands in no file", _BATCH, row=13),
    OUTPUT_LATE: Fault("the output's id (results_url) appears so many seconds after the end", _BATCH, _SECONDS, 2),
    CONTENT_404: Fault("reading the results answers 404 for so many seconds after the end", _BATCH, _SECONDS, 19),
    RESULTS_GONE: Fault("the results are gone as soon as they are there: 404; Anthropic: archived", _BATCH, row=21),
    RESULTS_ELSEWHERE: Fault("results_url names this port of 127.0.0.2", _BATCH, _COUNT, 42, "anthropic"),
    COUNTS_ZERO: Fault("ended with all request_counts zero", _BATCH, row=3),
    COUNTS_NULL: Fault("request_counts (and errors) are null throughout", _BATCH, row=4),
    ERRORS_EMPTY: Fault("errors is an empty list throughout", _BATCH, row=4, api="openai"),
    COMPATIBLE_HOST: Fault("upper-case statuses, ISO times, errors as a list of strings", _BATCH, row=28, api="openai"),
    UNHEARD_STATUS: Fault("shows the status 'paused' for so many seconds once it runs", _BATCH, _SECONDS, 43),
    EVERY_LINE_FAILS: Fault("completes, but each item is a server error: no output file", _BATCH, row=1),
    OUT_OF_CREDIT: Fault("completes, but each item says that there is no credit", _BATCH, row=22),
    CACHE_CONTROL_REFUSED: Fault("each item with cache_control errors", _BATCH, row=25, api="anthropic"),
    RATE_LIMIT_LINES: Fault("so many items end as a rate limit in the error file", _ITEMS, _COUNT, 10),
    SERVER_ERROR_LINES: Fault("so many items end as a server error in the error file", _ITEMS, _COUNT, 10),
    STATUS_ZERO_LINES: Fault("so many lines count as completed, with status_code 0", _ITEMS, _COUNT, 9, "openai"),
    UNRUN_LINES: Fault("so many items were never run: response null (Anthropic: expired)", _ITEMS, _COUNT, 11),
    ERROR_STRINGS: Fault("so many lines of the output file have a string as error", _ITEMS, _COUNT, 28, "openai"),
    FILTERED_LINES: Fault("so many answers are stopped by the content filter", _ITEMS, _COUNT, 31),
    REFUSAL_LINES: Fault("so many answers are refusals", _ITEMS, _COUNT, 30),
    EMPTY_ANSWERS: Fault("so many answers are empty, by turns in different ways", _ITEMS, _COUNT, 29),
    CUT_VERDICTS: Fault("so many answers end behind the winner, at the token limit", _ITEMS, _COUNT, 32),
    RAW_NEWLINES: Fault("so many verdicts have raw line breaks and tabs in their strings", _ITEMS, _COUNT, 33),
    RAW_SEPARATORS: Fault("so many lines have raw U+2028 and U+0085 in them", _ITEMS, _COUNT, 27),
    ODD_WINNERS: Fault('so many verdicts name "a", "left", both, null ... as winner, by turns', _ITEMS, _COUNT, 34),
    QUOTED_VERDICTS: Fault("so many answers quote [[A]] and decide for [[B]]", _ITEMS, _COUNT, 36),
    PROSE_ANSWERS: Fault("so many answers are prose, fenced, or two objects, by turns", _ITEMS, _COUNT, 37),
    ODD_FIELDS: Fault("so many verdicts have an extra key or an odd confidence, by turns", _ITEMS, _COUNT, 38),
    ODD_USAGE: Fault("so many answers have no usage, zeros, or more cached than input, by turns", _ITEMS, _COUNT, 39),
    OTHER_MODEL: Fault("so many answers report a dated alias of the model", _ITEMS, _COUNT, 44),
    UNHEARD_RESULTS: Fault("so many lines have a form nobody has heard of", _ITEMS, _COUNT, 43),
    LOSE_LINES: Fault("so many items are done and paid, but stand in no file", _ITEMS, _COUNT, 12),
    DUPLICATE_LINES: Fault("so many lines stand twice", _ITEMS, _COUNT, 14),
    CONFLICTING_LINES: Fault("so many lines stand twice and contradict each other", _ITEMS, _COUNT, 14),
    FOREIGN_LINES: Fault("so many lines of an unknown custom_id stand beside the others", _ITEMS, _COUNT, 15),
    BLANK_LINES: Fault("so many blank lines stand between the others", _ITEMS, _COUNT, 26),
    CUT_LINES: Fault("so many lines are cut in the middle", _ITEMS, _COUNT, 26),
}

# which item of a batch each of them meets: in this order, counted from the item that is done first
ITEM_FAULTS = tuple(name for name, fault in FAULTS.items() if fault.meets is Meets.ITEMS)


class UnknownFault(ValueError):
    """Not in the table, or ordered with a number that makes no sense; the message says what would."""


def met_by(*meets: Meets) -> list[str]:
    """The names of the faults that strike one of these."""
    return [name for name, fault in FAULTS.items() if fault.meets in meets]


def ordered(name: object, value: object) -> tuple[str, float]:
    """The name and number of a fault to arm. Raises `UnknownFault`."""
    fault = FAULTS.get(name) if isinstance(name, str) else None
    if fault is None or not isinstance(name, str):
        raise UnknownFault(f"no fault is called {name!r}; there are {', '.join(FAULTS)}")
    match fault.takes, value:
        case Takes.NOTHING, True | None:
            return name, 1.0
        case Takes.SECONDS, True | None:
            return name, FOR_EVER
        case Takes.COUNT, int() if not isinstance(value, bool) and value > 0:
            return name, float(value)
        case Takes.SHARE, (int() | float()) if not isinstance(value, bool) and 0 <= value <= 1:
            return name, float(value)
        case Takes.SECONDS, (int() | float()) if not isinstance(value, bool) and 0 < value <= FOR_EVER:
            return name, float(value)
    needed = {
        Takes.NOTHING: "true",
        Takes.COUNT: "a whole number above 0",
        Takes.SHARE: "a number from 0 to 1",
        Takes.SECONDS: "a number of seconds above 0, or true for ever",
    }
    raise UnknownFault(f"{name} takes {needed[fault.takes]}, not {value!r}")


def item_fault(faults: Mapping[str, float], rank: int) -> tuple[str, int] | None:
    """The fault that meets the item done as number `rank` (from 0), and its how-manieth item that is.

    No item meets two.
    """
    start = 0.0
    for name in _present(faults, ITEM_FAULTS):
        if rank < start + faults[name]:
            return name, int(rank - start)
        start += faults[name]
    return None


def _present(faults: Mapping[str, float], names: Iterable[str]) -> list[str]:
    return [name for name in names if name in faults]
