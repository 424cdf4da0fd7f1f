"""Prices of one's own, and when asking for a cache saves money."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.errors import CjError, Unpriced
from cj_pipeline.judging import Usage
from cj_pipeline.providers import TokenPrice, Transport, batch_price, cache_pays, job_price

ROW = """[[price]]
provider = "openai"
model = "our-model"
input_usd_per_million = 0.05
cached_usd_per_million = 0.005
cache_write_usd_per_million = 0.0625
output_usd_per_million = 1
source = "contract of September 2026"
"""


@pytest.fixture
def prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CJ_PRICES", str(tmp_path / "prices.toml"))
    return tmp_path / "prices.toml"


def test_a_price_of_ones_own_is_taken_exactly_and_keeps_its_source(prices: Path) -> None:
    prices.write_text(ROW)
    price = batch_price("openai", "our-model")
    assert price == TokenPrice(50_000_000, 5_000_000, 62_500_000, 1_000_000_000, "contract of September 2026")


def test_it_comes_before_the_public_list_and_only_for_its_own_model(prices: Path) -> None:
    published = batch_price("openai", "gpt-6-luna")
    prices.write_text(ROW.replace("our-model", "gpt-6-luna"))
    assert batch_price("openai", "gpt-6-luna").source == "contract of September 2026"
    assert batch_price("openai", "gpt-6-astra").source.startswith("genai-prices")
    prices.unlink()
    assert batch_price("openai", "gpt-6-luna") == published


def test_calls_have_a_row_of_their_own(prices: Path) -> None:
    calls = ROW.replace("[[price]]", '[[price]]\ntransport = "calls"').replace("0.05", "0.07")
    prices.write_text(ROW)
    with pytest.raises(Unpriced):
        job_price("openai", "our-model", Transport.CALLS)
    prices.write_text(ROW + calls)
    assert job_price("openai", "our-model", Transport.CALLS).input_nano_per_million == 70_000_000
    assert job_price("openai", "our-model", Transport.BATCH).input_nano_per_million == 50_000_000
    prices.write_text(ROW + calls + calls)
    with pytest.raises(CjError, match="stands twice"):
        batch_price("openai", "our-model")


def test_calls_of_a_host_of_ones_own_cost_what_its_jobs_do_unless_a_row_says_otherwise(prices: Path) -> None:
    own = ROW.replace("openai", "vllm")
    prices.write_text(own)
    assert job_price("vllm", "our-model", Transport.CALLS) == job_price("vllm", "our-model", Transport.BATCH)
    prices.write_text(own + own.replace("[[price]]", '[[price]]\ntransport = "calls"').replace("0.05", "0.07"))
    assert job_price("vllm", "our-model", Transport.CALLS).input_nano_per_million == 70_000_000


def test_a_file_that_was_changed_is_read_again(prices: Path) -> None:
    prices.write_text(ROW)
    assert batch_price("openai", "our-model").input_nano_per_million == 50_000_000
    prices.write_text(ROW.replace("0.05", "0.06"))
    os.utime(prices, ns=(1, 1))
    assert batch_price("openai", "our-model").input_nano_per_million == 60_000_000


def test_without_the_file_an_unknown_model_is_refused_with_the_file_as_remedy(prices: Path) -> None:
    with pytest.raises(Unpriced, match=r"give its price in prices\.toml"):
        batch_price("openai", "our-model")


def test_what_is_left_out_of_the_cache_counts_as_input(prices: Path) -> None:
    prices.write_text("".join(line for line in ROW.splitlines(keepends=True) if not line.startswith("cache")))
    price = batch_price("openai", "our-model")
    assert price.cached_nano_per_million == price.cache_write_nano_per_million == price.input_nano_per_million


def test_a_model_of_ones_own_is_free_until_it_is_priced(prices: Path) -> None:
    assert batch_price("vllm", "our-model") == TokenPrice(0, 0, 0, 0, "self-hosted")
    prices.write_text(ROW.replace('"openai"', '"vllm"'))
    assert batch_price("vllm", "our-model").source == "contract of September 2026"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[price]", "not readable as TOML"),
        (ROW + "discount = 1\n", r"\[\[price\]\] number 1: discount: unknown key. Known keys there: provider, model"),
        ("[price]\n", r"price: its rows begin with \[\[price\]\]"),
        ("[[prices]]\n", "prices: unknown key"),
        (ROW.replace('"openai"', '"opneai"'), r"number 1: provider: .*'openai'"),
        (ROW.replace("= 0.05\n", "= -1\n"), r"number 1: input_usd_per_million: .*greater than or equal to 0"),
        (ROW.replace("= 0.05\n", "= inf\n"), "number 1: input_usd_per_million: "),
        (ROW.replace("= 0.05\n", "= true\n"), "number 1: input_usd_per_million: "),
        (ROW.replace("source", "sauce"), "number 1: "),
        (ROW + ROW.replace("0.05", "0.06"), "number 2: openai 'our-model' stands twice"),
        (
            "".join(line for line in ROW.splitlines(keepends=True) if "cached" not in line).replace(
                "openai", "anthropic"
            ),
            "number 1: anthropic needs cached_usd_per_million and cache_write",
        ),
    ],
)
def test_a_mistake_names_the_file_and_the_row(prices: Path, text: str, said: str) -> None:
    prices.write_text(text)
    with pytest.raises(CjError, match=said) as told:
        batch_price("openai", "our-model")
    assert str(prices) in str(told.value)


@given(st.builds(TokenPrice, *[st.integers(0, 10**15)] * 4, st.text()))
def test_a_price_is_kept_in_the_ledger_as_it_was(price: TokenPrice) -> None:
    assert TokenPrice.from_json(price.as_json()) == price


# --- the cache --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "written"), [("claude-haiku-5-5", 100_000_000), ("claude-sonnet-5-5", 2_000_000_000)]
)
def test_a_write_for_an_hour_costs_twice_the_input(model: str, written: int) -> None:
    """genai-prices 0.2.3: the 1-hour write at batch price, not the 5-minute one at 1.25 times the input."""
    price = batch_price("anthropic", model)
    assert price.cache_write_nano_per_million == written == 2 * price.input_nano_per_million


HOUR = TokenPrice(100, 10, 200, 500, "twice to write, a tenth to read")


@pytest.mark.parametrize(
    ("prefix", "requests", "pays"),
    [
        (1_999, 50_000, False),  # too short a prefix
        (5_000, 1, False),
        (5_000, 100, False),  # all of them start together and write
        (5_000, 500, False),  # .48 of them hit, .53 are needed
        (5_000, 2_000, True),  # .57 hit
    ],
)
def test_a_cache_is_asked_for_only_where_it_is_expected_to_save(prefix: int, requests: int, pays: bool) -> None:
    assert cache_pays(prefix, requests, HOUR) is pays


def test_at_the_lowest_hit_rate_that_is_reported_a_cache_of_an_hour_never_pays() -> None:
    assert not cache_pays(100_000, 100_000, HOUR, hit_rate=0.3)


@given(st.integers(2_000, 50_000), st.integers(1, 100_000), st.integers(0, 10**6), st.integers(0, 10**6))
def test_where_a_cache_pays_a_prompt_costs_less_with_it(prefix: int, requests: int, read: int, written: int) -> None:
    price = TokenPrice(100_000, read, written, 0, "any")
    if cache_pays(prefix, requests, price, hit_rate=1.0):
        hits = max(0, requests - 100)
        tokens = prefix * requests
        kept = Usage(tokens, prefix * hits, 0, cache_write_tokens=prefix * (requests - hits))
        assert price.cost(kept) <= price.cost(Usage(tokens, 0, 0))


def test_what_costs_nothing_is_not_cached() -> None:
    assert not cache_pays(10_000, 10_000, TokenPrice(0, 0, 0, 0, "self-hosted"))
