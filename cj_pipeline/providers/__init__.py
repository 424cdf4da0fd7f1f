"""Providers of batch jobs: six verbs each (submit, find, poll, fetch, cancel, erase), wire formats, prices."""

import functools
from collections.abc import Set

from cj_pipeline.batch import JudgeSection
from cj_pipeline.providers import anthropic_wire, openai_wire
from cj_pipeline.providers.anthropic import AnthropicBatches
from cj_pipeline.providers.by_file import FileHandOver
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.providers.prices import BatchPrice, batch_price, cache_pays, nano_usd, usd
from cj_pipeline.providers.protocol import BatchProvider, Erased, Erasure, JobLimits, Phase, ProviderJob, Ticket
from cj_pipeline.providers.result_line import ResultLine, without_words
from cj_pipeline.settings import Settings, api_key

__all__ = [
    "BatchPrice",
    "BatchProvider",
    "Erased",
    "Erasure",
    "JobLimits",
    "Phase",
    "ProviderJob",
    "ResultLine",
    "Ticket",
    "batch_price",
    "cache_pays",
    "job_limits",
    "nano_usd",
    "provider_for",
    "read_result",
    "redacted",
    "usd",
]


def provider_for(judge: JudgeSection, settings: Settings) -> BatchProvider:
    """The provider that answers for a judge, with the key of the judge's account."""
    if judge.provider == "vllm" and not judge.base_url:
        return FileHandOver(name=judge.provider, folder=settings.handover)
    emulated = judge.provider == "emulator"
    return _batches(
        AnthropicBatches if judge.provider == "anthropic" else OpenAIBatches,
        judge.provider,
        api_key(judge.provider, judge.account),
        f"{settings.emulator_url}/v1" if emulated else judge.base_url or None,
        settings.request_timeout_seconds,
        # the emulator's list shows a job the moment it is made, also to those who reach it as another provider
        emulated or judge.base_url.startswith(settings.emulator_url),
    )


@functools.lru_cache(maxsize=32)  # making a client costs 50 ms of reading certificates
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
    read = anthropic_wire.read_result_line if provider == "anthropic" else openai_wire.read_result_line
    return read(line, ties=ties)


def redacted(provider: str, line: bytes, custom_ids: Set[str], *, ties: bool) -> bytes:
    """A result line without what the judge wrote, if it answers one of these items; any other as it is.

    A line that cannot be attributed is emptied: it might quote anything.
    """
    read = read_result(provider, line, ties=ties)
    if read is None:
        return b""
    return without_words(line, read.answer) if read.custom_id in custom_ids else line
