"""What was asked and what it would have cost: one row per request that was carried out."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from cj_pipeline.emulator.store.database import Database

_ITEMS_AT_ONCE = 2_000  # so that no transaction keeps other requests waiting for long
_NAMED_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class DoneItem:
    """A request that was carried out; `rank` is its place in the order of the work."""

    rank: int
    custom_id: str
    body_sha256: str
    status_code: int
    prompt_tokens: int
    completion_tokens: int


class Bill:
    """The table of carried-out requests. A batch counts once its work is finished."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace_items(self, batch_id: str, items: Sequence[DoneItem]) -> None:
        """Note these as the batch's items, and no others."""
        with self._database.transaction() as connection:
            connection.execute("delete from items where batch_id = ?", [batch_id])
        for start in range(0, len(items), _ITEMS_AT_ONCE):
            rows = [(batch_id, *astuple(item)) for item in items[start : start + _ITEMS_AT_ONCE]]
            with self._database.transaction() as connection:
                connection.executemany("insert or replace into items values (?, ?, ?, ?, ?, ?, ?)", rows)

    def total(self) -> dict[str, Any]:
        """All that was asked since the folder was made."""
        (sums,) = self._database.rows(
            "select count(*) as requests_seen, count(distinct custom_id) as distinct_custom_ids,"
            " count(distinct body_sha256) as distinct_bodies, coalesce(sum(status_code = 200), 0) as answered,"
            " coalesce(sum(prompt_tokens), 0) as prompt_tokens,"
            " coalesce(sum(completion_tokens), 0) as completion_tokens from carried_out"
        )
        counters = {row["name"]: row["value"] for row in self._database.rows("select name, value from counters")}
        return {
            **sums,
            "asked_more_than_once": self._asked_more_than_once(),
            "batches_created": counters.get("batches_created", 0),
            "files_uploaded": counters.get("files_uploaded", 0),
            "cost_nano_usd": 0,
            "price_source": "emulator",
        }

    def requests(self, custom_id: str) -> list[dict[str, Any]]:
        """Every time this custom_id was carried out, oldest first."""
        return self._database.rows(
            "select batch_id, custom_id, body_sha256, status_code, prompt_tokens, completion_tokens"
            " from carried_out where custom_id = ? order by batch_seq, rank",
            custom_id,
        )

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
