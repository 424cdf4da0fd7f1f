"""Anthropic's error shape: `{"type": "error", "error": {type, message}, "request_id"}`. Source: anthropic 2.12."""

from typing import Any

from cj_pipeline.emulator.refused import Refused

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_body(refused: Refused, request_id: str) -> dict[str, Any]:
    """The type follows from the HTTP status."""
    usual = "api_error" if refused.status >= 500 else "invalid_request_error"
    error = {"type": TYPES.get(refused.status, usual), "message": refused.message}
    return {"type": "error", "error": error, "request_id": f"req_{request_id[:24]}"}


def extra_input(where: str) -> Refused:
    """What the API says of a key it does not take."""
    return Refused(400, f"{where}: Extra inputs are not permitted", param=where)
