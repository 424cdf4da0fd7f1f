"""The two APIs side by side: how each reads its requests, answers them, and writes a line about each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cj_pipeline.emulator import anthropic_batches, anthropic_input, openai_batches, openai_input
from cj_pipeline.emulator.answer import Answered, Dialect
from cj_pipeline.emulator.anthropic_messages import MESSAGES
from cj_pipeline.emulator.openai_chat import CHAT_COMPLETIONS
from cj_pipeline.emulator.requests_file import Inspection
from cj_pipeline.emulator.store import Batch


@dataclass(frozen=True, slots=True)
class Api:
    """A row of the table. `request_key` is where an input line keeps the request that is answered.

    `cancelled` and `expired` are the words for a request that was not run. With `one_file` errors stand among
    the results, else in a file of their own.
    """

    dialect: Dialect
    inspect: Callable[[Path, Batch], Inspection]
    request_key: str
    answered_line: Callable[[str, str, Answered], dict[str, Any]]
    unrun_line: Callable[[str, str, str], dict[str, Any]]
    cancelled: str
    expired: str
    one_file: bool


APIS: Mapping[str, Api] = {
    "openai": Api(
        dialect=CHAT_COMPLETIONS,
        inspect=lambda path, batch: openai_input.inspect(path, endpoint=batch.endpoint),
        request_key="body",
        answered_line=openai_batches.answered_line,
        unrun_line=openai_batches.unrun_line,
        cancelled="batch_cancelled",
        expired="batch_expired",
        one_file=False,
    ),
    "anthropic": Api(
        dialect=MESSAGES,
        inspect=anthropic_input.inspect,
        request_key="params",
        answered_line=anthropic_batches.answered_line,
        unrun_line=anthropic_batches.unrun_line,
        cancelled="canceled",
        expired="expired",
        one_file=True,
    ),
}
