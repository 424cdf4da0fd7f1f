"""The parity checks of a profile's run as findings: one per case, both numbers of every figure side by side."""

from collections.abc import Callable, Mapping, Sequence

from cj_pipeline.eng5.profile_parity import PROFILE_PARITY
from cj_pipeline.eng5.readings import Figure, Reading, Relation, red, said
from cj_pipeline.eng5.run import ProfileRun
from cj_pipeline.eng5.scale_parity import scale
from cj_pipeline.eng5.semantics_parity import SEMANTICS_PARITY
from cj_pipeline.eng5.transport_parity import TRANSPORT_PARITY
from cj_pipeline.findings import Finding, Kind

ASSET = "batch_report"
PARITY: Mapping[str, Callable[[ProfileRun], list[Reading]]] = {
    **PROFILE_PARITY,
    **SEMANTICS_PARITY,
    **TRANSPORT_PARITY,
    "scale": scale,
}
NOT_A_PROFILE = "not a profile batch"
NOT_CLAIMED = "not claimed of this profile"


def check_name(case: str) -> str:
    """The name of a case's asset check."""
    return f"parity_{case}"


CHECKS = {check_name(case): (Kind.PARITY, f"{case}. {(claim.__doc__ or '').strip()}") for case, claim in PARITY.items()}


def parity_findings(run: ProfileRun) -> list[Finding]:
    """Every case, in the order of `CHECKS`; one that claims nothing of this profile is green and says so."""
    return [
        _finding(case, claim(run)) if case in run.profile.checks else _green(case, NOT_CLAIMED)
        for case, claim in PARITY.items()
    ]


def no_profile_findings() -> list[Finding]:
    """Of a batch that is none of the profiles: there is nothing to hold it against."""
    return [_green(case, NOT_A_PROFILE) for case in PARITY]


def _finding(case: str, readings: Sequence[Reading]) -> Finding:
    return Finding(ASSET, check_name(case), Kind.PARITY, not red(readings), said(readings), _side_by_side(readings))


def _green(case: str, why: str) -> Finding:
    return Finding(ASSET, check_name(case), Kind.PARITY, True, why)


def _side_by_side(readings: Sequence[Reading]) -> dict[str, Figure]:
    numbers: dict[str, Figure] = {}
    for reading in readings:
        numbers[reading.quantity] = reading.found
        numbers[f"{reading.quantity}_expected"] = reading.expected
        if reading.relation is Relation.NEAR:
            numbers[f"{reading.quantity}_allowance"] = reading.allowance
    return numbers
