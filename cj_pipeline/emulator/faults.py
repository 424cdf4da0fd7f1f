"""The faults a test can order for coming batches: a closed table, armed over the admin endpoint.

A fault is used up by the next accepted `create` (or the next `times`), and is stored with that batch, so that
a restarted server goes on misbehaving in the same way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Takes(StrEnum):
    """What kind of number a fault is ordered with."""

    NOTHING = "nothing"
    COUNT = "count"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the table; `row` is its number in the list of hostile responses, where it has one."""

    what: str
    takes: Takes = Takes.NOTHING
    row: int | None = None


CREATE_400 = "create_400"
CREATE_500_AFTER_ACCEPT = "create_500_after_accept"
DROP_CONNECTION_AFTER_CREATE = "drop_connection_after_create"
TOKEN_LIMIT_EXCEEDED = "token_limit_exceeded"  # noqa: S105 (an error code, no password)
EXPIRE_AFTER = "expire_after"
RATE_LIMIT_LINES = "rate_limit_lines"
LOSE_LINES = "lose_lines"
DUPLICATE_LINES = "duplicate_lines"

FAULTS: Mapping[str, Fault] = {
    CREATE_400: Fault("POST /v1/batches answers 400 and creates nothing"),
    CREATE_500_AFTER_ACCEPT: Fault("the batch is created, the answer is a 500"),
    DROP_CONNECTION_AFTER_CREATE: Fault("the batch is created, the connection closes without an answer"),
    TOKEN_LIMIT_EXCEEDED: Fault("the batch fails while validating: enqueued token limit", row=8),
    EXPIRE_AFTER: Fault("the batch expires when this share of its items was done", Takes.SHARE, row=5),
    RATE_LIMIT_LINES: Fault("so many items end as 429 lines in the error file", Takes.COUNT, row=10),
    LOSE_LINES: Fault("so many items are done and paid, but stand in neither file", Takes.COUNT, row=12),
    DUPLICATE_LINES: Fault("so many lines stand twice in the output file", Takes.COUNT, row=14),
}

# which item of a batch each of them meets: in this order, counted from the item that is done first
LINE_FAULTS = (RATE_LIMIT_LINES, LOSE_LINES, DUPLICATE_LINES)


class UnknownFault(ValueError):
    """Not in the table, or ordered with a number that makes no sense; the message says what would."""


def ordered(name: object, value: object) -> tuple[str, float]:
    """The name and number of a fault to arm. Raises `UnknownFault`."""
    fault = FAULTS.get(name) if isinstance(name, str) else None
    if fault is None or not isinstance(name, str):
        raise UnknownFault(f"no fault is called {name!r}; there are {', '.join(FAULTS)}")
    match fault.takes, value:
        case Takes.NOTHING, True | None:
            return name, 1.0
        case Takes.COUNT, int() if not isinstance(value, bool) and value > 0:
            return name, float(value)
        case Takes.SHARE, (int() | float()) if not isinstance(value, bool) and 0 <= value <= 1:
            return name, float(value)
    needed = {Takes.NOTHING: "true", Takes.COUNT: "a whole number above 0", Takes.SHARE: "a number from 0 to 1"}
    raise UnknownFault(f"{name} takes {needed[fault.takes]}, not {value!r}")


def line_fault(faults: Mapping[str, float], rank: int) -> str | None:
    """The fault that meets the item done as number `rank` (from 0), if any; no item meets two."""
    upto = 0.0
    for name in LINE_FAULTS:
        upto += faults.get(name, 0.0)
        if rank < upto:
            return name
    return None
