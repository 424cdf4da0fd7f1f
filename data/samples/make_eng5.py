"""Makes the ENG5 profile batches: made-up texts, and the manifests the predecessor's profiles amount to.

Run as: python data/samples/make_eng5.py
"""

import csv
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

SAMPLES = Path(__file__).parent / "eng5"
TOPICS = (
    "a harbour in the morning", "the repair of a bicycle", "a library on a rainy day", "how bread is baked",
    "a walk along a canal", "the sorting of old letters", "a train that leaves on time", "a garden in October",
    "the colours of paving stones", "a shop that sells buttons", "the sound of a busy kitchen", "a map without names",
    "the first snow of the year", "a bridge with two lanes", "how a clock is wound", "a bench beside a lake",
    "the painting of a fence", "a lamp in a window", "the weighing of apples", "a stairway with forty steps",
    "how a tent is folded", "a tram at the last stop", "the labels on a shelf", "a pond with three ducks",
)  # fmt: skip
# the grades of the scale eng5_np_legacy_9_step over twelve anchors, worst first
ANCHOR_GRADES = ("F+", "F+", "E-", "E-", "E+", "D-", "D+", "C-", "C+", "B", "A", "A")
ASSIGNMENT = "Write a few lines about the thing you were given.\n"
RUBRIC = "Which of the two texts describes its thing more clearly?\n"
SOURCE = """\
# {batch}: {essays} made-up texts

- **Origin**: made for this project by `data/samples/make_eng5.py`, from a list of neutral things and one pattern. No
  person wrote them as an essay, and nobody's text was used.
- **Licence**: Apache-2.0, as the code around them.
- **What it is for**: the predecessor's profile `{alias}`. {purpose}
- **Not an exam**: the judge `{judge}` draws lots by a rule (docs/emulator.md) and reads nothing.{grades}
"""
GRADES_ARE_LABELS = """
- `anchors.csv` gives the texts the grades that twelve real anchors would have, worst first. They are labels and no
  more: the texts do not differ in quality. There is no [scale], so nothing is graded."""
STOPPING = '\n[stopping]\nrule = "none"  # the predecessor counted; nothing here depends on precision\n'


@dataclass(frozen=True)
class Batch:
    """One folder. `extra` are further lines of [stopping]; `of_three_words` keeps prompts at their token floor."""

    name: str
    alias: str
    title: str
    purpose: str
    judge: str
    mode: str
    essays: int
    budget: int
    judges: Sequence[str] = ("judge",)
    anchors: str = ""
    extra: str = ""
    of_three_words: bool = False
    grades: Sequence[str] = field(default=())


BATCHES = (
    Batch(
        "cj-generic", "cj-generic", "ENG5 profile: generic, three times twelve comparisons",
        "The essay shown first always wins, in three repetitions that must not differ.",
        "cj_generic", "serial_bundle", 8, 36, ("batch-001", "batch-002", "batch-003"), of_three_words=True,
    ),
    Batch(
        "cj-generic-batch-api", "cj-generic-batch-api", "ENG5 profile: generic, sixteen comparisons by batch API",
        "Sixteen requests in provider batch jobs; the essay shown first always wins.",
        "cj_generic", "provider_batch_api", 8, 16, of_three_words=True,
    ),
    Batch(
        "eng5-anchor", "eng5-anchor", "ENG5 profile: twelve anchors, every pair once",
        "66 comparisons, held against 66 recorded ones of GPT-5.1 on twelve real anchors.",
        "eng5_anchor", "serial_bundle", 12, 66, anchors="eng5-anchor-", grades=ANCHOR_GRADES,
    ),
    Batch(
        "eng5-lower5", "eng5-lower5", "ENG5 profile: the five lowest anchors, every pair three times",
        "Three repetitions of 10 comparisons, held against 10 recorded ones of GPT-5.1 on five real anchors.",
        "eng5_lower5", "serial_bundle", 5, 30, ("small-net-001", "small-net-002", "small-net-003"),
        anchors="eng5-lower5-anchor-", grades=ANCHOR_GRADES[:5],
    ),
    Batch(
        "eng5-batch-api", "batch-api", "ENG5 profile: 24 essays, 60 comparisons by batch API",
        "One wave of 60 pairs, each essay in five of them.",
        "cj_generic", "provider_batch_api", 24, 60,
    ),
    Batch(
        "eng5-regular", "regular", "ENG5 profile: 24 essays, 288 comparisons in waves",
        "All 276 pairs, then twelve of them again with the seats exchanged.",
        "cj_generic", "serial_bundle", 24, 288,
    ),
    Batch(
        "eng5-resampling", "resampling", "ENG5 profile: 24 essays, every pair in both orders",
        "All 276 pairs, then all of them again with the seats exchanged: no essay is shown first more often.",
        "cj_generic", "serial_bundle", 24, 552,
    ),
    Batch(
        "eng5-small-net", "small-net", "ENG5 profile: a net of five, resampled three times",
        "Ten pairs and three passes over them: 40 comparisons, each essay eight times in each seat.",
        "eng5_lower5", "serial_bundle", 5, 60, extra="small_net = 10\nsmall_net_passes = 3\n",
    ),
)  # fmt: skip


def text_of(number: int, *, three_words: bool) -> str:
    """A made-up text: three words, or three plain sentences about one thing."""
    topic = TOPICS[number]
    if three_words:
        return f"Thing number {number + 1}."
    return (
        f"This text is about {topic}. It says where that can be seen, what is there and who comes past, in the "
        f"order in which one notices it. After {number + 3} lines one knows {topic} well enough to tell others."
    )


def manifest(batch: Batch) -> str:
    """`batch.toml`."""
    judges = "".join(
        f'\n[[judges]]\nid = "{judge}"\nprovider = "emulator"\nmodel = "{batch.judge}"\nmax_output_tokens = 200\n'
        for judge in batch.judges
    )
    stopping = "" if batch.mode == "provider_batch_api" else STOPPING + batch.extra
    return (
        f'[batch]\ntitle = "{batch.title}"\nmode = "{batch.mode}"\nmax_comparisons = {batch.budget}\nseed = 42\n'
        f"{judges}{stopping}"
    )


def write(batch: Batch) -> None:
    """The folder of one profile."""
    folder = SAMPLES / batch.name
    folder.mkdir(parents=True, exist_ok=True)
    ids = [f"{batch.anchors or 'essay-'}{number:02d}" for number in range(1, batch.essays + 1)]
    rows = [(name, text_of(number, three_words=batch.of_three_words)) for number, name in enumerate(ids)]
    _write_csv(folder / "essays.csv", ("essay_id", "text"), rows)
    if batch.grades:
        _write_csv(folder / "anchors.csv", ("essay_id", "grade"), list(zip(ids, batch.grades, strict=True)))
    (folder / "batch.toml").write_text(manifest(batch), "utf-8")
    (folder / "assignment.md").write_text(ASSIGNMENT, "utf-8")
    (folder / "rubric.md").write_text(RUBRIC, "utf-8")
    told = SOURCE.format(
        batch=batch.name, essays=batch.essays, alias=batch.alias, purpose=batch.purpose, judge=batch.judge,
        grades=GRADES_ARE_LABELS if batch.grades else "",
    )  # fmt: skip
    wrapped = [textwrap.fill(line, 118, subsequent_indent="  ") if line.startswith("- ") else line
               for line in told.replace("\n  ", " ").splitlines()]  # fmt: skip
    (folder / "SOURCE.md").write_text("\n".join(wrapped) + "\n", "utf-8")


def _write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    for each in BATCHES:
        write(each)
