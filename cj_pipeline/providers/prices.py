"""What a token costs by transport, in integer nano-USD per million tokens, and where the figure comes from.

genai-prices falls back to the standard price when it does not know a batch price. A cap built on a guess is
none, so the fallback is detected and the model counts as unpriced.
"""

import functools
import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Self

from cj_pipeline.errors import Unpriced
from cj_pipeline.judging import Usage
from cj_pipeline.providers.price_file import NANO_PER_USD, PriceRow, nano_per_million, own_price
from cj_pipeline.providers.protocol import Transport
from cj_pipeline.settings import Settings

MILLION = 1_000_000
PROMPT_TOKENS = 1_000  # prices are asked for a short prompt: they rise beyond a long-context tier (100k to 272k tokens)


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """Price of a model in a batch job, or in calls. `source` names the table and its version or date."""

    input_nano_per_million: int
    cached_nano_per_million: int
    cache_write_nano_per_million: int
    output_nano_per_million: int
    source: str

    def cost(self, usage: Usage) -> int:
        """Nano-USD for an answer's tokens, rounded up."""
        fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
        total = (
            fresh * self.input_nano_per_million
            + usage.cached_tokens * self.cached_nano_per_million
            + usage.cache_write_tokens * self.cache_write_nano_per_million
            + usage.output_tokens * self.output_nano_per_million
        )
        return -(-total // MILLION)

    def as_json(self) -> str:
        """As the ledger keeps it with the job that it was booked for."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `as_json` wrote."""
        return cls(**json.loads(text))


FREE = TokenPrice(0, 0, 0, 0, "emulator")
SELF_HOSTED = TokenPrice(0, 0, 0, 0, "self-hosted")

CACHE_LEAST_TOKENS = 2_000
CACHE_STARTS = 100  # requests of one job that a provider may run before the first write can be read
# Of the requests after those. Anthropic's batch guide reports 30 % to 98 %; where every request of a job begins
# alike, and is kept for an hour, the middle of that is on the low side. Writes of an hour need 53 % to pay.
CACHE_HIT_RATE = 0.6


def batch_price(provider: str, model: str) -> TokenPrice:
    """The price of a model in a batch job today. Raises `Unpriced` when no batch price is known."""
    return job_price(provider, model, Transport.BATCH)


def job_price(provider: str, model: str, transport: Transport) -> TokenPrice:
    """The price of a model today as a job's requests travel: calls cost the full price. Raises `Unpriced`.

    The file `prices.toml` (CJ_PRICES) comes first, then what is free, then genai-prices.
    """
    if provider == "emulator":
        return FREE
    own = own_price(Settings().prices, provider, model, transport)
    if own is not None:
        return _from_row(own)
    if provider == "vllm":
        return SELF_HOSTED
    return _published(provider, model, transport, datetime.now(UTC).date())


def cache_pays(prefix_tokens: int, requests: int, price: TokenPrice, *, hit_rate: float = CACHE_HIT_RATE) -> bool:
    """Whether asking a provider to cache a prefix that `requests` share is expected to save money.

    A hit is read at the cached price, a miss is written at the price of a write, which is above plain input; the
    first `CACHE_STARTS` requests all miss, since they start together. A prefix of less than `CACHE_LEAST_TOKENS` is
    never worth it: models keep none below 512 to 4,096 tokens.
    """
    if prefix_tokens < CACHE_LEAST_TOKENS:
        return False
    hits = int(max(0, requests - CACHE_STARTS) * hit_rate)
    uncached = requests * price.input_nano_per_million
    return hits * price.cached_nano_per_million + (requests - hits) * price.cache_write_nano_per_million < uncached


def _from_row(row: PriceRow) -> TokenPrice:
    plain = row.input_usd_per_million
    kept, written = row.cached_usd_per_million, row.cache_write_usd_per_million
    return TokenPrice(
        input_nano_per_million=nano_per_million(plain),
        cached_nano_per_million=nano_per_million(plain if kept is None else kept),
        cache_write_nano_per_million=nano_per_million(plain if written is None else written),
        output_nano_per_million=nano_per_million(row.output_usd_per_million),
        source=row.source,
    )


@functools.lru_cache(maxsize=64)
def _published(provider: str, model: str, transport: Transport, day: date) -> TokenPrice:
    """From genai-prices, as of a day. Raises `Unpriced`."""
    import genai_prices

    at = datetime.now(UTC)
    batch = transport is Transport.BATCH

    def price(processing: str | None, **tokens: int) -> genai_prices.types.PriceCalculation:
        return genai_prices.calc_price(
            genai_prices.Usage(input_tokens=PROMPT_TOKENS, **tokens),
            model,
            provider_id=provider,
            genai_request_timestamp=at,
            price_context={"processing": processing} if processing else None,
        )

    # what Anthropic is asked for is kept an hour, and such a write costs more than the usual five minutes
    lifetime = {"cache_write_1h_tokens": PROMPT_TOKENS} if provider == "anthropic" else {}
    way = "batch" if batch else None
    try:
        standard = price(None, output_tokens=PROMPT_TOKENS)
        plain = price(way, output_tokens=PROMPT_TOKENS)
        cached = price(way, output_tokens=0, cache_read_tokens=PROMPT_TOKENS)
        written = price(way, output_tokens=0, cache_write_tokens=PROMPT_TOKENS, **lifetime)
    except LookupError:
        raise Unpriced(f"no price is known for {provider} model {model!r}, so no cap could hold. {_REMEDY}") from None
    if batch and not plain.total_price < standard.total_price:
        raise Unpriced(f"no batch price is known for {provider} model {model!r}. {_REMEDY}")
    return TokenPrice(
        input_nano_per_million=_of_prompt(plain.input_price),
        cached_nano_per_million=_of_prompt(cached.input_price),
        cache_write_nano_per_million=_of_prompt(written.input_price),
        output_nano_per_million=_of_prompt(plain.output_price),
        source=f"genai-prices {genai_prices.__version__}, {day:%Y-%m-%d}",
    )


_REMEDY = "Check the model's name, take a model with a published batch price, or give its price in prices.toml."


def usd(nano: int) -> float:
    """US dollars, for tables and people."""
    return nano / NANO_PER_USD


def nano_usd(amount: float | Decimal) -> int:
    """Integer nano-USD, exact for amounts written with up to nine decimals."""
    return int((Decimal(str(amount)) * NANO_PER_USD).to_integral_value())


def _of_prompt(price: Decimal) -> int:
    return nano_per_million(price * MILLION / PROMPT_TOKENS)
