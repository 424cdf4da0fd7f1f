"""`prices.toml`: prices of one's own, for models no public list knows or a contract prices otherwise.

Figures are as they are billed: for batch jobs, or for calls where a row says so; no discount is taken off them.
"""

import functools
import tomllib
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cj_pipeline.errors import CjError
from cj_pipeline.providers.protocol import Transport

NANO_PER_USD = 1_000_000_000

Usd = Annotated[Decimal, Field(ge=0, le=100_000, strict=False)]  # TOML writes 5 and 0.05 alike


class PriceRow(BaseModel):
    """One `[[price]]`, in USD per million tokens. What is left out of the cache's prices counts as plain input."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    provider: Literal["openai", "anthropic", "vllm"]
    model: str = Field(min_length=1)
    transport: Literal["batch", "calls"] = "batch"
    input_usd_per_million: Usd
    cached_usd_per_million: Usd | None = None
    cache_write_usd_per_million: Usd | None = None
    output_usd_per_million: Usd
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _cache_is_priced_where_it_is_asked_for(self) -> "PriceRow":
        cache = (self.cached_usd_per_million, self.cache_write_usd_per_million)
        if self.provider == "anthropic" and None in cache:
            raise ValueError("anthropic needs cached_usd_per_million and cache_write_usd_per_million (1-hour writes)")
        return self


class _PriceFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    price: list[PriceRow] = []


def own_price(path: Path, provider: str, model: str, transport: Transport = Transport.BATCH) -> PriceRow | None:
    """The price that a file gives for a model, if the file is there and does. Raises `CjError`.

    Calls of a judge of one's own cost what its batch jobs do, unless a row says otherwise: no discount is given there.
    """
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    rows = _rows(path, stat.st_mtime_ns, stat.st_size)
    row = rows.get((provider, model, transport))
    return rows.get((provider, model, Transport.BATCH)) if row is None and provider == "vllm" else row


def nano_per_million(price: Decimal) -> int:
    """USD as integer nano-USD, rounded up."""
    return int((price * NANO_PER_USD).to_integral_value(ROUND_CEILING))


@functools.lru_cache(maxsize=4)
def _rows(path: Path, mtime_ns: int, size: int) -> dict[tuple[str, str, str], PriceRow]:
    """Read once for each version of the file, which `mtime_ns` and `size` tell apart."""
    del mtime_ns, size
    try:
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"), parse_float=Decimal)
        rows = _PriceFile.model_validate(content).price
    except ValidationError as error:
        raise CjError(f"{path}: {_first_mistake(error)}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CjError(f"{path}: not readable as TOML: {error}. Correct it, or unset CJ_PRICES.") from None
    known: dict[tuple[str, str, str], PriceRow] = {}
    for number, row in enumerate(rows, start=1):
        if known.setdefault((row.provider, row.model, row.transport), row) is not row:
            raise CjError(f"{path}: [[price]] number {number}: {row.provider} {row.model!r} stands twice. Keep one.")
    return known


def _first_mistake(error: ValidationError) -> str:
    mistake = error.errors()[0]
    at = mistake["loc"]
    if at == ("price",):
        return "price: its rows begin with [[price]], in two pairs of brackets. Correct it."
    row = f"[[price]] number {at[1] + 1}: " if len(at) > 1 and isinstance(at[1], int) else ""
    key = f"{at[-1]}: " if isinstance(at[-1], str) else ""
    message = mistake["msg"].removeprefix("Value error, ")
    if mistake["type"] == "extra_forbidden":
        message = f"unknown key. Known keys there: {', '.join(PriceRow.model_fields if row else ['[[price]]'])}"
    return f"{row}{key}{message}. Correct it."
