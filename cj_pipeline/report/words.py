"""The languages of the report and the command line: a catalogue of sentences each, and how numbers are written.

Templates and charts ask for a sentence by key and hand over the figures, so a further language is one more
mapping. Findings of the stages arrive as they were written there; reasons are put into words by `reasons`.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cj_pipeline.report import english, swedish

MISSING = "–"
_NO_BREAK = "\u00a0"
_ISOLATE, _POP = "\u2068", "\u2069"
_TURNING = {"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"}  # Unicode bidi classes


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of one language by key, and how that language writes numbers."""

    language: str
    sentences: Mapping[str, str]
    decimal_mark: str = "."
    thousands_mark: str = "\u202f"
    moment_form: str = "%Y-%m-%d %H:%M"
    codes: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, key: str, /, **figures: object) -> str:
        """The sentence of that key with the figures put in. Raises `KeyError` for an unknown key."""
        unbroken = self.sentences[key].replace(" %", f"{_NO_BREAK}%")
        return unbroken.format(**figures)

    def count(self, key: str, count: int, /, **figures: object) -> str:
        """`key.one` or `key.other`, by the count, which is put in as `{count}`."""
        return self(f"{key}.{'one' if count == 1 else 'other'}", count=self.whole(count), **figures)

    def code(self, code: str) -> str:
        """What a state, an error or a check is called; English calls it by its code."""
        return self.codes.get(code, code.replace("_", " "))

    def number(self, value: float | None, digits: int = 2) -> str:
        """A decimal number with a true minus sign; a dash for what is not known."""
        if value is None or not math.isfinite(value):
            return MISSING
        written = f"{value:,.{digits}f}".replace(",", self.thousands_mark).replace(".", self.decimal_mark)
        nought = not any(digit in written for digit in "123456789")
        return written.lstrip("-") if nought else written.replace("-", "−")

    def whole(self, value: float | None) -> str:
        """A whole number, thousands set apart."""
        return self.number(value, 0)

    def percent(self, share: float | None) -> str:
        """A share as a percentage; never 0 or 100 % for what is only nearly so."""
        if share is None or not math.isfinite(share):
            return MISSING
        if 0 < share < 0.01:
            return f"<{_NO_BREAK}1{_NO_BREAK}%"
        if 0.99 < share < 1:
            return f">{_NO_BREAK}99{_NO_BREAK}%"
        return f"{self.number(100 * share, 0)}{_NO_BREAK}%"

    def usd(self, amount: float | None) -> str:
        """US dollars; four decimals below one cent, so that a small bill is not written as none."""
        if amount is None:
            return MISSING
        return f"{self.number(amount, 4 if 0 < abs(amount) < 0.01 else 2)}{_NO_BREAK}USD"

    def moment(self, time: datetime | None) -> str:
        """Date and time to the minute, in UTC and said so."""
        return MISSING if time is None else f"{time.astimezone(UTC):{self.moment_form}}{_NO_BREAK}UTC"

    def day(self, time: datetime) -> str:
        """The date, in UTC."""
        return f"{time.astimezone(UTC):%Y-%m-%d}"

    def span(self, low: str | None, high: str | None) -> str:
        """A range of grades, or the one grade it holds."""
        if low is None or high is None:
            return MISSING
        return isolated(low) if low == high else f"{isolated(low)}–{isolated(high)}"


def isolated(name: str) -> str:
    """A name inside a sentence; one with right-to-left letters is set apart, so that it cannot reorder the rest."""
    turns = any(unicodedata.bidirectional(letter) in _TURNING for letter in name)
    return f"{_ISOLATE}{name}{_POP}" if turns else name


def listed(names: Iterable[str]) -> str:
    """Names in one line."""
    return ", ".join(isolated(name) for name in names)


def quoted(checks: Iterable[str], t: Catalogue) -> str:
    """Names of checks in one line, as a person reads them."""
    return ", ".join(t("quoted", name=t.code(name)) for name in checks)


ENGLISH = Catalogue("en", english.SENTENCES)
SWEDISH = Catalogue("sv", swedish.SENTENCES, decimal_mark=",", moment_form="%Y-%m-%d kl. %H.%M", codes=swedish.CODES)
CATALOGUES: Mapping[str, Catalogue] = {catalogue.language: catalogue for catalogue in (ENGLISH, SWEDISH)}


def catalogue(language: str) -> Catalogue:
    """The catalogue of a language; English where there is none."""
    return CATALOGUES.get(language, ENGLISH)
