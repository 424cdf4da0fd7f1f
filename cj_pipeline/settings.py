"""What the environment decides: where things lie, which servers are asked, how much an account may spend.

Read when it is needed, never at import. Keys of providers are looked up by account name and never stored.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from cj_pipeline.errors import CjError


class Settings(BaseSettings):
    """Every setting is an environment variable: `CJ_` and the name in capitals. Paths are relative to the repo."""

    model_config = SettingsConfigDict(env_prefix="CJ_", extra="ignore")

    batches: Path = Field(Path("data/batches"), description="folder of batch folders")
    samples: Path = Field(Path("data/samples"), description="folder of the batches that ship with the project")
    experiments: Path = Field(Path("data/experiments"), description="folder of experiments on anchors")
    handover: Path = Field(Path("data/handover"), description="folder of jobs that are handed over by file (vllm)")
    prices: Path = Field(Path("prices.toml"), description="prices of one's own, if the file is there")
    store: str = Field("data/store", description="folder or fsspec URL of tables, raw provider files and reports")
    ledger: Path = Field(Path("data/ledger.sqlite"), description="the purchase ledger, unless CJ_POSTGRES_URL is set")
    postgres_url: SecretStr | None = Field(None, description="PostgreSQL for the ledger and for Dagster's storage")
    emulator_url: str = Field("http://127.0.0.1:8791", description="the local emulator of the providers")
    emulator_folder: Path = Field(Path("data/emulator"), description="where the emulator keeps its state")
    emulator_seconds_per_phase: float = Field(0.3, ge=0, description="how long the emulator's jobs take per phase")
    emulator_patience_seconds: float = Field(60.0, ge=0, description="how long collecting waits for the emulator")
    account_max_usd_per_day: float = Field(20.0, ge=0, description="cap of each provider account, UTC day")
    account_max_usd_per_month: float = Field(100.0, ge=0, description="cap of each provider account, UTC month")
    llm_batching_mode: Literal["provider_batch_api", "serial_bundle", "per_request"] = Field(
        "provider_batch_api", description="mode of a batch whose batch.toml names none"
    )
    llm_batch_api_allowed_providers: str | None = Field(
        None, description="providers, with commas, that provider_batch_api may be used with; without it all"
    )
    requests_per_job: int = Field(2_000, ge=1, description="most requests in one job; a failed job loses no more")
    request_megabytes_per_job: float = Field(20.0, gt=0, description="largest request file of one job, in 10^6 bytes")
    enqueued_tokens: int = Field(
        0, ge=0, description="prompt tokens an account may have waiting per model; 0: no limit is known"
    )
    backoff_seconds: float = Field(
        300.0, ge=0, description="pause after a provider's queue was full; doubles with every further time"
    )
    call_slots: int = Field(4, ge=1, le=64, description="calls of a job on their way at once, per_request")
    preferred_bundle_size: int = Field(64, ge=1, le=64, description="calls in one bundle, all at once, serial_bundle")
    request_ttl_hours: float = Field(4.0, gt=0, description="how long a job may take over its calls; later ones expire")
    call_patience_seconds: float = Field(
        60.0, ge=0, description="longest wait in a run while calls are turned away; after that the job pauses"
    )
    delete_at_provider: bool = Field(True, description="remove a job's files at the provider once its answers are read")
    poll_seconds: float = Field(30.0, gt=0, description="pause between looks at a paid provider's jobs in `cj run`")
    notify_url: SecretStr | None = Field(None, description="webhook that is told once of what needs a person")
    request_timeout_seconds: float = Field(120.0, gt=0, description="longest wait for a provider's reply")

    @property
    def batch_api_providers(self) -> frozenset[str]:
        """The allow-list of provider_batch_api, as names; empty: all."""
        names = (self.llm_batch_api_allowed_providers or "").lower().split(",")
        return frozenset(name.strip() for name in names if name.strip())

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger. It may hold a password: never log it."""
        if self.postgres_url is None:
            return f"sqlite:///{self.ledger}"
        return normalised_postgres_url(self.postgres_url.get_secret_value())


def normalised_postgres_url(url: str) -> str:
    """The URL with its driver named, since SQLAlchemy's default driver is not the one that is installed."""
    scheme, separator, rest = url.partition("://")
    if scheme not in {"postgresql", "postgres", "postgresql+psycopg2"} or not separator:
        raise CjError("CJ_POSTGRES_URL does not begin with postgresql:// . Correct it or unset it.")
    return f"postgresql+psycopg2://{rest}"


NO_KEY = "no-key-is-needed"
_KEY_VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "vllm": "VLLM_API_KEY"}


def key_variable(provider: str, account: str) -> str:
    """Name of the environment variable with an account's key: `OPENAI_API_KEY`, `OPENAI_API_KEY_SCHOOL`, ..."""
    suffix = "" if account == "default" else "_" + account.upper().replace("-", "_")
    return _KEY_VARIABLES[provider] + suffix


def api_key(provider: str, account: str) -> str:
    """The key of an account. The emulator takes any and a host of one's own may need none; a missing key of a paid
    provider is an error with its name.
    """
    if provider == "emulator":
        return NO_KEY
    variable = key_variable(provider, account)
    key = os.environ.get(variable, NO_KEY if provider == "vllm" else "")
    if not key:
        raise CjError(f"no key for {provider} account {account!r}: set the environment variable {variable}.")
    return key
