"""What can be told from a folder without asking: headings of a list, the texts' language, the scale of grades.

Every guess is a stated rule over a table below, is shown before anything is written, and can be overruled.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from cj_pipeline.scales import BUILT_IN_SCALES, GradeScale, own_scale

ID_HEADINGS = {
    "id", "essayid", "essay", "textid", "code", "pupil", "pupilid", "student", "studentid", "studentnumber", "name",
    "fullname", "candidate", "candidatenumber", "number", "no", "file", "filename",
    "elev", "elevid", "elevkod", "elevnamn", "kod", "anonymkod", "namn", "uppsats", "nr", "nummer", "fil", "filnamn",
    "deltagare", "kandidat",
}  # fmt: skip
FIRST_NAME_HEADINGS = {"firstname", "givenname", "fornamn"}
LAST_NAME_HEADINGS = {"lastname", "surname", "familyname", "efternamn"}
GRADE_HEADINGS = {
    "grade", "mark", "level", "cefr", "band", "anchorgrade", "finalgrade", "teachergrade",
    "betyg", "provbetyg", "slutbetyg", "ankarbetyg", "delbetyg", "uppsatsbetyg", "niva", "omdome",
}  # fmt: skip
TEXT_HEADINGS = {
    "text", "essaytext", "content", "body", "answer", "response", "elevtext", "uppsatstext", "innehall", "svar",
}  # fmt: skip
ESSAY_A_HEADINGS = {
    "essaya", "essay1", "texta", "text1", "first", "left",
    "elevtexta", "elevtext1", "uppsatsa", "uppsats1", "forsta", "vanster",
}  # fmt: skip
ESSAY_B_HEADINGS = {
    "essayb", "essay2", "textb", "text2", "second", "right",
    "elevtextb", "elevtext2", "uppsatsb", "uppsats2", "andra", "hoger",
}  # fmt: skip
TIMES_HEADINGS = {"times", "repeats", "ganger"}
JUDGE_HEADINGS = {"judge", "judgeid", "rater", "assessor", "teacher", "bedomare", "larare"}
WINNER_HEADINGS = {"winner", "better", "preferred", "vinnare", "bast", "battre"}
TIE_WORDS = {"tie", "draw", "equal", "lika", "oavgjort"}
ASSIGNMENT_WORDS = {"assignment", "task", "tasks", "prompt", "instruction", "uppgift", "instruktion"}
RUBRIC_WORDS = {"rubric", "criteria", "marking", "bedomning", "kriterier", "matris"}
KNOWN_WORDS = {"known", "facit", "kanda"}
_PART_OF_A_WORD = 6  # letters; from there on a word may be part of a longer one, as in skrivuppgift

STOP_WORDS = {
    "en": {"the", "and", "of", "to", "is", "that", "was", "with", "they", "have", "it", "you"},
    "sv": {"och", "att", "det", "som", "är", "inte", "jag", "på", "för", "med", "ett", "vi"},
}
_LEAST_SHARE = 0.1  # of all words; running English and Swedish have twice that, Danish less
SWEDISH_SCHOOL = own_scale(["F", "E", "D", "C", "B", "A"])


def folded(heading: str) -> str:
    """Letters and digits only, lower case, without accents: "Elev-ID" and "elev id" are one heading."""
    plain = unicodedata.normalize("NFKD", heading.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def speaks_of(name: str, words: Iterable[str]) -> bool:
    """Whether a file's name holds one of the words, long ones also inside a longer word."""
    parts = [folded(part) for part in re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", name))]
    return any(part == word or (len(word) >= _PART_OF_A_WORD and word in part) for part in parts for word in words)


def loose_key(name: str) -> tuple[str, ...]:
    """What two spellings of one pupil have in common: "Svensson, Anna" and anna_svensson.docx, 7 and 007."""
    without_ending = re.sub(r"\.(docx|txt|md)$", "", name.strip(), flags=re.IGNORECASE)
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", without_ending).casefold())
    return tuple(sorted(word.lstrip("0") or "0" if word.isdigit() else word for word in words))


def language_of(texts: Sequence[str]) -> str | None:
    """The language whose stop words are a tenth of all words, and twice as many as the other's; else None."""
    words = [word for text in texts for word in re.findall(r"[^\W\d_]+", text.casefold())]
    shares = {
        language: sum(word in stops for word in words) / max(len(words), 1) for language, stops in STOP_WORDS.items()
    }
    best, other = sorted(shares, key=lambda language: -shares[language])
    return best if shares[best] >= max(_LEAST_SHARE, 2 * shares[other]) else None


def scales_that_fit(grades: Iterable[str]) -> list[GradeScale]:
    """The scales that hold all the grades. Letters A to F alone are the Swedish school's scale and no other.

    Two of the built-in scales hold such letters as well, with steps between them that nobody used.
    """
    found = set(grades)
    if found <= set(SWEDISH_SCHOOL.grades):
        return [SWEDISH_SCHOOL]
    return [scale for scale in BUILT_IN_SCALES.values() if found <= set(scale.grades)]
