"""From a stage's findings to Dagster's asset checks: one check per claim, one status per batch."""

from collections.abc import Iterable, Iterator, Mapping

import dagster as dg

from cj_pipeline.defs.partitions import batches
from cj_pipeline.findings import Finding, Kind

Claims = Mapping[str, tuple[Kind, str]]


def specs_for(asset: str, claims: Claims) -> list[dg.AssetCheckSpec]:
    """The checks of an asset: structural claims stop what comes after, parity fails the run, the others let it go."""
    return [
        dg.AssetCheckSpec(
            name=name,
            asset=asset,
            description=sentence,
            blocking=kind in {Kind.STRUCTURAL, Kind.PARITY},
            partitions_def=batches,
        )
        for name, (kind, sentence) in claims.items()
    ]


def results(findings: Iterable[Finding]) -> Iterator[dg.AssetCheckResult]:
    """Findings as check results, with their numbers beside them."""
    for finding in findings:
        advice = finding.kind is Kind.ADVICE or finding.overridden is not None
        numbers = dict(finding.numbers)
        if finding.overridden is not None:
            numbers["overridden"] = finding.overridden
        yield dg.AssetCheckResult(
            asset_key=finding.asset,
            check_name=finding.name,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity.WARN if advice else dg.AssetCheckSeverity.ERROR,
            description=finding.summary,
            metadata=numbers,
        )
