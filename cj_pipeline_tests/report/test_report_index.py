"""The page over all batches: what stands where, what it cost, what needs a person; links to the reports beside it."""

import re
from pathlib import Path

import pytest

from cj_pipeline.errors import BatchError
from cj_pipeline.report.index import errands, index_page, publish_index
from cj_pipeline.status import STATES
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.report.html_reading import read
from cj_pipeline_tests.report.indexes import MADE_AT, WAITING, line, some_page


def cells(html: str) -> str:
    """The words of a page, with a blank where one cell or paragraph ends and another begins."""
    apart = re.sub(r"</(td|th|p|li|h\d|b|span)>", " ", html)
    return " ".join(re.sub(r"<[^>]+>", "", apart).split())


def test_every_batch_has_a_row_with_its_state_its_jobs_and_its_money() -> None:
    words = cells(some_page("en"))
    for state in STATES:
        assert f"batch-{state.replace(' ', '-')} {state} 37 3 of 4 1.5000 0.2500" in words
    assert "18.41 USD spent and 3.25 USD reserved over 13 batches." in words


def test_what_needs_a_person_comes_first_with_the_next_step() -> None:
    words = cells(some_page("en"))
    first = words[: words.index("All batches")]
    for notice in WAITING:
        assert notice.sentence in first
        assert notice.next_step in first
    assert "broken batch-broken what holds batch-broken up next: cj run batch-broken" in first
    assert "spring-6a: 5 scripts to re-read" in first


def test_links_lead_to_the_reports_beside_it_and_nowhere_else() -> None:
    page = read(some_page("en"))
    assert page.values("href") == ["spring-6a.html#review", "spring-6a.html"]
    assert page.values("src") == []
    assert not re.search(r"url\(|@import|fetch\(|https?://", some_page("en"))


def test_where_nothing_waits_it_says_so() -> None:
    words = read(index_page([line("quiet", "graded", report=True)], (), MADE_AT, "en")).words
    assert "Nothing waits for a person." in words
    assert "There is no batch yet." in read(index_page([], (), MADE_AT, "en")).words


def test_the_page_is_swedish_where_the_batches_are() -> None:
    words = cells(some_page("sv"))
    assert "väntar på godkännande spring-5b" in words
    assert "18,41 USD förbrukat och 3,25 USD reserverat över 13 omgångar." in words
    assert "spring-6a: 5 uppsatser att läsa om" in words


def test_a_hostile_name_is_shown_and_not_obeyed() -> None:
    hostile = line("<script>alert(1)</script>", "broken")
    page = read(index_page([hostile], (), MADE_AT, "en"))
    assert page.tags.count("script") == 1
    assert "<script>alert(1)</script>" in page.words


def test_the_page_lies_beside_the_reports_and_tells_of_a_batch_that_cannot_be_read(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    (small_batch(installation.batches / "wrong") / "essays.csv").write_text("nothing here", "utf-8")
    location = Path(publish_index(installation.deployment))
    assert location == installation.folder / "store/reports/index.html"
    words = cells(location.read_text("utf-8"))
    assert "small new 6" in words
    assert "cj plan small" in words
    assert "broken wrong" in words[: words.index("All batches")]


def test_a_batch_cannot_take_the_name_of_the_page(installation: Installation) -> None:
    small_batch(installation.batches / "index")
    with pytest.raises(BatchError, match="the page over all batches has this name; rename the folder"):
        installation.deployment.batch("index")


def test_a_batch_that_a_notice_is_about_is_not_told_twice() -> None:
    lines = [line("spring-5b", "approval wanted"), line("autumn-9a", "withheld"), line("winter", "uncertain")]
    told = [(errand.about, errand.matter) for errand in errands(lines, WAITING)]
    assert told == [
        ("spring-5b", "approval wanted"),
        ("openai/default", "account on hold"),
        ("autumn-9a", "gate red"),
        ("winter", "uncertain"),
    ]
