"""Batches of anchors only, judged by a replay of recorded votes: the order they come out in is known beforehand."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

ENG5_GRADES = ("F+", "E-", "E+", "D-", "D+", "C-", "C+", "B", "A")
FIVE = {"a1": "F+", "a2": "E-", "a3": "E+", "a4": "D-", "a5": "D+"}


def anchor_batch(
    folder: Path,
    grades: Mapping[str, str] = FIVE,
    *,
    ranking: Sequence[str] = (),
    upsets: Collection[tuple[str, str]] = (),
    checks: str = "",
    rubric: str = "Say it well.",
) -> Path:
    """A batch whose judge follows `ranking` (best first; default: the order of `grades`, worst first, turned round).

    In the pairs of `upsets`, (winner, loser), it does not.
    """
    best_first = list(ranking) or list(reversed(list(grades)))
    folder.mkdir(parents=True)
    pairs = list(itertools.combinations(best_first, 2))
    rows = []
    for better, worse in pairs:
        winner = worse if (worse, better) in upsets else better
        rows.append(f"staff,{better},{worse},{winner}\n")
    (folder / "votes.csv").write_text("judge,essay_a,essay_b,winner\n" + "".join(rows), "utf-8")
    (folder / "essays.csv").write_text(
        "essay_id,text\n" + "".join(f"{name},The text of anchor {name} says so.\n" for name in grades), "utf-8"
    )
    (folder / "anchors.csv").write_text(
        "essay_id,grade\n" + "".join(f"{name},{grade}\n" for name, grade in grades.items()), "utf-8"
    )
    (folder / "assignment.md").write_text("Say something.", "utf-8")
    (folder / "rubric.md").write_text(rubric, "utf-8")
    (folder / "batch.toml").write_text(
        f"""[batch]
max_comparisons = {len(pairs)}
seed = 1

[scale]
name = "eng5_np_legacy_9_step"

[[judges]]
id = "staff"
provider = "emulator"
model = "replay:{folder / "votes.csv"}"

[pairing]
audit_share = 0.0

[checks]
{checks}
""",
        "utf-8",
    )
    return folder
