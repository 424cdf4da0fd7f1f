"""One catalogue holds every word, so that another language is one more mapping."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import cj_pipeline.report
from cj_pipeline.report import words
from cj_pipeline.report.page import render_report
from cj_pipeline.report.words import ENGLISH, catalogue
from cj_pipeline_tests.report.evidence_factory import make_evidence
from cj_pipeline_tests.report.html_reading import read

HERE = Path(cj_pipeline.report.__file__).parent
TEMPLATES = sorted(HERE.glob("templates/**/*.html"))
SOURCES = {path: path.read_text() for path in [*TEMPLATES, *HERE.glob("*.py")] if path.name != "words.py"}


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
    assert set(ENGLISH.sentences) - exact - reached - plural - titles == set()
    assert plural <= set(ENGLISH.sentences)


def test_a_language_without_a_catalogue_is_told_in_english() -> None:
    assert catalogue("sv") is ENGLISH
    assert 'lang="en"' in render_report(replace(make_evidence(), language="sv"))


def test_another_catalogue_changes_words_and_numbers_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = replace(make_evidence(), language="sv")
    plain = read(render_report(evidence))
    swedish = replace(ENGLISH, language="sv", decimal_mark=",")
    monkeypatch.setattr(words, "CATALOGUES", {"sv": swedish})
    page = read(render_report(evidence))
    assert page.tags == plain.tags
    assert "0,86" in page.words
    assert "0.86" not in page.words


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
        (ENGLISH.count("review.scripts", 1), "1 script"),
        (ENGLISH.count("review.scripts", 0), "0 scripts"),
    ],
)
def test_numbers_are_written_for_readers(written: str, expected: str) -> None:
    assert written == expected


def test_braces_in_a_name_are_no_placeholder() -> None:
    assert ENGLISH("batch", batch="{t} {0}") == "batch {t} {0}"
