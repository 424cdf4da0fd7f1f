"""Jobs as the tests of the OpenAI verbs put them together."""

import io

from cj_pipeline.batch import JudgeSection
from cj_pipeline.judging import Question
from cj_pipeline.providers import ProviderJob, Ticket
from cj_pipeline.providers.openai import OpenAIBatches
from cj_pipeline.providers.openai_wire import encode_body, request_body, request_line

KEY = "sk-proj-verysecret0123456789"
JUDGE = JudgeSection(id="judge", provider="emulator", model="lexical")
QUESTION = Question("Write.", "Clarity.", "0" * 16)


def requests(count: int) -> bytes:
    bodies = (request_body(JUDGE, QUESTION, f"Text {i} is here.", "Another text.") for i in range(count))
    return b"".join(request_line(f"c{i}", encode_body(body)) for i, body in enumerate(bodies))


def provider_at(url: str, *, key: str = KEY) -> OpenAIBatches:
    return OpenAIBatches(name="openai", api_key=key, base_url=url, timeout_seconds=5, list_is_authoritative=True)


def submit(provider: OpenAIBatches, one: Ticket, count: int = 3, files: list[str | None] | None = None) -> ProviderJob:
    kept: list[str | None] = [] if files is None else files
    return provider.submit(io.BytesIO(requests(count)), one, kept.append)


def fetched(provider: OpenAIBatches, job: ProviderJob) -> dict[str, list[bytes]]:
    return {name: b"".join(chunks).splitlines() for name, chunks in provider.fetch(job)}
