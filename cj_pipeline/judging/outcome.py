"""Every way a comparison can end: a closed table of outcomes, and what may be done next about each."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from cj_pipeline.judging.verdict import Verdict


class Outcome(StrEnum):
    """The terminal outcome of a comparison."""

    SUCCESS = "success"
    FAILURE = "failure"
    EXPIRED = "expired"


class ErrorCode(StrEnum):
    """Why there is no verdict."""

    EXPIRED = "expired"
    CANCELLED = "cancelled"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    MISSING_RESULT = "missing_result"
    UNREADABLE_RESULT = "unreadable_result"
    CONFLICTING_RESULTS = "conflicting_results"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    REFUSED = "refused"
    FILTERED = "filtered"
    INVALID_VERDICT = "invalid_verdict"
    INVALID_REQUEST = "invalid_request"
    CREDIT_EXHAUSTED = "credit_exhausted"
    ENQUEUED_LIMIT = "enqueued_limit"
    JOB_FAILED = "job_failed"
    JOB_REFUSED = "job_refused"
    RESULTS_GONE = "results_gone"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Consequence:
    """`further_attempts`: how often the same comparison may be asked again for this reason."""

    outcome: Outcome
    further_attempts: int
    meaning: str


# A refusal or an invalid verdict is an answer: asking until another one comes would select the answers.
CONSEQUENCES: dict[ErrorCode, Consequence] = {
    ErrorCode.EXPIRED: Consequence(Outcome.EXPIRED, 2, "the provider's window closed before it was run"),
    ErrorCode.CANCELLED: Consequence(Outcome.FAILURE, 0, "the job was cancelled before it was run"),
    ErrorCode.RATE_LIMITED: Consequence(Outcome.FAILURE, 2, "turned away by a rate limit inside the job"),
    ErrorCode.SERVER_ERROR: Consequence(Outcome.FAILURE, 2, "the provider failed on this item"),
    ErrorCode.MISSING_RESULT: Consequence(Outcome.FAILURE, 2, "the job ended without a line for this item"),
    ErrorCode.UNREADABLE_RESULT: Consequence(Outcome.FAILURE, 0, "a line of the result that follows no known form"),
    ErrorCode.CONFLICTING_RESULTS: Consequence(Outcome.FAILURE, 0, "two lines for one item that contradict each other"),
    ErrorCode.TRUNCATED: Consequence(
        Outcome.FAILURE, 1, "cut off at the token limit; asked once more with twice as many"
    ),
    ErrorCode.EMPTY: Consequence(Outcome.FAILURE, 1, "an answer without content"),
    ErrorCode.REFUSED: Consequence(Outcome.FAILURE, 0, "the judge declined to answer"),
    ErrorCode.FILTERED: Consequence(Outcome.FAILURE, 0, "stopped by the provider's content filter"),
    ErrorCode.INVALID_VERDICT: Consequence(Outcome.FAILURE, 0, "an answer that is no verdict"),
    ErrorCode.INVALID_REQUEST: Consequence(Outcome.FAILURE, 0, "the provider rejects the request as it is"),
    ErrorCode.CREDIT_EXHAUSTED: Consequence(
        Outcome.FAILURE, 2, "the account has no credit left; asked again once the account's hold is lifted"
    ),
    # a job that was never queued costs nothing, and each time it comes smaller and later
    ErrorCode.ENQUEUED_LIMIT: Consequence(Outcome.FAILURE, 8, "the account's limit of enqueued tokens was reached"),
    ErrorCode.JOB_FAILED: Consequence(Outcome.FAILURE, 0, "the whole job failed at the provider"),
    ErrorCode.JOB_REFUSED: Consequence(Outcome.FAILURE, 0, "the provider refused to create the job"),
    ErrorCode.RESULTS_GONE: Consequence(Outcome.FAILURE, 0, "the provider no longer keeps the job's results"),
    ErrorCode.UNCERTAIN: Consequence(Outcome.FAILURE, 2, "nobody knows whether the job was created; given up"),
}


# Structs here, not dataclasses: a purchase makes one of each per comparison, five times as fast, and left alone by the
# garbage collector, whose passes over a hundred thousand of them would take as long as reading them
class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens of one answer.

    `input_tokens` include those read from the provider's cache (`cached_tokens`) and those written into it, which
    some models charge for; `output_tokens` include any reasoning.
    """

    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cache_write_tokens: int = 0


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What came back for one comparison: a verdict, or the code that says why there is none."""

    verdict: Verdict | None = None
    error_code: ErrorCode | None = None
    model_reported: str | None = None
    usage: Usage | None = None

    @property
    def outcome(self) -> Outcome:
        """The terminal outcome this answer stands for."""
        return Outcome.SUCCESS if self.error_code is None else CONSEQUENCES[self.error_code].outcome

    def may_be_asked_again(self, attempt: int) -> bool:
        """Whether attempt number `attempt`, which ended so, may be followed by another."""
        return self.error_code is not None and attempt <= CONSEQUENCES[self.error_code].further_attempts
