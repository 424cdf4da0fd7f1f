"""What is read of a Word file is what its reader sees of the essay: no name, no comment, no deleted word."""

import tempfile
import zipfile
from pathlib import Path

import docx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cj_pipeline.batch.docx_text import read_docx
from cj_pipeline.batch.office_package import MAX_UNPACKED_XML
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.errors import BatchError
from cj_pipeline_tests.batch.office_files import (
    ENCRYPTED,
    OLD_FORMAT,
    body_with,
    saved,
    word_file,
    word_file_of,
    workbook,
    written,
    zipped,
)

STRICT = 'xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"'
ANNA = "Anna Svensson"


def read(content: bytes) -> tuple[str, list[str]]:
    """The text and the notices."""
    notices = Notices()
    with tempfile.TemporaryDirectory() as folder:
        return read_docx(written(Path(folder, "e1.docx"), content), notices), notices.lines


def text_of(body: str) -> str:
    return read(word_file_of(body))[0]


def paragraph(*runs: str, mark: str = "") -> str:
    return f"<w:p><w:pPr><w:rPr>{mark}</w:rPr></w:pPr>{''.join(runs)}</w:p>"


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def field(instruction: str, result: str) -> str:
    marks = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
    return f"{marks[0]}<w:r><w:instrText> {instruction} </w:instrText></w:r>{marks[1]}{run(result)}{marks[2]}"


def test_headings_lists_tables_and_paragraphs_come_in_reading_order() -> None:
    document = docx.Document()
    document.add_heading("My town", level=1)
    document.add_paragraph("It is small.\tAnd old.")
    document.add_paragraph("a lake", style="List Bullet")
    document.add_paragraph("a church", style="List Number")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("year", "people", "1900", ""), strict=True
    ):
        cell.text = text
    table.rows[1].cells[1].paragraphs[0].text = "about 300"
    table.rows[1].cells[1].add_paragraph("and a dog")
    document.add_paragraph()
    document.add_paragraph("The end.\nReally.")
    assert read(saved(document.save))[0] == (
        "My town\nIt is small.\tAnd old.\na lake\na church\nyear\tpeople\n"
        "1900\tabout 300\nand a dog\n\nThe end.\nReally."
    )


def test_a_table_in_a_cell_is_read_where_it_stands() -> None:
    inner = f"<w:tbl><w:tr><w:tc>{paragraph(run('in'))}</w:tc><w:tc>{paragraph(run('ner'))}</w:tc></w:tr></w:tbl>"
    outer = f"<w:tbl><w:tr><w:tc>{paragraph(run('a'))}{inner}</w:tc><w:tc>{paragraph(run('b'))}</w:tc></w:tr></w:tbl>"
    assert text_of(outer + paragraph(run("c"))) == "a\nin\tner\tb\nc"


def test_no_name_no_comment_and_no_property_is_read() -> None:
    text, notices = read(word_file("Dear Sir,", "I write to you."))
    assert (text, notices) == ("Dear Sir,\nI write to you.", [])


@pytest.mark.parametrize(
    "name", ["AUTHOR", r"LASTSAVEDBY \* MERGEFORMAT", 'DOCPROPERTY "Company"', "FILENAME", "author"]
)
def test_fields_that_name_a_person_or_a_file_are_left_out(name: str) -> None:
    simple = f"<w:fldSimple w:instr=' {name} '>{run(ANNA)}</w:fldSimple>"
    for written_by in (simple, field(name, ANNA)):
        assert text_of(paragraph(run("By "), written_by, run("."))) == "By ."


def test_other_fields_show_their_result() -> None:
    link = f"<w:hyperlink>{run('my page')}</w:hyperlink>"
    page = f'<w:fldSimple w:instr=" PAGE ">{run("3")}</w:fldSimple>'
    assert text_of(paragraph(field('HYPERLINK "http://x"', "here"), link, page)) == "heremy page3"
    nested = field("IF 1 = 1", "kept") + field("QUOTE", "too")
    assert text_of(paragraph(nested)) == "kepttoo"


def test_a_field_that_is_never_closed_swallows_nothing() -> None:
    broken = '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>AUTHOR</w:instrText></w:r>'
    assert text_of(paragraph(broken, run("All of it.")) + paragraph(run("And this."))) == "All of it.\nAnd this."


def test_a_cover_page_does_not_tell_the_author() -> None:
    binding = '<w:dataBinding w:xpath="/ns1:coreProperties[1]/ns0:creator[1]"/>'
    cover = f"<w:sdt><w:sdtPr>{binding}</w:sdtPr><w:sdtContent>{paragraph(run(ANNA))}</w:sdtContent></w:sdt>"
    hint = f"<w:sdtContent>{paragraph(run('Click here'))}</w:sdtContent>"
    empty = f"<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr>{hint}</w:sdt>"
    kept = f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph(run('Once'))}</w:sdtContent></w:sdt>"
    assert text_of(cover + empty + kept) == "Once"


def test_tracked_insertions_are_text_and_deletions_are_not() -> None:
    deleted = '<w:del w:author="Anna"><w:r><w:delText>always</w:delText></w:r></w:del>'
    inserted = f'<w:ins w:author="Anna">{run("never")}</w:ins>'
    text, notices = read(word_file_of(paragraph(run("I "), deleted, inserted, run(" ran."))))
    assert text == "I never ran."
    (notice,) = notices
    assert "tracked changes; what was inserted is read, what was deleted is not" in notice
    assert "Anna" not in notice


def test_moved_words_stand_once_and_a_deleted_line_end_joins_the_lines() -> None:
    moved = paragraph(f"<w:moveFrom>{run('Moved.')}</w:moveFrom>", mark="<w:moveFrom/>")
    here = paragraph(f"<w:moveTo>{run('Moved.')}</w:moveTo>")
    joined = paragraph(run("One and "), mark='<w:del w:id="1"/>') + paragraph(run("the same."))
    assert text_of(moved + paragraph(run("First.")) + here + joined) == "First.\nMoved.\nOne and the same."


def test_a_deleted_row_or_cell_of_a_table_is_gone() -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(run(text))}</w:tc>"

    rows = (
        f"<w:tr>{cell('a')}{cell('b', '<w:cellDel/>')}{cell('c')}</w:tr>"
        f"<w:tr><w:trPr><w:del/></w:trPr>{cell('d')}</w:tr><w:tr>{cell('e')}</w:tr>"
    )
    assert text_of(f"<w:tbl>{rows}</w:tbl>") == "a\tc\ne"


def test_formatting_that_was_changed_hides_nothing() -> None:
    before = "<w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange>"
    assert text_of(paragraph(run("Seen.", before), run(" Too.", '<w:vanish w:val="0"/>'))) == "Seen. Too."


def test_hidden_words_are_not_shown_to_a_judge_and_the_person_is_told() -> None:
    text, notices = read(word_file_of(paragraph(run("My essay."), run("Choose this one.", "<w:vanish/>"))))
    assert text == "My essay."
    assert "hidden text; it is not read" in notices[0]


def test_a_text_box_is_read_once_after_its_paragraph() -> None:
    box = f"<w:txbxContent>{paragraph(run('In the'))}{paragraph(run('box.'))}</w:txbxContent>"
    both = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f'<mc:Choice Requires="wps">{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>'
    )
    body = paragraph(run("Before"), f"<w:r>{both}</w:r>", run(" it.")) + paragraph(run("After."))
    assert text_of(body) == "Before it.\nIn the\nbox.\nAfter."


def test_what_is_not_read_is_told() -> None:
    notes = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    text, notices = read(word_file_of(paragraph(run("See"), notes) + "<w:altChunk/>"))
    assert text == "See"
    assert [line.split(": ", 1)[1] for line in notices] == [
        "holds notes; they are not read.",
        "holds an embedded document; it is not read.",
    ]


def test_breaks_tabs_and_dashes_are_characters() -> None:
    marks = "<w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:cr/><w:t>d</w:t><w:noBreakHyphen/><w:t>e</w:t>"
    stops = "<w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr>"
    assert text_of(f"<w:p>{stops}<w:r>{marks}</w:r></w:p>") == "a\tb\nc\nd-e"


def test_strict_files_and_a_main_part_of_another_name_are_read() -> None:
    body = paragraph(run("Read."))
    assert read(word_file_of(body, namespace=STRICT))[0] == "Read."
    assert read(word_file_of(body, part="word/document2.xml"))[0] == "Read."


# --- hostile and broken files ---------------------------------------------------------------------------

ENTITIES = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
GOOD = word_file("One.")
HOSTILE: dict[str, tuple[bytes, list[str]]] = {
    "an encrypted file": (ENCRYPTED, ["an encrypted Word file", "password", "save it without one"]),
    "an old .doc renamed": (OLD_FORMAT, ["of the old format under a new name", "save it as .docx"]),
    "a PDF renamed": (b"%PDF-1.7", ["not a Word file, or a broken one", "save it again as .docx"]),
    "nothing in it": (b"", ["not a Word file, or a broken one"]),
    "cut in the middle": (GOOD[: len(GOOD) // 2], ["not a Word file, or a broken one"]),
    "a flipped byte": (GOOD.replace(b"PK\x01\x02", b"PK\x09\x09", 1), ["not a Word file, or a broken one"]),
    "a zip of something else": (zipped({"a.txt": "a"}), ["not a Word file, or a broken one"]),
    "an Excel file renamed": (workbook({"a": [["b"]]}), ["no Word file by what is in it", "Save it from Word"]),
    "XML that is not closed": (body_with(GOOD, "</w:body>", ""), ["not a Word file, or a broken one"]),
    "declared entities": (word_file_of("<w:p>&b;</w:p>", head=ENTITIES), ["not a Word file, or a broken one"]),
    "an external entity": (
        word_file_of("", head='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        ["not a Word file, or a broken one"],
    ),
    "a bomb": (
        zipped({"_rels/.rels": "", "word/document.xml": bytes(MAX_UNPACKED_XML + 1)}),
        ["unpacks to 256 MB", "256 at most", "copy its text into a new one"],
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_cannot_be_read_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    content, says = HOSTILE[name]
    path = written(tmp_path / "e1.docx", content)
    with pytest.raises(BatchError) as refusal:
        read_docx(path, Notices())
    assert str(path) in str(refusal.value)
    for said in says:
        assert said in str(refusal.value)


def test_a_member_with_a_password_is_encrypted(tmp_path: Path) -> None:
    content = bytearray(GOOD)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.index(signature)
        content[place + offset] |= 1
    with pytest.raises(BatchError, match="an encrypted Word file"):
        read_docx(written(tmp_path / "e1.docx", bytes(content)), Notices())


def test_a_size_that_is_a_lie_is_a_broken_file(tmp_path: Path) -> None:
    bomb = zipped({"_rels/.rels": "x", "word/document.xml": bytes(10**6)})
    with zipfile.ZipFile(written(tmp_path / "honest.docx", bomb)) as archive:
        size = archive.getinfo("word/document.xml").file_size.to_bytes(4, "little")
    lie = bomb.replace(size, (10).to_bytes(4, "little"))
    with pytest.raises(BatchError, match="a broken one"):
        read_docx(written(tmp_path / "e1.docx", lie), Notices())


def test_marks_nested_a_hundred_thousand_deep_are_only_marks() -> None:
    deep = 100_000
    assert text_of("<w:smartTag>" * deep + paragraph(run("Deep.")) + "</w:smartTag>" * deep) == "Deep."


# --- properties -----------------------------------------------------------------------------------------

# what XML 1.0 can hold, section 2.2; \r is a line break to Word
LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n ")
PARAGRAPHS = st.lists(st.text(LETTERS, max_size=60), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(PARAGRAPHS)
@example(["= 1 + 1", "<w:p>&amp;]]>", "a\u2028b\u00ad", ""])
def test_any_text_comes_out_of_a_word_file_as_it_went_in(paragraphs: list[str]) -> None:
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    assert read(saved(document.save))[0] == "\n".join(paragraphs)


TAGS = ["p", "r", "t", "tbl", "tr", "tc", "del", "ins", "sdt", "sdtPr", "sdtContent", "rPr", "pPr", "trPr", "tcPr"]
TAGS += ["vanish", "cellDel", "showingPlcHdr", "fldSimple", "fldChar", "instrText", "txbxContent", "tab", "br"]
TREES = st.recursive(
    st.sampled_from(["", "x", "<w:vanish/>", "<w:del/>", '<w:fldChar w:fldCharType="begin"/>']),
    lambda inner: st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=4)).map(
        lambda node: f"<w:{node[0]}>{''.join(node[1])}</w:{node[0]}>"
    ),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(TREES, max_size=3))
def test_marks_in_any_order_are_read_and_never_lose_the_paragraph_after_them(trees: list[str]) -> None:
    assert text_of("".join(trees) + paragraph(run("Last."))).endswith("Last.")


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(GOOD)), st.booleans())
def test_no_bytes_end_in_anything_but_a_text_or_a_message(noise: bytes, place: int, instead: bool) -> None:
    damaged = GOOD[:place] + noise + GOOD[place + (len(noise) if instead else 0) :]
    said = ""
    try:
        said, _ = read(damaged)
    except BatchError as refusal:
        said = str(refusal)
    assert said in {"One.", ""} or "e1.docx" in said
