"""The drawings: inside their frame, readable as text, told apart without colour."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cj_pipeline.report
from cj_pipeline.report.charts import (
    WIDE,
    Preference,
    anchor_chart,
    axis_over,
    grade_bars,
    preference_chart,
    ranking_chart,
    review_chart,
    seat_chart,
    told_apart,
)
from cj_pipeline.report.figures import anchor_figures, essay_figures
from cj_pipeline_tests.report.evidence_factory import LABELS, make_evidence

STYLE = (Path(cj_pipeline.report.__file__).parent / "templates" / "report.css").read_text()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_an_axis_holds_all_its_values_and_its_ticks_are_even(values: list[float]) -> None:
    axis = axis_over(values)
    assert axis.low <= min(values) + 1e-6
    assert axis.high >= max(values) - 1e-6
    assert axis.ticks[0] == pytest.approx(axis.low)
    assert axis.ticks[-1] == pytest.approx(axis.high)
    assert all(0 <= axis.at(value) <= WIDE for value in values)
    assert 2 <= len(axis.ticks) <= 9


def drawings(essays: int = 20) -> dict[str, str]:
    evidence = make_evidence(pupils=essays, anchors=6, name=lambda index: f"<&\"{index}'")
    rows = [row for row in essay_figures(evidence) if row.score is not None]
    words = {"text": 'says "it" <all>', "x_label": "across"}
    return {
        "ranking": ranking_chart(rows, cuts=[-2, -1, 0, 1, 2], labels=LABELS, **words),
        "anchors": anchor_chart(anchor_figures(evidence), labels=LABELS, **words),
        "review": review_chart([3.0, 2.0, 1.2, 0.4, 0.0], 1, y_label="up", **words),
        "preference": preference_chart([Preference("luna", 0.2, 0.1)], **words),
        "seats": seat_chart([0, 0, 1, -1, 2, 14], y_label="up", **words),
    }


@pytest.mark.parametrize("name", ["ranking", "anchors", "review", "preference", "seats"])
def test_a_chart_is_well_formed_has_a_text_alternative_and_names_its_axis(name: str) -> None:
    chart = ElementTree.fromstring(drawings()[name])
    assert chart.attrib["role"] == "img"
    assert chart.attrib["aria-label"] == 'says "it" <all>'
    letters = [element.text for element in chart.iter("text")]
    assert "across" in letters
    assert "up" in letters or name not in ("review", "seats")


@pytest.mark.parametrize("name", ["ranking", "anchors", "review", "preference", "seats"])
def test_every_mark_lies_inside_the_plot(name: str) -> None:
    chart = ElementTree.fromstring(drawings()[name])
    plot = chart.find("svg")
    assert plot is not None
    height = float(plot.attrib["viewBox"].split()[3])
    for path in plot.iter("path"):
        for x, y in re.findall(r"M([-\d.e]+) ([-\d.e]+)", path.attrib["d"]):
            assert 0 <= float(x) <= WIDE
            assert 0 <= float(y) <= height


def test_a_thousand_essays_fit_one_printed_page_and_60_kB() -> None:
    drawing = drawings(994)["ranking"]
    assert float(ElementTree.fromstring(drawing).attrib["height"]) < 950
    assert len(drawing) < 60_000


def test_anchors_differ_from_pupils_in_shape_and_not_only_in_colour() -> None:
    chart = ElementTree.fromstring(drawings()["ranking"])
    dots = {
        path.attrib["class"]: path.attrib["d"].count("M")
        for path in chart.iter("path")
        if "dot" in path.attrib["class"]
    }
    assert dots == {"dot": 19, "dot square": 6}
    assert re.search(r"\.dot \{[^}]*linecap: round", STYLE)
    assert re.search(r"\.square \{[^}]*linecap: square", STYLE)


def test_grade_bars_are_as_tall_as_probable_and_pale_outside_the_range() -> None:
    chart = ElementTree.fromstring(grade_bars([0.1, 0.6, 0.3, 0.0], (1, 2), "E 10 %"))
    tall = {
        path.attrib["class"]: [float(rise) for rise in re.findall(r"v-([\d.]+)", path.attrib["d"])]
        for path in chart.iter("path")
    }
    assert tall["solid"][0] == pytest.approx(2 * tall["solid"][1], rel=0.03)
    assert tall["solid"][0] == pytest.approx(6 * tall["pale"][0], rel=0.03)
    assert chart.attrib["aria-label"] == "E 10 %"


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["kim", "lo"], ["kim", "lo"]),
        (["DE_1023_0001400", "DE_1023_0001401"], ["…23_0001400", "…23_0001401"]),
        (["a" * 30 + "1", "b" * 30 + "2"], ["aaaaa…aaaa1", "bbbbb…bbbb2"]),
        (["pupil_with_a_long_name"], ["pupil…_name"]),
    ],
)
def test_long_names_keep_what_tells_them_apart(names: list[str], shown: list[str]) -> None:
    assert told_apart(names) == shown


def colours(scheme: str) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    light = dict(re.findall(r"--(\w[\w-]*): (#[0-9a-f]{6})", blocks[0]))
    return light if scheme == "light" else {**light, **dict(re.findall(r"--(\w[\w-]*): (#[0-9a-f]{6})", blocks[1]))}


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.2, definition of relative luminance)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("role", ["ink", "soft", "accent", "second", "alarm", "warn", "good"])
def test_letters_stand_out_from_the_paper_in_both_schemes(scheme: str, role: str) -> None:
    palette = colours(scheme)
    assert contrast(palette[role], palette["paper"]) >= 4.5  # WCAG 2.2, 1.4.3 (AA)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_warning_is_readable_on_its_own_ground(scheme: str) -> None:
    palette = colours(scheme)
    assert contrast(palette["alarm"], palette["alarm-wash"]) >= 4.5
    assert contrast(palette["ink"], palette["alarm-wash"]) >= 7
