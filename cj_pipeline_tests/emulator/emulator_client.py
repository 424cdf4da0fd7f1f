"""How these tests speak to an emulator: request lines, and the real SDK as the pipeline uses it."""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import httpx2
from anthropic import Anthropic
from anthropic import DefaultHttpxClient as AnthropicHttpxClient
from anthropic.types.messages import MessageBatch
from openai import DefaultHttpxClient, OpenAI
from openai.types import Batch

from cj_pipeline.judging import Question, verdict_schema

CHAT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
ENDED = ("completed", "failed", "expired", "cancelled")
QUESTION = Question(assignment="Schreiben Sie einen Brief.", rubric="Der bessere Brief.", boundary="0123456789abcdef")


def body(text_a: str, text_b: str, *, model: str = "lexical", ties: bool = False, **more: object) -> dict[str, Any]:
    question = Question(QUESTION.assignment, QUESTION.rubric, QUESTION.boundary, ties=ties)
    schema = {"name": "verdict", "strict": True, "schema": verdict_schema(ties=ties)}
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": question.system_message()},
            {"role": "user", "content": question.user_message(text_a, text_b)},
        ],
        "max_completion_tokens": 200,
        "response_format": {"type": "json_schema", "json_schema": schema},
        **more,
    }


def line(custom_id: str, request: Mapping[str, Any], **changed: object) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": dict(request), **changed}


def lines(count: int, *, model: str = "lexical") -> list[dict[str, Any]]:
    """So many different comparisons, with the ids c0, c1, ..."""
    return [line(f"c{i}", body(f"Das ist mein Brief Nummer {i}.", "Guten Tag!", model=model)) for i in range(count)]


def jsonl(requests: Iterable[object]) -> bytes:
    return b"".join(json.dumps(request).encode() + b"\n" for request in requests)


def connect(url: str, *, api_key: str = "local", strict: bool = True) -> OpenAI:
    return OpenAI(
        base_url=f"{url}/v1",
        api_key=api_key,
        max_retries=0,
        timeout=20,
        http_client=DefaultHttpxClient(trust_env=False),
        _strict_response_validation=strict,
    )


def plain(url: str) -> httpx2.Client:
    return httpx2.Client(base_url=url, trust_env=False, timeout=20)


def upload(client: OpenAI, content: bytes, name: str = "cj-test.jsonl") -> str:
    return client.files.create(file=(name, content, "application/jsonl"), purpose="batch").id


def submit(client: OpenAI, content: bytes, metadata: dict[str, str] | None = None) -> Batch:
    return client.batches.create(
        input_file_id=upload(client, content),
        endpoint=CHAT,
        completion_window="24h",
        metadata=metadata,
    )


def wait_for(client: OpenAI, batch_id: str, statuses: Iterable[str] = ENDED, seconds: float = 20) -> Batch:
    deadline = time.monotonic() + seconds
    while True:
        batch = client.batches.retrieve(batch_id)
        if batch.status in statuses:
            return batch
        assert time.monotonic() < deadline, f"still {batch.status}"
        time.sleep(0.02)


def results(client: OpenAI, file_id: str | None) -> list[dict[str, Any]]:
    """The lines of an output or error file; none when there is no file."""
    if file_id is None:
        return []
    content = client.files.content(file_id).content
    assert content.endswith(b"\n")
    return [json.loads(one) for one in content.split(b"\n")[:-1]]


def arm(url: str, name: str, value: object = True, **more: object) -> None:
    with plain(url) as http:
        http.post("/admin/faults", json={"name": name, "value": value, **more}).raise_for_status()


def bill(url: str, *, requests: bool = False) -> dict[str, Any]:
    with plain(url) as http:
        said: dict[str, Any] = http.get("/admin/bill", params={"requests": "true"} if requests else {}).json()
    return said


def params(text_a: str, text_b: str, *, model: str = "lexical", ties: bool = False, **more: object) -> Any:
    """The same comparison as `body`, in Anthropic's words; Any, since tests also send what no typed caller could."""
    question = Question(QUESTION.assignment, QUESTION.rubric, QUESTION.boundary, ties=ties)
    return {
        "model": model,
        "max_tokens": 200,
        "system": question.system_message(),
        "messages": [{"role": "user", "content": question.user_message(text_a, text_b)}],
        "output_config": {"format": {"type": "json_schema", "schema": verdict_schema(ties=ties)}},
        **more,
    }


def requests(count: int, *, model: str = "lexical") -> list[Any]:
    """So many different comparisons, with the ids c0, c1, ..."""
    return [
        {"custom_id": f"c{i}", "params": params(f"Das ist mein Brief Nummer {i}.", "Guten Tag!", model=model)}
        for i in range(count)
    ]


def connect_anthropic(url: str, *, api_key: str = "local", strict: bool = True) -> Anthropic:
    return Anthropic(
        base_url=url,
        api_key=api_key,
        max_retries=0,
        timeout=20,
        http_client=AnthropicHttpxClient(trust_env=False),
        _strict_response_validation=strict,
    )


def wait_for_end(client: Anthropic, batch_id: str, seconds: float = 20) -> MessageBatch:
    deadline = time.monotonic() + seconds
    while True:
        batch = client.messages.batches.retrieve(batch_id)
        if batch.processing_status == "ended":
            return batch
        assert time.monotonic() < deadline, f"still {batch.processing_status}"
        time.sleep(0.02)


def settings(url: str, **given: object) -> dict[str, Any]:
    with plain(url) as http:
        answer = http.post("/admin/settings", json=given)
        answer.raise_for_status()
        changed: dict[str, Any] = answer.json()
    return changed
