"""OpenAI's error shape, and the one exception that becomes such an answer."""

from typing import Any


class Refused(Exception):
    """A request that is answered with an HTTP error in OpenAI's shape."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, param=param, code=code)


def error_body(
    message: str, *, kind: str = "invalid_request_error", param: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """`{"error": {message, type, param, code}}`."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def missing(param: str) -> Refused:
    """A required parameter was not given."""
    message = f"Missing required parameter: '{param}'."
    return Refused(400, message, param=param, code="missing_required_parameter")


def no_such(what: str, name: str, *, param: str = "id") -> Refused:
    """404 for a file, batch or path."""
    return Refused(404, f"No such {what}: {name}", param=param)
