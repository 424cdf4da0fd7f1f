"""The question and the answer: what a judge is shown, what counts as a verdict, and every way it can fail."""

from cj_pipeline.judging.outcome import CONSEQUENCES, Answer, ErrorCode, Outcome, Usage
from cj_pipeline.judging.prompt import Question, boundary_absent_from, read_sections
from cj_pipeline.judging.verdict import InvalidVerdict, Verdict, Winner, parse_verdict, verdict_schema

__all__ = [
    "CONSEQUENCES",
    "Answer",
    "ErrorCode",
    "InvalidVerdict",
    "Outcome",
    "Question",
    "Usage",
    "Verdict",
    "Winner",
    "boundary_absent_from",
    "parse_verdict",
    "read_sections",
    "verdict_schema",
]
