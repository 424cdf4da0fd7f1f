"""What was asked and what it would have cost: one row per request that was carried out."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from cj_pipeline.emulator.store.database import Database

_ITEMS_AT_ONCE = 2_000  # so that no transaction keeps other requests waiting for long
_NAMED_AT_MOST = 100
_SUMS = (
    "count(*) as requests_seen, coalesce(sum(status_code = 200), 0) as answered,"
    " coalesce(sum(prompt_tokens), 0) as prompt_tokens, coalesce(sum(completion_tokens), 0) as completion_tokens,"
    " coalesce(sum(cached_tokens), 0) as cached_tokens, coalesce(sum(cache_write_tokens), 0) as cache_write_tokens"
)


@dataclass(frozen=True, slots=True)
class DoneItem:
    """A request that was carried out; `rank` is its place in the order of the work.

    `prompt_tokens` include those read from the prompt cache (`cached_tokens`) and written to it.
    """

    rank: int
    custom_id: str
    body_sha256: str
    status_code: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    model: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A synchronous request that was carried out, whether or not its answer arrived.

    `custom_id` is the name the client gave it, else ours.
    """

    id: str
    api: str
    called_at: float
    body_sha256: str
    status_code: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    model: str
    custom_id: str


class Bill:
    """The tables of carried-out requests. A batch counts once its work is finished."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace_items(self, batch_id: str, items: Sequence[DoneItem]) -> None:
        """Note these as the batch's items, and no others."""
        with self._database.transaction() as connection:
            connection.execute("delete from items where batch_id = ?", [batch_id])
        for start in range(0, len(items), _ITEMS_AT_ONCE):
            rows = [(batch_id, *astuple(item)) for item in items[start : start + _ITEMS_AT_ONCE]]
            with self._database.transaction() as connection:
                connection.executemany(
                    "insert or replace into items (batch_id, rank, custom_id, body_sha256, status_code, prompt_tokens,"
                    " completion_tokens, cached_tokens, cache_write_tokens, model) values (?,?,?,?,?,?,?,?,?,?)",
                    rows,
                )

    def add_call(self, call: Call) -> None:
        """Note a synchronous request; on the disk when this returns."""
        with self._database.transaction() as connection:
            connection.execute(
                "insert into calls (id, api, called_at, body_sha256, status_code, prompt_tokens, completion_tokens,"
                " cached_tokens, cache_write_tokens, model, custom_id) values (?,?,?,?,?,?,?,?,?,?,?)",
                astuple(call),
            )

    def total(self) -> dict[str, Any]:
        """All that was asked since the folder was made."""
        (sums,) = self._database.rows(
            f"select {_SUMS}, count(distinct custom_id) as distinct_custom_ids,"
            " count(distinct body_sha256) as distinct_bodies from carried_out"
        )
        counters = {row["name"]: row["value"] for row in self._database.rows("select name, value from counters")}
        return {
            **sums,
            "asked_more_than_once": self._asked_more_than_once(),
            "batches_created": counters.get("batches_created", 0),
            "files_uploaded": counters.get("files_uploaded", 0),
            "sync": self._database.rows(f"select {_SUMS} from carried_out where transport = 'sync'")[0],
            "batches": self._by_batch(),
            "cost_nano_usd": 0,
            "price_source": "emulator",
        }

    def every_request(self) -> dict[str, Any]:
        """Each request that was carried out, oldest batch first, and how often each custom_id was."""
        requests = self._database.rows(
            "select batch_id, transport, api, model, custom_id, body_sha256, status_code, prompt_tokens as"
            " input_tokens, cached_tokens, cache_write_tokens, completion_tokens as output_tokens,"
            " status_code = 200 as billed"
            " from carried_out order by transport, batch_seq, rank"
        )
        times = self._database.rows("select custom_id, count(*) as times from carried_out group by custom_id")
        return {
            "requests": [row | {"billed": bool(row["billed"])} for row in requests],
            "times_carried_out": {row["custom_id"]: row["times"] for row in times},
        }

    def requests(self, custom_id: str) -> list[dict[str, Any]]:
        """Every time this custom_id was carried out, oldest first."""
        return self._database.rows(
            "select batch_id, custom_id, body_sha256, status_code, prompt_tokens, completion_tokens"
            " from carried_out where custom_id = ? order by batch_seq, rank",
            custom_id,
        )

    def _by_batch(self) -> list[dict[str, Any]]:
        """What each batch was billed for so far, oldest first, the deleted ones too."""
        sums = {
            row.pop("batch_id"): row
            for row in self._database.rows(
                f"select batch_id, {_SUMS} from carried_out where transport = 'batch' group by batch_id"
            )
        }
        nothing = {"requests_seen": 0, "answered": 0, "prompt_tokens": 0, "completion_tokens": 0}
        nothing |= {"cached_tokens": 0, "cache_write_tokens": 0}
        batches = self._database.rows(
            "select id, api, project, model, metadata, input_file_id, deleted_at is not null as deleted from batches"
            " order by seq"
        )
        return [
            batch
            | {"metadata": json.loads(batch["metadata"]), "deleted": bool(batch["deleted"])}
            | sums.get(batch["id"], nothing)
            for batch in batches
        ]

    def _asked_more_than_once(self) -> list[dict[str, Any]]:
        """Equal bodies that were answered, and so paid, repeatedly; at most a hundred of them."""
        repeated = self._database.rows(
            "select body_sha256, count(*) as times from answered group by body_sha256 having times > 1"
            " order by times desc, body_sha256 limit ?",
            _NAMED_AT_MOST,
        )
        return [row | {"custom_ids": self._custom_ids(row["body_sha256"])} for row in repeated]

    def _custom_ids(self, body_sha256: str) -> list[str]:
        rows = self._database.rows(
            "select distinct custom_id from answered where body_sha256 = ? order by custom_id limit ?",
            body_sha256,
            _NAMED_AT_MOST,
        )
        return [row["custom_id"] for row in rows]
