"""A text file as text, and the notices about what was put right on reading. Not a word of an essay is changed."""

from dataclasses import dataclass, field
from pathlib import Path

from cj_pipeline.errors import BatchError


@dataclass(slots=True)
class Notices:
    """What was put right on reading, for the person to see. Nothing here changes a word of an essay."""

    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Keep a notice once."""
        if line not in self.lines:
            self.lines.append(line)


def read_text(path: Path, notices: Notices) -> str:
    """A UTF-8 text with `\\n` line ends and without a byte order mark. Raises `BatchError`."""
    data = read_bytes(path)
    if data.startswith(b"\xef\xbb\xbf"):
        notices.add(f"{path}: begins with a byte order mark; it was left out.")
        data = data[3:]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BatchError(
            f"{path}, line {line}: not UTF-8 (byte 0x{data[error.start]:02x}). Save the file as UTF-8; "
            f'in a spreadsheet choose "CSV UTF-8".'
        ) from None
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise BatchError(f"{path}, line {line}: a NUL character. This is no text file; export it again as text.")
    if "\r" in text:
        notices.add(f"{path}: Windows or old Mac line ends; they were read as plain line ends.")
        text = plain_line_ends(text)
    return text


def read_bytes(path: Path) -> bytes:
    """The file as it is. Raises `BatchError` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BatchError(f"{path}: cannot be read ({error.strerror}). It should be a file you may read.") from None


def plain_line_ends(text: str) -> str:
    """`\\n` for every line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
