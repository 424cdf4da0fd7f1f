from pathlib import Path

import pytest
from pydantic import ValidationError

from cj_pipeline.errors import CjError
from cj_pipeline.settings import Settings, api_key, key_variable, normalised_postgres_url

PASSWORD = "pa55:w@rd"
URL = f"postgresql://cj:{PASSWORD}@db.example/cj"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CJ_{name.upper()}", raising=False)
    for name in ("OPENAI_API_KEY", "OPENAI_API_KEY_SCHOOL_A", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_every_setting_has_a_default_and_says_what_it_is() -> None:
    settings = Settings()
    assert (settings.batches, settings.store) == (Path("data/batches"), "data/store")
    assert settings.ledger_url == "sqlite:///data/ledger.sqlite"
    assert all(field.description for field in Settings.model_fields.values())


def test_a_setting_is_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CJ_STORE", "s3://essays/cj")
    monkeypatch.setenv("CJ_ACCOUNT_MAX_USD_PER_DAY", "2.5")
    settings = Settings()
    assert (settings.store, settings.account_max_usd_per_day) == ("s3://essays/cj", 2.5)


@pytest.mark.parametrize(
    ("name", "value"), [("CJ_ACCOUNT_MAX_USD_PER_DAY", "-1"), ("CJ_POLL_SECONDS", "0"), ("CJ_POLL_SECONDS", "soon")]
)
def test_a_setting_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("CJ_").lower()):
        Settings()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_a_postgres_url_names_the_driver_that_is_installed(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("CJ_POSTGRES_URL", URL.replace("postgresql", scheme))
    assert Settings().ledger_url == f"postgresql+psycopg2://cj:{PASSWORD}@db.example/cj"


@pytest.mark.parametrize(
    "url", ["mysql://cj:pa55@db/cj", "pa55", "", "postgresql:/cj:pa55@db", "postgresql+psycopg://pa55"]
)
def test_another_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(CjError, match="CJ_POSTGRES_URL does not begin with postgresql://") as refusal:
        normalised_postgres_url(url)
    assert "pa55" not in str(refusal.value)


def test_a_password_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CJ_POSTGRES_URL", URL)
    settings = Settings()
    assert PASSWORD not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("provider", "account", "variable"),
    [
        ("openai", "default", "OPENAI_API_KEY"),
        ("openai", "school-a", "OPENAI_API_KEY_SCHOOL_A"),
        ("anthropic", "default", "ANTHROPIC_API_KEY"),
        ("vllm", "lab", "VLLM_API_KEY_LAB"),
    ],
)
def test_each_account_has_a_variable_of_its_own(provider: str, account: str, variable: str) -> None:
    assert key_variable(provider, account) == variable


def test_the_key_of_another_account_is_never_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-default")
    assert api_key("openai", "default") == "sk-default"
    with pytest.raises(CjError) as refusal:
        api_key("openai", "school-a")
    assert str(refusal.value) == (
        "no key for openai account 'school-a': set the environment variable OPENAI_API_KEY_SCHOOL_A."
    )


def test_an_empty_key_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    with pytest.raises(CjError, match="set the environment variable OPENAI_API_KEY"):
        api_key("openai", "default")


def test_the_emulator_needs_no_key() -> None:
    assert api_key("emulator", "default")
