"""OpenAI's chat completions, one call per request line, over the real asynchronous SDK (openai 3.x)."""

from cj_pipeline.providers.calls import Account
from cj_pipeline.providers.openai import OPENAI
from cj_pipeline.providers.openai_wire import body_bytes, read_request_line, result_line
from cj_pipeline.providers.synchronous import client_options, one_line_of_json, reply_to

# ours beside OpenAI's own x-request-id, so that its support can find a call whose answer never came (API overview,
# "Debugging requests"); a hash, like every custom_id
CLIENT_REQUEST_ID = "X-Client-Request-Id"


class OpenAICalls:
    """See `Caller`. `base_url` None is OpenAI itself; a local host is reached past any proxy."""

    def __init__(self, *, name: str, api_key: str, base_url: str | None, timeout_seconds: float) -> None:
        import openai

        self.name = name
        self._account = Account(name, api_key, openai.APIStatusError, openai.APIError, busy=frozenset({429}))
        self._client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=base_url or OPENAI,
            max_retries=0,
            timeout=timeout_seconds,
            http_client=openai.DefaultAsyncHttpxClient(**client_options(base_url or OPENAI)),
        )

    async def call(self, line: bytes) -> bytes:
        """The body goes out to the byte as it stands in the request file."""
        import httpx2

        custom_id, _ = read_request_line(line)
        headers = {"Content-Type": "application/json", CLIENT_REQUEST_ID: custom_id}
        reply = await reply_to(
            self._account,
            self._client.post(
                "/chat/completions",
                cast_to=httpx2.Response,
                content=body_bytes(line),
                options={"headers": headers},
            ),
        )
        request_id = reply.headers.get("x-request-id")
        return result_line(custom_id, reply.status_code, request_id, one_line_of_json(reply.content))

    async def close(self) -> None:
        """See `Caller`."""
        await self._client.close()
