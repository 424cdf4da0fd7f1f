"""What the Dagster UI shows of a batch: pictures small enough for an event, first rows without any text."""

import base64
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.report.pictures import (
    GLANCE_ROWS,
    LARGEST,
    MOST_ROWS,
    CostBar,
    JobSpan,
    Picture,
    ScoreBar,
    cost_picture,
    every_kth,
    score_picture,
    seat_picture,
    timeline_picture,
)
from cj_pipeline.report.previews import COLUMNS, ROWS, preview
from cj_pipeline.tables import CONTRACTS

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
UNDER_A_THOUSAND = 960  # with the markdown around it, what the UI shows of a text at once
finite = st.floats(-50, 50)
scores = st.lists(
    st.builds(ScoreBar, st.text(max_size=40), finite, st.floats(0, 20), st.booleans()), max_size=300
)  # fmt: skip


def drawn(address: str) -> ET.Element:
    head, _, body = address.partition(",")
    assert head == "data:image/svg+xml;base64"
    return ET.fromstring(base64.b64decode(body))


def words(picture: Picture) -> list[str]:
    return [text.text or "" for text in drawn(picture.large).iter("{http://www.w3.org/2000/svg}text")]


def marks(address: str, colour: str) -> list[str]:
    return [
        path.attrib["d"]
        for path in drawn(address).iter("{http://www.w3.org/2000/svg}path")
        if path.attrib["stroke"] == colour
    ]


@given(bars=scores)
def test_every_batch_gives_pictures_that_fit_an_event_and_the_page(bars: list[ScoreBar]) -> None:
    picture = score_picture(bars)
    assert len(picture.large) <= LARGEST
    assert len(picture.glance) <= UNDER_A_THOUSAND
    assert drawn(picture.glance).attrib["width"] == "300"
    assert drawn(picture.large).attrib["width"] == "640"


def test_a_school_of_a_thousand_essays_is_drawn_by_every_seventeenth() -> None:
    bars = [ScoreBar(f"pupil-with-a-long-name-{n:04d}", n / 100, 0.4, n % 9 == 0) for n in range(1000)]
    picture = score_picture(bars)
    assert len(picture.large) <= LARGEST
    assert len(picture.glance) <= UNDER_A_THOUSAND
    assert any("59 of 1000" in word for word in words(picture))
    assert len(every_kth(bars)) <= MOST_ROWS
    assert len(every_kth(range(1000), GLANCE_ROWS)) <= GLANCE_ROWS


def test_scores_stand_best_first_and_anchors_in_a_colour_of_their_own() -> None:
    picture = score_picture([ScoreBar("low", -1, 0.5, False), ScoreBar("high", 2, 0.5, True)])
    names = [word for word in words(picture) if word in {"low", "high"}]
    assert names == ["high", "low"]
    blue, orange = marks(picture.large, "#0a5c99"), marks(picture.large, "#b04a00")
    assert (len(blue), len(orange)) == (2, 2)  # an interval and a dot each
    assert [place.split()[1].split("H")[0] for place in (orange[0], blue[0])] == ["7.5", "22.5"]


def test_a_name_cannot_write_markup() -> None:
    assert "<script>&" in words(score_picture([ScoreBar("<script>&", 0, 1, False)]))


def test_booked_money_is_drawn_within_its_bound() -> None:
    picture = cost_picture([CostBar("luna", 4.0, 1.0), CostBar("sol", 2.0, 0.0)])
    assert marks(picture.large, "#a9cbe3") == ["M130 7.5H600", "M130 22.5H365"]
    assert marks(picture.large, "#0a5c99") == ["M130 7.5H247.5"]


def test_seats_are_counted_by_how_uneven_they_are() -> None:
    picture = seat_picture([2, 2, 3, 1], [2, 2, 2, 2])
    assert [word for word in words(picture) if word in {"-1", "even", "+1"}] == ["-1", "even", "+1"]
    assert marks(picture.large, "#0a5c99") == ["M130 7.5H365", "M130 22.5H600", "M130 37.5H365"]


def test_a_job_that_is_out_reaches_to_now() -> None:
    spans = [
        JobSpan("first", NOW - timedelta(hours=4), NOW - timedelta(hours=3), NOW - timedelta(hours=1)),
        JobSpan("second", NOW - timedelta(hours=4), NOW - timedelta(hours=2), None),
        JobSpan("third", NOW - timedelta(hours=2), None, None),
    ]
    picture = timeline_picture(spans, NOW)
    assert marks(picture.large, "#a9cbe3") == ["M130 7.5H247.5", "M130 22.5H365", "M365 37.5H600"]
    assert marks(picture.large, "#0a5c99") == ["M247.5 7.5H482.5"]
    assert marks(picture.large, "#b04a00") == ["M365 22.5H600"]
    assert any(word.startswith("hours since") for word in words(picture))


@pytest.mark.parametrize(
    "picture", [score_picture([]), cost_picture([]), seat_picture([], []), timeline_picture([], NOW)]
)
def test_nothing_to_draw_is_an_empty_picture(picture: Picture) -> None:
    assert len(picture.glance) <= UNDER_A_THOUSAND
    assert drawn(picture.large).attrib["width"] == "640"


def test_a_preview_names_its_columns_and_no_text_is_among_them() -> None:
    for name, columns in COLUMNS.items():
        assert set(columns) <= set(CONTRACTS[name].names)
        assert not {"text", "justification", "reason"} & set(columns)


def test_a_preview_is_a_few_rows_best_first() -> None:
    rows = 30
    table = pa.table(
        {
            "rank": list(range(rows, 0, -1)),
            "essay_id": [f"e{rank}|x" for rank in range(rows, 0, -1)],
            "score": [1 / 3] * rows,
            "standard_error": [None] * rows,
            "comparisons": [14] * rows,
            "wins": [7.0] * rows,
            "infit": [1.0] * rows,
        }
    )
    lines = preview("bradley_terry_scores", table).splitlines()
    assert lines[0].startswith("| rank | essay_id | score |")
    assert lines[2] == "| 1 | e1\\|x | 0.333 |  | 14 | 7 | 1 |"
    assert len(lines) == 2 + ROWS + 2
    assert lines[-1] == "… and 22 more rows"
