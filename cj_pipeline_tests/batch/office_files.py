"""Real Word and Excel files for these tests, in order and hostile."""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import docx
import openpyxl

ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(96)
OLD_FORMAT = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "WordDocument".encode("utf-16-le") + bytes(96)
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def word_file(*paragraphs: str, author: str = "Anna Svensson") -> bytes:
    """A .docx as Word writes it, with its author in the properties, the header and a comment."""
    document = docx.Document()
    document.core_properties.author = author
    document.core_properties.last_modified_by = author
    document.sections[0].header.paragraphs[0].text = f"{author}, 9B"
    for text in paragraphs:
        document.add_paragraph(text)
    if paragraphs:
        run = document.paragraphs[-1].add_run()
        document.add_comment(run, text="Well done", author="Teacher", initials="T")
    return saved(document.save)


def word_file_of(body: str, *, part: str = "word/document.xml", head: str = "", namespace: str = W) -> bytes:
    """A .docx whose body is written out in WordprocessingML (the prefix is w)."""
    document = f"{head}<w:document {namespace}><w:body>{body}</w:body></w:document>"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{kind}" Target="/{part}"/></Relationships>'
    )
    return zipped({"_rels/.rels": rels, part: document})


def workbook(sheets: Mapping[str, Iterable[Iterable[object]]]) -> bytes:
    """An .xlsx with these sheets, a value a cell. A `(value, number format)` pair sets the format as well."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row, start=1):
                cell = sheet.cell(number, place)
                if isinstance(value, tuple):
                    cell.value, cell.number_format = value
                else:
                    cell.value = value
                    if isinstance(value, str):
                        cell.data_type = "s"
    return saved(book.save)


def saved(save: Callable[[io.BytesIO], None]) -> bytes:
    """What a library writes into a file."""
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip archive of these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_part(package: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same archive with one part changed."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    return zipped({**parts, name: change(parts[name])})


def body_with(package: bytes, pattern: str, replacement: str) -> bytes:
    """A .docx with a piece of its body exchanged."""

    def change(xml: bytes) -> bytes:
        changed, count = re.subn(pattern.encode(), replacement.encode(), xml, flags=re.S)
        assert count, "the piece is not there"
        return changed

    return with_part(package, "word/document.xml", change)


def written(path: Path, content: bytes) -> Path:
    """The file, in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
