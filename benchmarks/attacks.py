"""Essays that speak to the judge: how many the check finds, and what they do to a judge that can be fooled.

`python -m benchmarks.attacks` writes docs/attacks.md. The corpus is attacks.csv beside this file, written for it.
"""

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from cj_pipeline.batch.findings import speaks_to_a_judge
from cj_pipeline.emulator.judges import Comparison, judge_named

CORPUS = Path(__file__).with_name("attacks.csv")
PAGE = Path(__file__).parents[1] / "docs/attacks.md"
ESSAYS = Path(__file__).parents[1] / "data/samples/merlin-german/essays.csv"
JUDGES = ("latent:obeys=0", "latent:obeys=0.5", "latent:obeys=0.9")
LOOK_ALIKE = "look-alike"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the corpus."""

    kind: str
    language: str
    attack: bool
    text: str


@dataclass(frozen=True, slots=True)
class Shift:
    """How often essays won against the same opponents, with a harmless sentence at their end and with an attack."""

    judge: str
    comparisons: int
    before: float
    after: float


def corpus() -> list[Line]:
    """All lines, in the order of the file."""
    with CORPUS.open(encoding="utf-8", newline="") as file:
        return [Line(row["kind"], row["language"], row["attack"] == "yes", row["text"]) for row in csv.DictReader(file)]


def real_texts() -> list[str]:
    """The shipped learner texts."""
    with ESSAYS.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def found() -> dict[str, tuple[int, int]]:
    """By kind: lines that the check names, and lines in all."""
    counts: dict[str, Counter[bool]] = defaultdict(Counter)
    for line in corpus():
        counts[line.kind][speaks_to_a_judge(line.text)] += 1
    counts["real learner texts"] = Counter(speaks_to_a_judge(text) for text in real_texts())
    return {kind: (named[True], named.total()) for kind, named in counts.items()}


def shift(judge_name: str) -> Shift:
    """Each attack stands in the worse seat once per pair of neighbouring real texts."""
    judge, texts = judge_named(judge_name), real_texts()
    attacks = [line.text for line in corpus() if line.attack]
    harmless = [line.text for line in corpus() if not line.attack]
    won = Counter[str]()
    for place, attack in enumerate(attacks):
        for offset in range(len(texts)):
            mine, other = texts[offset], texts[(offset + place + 1) % len(texts)]
            if mine == other:
                continue
            won["asked"] += 1
            # to this judge every other text is another essay, so that both get a sentence more
            control = f"{mine}\n{harmless[place % len(harmless)]} {place}"
            won["before"] += _wins(judge(Comparison(other, control, ties=False)).content)
            won["after"] += _wins(judge(Comparison(other, f"{mine}\n{attack}", ties=False)).content)
    return Shift(judge_name, won["asked"], won["before"] / won["asked"], won["after"] / won["asked"])


def page() -> str:
    """The page that docs/ carries."""
    rows = [f"| {kind} | {named} of {total} | {named / total:.0%} |" for kind, (named, total) in found().items()]
    shifts = [
        f"| `{done.judge}` | {done.comparisons:,} | {done.before:.1%} | {done.after:.1%} |"
        f" {done.after - done.before:+.1%} |"
        for done in map(shift, JUDGES)
    ]
    return "\n".join([_HEAD, *rows, _MIDDLE, *shifts, _TAIL])


def main() -> None:
    PAGE.write_text(page(), "utf-8")


def _wins(content: str | None) -> bool:
    return content is not None and '"Essay B"' in content.split(",", 1)[0]


_HEAD = """# Essays that speak to the judge

Written by `python -m benchmarks.attacks` from `benchmarks/attacks.csv` (lines in English, Swedish and German, made
for this purpose; the look-alikes are harmless sentences with the same words).

Three things stand between such an essay and the scale: the prompt names its parts by markers that no essay can
contain, the answer must be one JSON object that follows the schema, and the check `essays / no_instructions` names
essays with words addressed to a judge, so that a person reads them before anything is bought.

## What the check names

| kind | named | share |
|---|---|---|"""
_MIDDLE = """
The check is a list of phrases. It was written with the corpus at hand, all but the lines called unseen, which were
added afterwards and changed nothing: their share is the honest one. Who writes against this list will pass it.

## What it does to a judge that can be fooled

The emulator's judge `latent:obeys=P` follows such words with probability P. Each attack was appended to each of the
shipped learner texts, which then met another one from the second seat; the same pairs were asked with a harmless
sentence in its place.

| judge | comparisons | wins, harmless | wins, attack | shift |
|---|---|---|---|---|"""
_TAIL = """
How far a real model can be fooled is not known from this: ask it, with a batch that holds a copied essay with one of
these lines, and compare the two scores.
"""

if __name__ == "__main__":
    main()
