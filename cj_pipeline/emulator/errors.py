"""An error answer in the shape of the API that was spoken to."""

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from cj_pipeline.emulator import anthropic_errors, openai_errors
from cj_pipeline.emulator.refused import Refused


def error_response(request: Request, refused: Refused) -> Response:
    """Anthropic's calls carry its version header or go to its paths; all others are OpenAI's."""
    request_id = secrets.token_hex(16)
    if speaks_anthropic(request):
        body = anthropic_errors.error_body(refused, request_id)
        return JSONResponse(body, refused.status, headers={**refused.headers, "request-id": body["request_id"]})
    body = openai_errors.error_body(refused, request_id)
    return JSONResponse(body, refused.status, headers={**refused.headers, "x-request-id": f"req_{request_id}"})


def speaks_anthropic(request: Request) -> bool:
    """Whether a call is one of Anthropic's API."""
    return "anthropic-version" in request.headers or request.url.path.startswith("/v1/messages")
