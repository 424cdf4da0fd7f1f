"""OpenAI's error shape, and its usual refusals."""

from typing import Any

from cj_pipeline.emulator.refused import Refused

_KINDS = {429: "requests"}


def error_body(refused: Refused, _: str) -> dict[str, Any]:
    """`{"error": {message, type, param, code}}`."""
    usual = "server_error" if refused.status >= 500 else "invalid_request_error"
    kind = refused.kind or _KINDS.get(refused.status, usual)
    return {"error": {"message": refused.message, "type": kind, "param": refused.param, "code": refused.code}}


def missing(param: str) -> Refused:
    """A required parameter was not given."""
    message = f"Missing required parameter: '{param}'."
    return Refused(400, message, param=param, code="missing_required_parameter")


def no_such(what: str, name: str, *, param: str = "id") -> Refused:
    """404 for a file, batch or path."""
    return Refused(404, f"No such {what}: {name}", param=param)
