"""Providers: six verbs each for batch jobs (submit, find, poll, fetch, cancel, erase), one call at a time, prices."""

from collections.abc import Callable, Set
from functools import lru_cache, partial

from cj_pipeline.batch import JudgeSection
from cj_pipeline.errors import CjError
from cj_pipeline.providers import anthropic_wire, openai_wire
from cj_pipeline.providers.anthropic import AnthropicBatches
from cj_pipeline.providers.by_file import FileHandOver
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.providers.prices import TokenPrice, batch_price, cache_pays, job_price, nano_usd, usd
from cj_pipeline.providers.protocol import (
    BatchProvider,
    Caller,
    Erased,
    Erasure,
    JobLimits,
    Phase,
    ProviderJob,
    Ticket,
    Transport,
)
from cj_pipeline.providers.result_line import ResultLine, without_words
from cj_pipeline.settings import Settings, api_key

__all__ = [
    "BatchProvider",
    "Caller",
    "Erased",
    "Erasure",
    "JobLimits",
    "Phase",
    "ProviderJob",
    "ResultLine",
    "Ticket",
    "TokenPrice",
    "Transport",
    "batch_price",
    "cache_pays",
    "caller_for",
    "job_limits",
    "job_price",
    "nano_usd",
    "provider_for",
    "read_result",
    "redacted",
    "result_reader",
    "unrun_line",
    "usd",
]


def provider_for(judge: JudgeSection, settings: Settings) -> BatchProvider:
    """The provider that answers for a judge, with the key of the judge's account."""
    if judge.provider == "vllm" and not judge.base_url:
        return FileHandOver(name=judge.provider, folder=settings.handover)
    return _batches(
        AnthropicBatches if judge.provider == "anthropic" else OpenAIBatches,
        judge.provider,
        api_key(judge.provider, judge.account),
        _address(judge, settings),
        settings.request_timeout_seconds,
        # the emulator's list shows a job the moment it is made, also to those who reach it as another provider
        judge.provider == "emulator" or judge.base_url.startswith(settings.emulator_url),
    )


def caller_for(judge: JudgeSection, settings: Settings) -> Caller:
    """A judge's synchronous endpoint, with the key of its account. To be opened and closed in one event loop.

    Raises `CjError` for a judge that has none.
    """
    # imported late: their SDKs cost 2 s, and most commands never reach a provider
    from cj_pipeline.providers.anthropic_calls import AnthropicCalls
    from cj_pipeline.providers.openai_calls import OpenAICalls

    if judge.provider == "vllm" and not judge.base_url:
        raise CjError(
            f"judge {judge.id}: is reached by file and answers no calls. Give it a base_url, or set "
            'mode = "provider_batch_api".'
        )
    return (AnthropicCalls if judge.provider == "anthropic" else OpenAICalls)(
        name=judge.provider,
        api_key=api_key(judge.provider, judge.account),
        base_url=_address(judge, settings),
        timeout_seconds=settings.request_timeout_seconds,
    )


def _address(judge: JudgeSection, settings: Settings) -> str | None:
    return f"{settings.emulator_url}/v1" if judge.provider == "emulator" else judge.base_url or None


@lru_cache(maxsize=32)  # making a client costs 50 ms of reading certificates
def _batches(
    speaks: type[AnthropicBatches] | type[OpenAIBatches],
    name: str,
    api_key: str,
    base_url: str | None,
    timeout_seconds: float,
    list_is_authoritative: bool,
) -> BatchProvider:
    return speaks(
        name=name,
        api_key=api_key,
        base_url=base_url,
        timeout_seconds=timeout_seconds,
        list_is_authoritative=list_is_authoritative,
    )


def job_limits(provider: str) -> JobLimits:
    """The most one job of a provider may hold, measured on our canonical request file."""
    return anthropic_wire.LIMITS if provider == "anthropic" else openai_wire.LIMITS


def read_result(provider: str, line: bytes, *, ties: bool) -> ResultLine | None:
    """What a result line of a provider says, or None when it cannot even be attributed to an item."""
    return result_reader(provider, ties=ties)(line)


def result_reader(provider: str, *, ties: bool) -> Callable[[bytes], ResultLine | None]:
    """`read_result` for many lines of one job."""
    wire = anthropic_wire if provider == "anthropic" else openai_wire
    return partial(wire.read_result_line, ties=ties)


def unrun_line(provider: str, custom_id: str, phase: Phase) -> bytes:
    """A provider's result line for an item that was never run because its job expired or was cancelled."""
    return (anthropic_wire if provider == "anthropic" else openai_wire).unrun_line(custom_id, phase)


def redacted(provider: str, line: bytes, custom_ids: Set[str], *, ties: bool) -> bytes:
    """A result line without what the judge wrote, if it answers one of these items; any other as it is.

    A line that cannot be attributed is emptied: it might quote anything.
    """
    read = read_result(provider, line, ties=ties)
    if read is None:
        return b""
    return without_words(line, read.answer) if read.custom_id in custom_ids else line
