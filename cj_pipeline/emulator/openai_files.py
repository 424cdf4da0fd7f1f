"""OpenAI's Files API as pure rules: what an upload may be, how a file and a list of files look."""

from collections.abc import Mapping, Sequence
from typing import Any

from cj_pipeline.emulator.openai_errors import missing, no_such
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.emulator.store import File

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
MAX_UPLOAD_BYTES = 512_000_000  # files.create: a single file
KEEP_SECONDS = range(3_600, 2_592_000 + 1)  # expires_after.seconds: an hour to 30 days
DEFAULT_KEEP_SECONDS = 2_592_000  # files with purpose=batch
MAX_FILES_LISTED = 10_000


def check_upload(form: Mapping[str, Any], *, filename: str) -> tuple[str, int]:
    """The purpose and how long to keep. Raises `Refused`."""
    purpose = form.get("purpose")
    if not purpose:
        raise missing("purpose")
    if purpose not in PURPOSES:
        raise Refused(400, f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose")
    if purpose == "batch" and not filename.lower().endswith(".jsonl"):
        raise Refused(400, "Invalid file format for Batch API. Must be .jsonl")
    anchor, seconds = form.get("expires_after[anchor]"), form.get("expires_after[seconds]")
    if anchor is None and seconds is None:
        return purpose, DEFAULT_KEEP_SECONDS
    number = int(seconds) if isinstance(seconds, str) and seconds.isdecimal() else seconds
    return purpose, keep_seconds({"anchor": anchor, "seconds": number}, param="expires_after")


def keep_seconds(expires_after: object, *, param: str) -> int:
    """The seconds of `{"anchor": "created_at", "seconds": 3600..2592000}`. Raises `Refused`."""
    if expires_after is None:
        return DEFAULT_KEEP_SECONDS
    given = expires_after if isinstance(expires_after, dict) else {}
    if given.get("anchor") != "created_at":
        raise Refused(400, f"Invalid value for '{param}.anchor': expected 'created_at'.", param=f"{param}.anchor")
    seconds = given.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds not in KEEP_SECONDS:
        allowed = f"{KEEP_SECONDS.start} to {KEEP_SECONDS.stop - 1}"
        raise Refused(400, f"Invalid value for '{param}.seconds': expected {allowed}.", param=f"{param}.seconds")
    return seconds


def file_object(file: File) -> dict[str, Any]:
    """As the API shows it."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": int(file.created_at),
        "expires_at": int(file.expires_at),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


def deleted_object(file_id: str) -> dict[str, Any]:
    """The receipt of a deletion."""
    return {"id": file_id, "object": "file", "deleted": True}


def file_page(files: Sequence[File], query: Mapping[str, str]) -> dict[str, Any]:
    """A page of `files` (oldest first) by purpose, order, limit and after. Raises `Refused`."""
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise Refused(400, "Invalid value for 'order': expected 'asc' or 'desc'.", param="order")
    limit = page_limit(query, default=MAX_FILES_LISTED, maximum=MAX_FILES_LISTED)
    chosen = [file for file in files if query.get("purpose") in (None, file.purpose)]
    if order == "desc":
        chosen.reverse()
    if "after" in query:
        ids = [file.id for file in chosen]
        if query["after"] not in ids:
            raise no_such("File object", query["after"], param="after")
        chosen = chosen[ids.index(query["after"]) + 1 :]
    return list_object([file_object(file) for file in chosen[:limit]], has_more=len(chosen) > limit)


def page_limit(query: Mapping[str, str], *, default: int, maximum: int) -> int:
    """`limit`, a whole number from 1 to `maximum`. Raises `Refused`."""
    given = query.get("limit", str(default))
    if not given.isdecimal() or not 1 <= int(given) <= maximum:
        raise Refused(400, f"Invalid 'limit': expected a whole number from 1 to {maximum}.", param="limit")
    return int(given)


def list_object(data: list[dict[str, Any]], *, has_more: bool) -> dict[str, Any]:
    """OpenAI's list with cursors."""
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }
