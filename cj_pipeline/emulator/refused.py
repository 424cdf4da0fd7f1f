"""The one exception that becomes an error answer: said once here, put into words by each API's dialect."""

from collections.abc import Mapping

NO_HEADERS: Mapping[str, str] = {}


class Refused(Exception):
    """A call, or an item of a batch, that is answered with an HTTP error. `param` and `code` are OpenAI's."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str | None = None,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.kind, self.param, self.code = kind, param, code
        self.headers = dict(headers)
