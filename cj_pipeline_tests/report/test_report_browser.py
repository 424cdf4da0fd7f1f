"""The report and the page over all batches in a real Chromium: quiet, alone, readable, on every screen and on paper."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from cj_pipeline.report.page import render_report
from cj_pipeline.report.views import VIEWS
from cj_pipeline_tests.report.browser import DESKTOP, FAINT_LETTERS, PHONE, chromium, opened
from cj_pipeline_tests.report.evidence_factory import FINDINGS, GATE, OFFLINE, make_evidence
from cj_pipeline_tests.report.indexes import some_page
from cj_pipeline_tests.report.panels import with_panel
from cj_pipeline_tests.report.paths import in_waves

pytestmark = pytest.mark.heavy

LANGUAGES = ("en", "sv")
PAGES = {
    "panel": with_panel(),
    "waves": in_waves(),
    "offline": make_evidence(judges=(OFFLINE,), ungraded=2),
    "withheld": make_evidence(findings=(*FINDINGS, GATE), withheld=f"{GATE.name}: {GATE.summary}"),
    "school": make_evidence(pupils=200, anchors=20, name=lambda index: f"elev_{index:04d}_" + "w" * 60),
}
VIEW_OF = {section: view for view, sections in VIEWS.items() for section in sections}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every page in both languages, as `NAME-LANGUAGE.html`."""
    folder = tmp_path_factory.mktemp("pages")
    for language in LANGUAGES:
        for name, evidence in PAGES.items():
            (folder / f"{name}-{language}.html").write_text(render_report(replace(evidence, language=language)))
        (folder / f"index-{language}.html").write_text(some_page(language))
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_every_view_is_quiet_alone_and_readable(
    browser: Browser, folder: Path, name: str, language: str, size: tuple[int, int], dark: bool
) -> None:
    file = folder / f"{name}-{language}.html"
    for view in VIEWS:
        with opened(browser, file, view, size=size, dark=dark) as seen:
            assert seen.shown() == [view]
            assert seen.said == []
            assert [url.partition("#")[0] for url in seen.asked] == [file.as_uri()]
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
            assert seen.page.evaluate(FAINT_LETTERS) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_over_all_batches_is_quiet_alone_and_readable(
    browser: Browser, folder: Path, language: str, size: tuple[int, int], dark: bool
) -> None:
    file = folder / f"index-{language}.html"
    with opened(browser, file, size=size, dark=dark) as seen:
        assert seen.said == []
        assert seen.asked == [file.as_uri()]
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert seen.page.evaluate(FAINT_LETTERS) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_views_are_reached_by_keyboard(browser: Browser, folder: Path, scripts: bool) -> None:
    with opened(browser, folder / "panel-sv.html", scripts=scripts) as seen:
        assert seen.shown() == ["overview"]
        for place, view in enumerate(VIEWS):
            seen.page.goto((folder / "panel-sv.html").as_uri())
            for _ in range(place + 1):  # the tabs are the first that the key reaches
                seen.page.keyboard.press("Tab")
            assert seen.page.locator(":focus").get_attribute("href") == f"#{view}"
            seen.page.keyboard.press("Enter")
            assert seen.shown() == [view]
            if scripts:
                assert seen.page.locator('.views a[aria-current="page"]').get_attribute("href") == f"#{view}"


@pytest.mark.parametrize("section", VIEW_OF)
def test_a_link_to_a_section_opens_its_view(browser: Browser, folder: Path, section: str) -> None:
    page = "waves-en.html" if section == "path" else "panel-en.html"
    with opened(browser, folder / page, section) as seen:
        assert seen.shown() == [VIEW_OF[section]]
        assert seen.page.locator(f"#{section}").is_visible()
        top = seen.page.locator(f"#{section}").bounding_box()
        assert top is not None
        assert top["y"] < DESKTOP[1]


def test_a_link_to_a_script_opens_it_and_the_way_back_leads_to_where_one_was(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "panel-en.html", "ranking") as seen:
        seen.page.locator("#ranking a.essay").first.click()
        assert seen.shown() == ["overview"]
        assert seen.page.locator(".script[open] .text").is_visible()
        seen.page.go_back()
        assert seen.shown() == ["psychometrics"]


def test_a_click_on_a_heading_sorts_the_ranking(browser: Browser, folder: Path) -> None:
    with opened(browser, folder / "panel-sv.html", "ranking") as seen:
        heading = seen.page.locator(".ranking thead th", has_text="skalvärde")
        heading.click()
        cells = seen.page.locator(".ranking tbody tr td.n[data-v]").all()
        values = [float(value) for cell in cells if (value := cell.get_attribute("data-v"))]
        assert values == sorted(values)
        assert len(values) > 30


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_on_paper_all_views_follow_each_other_each_on_its_own_page(
    browser: Browser, folder: Path, name: str, language: str
) -> None:
    with opened(browser, folder / f"{name}-{language}.html", "audit") as seen:
        seen.page.emulate_media(media="print")
        assert seen.shown() == list(VIEWS)
        assert not seen.page.locator(".views").is_visible()
        assert seen.page.evaluate(FAINT_LETTERS) == []
        printed = seen.page.pdf(prefer_css_page_size=True)
        assert printed.startswith(b"%PDF-")
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= len(VIEWS)
