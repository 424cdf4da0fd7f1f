"""The public copy: nothing a pupil wrote, nothing about groups of pupils, no name of a person at work."""

import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from cj_pipeline.errors import CjError
from cj_pipeline.findings import Finding, Kind
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.gather import write_public_copy
from cj_pipeline.report.page import render_report
from cj_pipeline.report.public import public_copy
from cj_pipeline.scoring.bradley_terry_scores import score_tables
from cj_pipeline.scoring.findings import score_findings
from cj_pipeline_tests.cli.command import cj
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.report.evidence_factory import LUNA, TERRA, make_evidence
from cj_pipeline_tests.report.html_reading import read
from cj_pipeline_tests.report.panels import people_on

SECRETS = ("hemlighet", "JUSTIFICATION", "skolenhet", "norrskolan", "sydskolan", "teacher 1", "teacher 2", "kim")


def telling_evidence(language: str) -> Evidence:
    """Evidence that holds each of `SECRETS`: groups that differ without doubt, people as judges, an approval."""
    evidence = make_evidence(judges=(LUNA, TERRA), texts=lambda index: f"hemlighet {index} " * 40)
    essays = evidence.tables["essays"]
    scores = dict(
        zip(*(evidence.tables["bradley_terry_scores"][name].to_pylist() for name in ("essay_id", "score")), strict=True)
    )
    schools = ["norrskolan" if (scores[essay] or 0) > 0 else "sydskolan" for essay in essays["essay_id"].to_pylist()]
    essays = essays.append_column("skolenhet", pa.array(schools))
    made = score_tables(essays, evidence.tables["judgments"], ["luna", "terra"], people_on(evidence, 120, 2))
    tables = {**evidence.tables, **made, "essays": essays}
    named = Finding(
        "bradley_terry_scores", "judges_fit", Kind.ADVICE, False, "infit of teacher 1 is 1.9", {"worst": 1.9}
    )
    groups = Finding(
        "bradley_terry_scores",
        "groups",
        Kind.ADVICE,
        False,
        "1 beyond chance: skolenhet norrskolan +2.1, sydskolan -2.1",
    )
    findings = [*score_findings(tables, least_reliability=0.7), named, groups]
    return replace(evidence, language=language, tables=tables, findings=findings)


@pytest.mark.parametrize("language", ["en", "sv"])
def test_no_text_no_reason_no_group_and_no_person_is_in_the_file(language: str) -> None:
    evidence = telling_evidence(language)
    whole, public = render_report(evidence), render_report(public_copy(evidence))
    assert {secret for secret in SECRETS if secret in whole} == {*SECRETS} - {"JUSTIFICATION"}
    assert [secret for secret in SECRETS if re.search(rf"\b{secret}\b", public)] == []
    page = read(public)
    assert "scripts" not in page.values("id")
    assert "person 1" in page.words
    assert page.words.count("person 2") > 0


def test_what_a_public_copy_leaves_out_is_not_in_its_tables_either() -> None:
    copy = public_copy(telling_evidence("en"))
    told = " ".join(str(table.to_pydict()) for table in copy.tables.values()) + str(copy.findings) + str(copy.approvals)
    assert [secret for secret in SECRETS if re.search(rf"\b{secret}\b", told)] == []


def test_the_figures_of_a_public_copy_are_those_of_the_report() -> None:
    evidence = make_evidence()
    plain, public = read(render_report(evidence, with_texts=False)), read(render_report(public_copy(evidence)))
    assert "Public copy" in public.words
    left = public.words.replace(
        "Public copy: essays’ texts, groups of pupils and names of persons are left out. ", ""
    ).replace("Approved on", "Approved by kim on")
    assert left == plain.words


@pytest.mark.heavy
def test_the_command_line_writes_the_copy_and_says_what_it_still_names(installation: Installation) -> None:
    folder = small_batch(installation.batches / "small")
    text = next(iter((folder / "essays.csv").read_text("utf-8").splitlines()[1:])).split(",", 1)[1][:40].strip('"')
    cj(installation, "run", "small")
    target = installation.folder / "for the web.html"
    said = cj(installation, "report", "small", "--public", str(target), "--index")
    assert "only if these are no names" in said
    assert "store/reports/index.html" in said
    page = target.read_text("utf-8")
    assert "e00" in page
    assert text not in page
    assert text in (installation.folder / "store/reports/small.html").read_text("utf-8")
    index = (installation.folder / "store/reports/index.html").read_text("utf-8")
    assert 'href="small.html"' in index
    assert "Name one (cj status lists them), or give --index" in cj(installation, "report", code=2)


def test_a_copy_that_cannot_be_written_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(CjError, match=r"cannot be written .*\. Name a file in a folder that exists\."):
        write_public_copy(make_evidence(), tmp_path / "no such folder" / "x.html")
