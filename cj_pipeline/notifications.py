"""Telling notices, each once: to the log, and to a webhook if there is one.

What was told is remembered in the store, beside the tables: a Dagster sensor's cursor can be reset, and its storage
may be lost. A notice counts as told when the webhook took it; a crash between the two tells it twice, with the same id.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr

from cj_pipeline.errors import CjError
from cj_pipeline.notices import Notice
from cj_pipeline.store import Store

log = logging.getLogger(__name__)

TOLD_PATH = "notifications/told.json"
WEBHOOK_TIMEOUT_SECONDS = 5.0
REMEMBERED = timedelta(days=90)  # after its matter is over


class WebhookFailed(CjError):
    """The webhook did not take the notices; they are told again."""


@dataclass(frozen=True, slots=True)
class Told:
    """Keys of notices with the moment they were told, in ISO 8601 UTC: to the log, and to the webhook."""

    log: dict[str, str] = field(default_factory=dict)
    webhook: dict[str, str] = field(default_factory=dict)

    def without_old(self, current: set[str], now: datetime) -> "Told":
        """Without what is over and was told long ago."""
        limit = (now - REMEMBERED).isoformat()

        def kept(told: Mapping[str, str]) -> dict[str, str]:
            return {key: moment for key, moment in told.items() if key in current or moment > limit}

        return Told(kept(self.log), kept(self.webhook))


def tell(store: Store, standing: Sequence[Notice], webhook: SecretStr | None, now: datetime) -> list[Notice]:
    """Tell what was not told yet; returns those. Raises `WebhookFailed` after the log was told."""
    told = read_told(store)
    to_log = [notice for notice in standing if notice.key not in told.log]
    to_webhook = [notice for notice in standing if webhook is not None and notice.key not in told.webhook]
    for notice in to_log:
        log.warning("%s: %s. Next: %s", notice.matter, notice.sentence, notice.next_step)
        told.log[notice.key] = now.isoformat()
    failed: WebhookFailed | None = None
    if webhook is not None and to_webhook:
        try:
            post(webhook, to_webhook)
            told.webhook.update({notice.key: now.isoformat() for notice in to_webhook})
        except WebhookFailed as error:
            failed = error
    if to_log or to_webhook:
        write_told(store, told.without_old({notice.key for notice in standing}, now))
    if failed is not None:
        raise failed
    return [notice for notice in standing if notice in to_log or notice in to_webhook]


def read_told(store: Store) -> Told:
    """What was told so far; nothing when the file is not there yet."""
    if not store.exists(TOLD_PATH):
        return Told()
    content = json.loads(store.read(TOLD_PATH))
    return Told(content["log"], content["webhook"])


def write_told(store: Store, told: Told) -> None:
    """Remember it, whole or not at all."""
    store.write(TOLD_PATH, [json.dumps(asdict(told), indent=1).encode()])


def post(webhook: SecretStr, notices: Sequence[Notice]) -> None:
    """One POST of JSON: `text` for people (as chat webhooks take it) and `notices` for machines.

    The address may hold a token, so that no message shows it. Raises `WebhookFailed`.
    """
    import httpx2

    lines = [f"{notice.matter}: {notice.sentence}. Next: {notice.next_step}" for notice in notices]
    content = {"service": "cj_pipeline", "text": "\n".join(lines), "notices": [_as_row(notice) for notice in notices]}
    try:
        reply = httpx2.post(webhook.get_secret_value(), json=content, timeout=WEBHOOK_TIMEOUT_SECONDS)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise WebhookFailed(_failure(len(notices), type(error).__name__)) from None
    if not reply.is_success:
        raise WebhookFailed(_failure(len(notices), f"HTTP {reply.status_code}"))


def _failure(count: int, why: str) -> str:
    return f"the webhook CJ_NOTIFY_URL did not take {count} notices ({why}); they are told again. Check the address."


def _as_row(notice: Notice) -> dict[str, str]:
    row = asdict(notice)
    return {"id": row.pop("key"), **{name: str(value) for name, value in row.items()}}
