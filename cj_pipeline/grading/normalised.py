"""The predecessor's normalised score of a letter grade, for dashboards that carry it on; nothing rests on it."""

from types import MappingProxyType

NORMALISED_SCORES = MappingProxyType(
    {
        "A": 1.0,
        "A-": 0.93,
        "B+": 0.87,
        "B": 0.8,
        "B-": 0.73,
        "C+": 0.67,
        "C": 0.6,
        "C-": 0.53,
        "D+": 0.47,
        "D": 0.4,
        "D-": 0.33,
        "E+": 0.27,
        "E": 0.2,
        "E-": 0.13,
        "F+": 0.07,
        "F": 0.0,
        "U": 0.0,
    }
)


def normalised_score(grade: str | None) -> float:
    """0 for the lowest to 1 for the best letter grade; 0 for none and for any other word, numeric grades included."""
    return NORMALISED_SCORES.get(grade or "", 0.0)
