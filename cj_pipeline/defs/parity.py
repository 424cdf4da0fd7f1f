"""Parity checks: a profile's batch held against what the predecessor did, on the last asset, when all is final."""

from collections.abc import Iterator

import dagster as dg

from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.eng5.findings import CHECKS, no_profile_findings, parity_findings
from cj_pipeline.eng5.profiles import PROFILES
from cj_pipeline.eng5.run import gather_run


@dg.multi_asset_check(specs=specs_for("batch_report", CHECKS))
def parity_checks(
    context: dg.AssetCheckExecutionContext, deployment: DeploymentResource
) -> Iterator[dg.AssetCheckResult]:
    """Claims about the predecessor's profiles; of any other batch they say that it is none, and are green."""
    profile = PROFILES.get(context.partition_key)
    if profile is None:
        yield from results(no_profile_findings())
        return
    yield from results(parity_findings(gather_run(deployment.open(), profile)))
