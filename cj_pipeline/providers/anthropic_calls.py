"""Anthropic's Messages, one call per request line, over the real asynchronous SDK (anthropic 2.x)."""

from cj_pipeline.providers.anthropic import ANTHROPIC
from cj_pipeline.providers.anthropic_wire import encoded, result_line, translated
from cj_pipeline.providers.calls import Account
from cj_pipeline.providers.synchronous import OVERLOADED, client_options, one_line_of_json, reply_to

MESSAGES = "/v1/messages"


class AnthropicCalls:
    """See `Caller`. `base_url` None is Anthropic itself; a local host is reached past any proxy."""

    def __init__(self, *, name: str, api_key: str, base_url: str | None, timeout_seconds: float) -> None:
        import anthropic

        self.name = name
        address = (base_url or ANTHROPIC).rstrip("/").removesuffix("/v1")  # the SDK's paths begin with /v1
        busy = frozenset({429, OVERLOADED})
        self._account = Account(name, api_key, anthropic.APIStatusError, anthropic.APIError, busy)
        self._client = anthropic.AsyncAnthropic(
            api_key=api_key,
            base_url=address,
            max_retries=0,
            timeout=timeout_seconds,
            http_client=anthropic.DefaultAsyncHttpxClient(**client_options(address)),
        )

    async def call(self, line: bytes) -> bytes:
        """The params go out as a Message Batch would take them."""
        import httpx2

        request = translated(line)
        reply = await reply_to(
            self._account,
            self._client.post(
                MESSAGES,
                cast_to=httpx2.Response,
                content=encoded(request["params"]),
                options={"headers": {"Content-Type": "application/json"}},
            ),
        )
        return result_line(request["custom_id"], reply.status_code, one_line_of_json(reply.content))

    async def close(self) -> None:
        """See `Caller`."""
        await self._client.close()
