"""Batches materialised in this process, as a click in the UI does it."""

from collections.abc import Sequence

import dagster as dg

from cj_pipeline.definitions import ASSETS, CHECKS, RESOURCES

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def materialise(
    instance: dg.DagsterInstance, batch_id: str, assets: Sequence[str] = (), *, raise_on_error: bool = True
) -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions("batch", [batch_id])
    return dg.materialize(
        [*ASSETS, *CHECKS],
        selection=dg.AssetSelection.assets(*assets) if assets else None,
        partition_key=batch_id,
        instance=instance,
        resources=RESOURCES,
        run_config=QUIET,
        raise_on_error=raise_on_error,
    )


def made(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events() if event.asset_key}
