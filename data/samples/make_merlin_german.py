"""Makes the sample batch merlin-german from the MERLIN corpus: typical texts as anchors, pupils drawn by a fixed seed.

Run as: python data/samples/make_merlin_german.py PATH/TO/essays_de.csv
"""

import random
import sys
from pathlib import Path

import pandas as pd

SEED = 20261122
ANCHORS = {"A1": 2, "A2": 2, "B1": 3, "B2": 3, "C1": 2}  # twelve, as evenly as five grades allow
PUPILS = {"A1": 4, "A2": 6, "B1": 6, "B2": 6, "C1": 3}  # every grade, thinner at the rare ends
TRAITS = [
    "grammatical_accuracy",
    "orthography",
    "vocabulary_range",
    "vocabulary_control",
    "coherence_cohesion",
    "sociolinguistic",
]
TRAITS_AGREEING = 4  # of the six, for an anchor
WORDS = range(25, 401)
ILLEGIBLE = "-unreadable-"  # the transcribers' mark
BATCH = Path(__file__).parent / "merlin-german"


def legible(essays: pd.DataFrame) -> pd.DataFrame:
    """Texts of 25 to 400 words without a mark for an illegible word."""
    words = essays["words"].astype(int)
    return essays[words.isin(WORDS) & ~essays["text"].str.contains(ILLEGIBLE, regex=False)]


def most_typical(essays: pd.DataFrame, counts: dict[str, int]) -> list[str]:
    """Essay ids fit to be anchors: clear in their trait grades, and as long as the texts of their grade usually are."""
    agreeing = essays[TRAITS].eq(essays["cefr"], axis=0).sum(axis=1) >= TRAITS_AGREEING
    words = essays["words"].astype(int)
    oddity = (words - words.groupby(essays["cefr"]).transform("median")).abs()
    clear = essays.assign(oddity=oddity)[agreeing].sort_values(["oddity", "essay_id"])
    return sorted(
        essay_id for grade, count in counts.items() for essay_id in clear[clear["cefr"] == grade]["essay_id"][:count]
    )


def drawn(essays: pd.DataFrame, counts: dict[str, int], chance: random.Random) -> list[str]:
    """Essay ids, so many of each grade, by lot from the sorted ids; returned sorted."""
    by_grade = {grade: sorted(group["essay_id"]) for grade, group in essays.groupby("cefr")}
    return sorted(essay_id for grade, count in counts.items() for essay_id in chance.sample(by_grade[grade], count))


def write(table: pd.DataFrame, name: str) -> None:
    """As csv with plain line ends."""
    table.to_csv(BATCH / name, index=False, lineterminator="\n")


def main(source: Path) -> None:
    """Choose anchors, draw pupils from the rest, and write the csv files of the batch."""
    essays = legible(pd.read_csv(source, dtype=str, keep_default_na=False))
    chance = random.Random(SEED)  # noqa: S311 (a draw to be repeated, no secret)
    anchors = most_typical(essays, ANCHORS)
    pupils = drawn(essays[~essays["essay_id"].isin(anchors)], PUPILS, chance)

    graded = essays.set_index("essay_id").rename(columns={"cefr": "grade"})
    BATCH.mkdir(exist_ok=True)
    write(graded.loc[sorted(anchors + pupils), ["text"]].reset_index(), "essays.csv")
    write(graded.loc[anchors, ["grade"]].reset_index(), "anchors.csv")
    write(graded.loc[pupils, ["grade"]].reset_index(), "known_grades.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
