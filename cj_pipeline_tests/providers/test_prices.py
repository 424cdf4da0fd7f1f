from decimal import Decimal

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.errors import Unpriced
from cj_pipeline.judging import Usage
from cj_pipeline.providers import TokenPrice, Transport, batch_price, job_price, nano_usd, usd

# USD per million tokens in a batch job, input and output; genai-prices 0.2.3 on 2026-11-22, half of the standard
# prices. The table drifts with the package: a new version may change figures, never silently the tier.
GOLDEN = {
    ("openai", "gpt-6-luna"): ("0.05", "0.25"),
    ("openai", "gpt-5.6-luna"): ("0.10", "0.60"),
    ("openai", "gpt-5.4-mini"): ("0.375", "2.25"),
    ("openai", "gpt-6.1-terra"): ("0.50", "2.50"),
    ("openai", "gpt-6.1-sol"): ("1.00", "5.00"),
    ("openai", "gpt-6-astra"): ("5", "25"),
    ("anthropic", "claude-haiku-5-5"): ("0.05", "0.25"),
    ("anthropic", "claude-sonnet-5-5"): ("1.00", "5.00"),
    ("anthropic", "claude-opus-5-5"): ("2.00", "10.00"),
    ("anthropic", "claude-fable-5-2"): ("4", "20"),
}


@pytest.mark.parametrize(("provider", "model"), GOLDEN)
def test_the_batch_price_of_a_short_prompt_is_the_published_one(provider: str, model: str) -> None:
    price = batch_price(provider, model)
    expected = tuple(nano_usd(Decimal(figure)) for figure in GOLDEN[provider, model])
    assert (price.input_nano_per_million, price.output_nano_per_million) == expected


@pytest.mark.parametrize(("provider", "model"), GOLDEN)
def test_a_batch_costs_less_than_single_calls_and_says_where_the_price_comes_from(provider: str, model: str) -> None:
    price = batch_price(provider, model)
    single = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=1000, output_tokens=1000), model, provider_id=provider
    )
    assert 0 < price.input_nano_per_million < nano_usd(single.input_price * 1000)
    assert 0 < price.output_nano_per_million < nano_usd(single.output_price * 1000)
    assert price.cached_nano_per_million <= price.input_nano_per_million
    assert price.source.startswith(f"genai-prices {genai_prices.__version__}, 20")


def test_five_thousand_comparisons_cost_what_the_price_list_says() -> None:
    # 5,000 comparisons of 2,000 tokens in and 150 out on gpt-6-luna: USD 0.6875
    assert usd(5000 * batch_price("openai", "gpt-6-luna").cost(Usage(2000, 0, 150))) == pytest.approx(0.6875)


@pytest.mark.parametrize("model", ["gpt-6-lunna", "gpt-6-luna-xyz", "luna", "", "lexical"])
def test_a_model_nobody_knows_is_unpriced(model: str) -> None:
    with pytest.raises(Unpriced, match=r"no price is known.*Check the model's name"):
        batch_price("openai", model)


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-4o-audio-preview"), ("openai", "gpt-5.3"), ("mistral", "mistral-large-latest")],
)
def test_a_standard_price_is_never_taken_for_a_batch_price(provider: str, model: str) -> None:
    with pytest.raises(Unpriced, match="no batch price is known"):
        batch_price(provider, model)


def test_a_provider_nobody_knows_is_unpriced() -> None:
    with pytest.raises(Unpriced):
        batch_price("nobody", "gpt-6-luna")


def test_the_emulator_is_free_and_says_so() -> None:
    price = batch_price("emulator", "lexical")
    assert price.source == "emulator"
    assert price.cost(Usage(10**6, 0, 10**6)) == 0


PRICE = TokenPrice(50_000_000, 5_000_000, 62_500_000, 250_000_000, "test")


def test_a_cost_counts_cached_tokens_at_their_own_price() -> None:
    # 600 fresh at .05, 400 cached at .005, 100 out at .25 USD per million: 30,000 + 2,000 + 25,000 nano-USD
    assert PRICE.cost(Usage(1000, 400, 100)) == 57_000
    assert PRICE.cost(Usage(1000, 0, 100)) == 75_000
    assert PRICE.cost(Usage(1000, 0, 100, cache_write_tokens=1000)) == 87_500


def test_writing_into_the_cache_is_priced_where_the_model_charges_for_it() -> None:
    luna, mini = batch_price("openai", "gpt-6-luna"), batch_price("openai", "gpt-5.4-mini")
    assert luna.cache_write_nano_per_million == 62_500_000
    assert mini.cache_write_nano_per_million == mini.input_nano_per_million


@pytest.mark.parametrize(("tokens", "nano"), [(0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2)])
def test_a_cost_is_rounded_up_to_the_nano_dollar(tokens: int, nano: int) -> None:
    assert TokenPrice(1, 0, 0, 0, "a nano-dollar per million").cost(Usage(tokens, 0, 0)) == nano


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_caching_never_costs_more_and_no_price_is_lost_to_rounding(fresh: int, cached: int, output: int) -> None:
    cost = PRICE.cost(Usage(fresh + cached, cached, output))
    exact = Decimal(fresh) * 50 + Decimal(cached) * 5 + Decimal(output) * 250
    assert 0 <= cost - exact < 1
    assert cost <= PRICE.cost(Usage(fresh + cached, 0, output))


@given(st.integers(0, 10**15))
def test_money_is_exact_to_the_nano_dollar(nano: int) -> None:
    assert nano_usd(Decimal(nano) / 10**9) == nano
    assert nano_usd(usd(nano)) == nano


@pytest.mark.parametrize(
    ("amount", "nano"), [(5.0, 5 * 10**9), (0.1, 10**8), (0.000000001, 1), (19.99, 19_990_000_000)]
)
def test_an_amount_a_person_writes_is_exact(amount: float, nano: int) -> None:
    assert nano_usd(amount) == nano


@pytest.mark.parametrize(("provider", "model"), [("openai", "gpt-6-luna"), ("anthropic", "claude-haiku-4-5")])
def test_a_call_costs_twice_what_it_costs_in_a_batch_job(provider: str, model: str) -> None:
    """OpenAI's and Anthropic's batch guides: half the price of synchronous calls."""
    batch, call = (job_price(provider, model, transport) for transport in (Transport.BATCH, Transport.CALLS))
    assert call.input_nano_per_million == 2 * batch.input_nano_per_million
    assert call.output_nano_per_million == 2 * batch.output_nano_per_million


def test_a_model_without_a_batch_price_can_be_called() -> None:
    with pytest.raises(Unpriced):
        job_price("openai", "gpt-5.3", Transport.BATCH)
    assert job_price("openai", "gpt-5.3", Transport.CALLS).output_nano_per_million > 0
