"""The asset `batch_report`: what people read, and the last word on whether grades may be published."""

import dagster as dg

from cj_pipeline.defs.checks import results, specs_for
from cj_pipeline.defs.partitions import batches
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.defs.shown import OWNERS
from cj_pipeline.eng5.experiment_page import publish_experiment_of
from cj_pipeline.report.findings import CHECKS
from cj_pipeline.report.gather import gather_evidence, publish_report
from cj_pipeline.report.index import publish_index


@dg.asset(
    partitions_def=batches, group_name="report", kinds={"html"}, owners=OWNERS,
    deps=["grade_projections"], check_specs=specs_for("batch_report", CHECKS),
)  # fmt: skip
# Dagster cannot read the annotation once it is parametrised
def batch_report(context: dg.AssetExecutionContext, deployment: DeploymentResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One self-contained HTML file with three views (overview, psychometrics, audit); the page over all batches anew.

    **Costs** nothing. It is written also when a gate is red; then it says which, and the grades are withheld.

    **When it is red:** `publishable` fails the run on purpose, so that no schedule takes withheld grades for done.
    Read the report, put right what the gate names, and materialise `grade_projections` and this again.
    """
    opened = deployment.open()
    evidence = gather_evidence(opened, context.partition_key)
    location = publish_report(opened, evidence)
    experiment = publish_experiment_of(opened, context.partition_key)
    return dg.MaterializeResult(
        metadata={
            "report": dg.MetadataValue.path(location),
            "all_batches": dg.MetadataValue.path(publish_index(opened)),
            **({"experiment": dg.MetadataValue.path(experiment)} if experiment else {}),
            "findings": len(evidence.findings),
            "red": sum(not finding.passed for finding in evidence.findings),
            "spent_usd": evidence.spent_usd,
            "batch_folder": dg.MetadataValue.path(str(opened.batch(context.partition_key).folder.resolve())),
        },
        check_results=list(results([evidence.findings[-1]])),
    )
