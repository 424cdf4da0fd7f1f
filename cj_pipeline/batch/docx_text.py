"""The text of a Word file in reading order, as its reader sees it: paragraphs, headings, lists, tables, text boxes.

Headers, footers, comments, notes, properties, author fields, hidden text and tracked deletions are never read;
tracked insertions are text. Element names are those of ECMA-376 part 1 (WordprocessingML, section 17).
"""

import posixpath
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cj_pipeline.batch.office_package import WORD, Attributes, open_package, parse_part
from cj_pipeline.batch.text_files import Notices
from cj_pipeline.errors import BatchError

_MAIN_PART = "/officeDocument"  # how the type of the relationship to the main part ends
_SPACES = {  # namespaces whose elements are read, transitional and strict
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "http://purl.oclc.org/ooxml/officeDocument/math",
    "http://schemas.openxmlformats.org/markup-compatibility/2006",
}
_DROPPED = {"del", "moveFrom", "delText", "Fallback", "rt", "sectPr", "tabs"}
_DROPS_WHAT_IT_STANDS_IN = {  # the end of an element's path, and the element that is not read because of it
    ("r", "rPr", "vanish"): "r",
    ("sdt", "sdtPr", "showingPlcHdr"): "sdt",
    ("tr", "trPr", "del"): "tr",
    ("tc", "tcPr", "cellDel"): "tc",
}
_MARK_REMOVED = {("p", "pPr", "rPr", "del"), ("p", "pPr", "rPr", "moveFrom")}
_WRITTEN = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_JOINED_BY = {"tc": "\n", "tr": "\t", "txbxContent": "\n"}
_NOTED = {
    "ins": "tracked changes; what was inserted is read, what was deleted is not",
    "moveTo": "tracked changes; what was inserted is read, what was deleted is not",
    "del": "tracked changes; what was inserted is read, what was deleted is not",
    "moveFrom": "tracked changes; what was inserted is read, what was deleted is not",
    "footnoteReference": "notes; they are not read",
    "endnoteReference": "notes; they are not read",
    "altChunk": "an embedded document; it is not read",
    "vanish": "hidden text; it is not read",
}
# fields whose result names a person, a file or a revision (section 17.16.5)
_PERSONAL_FIELDS = {
    "AUTHOR", "LASTSAVEDBY", "USERNAME", "USERINITIALS", "USERADDRESS", "DOCPROPERTY", "INFO", "COMMENTS", "SUBJECT",
    "KEYWORDS", "TITLE", "TEMPLATE", "FILENAME", "REVNUM", "EDITTIME", "CREATEDATE", "SAVEDATE", "PRINTDATE",
}  # fmt: skip
_PERSONAL_PROPERTIES = ("creator", "lastModifiedBy", "Manager", "Company")
_OFF = {"0", "false", "off"}


def read_docx(path: Path, notices: Notices) -> str:
    """The text of a .docx, a line per paragraph and cells set apart by tabs. Raises `BatchError`."""
    with open_package(path, WORD) as package:
        document = _WordText()
        parse_part(package, _main_part(package, path), start=document.start, end=document.end, text=document.characters)
        if not document.is_word:
            raise BatchError(f"{path}: no Word file by what is in it. Save it from Word as .docx.")
    for note in dict.fromkeys(_NOTED[name] for name in _NOTED if name in document.met):
        notices.add(f"{path}: holds {note}.")
    return document.text()


@dataclass(slots=True)
class _Lines:
    """Lines of a body, a cell, a row or a text box. `unfinished`: the next one goes on in the last."""

    lines: list[str] = field(default_factory=list)
    unfinished: bool = False

    def add(self, line: str) -> None:
        if self.unfinished:
            self.lines[-1] += line
        else:
            self.lines.append(line)
        self.unfinished = False


@dataclass(slots=True)
class _Field:
    """A complex field: its instruction up to `separate`, its result from there."""

    instruction: str = ""
    in_result: bool = False


@dataclass(slots=True)
class _Paragraph:
    """What is written in a paragraph; the lines of its text boxes follow it."""

    written: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    fields: list[_Field] = field(default_factory=list)
    mark_removed: bool = False

    @property
    def in_personal_field(self) -> bool:
        return any(one.in_result and _is_personal(one.instruction) for one in self.fields)

    def instruct(self, data: str) -> None:
        if self.fields and not self.fields[-1].in_result:
            self.fields[-1].instruction += data


class _WordText:
    """Handlers of a streaming parser. Everything that decides about an element stands before its content."""

    def __init__(self) -> None:
        self.is_word = False
        self.met: set[str] = set()
        self._path: list[str] = []
        self._dropped_from = 0  # depth of the element that is not read; 0 outside of one
        self._containers = [_Lines()]
        self._paragraphs: list[_Paragraph] = []

    def text(self) -> str:
        return "\n".join(self._containers[0].lines)

    def start(self, name: str, attributes: Attributes) -> None:
        space, _, local = name.rpartition(" ")
        local = local if space in _SPACES else ""
        self._path.append(local)
        if local == "document" and len(self._path) == 1:
            self.is_word = True
        if self._dropped_from or not local:
            return
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        self._note(local, plain)
        if tuple(self._path[-4:]) in _MARK_REMOVED and self._paragraphs:
            self._paragraphs[-1].mark_removed = True
        elif (depth := self._depth_dropped_by(local, plain)) is not None:
            self._dropped_from = depth
        else:
            self._open(local, plain)

    def end(self, _: str) -> None:
        depth, local = len(self._path), self._path.pop()
        if self._dropped_from:
            if depth == self._dropped_from:
                self._dropped_from = 0
                if local in {"tr", "tc"}:
                    self._containers.pop()
            return
        if local == "p" and self._paragraphs:
            self._close_paragraph(self._paragraphs.pop())
        elif local in _JOINED_BY:
            self._close_container(local, self._containers.pop())

    def characters(self, data: str) -> None:
        if self._dropped_from:
            return
        if self._path[-1] == "t":
            self._write(data)
        elif self._path[-1] == "instrText" and self._paragraphs:
            self._paragraphs[-1].instruct(data)

    def _write(self, data: str) -> None:
        if self._paragraphs and not self._paragraphs[-1].in_personal_field:
            self._paragraphs[-1].written.append(data)

    def _note(self, local: str, attributes: Mapping[str, str]) -> None:
        if local in _NOTED and attributes.get("val") not in _OFF:
            self.met.add(local)

    def _depth_dropped_by(self, local: str, attributes: Mapping[str, str]) -> int | None:
        depth = len(self._path)
        tail = tuple(self._path[-3:])
        if tail in _DROPS_WHAT_IT_STANDS_IN and attributes.get("val") not in _OFF:
            return depth - 2
        if tail == ("sdt", "sdtPr", "dataBinding") and _names_a_person(attributes.get("xpath", "")):
            return depth - 2
        personal = local == "fldSimple" and _is_personal(attributes.get("instr", ""))
        return depth if personal or local in _DROPPED or local.endswith("PrChange") else None

    def _open(self, local: str, attributes: Mapping[str, str]) -> None:
        if local == "p":
            self._paragraphs.append(_Paragraph())
        elif local in _JOINED_BY:
            self._containers.append(_Lines())
        elif local == "fldChar" and self._paragraphs:
            _turn_field(self._paragraphs[-1].fields, attributes.get("fldCharType", ""))
        elif local in _WRITTEN and self._path[-2:-1] == ["r"]:
            self._write(_WRITTEN[local])

    def _close_paragraph(self, paragraph: _Paragraph) -> None:
        container = self._containers[-1]
        container.add("".join(paragraph.written))
        for line in paragraph.boxes:
            container.add(line)
        container.unfinished = paragraph.mark_removed

    def _close_container(self, local: str, closed: _Lines) -> None:
        joined = _JOINED_BY[local].join(closed.lines)
        if local == "txbxContent" and self._paragraphs:
            self._paragraphs[-1].boxes.append(joined)
        else:
            self._containers[-1].add(joined)


def _turn_field(fields: list[_Field], kind: str) -> None:
    if kind == "begin":
        fields.append(_Field())
    elif kind == "separate" and fields:
        fields[-1].in_result = True
    elif kind == "end" and fields:
        fields.pop()


def _is_personal(instruction: str) -> bool:
    return instruction.strip().partition(" ")[0].upper() in _PERSONAL_FIELDS


def _names_a_person(xpath: str) -> bool:
    return any(name in xpath for name in _PERSONAL_PROPERTIES)


def _main_part(package: zipfile.ZipFile, path: Path) -> str:
    """Where the text lies: mostly word/document.xml, and where the package says so elsewhere."""
    targets: list[str] = []

    def relationship(_: str, attributes: Attributes) -> None:
        if attributes.get("Type", "").endswith(_MAIN_PART):
            targets.append(attributes.get("Target", ""))

    parse_part(package, "_rels/.rels", start=relationship)
    if not targets:
        raise BatchError(f"{path}: no Word file by what is in it. Save it from Word as .docx.")
    return posixpath.normpath(targets[0].lstrip("/"))
