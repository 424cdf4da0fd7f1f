"""What a token costs in a batch job, in integer nano-USD per million tokens, and where the figure comes from.

genai-prices falls back to the standard price when it does not know a batch price. A cap built on a guess is
none, so the fallback is detected and the model counts as unpriced.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal

from cj_pipeline.errors import Unpriced
from cj_pipeline.judging import Usage

NANO_PER_USD = 1_000_000_000
MILLION = 1_000_000
PROMPT_TOKENS = 1_000  # prices are asked for a short prompt: they rise beyond a long-context tier (100k to 272k tokens)


@dataclass(frozen=True, slots=True)
class BatchPrice:
    """Price of a model in a batch job. `source` names the table and its version or date."""

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


FREE = BatchPrice(0, 0, 0, 0, "emulator")


def batch_price(provider: str, model: str) -> BatchPrice:
    """The price of a model in a batch job today. Raises `Unpriced` when no batch price is known."""
    if provider == "emulator":
        return FREE
    import genai_prices
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    asked = PricedUsage(input_tokens=PROMPT_TOKENS, output_tokens=PROMPT_TOKENS)
    asked_cached = PricedUsage(input_tokens=PROMPT_TOKENS, cache_read_tokens=PROMPT_TOKENS, output_tokens=0)
    asked_written = PricedUsage(input_tokens=PROMPT_TOKENS, cache_write_tokens=PROMPT_TOKENS, output_tokens=0)
    now = datetime.now(UTC)
    batch = {"processing": "batch"}
    try:
        standard = calc_price(asked, model, provider_id=provider, genai_request_timestamp=now)
        reduced = calc_price(asked, model, provider_id=provider, genai_request_timestamp=now, price_context=batch)
        cached = calc_price(asked_cached, model, provider_id=provider, genai_request_timestamp=now, price_context=batch)
        written = calc_price(
            asked_written, model, provider_id=provider, genai_request_timestamp=now, price_context=batch
        )
    except LookupError:
        raise Unpriced(f"no price is known for {provider} model {model!r}, so no cap could hold. {_REMEDY}") from None
    if not reduced.total_price < standard.total_price:
        raise Unpriced(f"no batch price is known for {provider} model {model!r}. {_REMEDY}")
    return BatchPrice(
        input_nano_per_million=_nano_per_million(reduced.input_price),
        cached_nano_per_million=_nano_per_million(cached.input_price),
        cache_write_nano_per_million=_nano_per_million(written.input_price),
        output_nano_per_million=_nano_per_million(reduced.output_price),
        source=f"genai-prices {genai_prices.__version__}, {now:%Y-%m-%d}",
    )


_REMEDY = "Check the model's name, or take a model with a published batch price."


def usd(nano: int) -> float:
    """US dollars, for tables and people."""
    return nano / NANO_PER_USD


def nano_usd(amount: float | Decimal) -> int:
    """Integer nano-USD, exact for amounts written with up to nine decimals."""
    return int((Decimal(str(amount)) * NANO_PER_USD).to_integral_value())


def _nano_per_million(price: Decimal) -> int:
    return int((price * NANO_PER_USD * MILLION / PROMPT_TOKENS).to_integral_value(ROUND_CEILING))
