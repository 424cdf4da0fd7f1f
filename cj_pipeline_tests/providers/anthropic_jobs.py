"""Jobs as the tests of the Anthropic verbs put them together."""

import io

from cj_pipeline.batch import JudgeSection
from cj_pipeline.judging import Question
from cj_pipeline.providers import ProviderJob, Ticket
from cj_pipeline.providers.anthropic import AnthropicBatches
from cj_pipeline.providers.openai_wire import encode_body, request_body, request_line

KEY = "sk-ant-verysecret0123456789"
JUDGE = JudgeSection(id="judge", provider="anthropic", model="lexical")
QUESTION = Question("Write.", "Clarity.", "0" * 16)


def requests(count: int, job_id: str = "job-1") -> bytes:
    bodies = (request_body(JUDGE, QUESTION, f"Text {i} is here.", "Another text.") for i in range(count))
    return b"".join(request_line(f"{job_id}-{i}", encode_body(body)) for i, body in enumerate(bodies))


def provider_at(url: str, *, key: str = KEY) -> AnthropicBatches:
    return AnthropicBatches(name="anthropic", api_key=key, base_url=url, timeout_seconds=5, list_is_authoritative=True)


def submit(provider: AnthropicBatches, one: Ticket, count: int = 3) -> ProviderJob:
    return provider.submit(io.BytesIO(requests(count, one.job_id)), one, lambda _: None)


def fetched(provider: AnthropicBatches, job: ProviderJob) -> dict[str, bytes]:
    return {name: b"".join(chunks) for name, chunks in provider.fetch(job)}
