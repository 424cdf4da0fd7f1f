from dataclasses import replace

import pytest

from cj_pipeline.errors import StructuralFault
from cj_pipeline.findings import Finding, Kind, red_gates, refuse_structural, with_overrides

GATE = Finding("judgments", "success_rate", Kind.GATE, False, "3 of 9 have a verdict")
GREEN = replace(GATE, name="one_model", passed=True)
ADVICE = Finding("essays", "texts_differ", Kind.ADVICE, False, "1 text stands twice")
FAULT = Finding("comparison_pairs", "pairs_unique", Kind.STRUCTURAL, False, "8 different of 9")
SECOND_FAULT = replace(FAULT, name="connected", summary="2 connected parts")
ALL = [ADVICE, GATE, GREEN, FAULT]


def test_only_a_red_gate_stops_grades() -> None:
    assert [finding.name for finding in ALL if finding.stops_grades] == ["success_rate"]
    assert red_gates([GREEN, GATE, replace(GATE, name="b")]) == [GATE, replace(GATE, name="b")]


def test_a_person_overrides_a_red_gate_by_name_and_the_reason_is_kept() -> None:
    overridden = with_overrides(ALL, {"success_rate": "Known outage; the rest was read by hand."})
    assert red_gates(overridden) == []
    assert [finding.overridden for finding in overridden] == [
        None,
        "Known outage; the rest was read by hand.",
        None,
        None,
    ]
    assert not overridden[1].passed  # it stays red and is shown as such


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_no_reason_is_no_override(reason: str) -> None:
    assert with_overrides(ALL, {"success_rate": reason}) == ALL


def test_nothing_but_a_red_gate_can_be_overridden() -> None:
    assert with_overrides(ALL, {"texts_differ": "x", "pairs_unique": "x", "one_model": "x", "other": "x"}) == ALL


def test_a_structural_fault_is_refused_with_all_its_reasons() -> None:
    with pytest.raises(StructuralFault) as refusal:
        refuse_structural("spring", [ADVICE, FAULT, SECOND_FAULT])
    assert str(refusal.value) == (
        "batch spring, comparison_pairs: pairs_unique: 8 different of 9; connected: 2 connected parts. "
        "Nothing was written."
    )


def test_advice_and_gates_never_stop_a_table() -> None:
    refuse_structural("spring", [ADVICE, GATE, GREEN, replace(FAULT, passed=True)])
    refuse_structural("spring", [])
