"""One catalogue holds every word, so that another language is one more mapping."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import cj_pipeline.report
from cj_pipeline.batch.manifest import BatchSection
from cj_pipeline.grading.findings import CHECKS as GRADE_CHECKS
from cj_pipeline.judging.findings import CHECKS as JUDGMENT_CHECKS
from cj_pipeline.judging.outcome import ErrorCode
from cj_pipeline.notices import Matter
from cj_pipeline.report.page import render_report
from cj_pipeline.report.reasons import told
from cj_pipeline.report.views import VIEWS
from cj_pipeline.report.words import CATALOGUES, ENGLISH, SWEDISH, catalogue
from cj_pipeline.status import STATES
from cj_pipeline_tests.installation import REPO
from cj_pipeline_tests.report.evidence_factory import GATE, LUNA, OFFLINE, TERRA, make_evidence
from cj_pipeline_tests.report.html_reading import read
from cj_pipeline_tests.report.panels import with_panel

HERE = Path(cj_pipeline.report.__file__).parent
TEMPLATES = sorted(HERE.glob("templates/**/*.html"))
SOURCES = {
    path: path.read_text() for path in [*TEMPLATES, *HERE.rglob("*.py")] if path.stem not in {"english", "swedish"}
}
REASONS_STAND_IN = ("judging/findings.py", "grading/projection.py", "grading/grade_projections.py")
# without findings: what they say stays English, and the page says so
SITUATIONS = {
    "panel": with_panel(),
    "offline": make_evidence(judges=(OFFLINE,), ungraded=2),
    "two judges": make_evidence(judges=(LUNA, TERRA), components=2),
    "withheld": make_evidence(findings=(GATE,), withheld="anchors_in_order: tau"),
    "no anchors": make_evidence(anchors=0, ungraded=0),
    "nothing answered": make_evidence(answered=False),
    "many": make_evidence(pupils=80, anchors=20),
}


def test_templates_hold_no_word_of_their_own() -> None:
    for path in TEMPLATES:
        bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^<>]*>|&\w+;", "", SOURCES[path], flags=re.DOTALL)
        assert not re.search(r"[^\W\d_]", re.sub(r"<[^<>]*>", "", bare)), path.name


def test_every_sentence_is_used_and_every_used_key_has_a_sentence() -> None:
    everything = "\n".join(SOURCES.values())
    asked = set(re.findall(r"""["']([a-z]+(?:\.[a-z0-9_]+)+)["']""", everything))
    families = set(re.findall(r"""["']([a-z.]+\.)["'] ?~""", everything))
    counted = set(re.findall(r"""t\.count\(\s*"([a-z.]+)\"""", everything))
    exact = {key for key in ENGLISH.sentences if key in asked or f'"{key}"' in everything}
    reached = {key for key in ENGLISH.sentences if any(key.startswith(family) for family in families)}
    plural = {f"{key}.{form}" for key in counted for form in ("one", "other")}
    titles = {key for key in ENGLISH.sentences if key.endswith(".title")}  # the contents ask by section
    titles |= {f"{view}.for" for view in VIEWS}
    assert set(ENGLISH.sentences) - exact - reached - plural - titles == set()
    assert plural <= set(ENGLISH.sentences)


def test_every_key_exists_in_every_language_with_the_same_figures() -> None:
    def figures(sentence: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(sentence) if name}

    assert set(CATALOGUES) == {"en", "sv"} == set(get_args(BatchSection.model_fields["language"].annotation))
    for other in CATALOGUES.values():
        assert list(other.sentences) == list(ENGLISH.sentences)
        for key, sentence in ENGLISH.sentences.items():
            assert figures(other.sentences[key]) == figures(sentence), key


def test_a_language_without_a_catalogue_is_told_in_english() -> None:
    assert catalogue("fi") is ENGLISH
    assert 'lang="en"' in render_report(replace(make_evidence(), language="fi"))


@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_english_sentence_reaches_a_swedish_page(situation: str) -> None:
    evidence = SITUATIONS[situation]
    gates = [replace(finding, summary="tau 0.31") for finding in evidence.findings if finding is GATE]
    html = render_report(replace(evidence, language="sv", findings=gates))
    page = read(html)
    labels = " ".join(page.values("aria-label") + page.values("data-label"))
    said = f"{page.words} {labels}".replace("\u00a0", " ")
    assert 'lang="sv"' in html
    assert [part for part in english_parts() if re.search(rf"(?<!\w){re.escape(part)}(?!\w)", said)] == []


def english_parts() -> list[str]:
    """What stands between the figures of the English sentences, where it is long enough to be told from Swedish."""
    swedish = " ".join(SWEDISH.sentences.values())
    parts = {part.strip(" .,:;()") for text in ENGLISH.sentences.values() for part in re.split(r"\{\w*\}", text)}
    return [part for part in parts if len(part) >= 6 and part not in swedish]


def test_the_check_for_english_would_find_it() -> None:
    said = read(render_report(make_evidence())).words
    assert len([part for part in english_parts() if part in said]) > 100


def test_a_swedish_page_writes_numbers_as_swedes_do() -> None:
    page = read(render_report(replace(make_evidence(), language="sv")))
    figures = " ".join(re.findall(r"\S*\d\S*", page.words[: page.words.index("Kontroller")]))
    assert "0,86" in figures
    assert not re.search(r"\b\d+\.\d", figures)


def test_codes_that_a_person_can_meet_have_a_swedish_name() -> None:
    gates = [name for checks in (JUDGMENT_CHECKS, GRADE_CHECKS) for name, (kind, _) in checks.items() if kind == "gate"]
    jobs = ["scheduled", "running", "completed", "failed", "expired", "cancelled", "unknown"]
    codes = {*gates, *jobs, *ErrorCode, *STATES, *Matter}
    assert sorted(code for code in codes if code not in SWEDISH.codes) == []
    assert ENGLISH.code("invalid_verdict") == "invalid verdict"


@pytest.mark.parametrize(
    ("reason", "swedish"),
    [
        ("B1 50%, A2 40% probable", "B1 50 %, A2 40 % sannolikt"),
        (
            "B1 50%, A2 40% probable; judged inconsistently (infit 2.3)",
            "B1 50 %, A2 40 % sannolikt; omdömena om den går isär (infit 2,3)",
        ),
        ("3 of 14 comparisons answered, 7 are needed", "3 av 14 jämförelser besvarades, 7 behövs"),
        ("the judge refused 9 of its 14 comparisons", "bedömaren vägrade i 9 av dess 14 jämförelser"),
        ("the batch names no scale", "omgången anger ingen betygsskala"),
        (
            "there are 2 usable anchors; at least 3 are needed",
            "det finns 2 användbara ankaruppsatser; minst 3 behövs",
        ),
        (
            "its group of linked essays has anchors of 1 grade only; at least 2 are needed",
            "dess delmängd av sammanlänkade uppsatser har ankaruppsatser med bara 1 betyg; minst 2 behövs",
        ),
        ("withheld. anchors_in_order: tau 0.31", "hålls inne. anchors_in_order: tau 0.31"),
        ("what {nobody} knows", "what {nobody} knows"),
    ],
)
def test_reasons_are_told_in_the_language_of_the_report(reason: str, swedish: str) -> None:
    assert told(reason, "sv") == swedish
    assert told(reason, "en") == reason


def test_the_reasons_that_are_told_are_those_the_stages_give() -> None:
    stages = REPO / "cj_pipeline"
    written = "".join((stages / name).read_text("utf-8") for name in REASONS_STAND_IN)
    for part in ("comparisons answered, ", "the judge refused ", " probable", "judged inconsistently (infit "):
        assert part in written
    for part in ("no comparisons", " usable anchors; at least ", " grade only; at least ", "the batch names no scale"):
        assert part in written
    for part in ("its group of linked essays has ", "there are no anchors, so scores cannot be tied to grades"):
        assert part in written


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (ENGLISH.number(-0.001), "0.00"),
        (ENGLISH.number(-1.5), "−1.50"),
        (ENGLISH.number(None), "–"),
        (ENGLISH.number(float("nan")), "–"),
        (ENGLISH.whole(14_000), "14\u202f000"),
        (ENGLISH.percent(0.0), "0\u00a0%"),
        (ENGLISH.percent(0.004), "<\u00a01\u00a0%"),
        (ENGLISH.percent(0.9999), ">\u00a099\u00a0%"),
        (ENGLISH.percent(1.0), "100\u00a0%"),
        (ENGLISH.usd(0.0), "0.00\u00a0USD"),
        (ENGLISH.usd(0.0042), "0.0042\u00a0USD"),
        (ENGLISH.usd(12.5), "12.50\u00a0USD"),
        (ENGLISH.moment(datetime(2026, 5, 22, 14, 5, tzinfo=UTC)), "2026-05-22 14:05\u00a0UTC"),
        (SWEDISH.number(-1234.5), "−1\u202f234,50"),
        (SWEDISH.usd(0.0042), "0,0042\u00a0USD"),
        (SWEDISH.moment(datetime(2026, 5, 22, 14, 5, tzinfo=UTC)), "2026-05-22 kl. 14.05\u00a0UTC"),
        (SWEDISH.percent(0.535), "54\u00a0%"),
        (ENGLISH.count("review.scripts", 1), "1 script"),
        (ENGLISH.count("review.scripts", 0), "0 scripts"),
    ],
)
def test_numbers_are_written_for_readers(written: str, expected: str) -> None:
    assert written == expected


def test_braces_in_a_name_are_no_placeholder() -> None:
    assert ENGLISH("batch", batch="{t} {0}") == "batch {t} {0}"
