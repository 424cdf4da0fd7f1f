"""The input file of a batch: the rules it must keep, read line by line, and where each request lies in it."""

from pathlib import Path
from typing import Any

from cj_pipeline.emulator.requests_file import CUSTOM_ID, Inspection, Located, lines_of, read_line

MAX_REQUESTS = 50_000  # Batch API reference: requests per batch
MAX_BYTES = 200_000_000  # Batch API reference: "200 MB", counted decimal
ERRORS_SHOWN = 100  # so that a batch object stays small


def inspect(path: Path, *, endpoint: str) -> Inspection:
    """Read and check an input file. Memory grows with the number of requests, not with their size."""
    if not path.is_file():
        return Inspection(errors=[error("invalid_file", "The input file could not be read.")])
    size = path.stat().st_size
    if size == 0:
        return Inspection(errors=[error("empty_file", "The input file is empty.")])
    if size > MAX_BYTES:
        return Inspection(errors=[error("file_too_large", f"The input file is larger than {MAX_BYTES} bytes.")])
    found = Inspection()
    seen: set[str] = set()
    for number, start, line in lines_of(path):
        if number > MAX_REQUESTS:
            found.errors = [error("too_many_tasks", f"The batch has more than {MAX_REQUESTS} requests.")]
            break
        found.total = number
        problem = _look_at(line, start, endpoint, seen, found)
        if problem and len(found.errors) < ERRORS_SHOWN:
            found.errors.append(problem | {"line": number})
    return found


def error(code: str, message: str, *, param: str | None = None) -> dict[str, Any]:
    """An entry of a failed batch's `errors.data`."""
    return {"code": code, "line": None, "message": message, "param": param}


def _look_at(line: bytes, start: int, endpoint: str, seen: set[str], found: Inspection) -> dict[str, Any] | None:
    """Note a valid request in `found` and `seen`, or say what is wrong with it."""
    try:
        request = read_line(line)
    except ValueError:
        return error("invalid_json_line", "This line is not parseable as valid JSON.")
    problem = _shape_problem(request, endpoint)
    if problem:
        return problem
    custom_id, model = request["custom_id"], request["body"].get("model")
    if custom_id in seen:
        return error("duplicate_custom_id", f"The custom_id '{custom_id}' is used more than once.", param="custom_id")
    seen.add(custom_id)
    if model is not None and not isinstance(model, str):
        return error("invalid_type", "Invalid type for 'body.model': expected a string.", param="body.model")
    found.model = found.model or model
    if model != found.model:
        message = f"All requests of a batch must use one model; this one names '{model}', not '{found.model}'."
        return error("model_mismatch", message, param="body.model")
    found.requests.append(Located(custom_id, start, len(line)))
    return None


def _shape_problem(request: object, endpoint: str) -> dict[str, Any] | None:
    if not isinstance(request, dict):
        return error("invalid_json_line", "This line is not a JSON object.")
    for param, kind in (("custom_id", str), ("method", str), ("url", str), ("body", dict)):
        if param not in request:
            return error("missing_required_parameter", f"Missing required parameter: '{param}'.", param=param)
        if not isinstance(request[param], kind):
            expected = "an object" if kind is dict else "a string"
            return error("invalid_type", f"Invalid type for '{param}': expected {expected}.", param=param)
    if not CUSTOM_ID.fullmatch(request["custom_id"]):
        return error("invalid_custom_id", "custom_id must be 1 to 64 letters, digits, '_' or '-'.", param="custom_id")
    if request["method"] != "POST":
        return error("invalid_method", "The method must be POST.", param="method")
    if request["url"] != endpoint:
        return error("url_mismatch", f"The url must be the batch's endpoint, {endpoint}.", param="url")
    return None
