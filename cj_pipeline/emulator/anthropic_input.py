"""The requests of a Message Batch: the rules that hold for the create as a whole, and how they are kept.

Source: anthropic 2.12 and the batch pages. A bad custom_id refuses the create; bad params fail their item only.
"""

import json
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from cj_pipeline.emulator.anthropic_errors import extra_input
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.emulator.requests_file import CUSTOM_ID, Inspection, Located, lines_of, read_line
from cj_pipeline.emulator.store import Batch

MAX_REQUESTS = 100_000  # Message Batches: requests per batch
MAX_BYTES = 256_000_000  # Message Batches: "256 MB" for the whole body, counted decimal
MAX_CUSTOM_ID_CHARS = 64


def read_requests(body: bytes) -> list[dict[str, Any]]:
    """The requests of a create. Raises `Refused`, naming the first one that is wrong by its place from 0."""
    try:
        asked = read_line(body)
    except ValueError:
        raise Refused(400, "The request body is not valid JSON") from None
    requests = asked.get("requests") if isinstance(asked, dict) else None
    if not isinstance(requests, list):
        raise Refused(400, "requests: Field required")
    for name in sorted(asked.keys() - {"requests"}):
        raise extra_input(name)
    if not requests:
        raise Refused(400, "requests: List should have at least 1 item after validation, not 0")
    if len(requests) > MAX_REQUESTS:
        raise Refused(400, f"requests: List should have at most {MAX_REQUESTS} items after validation")
    seen: set[str] = set()
    for number, request in enumerate(requests):
        seen.add(_checked_id(request, f"requests.{number}", seen))
    return requests


def as_file(requests: list[dict[str, Any]]) -> BinaryIO:
    """One request a line, to be read from the start."""
    lines = BytesIO()
    for request in requests:
        lines.write(json.dumps(request).encode() + b"\n")
    lines.seek(0)
    return lines


def inspect(path: Path, batch: Batch) -> Inspection:
    """Where each request lies in the kept file."""
    found = Inspection(model=batch.model)
    for number, start, line in lines_of(path):
        found.total = number
        found.requests.append(Located(read_line(line)["custom_id"], start, len(line)))
    return found


def first_model(requests: list[dict[str, Any]]) -> str | None:
    """What the emulator lists as the model of a batch, which may mix several."""
    model = requests[0]["params"].get("model")
    return model if isinstance(model, str) else None


def _checked_id(request: object, where: str, seen: set[str]) -> str:
    if not isinstance(request, dict):
        raise Refused(400, f"{where}: Input should be a valid dictionary")
    for name, kind in (("custom_id", str), ("params", dict)):
        if name not in request:
            raise Refused(400, f"{where}.{name}: Field required")
        if not isinstance(request[name], kind):
            wanted = "string" if kind is str else "dictionary"
            raise Refused(400, f"{where}.{name}: Input should be a valid {wanted}")
    for name in sorted(request.keys() - {"custom_id", "params"}):
        raise extra_input(f"{where}.{name}")
    custom_id: str = request["custom_id"]
    if len(custom_id) > MAX_CUSTOM_ID_CHARS:
        raise Refused(400, f"{where}.custom_id: String should have at most {MAX_CUSTOM_ID_CHARS} characters")
    if not CUSTOM_ID.fullmatch(custom_id):
        raise Refused(400, f"{where}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'")
    if custom_id in seen:
        raise Refused(400, f"{where}.custom_id: '{custom_id}' is used more than once; custom_ids must be unique")
    return custom_id
