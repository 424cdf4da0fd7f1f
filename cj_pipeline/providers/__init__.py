"""Providers of batch jobs: five verbs each (submit, find, poll, fetch, cancel), wire formats, prices."""

from cj_pipeline.batch import JudgeSection
from cj_pipeline.errors import CjError
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.providers.prices import BatchPrice, batch_price, nano_usd, usd
from cj_pipeline.providers.protocol import BatchProvider, Phase, ProviderJob, Ticket
from cj_pipeline.settings import Settings, api_key

__all__ = [
    "BatchPrice",
    "BatchProvider",
    "Phase",
    "ProviderJob",
    "Ticket",
    "batch_price",
    "nano_usd",
    "provider_for",
    "usd",
]


def provider_for(judge: JudgeSection, settings: Settings) -> BatchProvider:
    """The provider that answers for a judge, with the key of the judge's account."""
    if judge.provider not in {"openai", "emulator"}:
        raise CjError(f"judge {judge.id}: provider {judge.provider!r} is not served by this version.")
    emulated = judge.provider == "emulator"
    return OpenAIBatches(
        name=judge.provider,
        api_key=api_key(judge.provider, judge.account),
        base_url=f"{settings.emulator_url}/v1" if emulated else judge.base_url or None,
        timeout_seconds=settings.request_timeout_seconds,
        list_is_authoritative=emulated,
    )
