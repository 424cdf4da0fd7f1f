"""Sensors evaluated for one tick, and batches brought to where a tick finds them."""

import dagster as dg

from cj_pipeline.definitions import defs
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.jobs.plan import open_wave
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline_tests.installation import Installation, small_batch


def evaluated(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> dg.SensorResult | dg.SkipReason:
    """One tick."""
    context = dg.build_sensor_context(
        instance=instance, resources={"deployment": DeploymentResource()}, definitions=defs, sensor_name=sensor.name
    )
    result = sensor(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def requested(sensor: dg.SensorDefinition, instance: dg.DagsterInstance) -> list[str]:
    """Batches that a tick asks runs for."""
    result = evaluated(sensor, instance)
    if isinstance(result, dg.SkipReason):
        return []
    return [str(request.partition_key) for request in result.run_requests or []]


def planned(installation: Installation, batch_id: str, *, written: bool = True) -> None:
    """The free part, as the first sensor's run does it; or as one that dies after the pairs are recorded."""
    deployment = installation.deployment
    batch = deployment.batch(batch_id)
    open_revision(deployment.ledger, batch)
    pairs = open_wave(deployment.ledger, deployment.store, batch)
    if written:
        deployment.write_tables(batch_id, {"comparison_pairs": pairs})


def paid(installation: Installation, batch_id: str, approval: str = "manual") -> None:
    folder = small_batch(installation.batches / batch_id, extra=f'[spending]\nmax_usd = 1.0\napproval = "{approval}"')
    manifest = (folder / "batch.toml").read_text("utf-8").replace('"emulator"', '"openai"')
    (folder / "batch.toml").write_text(manifest.replace('"latent"', '"gpt-6-luna"'), "utf-8")
