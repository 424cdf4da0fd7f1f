"""The words of an export for a school, a table per language, keyed by what the column or line is."""

from collections.abc import Mapping

HEADINGS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "essay": "essay",
        "kind": "kind",
        "grade": "grade",
        "range": "likely range",
        "sure": "sure",
        "reread": "re-read?",
        "why": "why",
        "rank": "rank",
        "set": "set",
        "text": "text",
        "known": "known grade",
        "projected": "grade as if unknown",
        "share": "chance of the known grade",
        "residual": "difference in steps",
    },
    "sv": {
        "essay": "elevtext",
        "kind": "typ",
        "grade": "betyg",
        "range": "troligt intervall",
        "sure": "säkerhet",
        "reread": "läs om?",
        "why": "varför",
        "rank": "rang",
        "set": "grupp",
        "text": "text",
        "known": "känt betyg",
        "projected": "betyg som om okänt",
        "share": "chans för det kända betyget",
        "residual": "skillnad i steg",
    },
}

MEANINGS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "kind": "pupil, or anchor: an essay whose grade was known and that calibrates the scale",
        "grade": "the middle of the grades that are possible under this judge; an anchor's as if its own were unknown",
        "range": "the true grade lies in it with a chance of 80 % under this judge",
        "sure": "chance that the grade is exactly right, under this judge; another judge may see it differently",
        "reread": "yes: without a grade, or among the fifth where reading again prevents most wrong grades",
        "why": "why a person should look, or why there is no grade",
        "rank": "1 is best; anchors are ranked with the others",
        "set": "essays of different sets were never compared, so their ranks cannot be either",
        "residual": "grade as if unknown minus known grade",
    },
    "sv": {
        "kind": "elev, eller ankartext: en text med känt betyg som kalibrerar skalan",
        "grade": "mitten av de betyg som är möjliga enligt denna bedömare; en ankartexts som om dess eget vore okänt",
        "range": "det sanna betyget ligger här med 80 % sannolikhet enligt denna bedömare",
        "sure": "sannolikhet att betyget är exakt rätt enligt denna bedömare; en annan kan se det annorlunda",
        "reread": "ja: utan betyg, eller bland den femtedel där omläsning förhindrar flest felaktiga betyg",
        "why": "varför en människa bör titta, eller varför betyg saknas",
        "rank": "1 är bäst; ankartexter rangordnas med de andra",
        "set": "texter i olika grupper har aldrig jämförts, så deras rang kan inte heller jämföras",
        "residual": "betyg som om okänt minus känt betyg",
    },
}

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "essays": "essays",
        "anchors": "anchors",
        "texts": "texts",
        "about": "about",
        "pupil": "pupil",
        "anchor": "anchor",
        "yes": "yes",
        "no": "no",
        "title": "title",
        "batch": "batch",
        "made": "made",
        "revision": "revision",
        "state": "how it stands",
        "judge": "judge",
        "offline": "offline baseline, no judge of essays: no grade here may be used for a pupil",
        "columns": "what the columns mean",
        "checks": "checks",
        "passed": "passed",
        "warned": "look at it",
        "red": "red: grades are withheld",
        "overridden": "red, overridden by a person",
    },
    "sv": {
        "essays": "elevtexter",
        "anchors": "ankartexter",
        "texts": "texter",
        "about": "om",
        "pupil": "elev",
        "anchor": "ankartext",
        "yes": "ja",
        "no": "nej",
        "title": "titel",
        "batch": "omgång",
        "made": "skapad",
        "revision": "revision",
        "state": "läge",
        "judge": "bedömare",
        "offline": "provkörning utan riktig bedömare: inget betyg här får användas för en elev",
        "columns": "vad kolumnerna betyder",
        "checks": "kontroller",
        "passed": "godkänd",
        "warned": "titta på den",
        "red": "röd: betygen hålls inne",
        "overridden": "röd, åsidosatt av en människa",
    },
}


def in_language(table: Mapping[str, Mapping[str, str]], language: str) -> Mapping[str, str]:
    """A table's words; English where the language has none."""
    return table.get(language, table["en"])
