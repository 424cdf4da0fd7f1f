"""The last claim about a batch: that its grades may leave the house."""

from collections.abc import Sequence

from cj_pipeline.findings import Finding, Kind, red_gates

CHECKS = {"publishable": (Kind.STRUCTURAL, "No gate that withholds grades is red, or a person overrode it in writing.")}


def publishable(findings: Sequence[Finding]) -> Finding:
    """Green when no gate stops the grades. Its kind is structural so that the run itself fails when it is red."""
    red = red_gates(findings)
    overridden = [finding.name for finding in findings if finding.overridden is not None]
    said = "; ".join(f"{finding.name}: {finding.summary}" for finding in red)
    summary = f"withheld: {said}" if red else "no gate is red"
    if overridden:
        summary += f" (overridden: {', '.join(overridden)})"
    return Finding(
        "batch_report",
        "publishable",
        Kind.STRUCTURAL,
        not red,
        summary,
        {"red_gates": len(red), "overridden": len(overridden)},
    )
