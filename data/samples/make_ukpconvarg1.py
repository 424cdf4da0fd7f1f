"""Makes ten sample batches from UKPConvArg1: the topics fit for a classroom, with people's recorded judgments.

Run as: python data/samples/make_ukpconvarg1.py PATH/TO/ukpconvarg1   (arguments.csv, judgments.csv.gz, topics.csv)
"""

import sys
import textwrap
from pathlib import Path

import pandas as pd

SAMPLES = Path(__file__).parent
WINNERS = {"a1": "a", "a2": "b", "equal": "tie"}
MANIFEST = """\
[batch]
title = "{title}: {stance} (UKPConvArg1 sample)"
language = "en"

[[judges]]
id = "crowd"
provider = "emulator"
model = "replay:data/samples/{batch}/votes.csv"  # what people said, given again
ties = true
max_output_tokens = 200
"""
ASSIGNMENT = """\
A debate on the web asks: {title} Each text argues for one side of it, and for the same one: {stance} Write a short
argument that convinces a reader of that side.
"""
RUBRIC = """\
Which of the two arguments is more convincing? What counts is the case that is made for the side, not whether you
share it. Two arguments that convince equally are a tie.
"""
SOURCE = """\
# {batch}: people's judgments of {arguments} short arguments

**Licence of this folder's csv files: [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/)**, not the licence of
the code around them. Keep this file with every copy.

- **Origin**: UKPConvArg1, github.com/UKPLab/acl2016-convincing-arguments at
  ca9d24e41b8805ff2e1d3585d552b49bb64a65f7, folder `data/UKPConvArg1-full-XML`. The source debates are CC BY 3.0 or in
  the public domain. The topic of this folder: `{topic}`.
- **Attribution**: Ivan Habernal and Iryna Gurevych, "Which argument is more convincing? Analyzing and predicting
  convincingness of Web arguments using bidirectional LSTM", ACL 2016 (P16-1150).
- **What was changed**: XML to csv; entities unescaped, spaces collapsed; workers' ids replaced by shuffled pseudonyms;
  user names, up and down votes, HIT and assignment ids, times and reasons left out; one misspelt topic name repaired.
  Not a word of an argument is changed; essay ids are the data's own.
- `essays.csv`: all {arguments} arguments of the topic. `votes.csv`: all {votes} single judgments, a row each, sorted by
  pair; the argument shown first stands in `essay_a`. `pairs.csv`: the {pairs} pairs and how often each was judged.
- `batch.toml`, `assignment.md` and `rubric.md` were written for this project and carry its licence.
- What comes out is held against a published fit: [how to replay judgments](../../../docs/replay.md).
"""


def write_batch(topic: pd.Series, arguments: pd.DataFrame, judgments: pd.DataFrame) -> None:
    """One topic as a batch folder."""
    batch = f"ukpconvarg1-{topic['topic_id']}"
    folder = SAMPLES / batch
    folder.mkdir(exist_ok=True)
    named = judgments.rename(columns={"arg1": "essay_a", "arg2": "essay_b"})
    votes = named.assign(winner=named["value"].map(WINNERS)).sort_values(["essay_a", "essay_b", "submitted", "judge"])
    pairs = votes.groupby(["essay_a", "essay_b"]).size().rename("times").reset_index()
    texts = arguments.rename(columns={"arg_id": "essay_id"}).sort_values("essay_id")
    write(texts[["essay_id", "text"]], folder / "essays.csv")
    write(votes[["judge", "essay_a", "essay_b", "winner"]], folder / "votes.csv")
    write(pairs, folder / "pairs.csv")
    words = {
        "batch": batch,
        "topic": topic["topic"],
        "title": sentence(topic["title"]),
        "stance": sentence(topic["stance"]),
        "arguments": len(texts),
        "votes": len(votes),
        "pairs": len(pairs),
    }
    plain = {**words, "title": topic["title"].rstrip("?!. "), "stance": topic["stance"].rstrip("?!. ")}
    (folder / "batch.toml").write_text(MANIFEST.format(**plain), "utf-8")
    (folder / "assignment.md").write_text(textwrap.fill(ASSIGNMENT.format(**words), 100) + "\n", "utf-8")
    (folder / "rubric.md").write_text(RUBRIC, "utf-8")
    (folder / "SOURCE.md").write_text(SOURCE.format(**words), "utf-8")


def sentence(words: str) -> str:
    """With a full stop, unless it ends like a sentence."""
    return words if words.endswith(("?", "!", ".")) else f"{words}."


def write(table: pd.DataFrame, path: Path) -> None:
    """As csv with plain line ends."""
    table.to_csv(path, index=False, lineterminator="\n")


def main(source: Path) -> None:
    """Every topic that is fit for a classroom."""
    topics, arguments, judgments = (
        pd.read_csv(source / name, dtype=str, keep_default_na=False)
        for name in ("topics.csv", "arguments.csv", "judgments.csv.gz")
    )
    for _, topic in topics[topics["school_safe"] == "1"].iterrows():
        of_topic = [table[table["topic_id"] == topic["topic_id"]] for table in (arguments, judgments)]
        write_batch(topic, *of_topic)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
