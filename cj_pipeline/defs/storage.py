"""Dagster's own storage: PostgreSQL when CJ_POSTGRES_URL is set, else SQLite under data/. No URL in any file.

The one place that uses private names of Dagster: it offers no public way to choose a storage by environment.
"""

import os
from typing import Any

from dagster import StringSource
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from cj_pipeline.settings import normalised_postgres_url


class StorageByEnvironment(DagsterStorage, ConfigurableClass):
    """Named in dagster.yaml; what it makes is one of Dagster's own storages."""

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """Nothing: no instance of this class is ever made."""
        return None

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Where SQLite keeps its files."""
        return {"base_dir": StringSource}

    @classmethod
    def from_config_value(  # type: ignore[override]  # it makes another class, as Dagster's own storages by name do
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> DagsterStorage:
        """The storage that the environment asks for."""
        url = os.environ.get("CJ_POSTGRES_URL")
        if url:
            from dagster_postgres import DagsterPostgresStorage

            return DagsterPostgresStorage(normalised_postgres_url(url), inst_data=inst_data)
        return DagsterSqliteStorage.from_local(config_value["base_dir"], inst_data=inst_data)
