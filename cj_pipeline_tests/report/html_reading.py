"""Reads a report as a strict browser would: structure, attributes, visible words."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input", "base"}
UNSEEN = {"style", "script", "title"}


@dataclass
class Reading(HTMLParser):
    """`tags` in order of opening, `attributes` as (tag, name, value), `words` as one visible string."""

    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    contents: dict[str, list[str]] = field(default_factory=dict)
    pieces: list[str] = field(default_factory=list)
    open_tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags[-1:] == [tag], f"</{tag}> closes {self.open_tags[-3:]}"
        self.open_tags.pop()

    def handle_data(self, data: str) -> None:
        inside = self.open_tags[-1] if self.open_tags else ""
        self.contents.setdefault(inside, []).append(data)
        if inside not in UNSEEN:
            self.pieces.append(data)

    @property
    def words(self) -> str:
        """All visible text, blanks and isolates normalised."""
        joined = "".join(self.pieces).replace("\u2068", "").replace("\u2069", "")
        return " ".join(joined.split())

    def values(self, name: str) -> list[str]:
        """Every value of one attribute."""
        return [value for _, attribute, value in self.attributes if attribute == name]


def read(html: str) -> Reading:
    """Parse a report. Fails on a tag that is closed wrongly or not at all."""
    reading = Reading()
    reading.feed(html)
    reading.close()
    assert reading.open_tags == []
    return reading
