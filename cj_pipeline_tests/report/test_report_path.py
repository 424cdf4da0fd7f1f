"""A batch that was asked wave by wave shows its way: a picture, a table, and how it ended, in both languages."""

import pytest

from cj_pipeline.report.page import render_report
from cj_pipeline.report.words import catalogue
from cj_pipeline.waves.decision import TerminalLabel
from cj_pipeline_tests.report.evidence_factory import make_evidence
from cj_pipeline_tests.report.html_reading import read
from cj_pipeline_tests.report.paths import in_waves


def test_every_wave_has_its_row_with_change_error_and_reliability() -> None:
    html = render_report(in_waves())
    words = read(html).words
    assert 'id="path"' in html
    assert "asked in 3 waves" in words
    for figure in ("1.83", "1.10", "0.50", "0.41", "0.66", "0.77"):
        assert figure in words
    assert "After 3 waves the mean standard error is 0.66 logits" in html


def test_a_batch_of_one_wave_has_no_such_section() -> None:
    assert 'id="path"' not in render_report(make_evidence())


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize("label", list(TerminalLabel))
def test_every_ending_has_a_sentence(label: TerminalLabel, language: str) -> None:
    sentence = catalogue(language)(f"path.label.{label}")
    assert sentence in read(render_report(in_waves(str(label), language))).words
