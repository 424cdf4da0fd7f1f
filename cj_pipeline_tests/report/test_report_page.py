"""The HTML report as a head teacher, an examiner and a hostile pupil meet it."""

import base64
import hashlib
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cj_pipeline.findings import Finding, Kind
from cj_pipeline.report.page import render_report
from cj_pipeline_tests.report.evidence_factory import (
    FINDINGS,
    GATE,
    LABELS,
    LUNA,
    NO_ANCHORS,
    OFFLINE,
    SENTENCE,
    TERRA,
    make_evidence,
    with_table,
)
from cj_pipeline_tests.report.html_reading import read

WITHHELD = f"{GATE.name}: {GATE.summary}"
SITUATIONS: dict[str, dict[str, Any]] = {
    "graded": {},
    "offline": {"judges": (OFFLINE,)},
    "panel": {"judges": (LUNA, TERRA)},
    "withheld": {"findings": (*FINDINGS, GATE), "withheld": WITHHELD},
    "no anchors": {"anchors": 0},
    "nothing answered": {"answered": False},
    "two essays": {"pupils": 2, "anchors": 0, "ungraded": 0},
    "anchors only": {"pupils": 0, "ungraded": 0},
    "two sets": {"components": 2},
    "nobody graded but anchors": {"pupils": 3, "ungraded": 3},
    "no findings": {"findings": ()},
}


@pytest.mark.parametrize("with_texts", [True, False])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_situation_gives_a_sound_page_that_asks_for_nothing(situation: str, with_texts: bool) -> None:
    html = render_report(make_evidence(**SITUATIONS[situation]), with_texts=with_texts)
    page = read(html)
    assert page.values("src") == []
    assert all(link.startswith("#") for link in page.values("href"))
    assert {link[1:] for link in page.values("href")} <= set(page.values("id"))
    assert len(page.values("id")) == len(set(page.values("id")))
    assert not {"link", "img", "iframe", "object", "embed", "form", "base"} & set(page.tags)
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest|sendBeacon|WebSocket|EventSource", html)
    assert not [name for _, name, _ in page.attributes if name == "style" or name.startswith("on")]
    assert not re.search(r"\b(None|nan|inf|True|False|undefined)\b", page.words)


def test_the_policy_allows_only_the_style_and_script_of_the_page() -> None:
    page = read(render_report(make_evidence()))
    policy = next(value for value in page.values("content") if "default-src" in value)
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        digest = hashlib.sha256("".join(page.contents[tag]).encode()).digest()
        assert f"{directive} 'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_an_offline_judge_is_named_before_anything_else_and_on_every_printed_page() -> None:
    html = render_report(make_evidence(judges=(OFFLINE,), title="Demo"))
    page = read(html)
    headline = page.words[: page.words.index("How far can this be trusted")]
    assert "no exam may rest on this report" in headline
    assert "The judge lexical is an offline baseline" in headline
    footer = re.search(r'@bottom-left \{ content: "((?:\\[0-9a-f]{6})*)"', html)
    assert footer
    printed = "".join(chr(int(code, 16)) for code in footer[1].split("\\")[1:])
    assert "no exam may rest on this report" in printed


def test_a_judge_of_essays_is_not_called_a_baseline() -> None:
    page = read(render_report(make_evidence(judges=(LUNA, TERRA))))
    assert "baseline" not in page.words


def test_one_offline_judge_in_a_panel_is_enough_for_the_warning() -> None:
    page = read(render_report(make_evidence(judges=(LUNA, OFFLINE))))
    assert "The judge lexical is an offline baseline" in page.words


def test_withheld_grades_are_nowhere_and_the_gate_and_its_reason_stand_in_the_headline() -> None:
    page = read(render_report(make_evidence(findings=(*FINDINGS, GATE), withheld=WITHHELD)))
    assert f"Grades are withheld by the check “anchors in order”: {GATE.summary}" in page.words
    assert "bars" not in page.values("class")
    assert "cut" not in page.values("class")
    assert "grade probabilities" not in page.words
    assert GATE.summary in page.words


def test_scores_without_grades_say_why() -> None:
    page = read(render_report(make_evidence(anchors=0)))
    assert f"Scores without grades: {NO_ANCHORS}" in page.words
    assert "Nothing in this batch itself shows whether the judge is right" in page.words


def test_a_batch_with_anchors_only_says_so() -> None:
    page = read(render_report(make_evidence(pupils=0, ungraded=0)))
    assert "This batch holds anchors only" in page.words


def test_page_one_counts_the_anchors_that_were_graded_right_without_their_label() -> None:
    evidence = make_evidence()
    rows = evidence.tables["anchor_projections"].to_pylist()
    distances = [abs(LABELS.index(row["grade"]) - LABELS.index(row["projected_grade"])) for row in rows]
    exact, adjacent = distances.count(0), sum(distance <= 1 for distance in distances)
    page = read(render_report(evidence))
    assert (
        f"The 12 anchors, each graded as if its grade were unknown: {exact} exactly right, "
        f"{adjacent} within one grade." in page.words
    )


def test_the_review_sentence_states_what_re_reading_a_fifth_prevents() -> None:
    evidence = make_evidence(pupils=20, ungraded=0)
    pupils = [row for row in evidence.tables["grade_projections"].to_pylist() if not row["is_anchor"]]
    wrong = [1 - row["p_exact"] for row in sorted(pupils, key=lambda row: -row["review_priority"])]
    expected = (
        f"({4} scripts), the expected number of wrong grades falls from {sum(wrong):.1f} to {sum(wrong[4:]):.1f} of 20."
    )
    assert expected in read(render_report(evidence)).words


def test_an_ungraded_script_is_listed_with_its_reason() -> None:
    page = read(render_report(make_evidence(ungraded=2)))
    assert "2 scripts have no grade and need a person in any case." in page.words
    assert page.words.count("2 answered comparisons, 8 are needed") == 2


def test_a_script_that_fits_nowhere_is_marked_for_reading() -> None:
    page = read(render_report(make_evidence(anchors=0)))
    assert "verdicts about it do not fit its place in the ranking (infit 2.31)" in page.words
    assert "misfit 2.31" in page.words


def test_agreement_with_known_grades_is_stated_for_pupils_only() -> None:
    page = read(render_report(make_evidence(pupils=25, ungraded=1)))
    assert "24 pupils’ essays have a known grade from elsewhere." in page.words
    unknown = with_table(make_evidence(), "essays", lambda row: {**row, "known_grade": None})
    assert "known grade from elsewhere" not in read(render_report(unknown)).words


def test_sets_that_never_met_are_shown_apart() -> None:
    page = read(render_report(make_evidence(components=3)))
    assert "The comparisons fall into 3 sets that were never compared with each other." in page.words
    assert "Scores with their uncertainty, best first: set 3 of 3" in page.words


def test_an_essay_that_met_nobody_has_a_row_but_no_drawing_of_its_own() -> None:
    page = read(render_report(make_evidence(pupils=4, anchors=0, ungraded=0, components=3)))
    assert "The comparisons fall into 3 sets" in page.words
    assert page.words.count("Scores with their uncertainty, best first") == 1
    assert all(f"elev_{number:04d}" in page.words for number in range(1, 5))


def test_the_range_is_called_one_under_its_judges() -> None:
    assert "range under this judge, 80 %" in read(render_report(make_evidence())).words
    assert "range under these judges, 80 %" in read(render_report(make_evidence(judges=(LUNA, TERRA)))).words


def test_neither_self_reported_confidence_nor_the_word_high_is_shown() -> None:
    words = read(render_report(make_evidence())).words.lower()
    assert not re.search(r"\bhigh(er|ly)?\b|\bconfiden(ce|t)\b", words)


def test_red_checks_come_first_and_an_override_carries_its_reason() -> None:
    spared = replace(GATE, name="ungraded_share", summary="Too many ungraded.", overridden="Two left early. K. Lind")
    page = read(render_report(make_evidence(findings=(*FINDINGS, spared, GATE))))
    places = [page.words.index(said) for said in (GATE.summary, spared.summary, "6 of 17 mirrored", "All essay ids")]
    assert places == sorted(places)
    assert "Two left early. K. Lind" in page.words
    assert "A red check was overridden by a person: “ungraded share”" in page.words


def test_order_effect_and_flips_are_told_in_words_with_their_interval() -> None:
    words = read(render_report(make_evidence())).words
    assert (
        "Of two equally good essays, luna prefers the one shown first in 55 % of cases (95 % interval 49 % to 61 %)"
    ) in words
    assert "Asked 17 pairs again with the seats exchanged, it named the other essay in 35 %" in words
    assert "3 comparisons have no verdict: invalid verdict (3)." in words


def test_money_and_provenance_can_be_followed_up() -> None:
    evidence = make_evidence()
    words = read(render_report(evidence)).words
    for part in (
        "0.41 USD spent",
        "cap of this batch is 5.00 USD",
        "Approved by kim on 2026-05-21",
        "genai-prices 0.2.3",
    ):
        assert part in words
    for part in (
        evidence.revision,
        "numpy 2.4.0",
        "genai-prices 0.2.3",
        evidence.prompt,
        evidence.assignment,
        "296 distinct over 296",
    ):
        assert part in words


def test_without_texts_no_word_of_a_pupil_is_in_the_file() -> None:
    words = [f"hemlighet{index:03d}" for index in range(37)]
    evidence = make_evidence(texts=lambda index: words[index])
    full, bare = render_report(evidence), render_report(evidence, with_texts=False)
    assert all(word in full for word in words)
    assert "hemlighet" not in bare
    assert "JUSTIFICATION" not in full + bare


def test_a_class_fits_in_400_kB_and_a_thousand_essays_in_two_and_a_half_megabytes() -> None:
    assert len(render_report(make_evidence(texts=lambda _: SENTENCE * 25)).encode()) < 400_000
    school = make_evidence(pupils=960, anchors=40, texts=lambda _: SENTENCE * 10)
    assert len(render_report(school, with_texts=False).encode()) < 1_000_000
    assert len(render_report(school).encode()) < 2_500_000


def test_ten_thousand_words_are_shown_in_full() -> None:
    long = " ".join(f"ord{index}" for index in range(10_000))
    assert long in render_report(make_evidence(texts=lambda _: long, pupils=2, anchors=3))


def test_a_batch_that_stopped_early_still_has_a_page() -> None:
    evidence = make_evidence()
    early = replace(evidence, tables={"essays": evidence.tables["essays"]})
    assert "No comparison has been answered" in read(render_report(early)).words


def test_numbers_that_are_not_finite_are_shown_as_missing() -> None:
    def spoil(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "standard_error": float("inf"), "infit": float("nan")}

    page = read(render_report(with_table(make_evidence(), "bradley_terry_scores", spoil)))
    assert not re.search(r"\b(nan|inf)\b", page.words)


HOSTILE = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from(list("<>&\"'{}%/\u202e\u2066\x00\x1b ]")))
) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</pre></details></main><img src=x onerror=alert(1)>",
        "{{ 7 * 7 }}{% include 'x' %}",
        "]]>--><!--",
        '" onmouseover="alert(1)',
        "مرحبا بالعالم",
        "👩‍👩‍👧‍👦🏳️‍🌈",
    ]
)


@settings(max_examples=60, deadline=None)
@given(text=HOSTILE, name=HOSTILE, title=HOSTILE, reason=HOSTILE)
def test_nothing_a_person_writes_can_change_the_structure_of_the_page(
    text: str, name: str, title: str, reason: str
) -> None:
    def rendered(text: str, name: str, title: str, reason: str) -> list[str]:
        finding = Finding("grade_projections", "gate", Kind.GATE, False, reason, {"share": reason}, overridden=reason)
        evidence = make_evidence(
            pupils=3,
            anchors=3,
            ungraded=0,
            texts=lambda _: text,
            name=lambda index: f"{name}{index}",
            title=f"{title}.",
            findings=(finding,),
        )
        written = replace(evidence, assignment=f".{text}", rubric=f".{text}", prompt=f".{text}")
        return read(render_report(written)).tags

    assert rendered(text, name, title, reason) == rendered("a", "b", "c", "d")


def test_a_hostile_text_is_shown_as_it_was_written() -> None:
    attack = "</div></details><script>alert(1)</script> {{ 7*7 }} ]]> &amp; 'x' \"y\""
    page = read(render_report(make_evidence(texts=lambda _: attack, name=lambda index: f"<b>{index}</b>")))
    assert page.tags.count("script") == 1
    assert attack in page.words
    assert "<b>3</b>" in page.words
