"""One dynamic partition per batch, the same key through all assets."""

from collections.abc import Iterable

import dagster as dg

batches = dg.DynamicPartitionsDefinition(name="batch")

PARTITION_TAG = "dagster/partition"


def live_partitions(instance: dg.DagsterInstance) -> set[str]:
    """Batches with a partition now. One request for any other would stop every request of a sensor's tick."""
    return set(instance.get_dynamic_partitions(str(batches.name)))


def partitions_of(runs: Iterable[dg.DagsterRun]) -> set[str]:
    """The batches that runs are about."""
    return {run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags}
