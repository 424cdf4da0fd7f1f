"""Office files are zip archives of XML. Opening one: what is encrypted, broken, in an older format or made to
explode is told apart and named. No part is read that unpacks beyond its limit, and no XML that declares entities.
"""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from cj_pipeline.errors import BatchError

MAX_UNPACKED_XML = 256 * 2**20  # bytes; a thousand essays of 10,000 words take a tenth of it
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # compound file of Office 97 to 2003, and of every encrypted Office file
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # the stream that holds the real file, MS-OFFCRYPTO 2.3.4.4
_ZIP_ENCRYPTED = 0x1  # general purpose bit 0, APPNOTE.TXT 4.4.4
_BROKEN = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, expat.ExpatError,
    EOFError, LookupError, ValueError, RuntimeError,
)  # fmt: skip

Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class Program:
    """What a person calls it, with its article, and the ending of its files."""

    article: str
    name: str
    ending: str


WORD = Program("a", "Word", ".docx")
EXCEL = Program("an", "Excel", ".xlsx")


@contextmanager
def open_package(path: Path, program: Program) -> Iterator[zipfile.ZipFile]:
    """The parts of an Office file. Raises `BatchError` for what is none, also for what turns up while it is read."""
    try:
        with path.open("rb") as file:
            _refuse_compound_file(path, program, file.read(8), file.read)
        with zipfile.ZipFile(path) as package:
            if any(part.flag_bits & _ZIP_ENCRYPTED for part in package.infolist()):
                _refuse_encrypted(path, program)
            unpacked = sum(part.file_size for part in package.infolist() if part.filename.endswith((".xml", ".rels")))
            if unpacked > MAX_UNPACKED_XML:
                raise BatchError(
                    f"{path}: unpacks to {unpacked / 2**20:,.0f} MB of text and marks; {MAX_UNPACKED_XML // 2**20} at "
                    f"most. This is no ordinary {program.name} file; copy its text into a new one."
                )
            yield package
    except OSError as error:
        raise BatchError(
            f"{path}: cannot be read ({error.strerror or error}). It should be a file you may read."
        ) from None
    except _BROKEN:
        raise BatchError(
            f"{path}: not {program.article} {program.name} file, or a broken one. Open it in {program.name} and save "
            f"it again as {program.ending}."
        ) from None


def parse_part(
    package: zipfile.ZipFile,
    part: str,
    *,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Stream a part's XML into the handlers; names are "namespace local". Raises `ValueError` for a declared entity."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    with package.open(part) as stream:
        while chunk := stream.read(1 << 16):
            parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _refuse_doctype(*_: object) -> NoReturn:
    raise ValueError("Office files declare no document type")


def _refuse_compound_file(path: Path, program: Program, head: bytes, rest: Callable[[], bytes]) -> None:
    if head != _OLE:
        return
    if _ENCRYPTED in rest():
        _refuse_encrypted(path, program)
    raise BatchError(
        f"{path}: {program.article} {program.name} file of the old format under a new name. Open it in {program.name} "
        f"and save it as {program.ending}."
    )


def _refuse_encrypted(path: Path, program: Program) -> NoReturn:
    raise BatchError(
        f"{path}: an encrypted {program.name} file. Open it in {program.name} with its password and save it without "
        f"one."
    )
