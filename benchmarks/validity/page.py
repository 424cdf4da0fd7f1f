"""docs/validity.md: promises with what became of them, then every table."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from importlib.metadata import version
from operator import add

from benchmarks.measuring import Table
from benchmarks.page import grid, machine
from benchmarks.validity.figures import Rate
from benchmarks.validity.judges import COIN, ORDINARY, Worth
from benchmarks.validity.runs import FIRST_SEED, REVIEWED, Gates, Quality, Reliability

MOST_FALSE_BLOCKS, MOST_FALSE_PASSES = 0.01, 0.05
BEST_SCORES = {"equal": 0.558, "skewed": 0.612, "mislabelled": 0.591, "sharp": 0.383}  # best published simulation
HEAD = """\
# Validity

`make validity` simulates judges of known worth on batches of known truth and writes this page. Everything below is
simulation from a Bradley-Terry model with stated parameters: it shows what the statistics do when their model is
nearly right, not what a language model does with essays. For that, look at the anchors left out on each report.
"""


@dataclass(frozen=True, slots=True)
class Promise:
    """A bound, what was measured, and whether it holds; `open` when the interval does not decide."""

    what: str
    measured: str
    bound: str
    kept: bool
    undecided: bool = False

    def cells(self) -> tuple[str, ...]:
        return self.what, self.measured, self.bound, "open" if self.undecided else "kept" if self.kept else "**broken**"


@dataclass(frozen=True, slots=True)
class Simulated:
    """All that was simulated."""

    gates: Sequence[Gates]
    by_size: Sequence[Gates]
    qualities: Sequence[Quality]
    reliabilities: Sequence[Reliability]
    drift: Sequence[tuple[str, Rate]]


def page(found: Simulated, *, batches: int, minutes: float) -> str:
    """The whole page in Markdown."""
    promised = [*gate_promises(found.gates, found.by_size), *figure_promises(found)]
    kept = sum(promise.kept for promise in promised)
    tables = [
        gate_table(found.gates),
        size_table(found.by_size),
        quality_table(found.qualities),
        review_table(found.qualities),
        reliability_table(found.reliabilities),
        drift_table(found.drift),
    ]
    parts = [
        HEAD,
        f"{_wrapped(machine())}\n",
        _wrapped(
            f"{datetime.now(UTC):%Y-%m-%d}, cj-pipeline {version('cj-pipeline')}, {minutes:.0f} minutes, "
            f"`python -m benchmarks.validity --batches {batches}`. Batches of a cell are drawn from seeds "
            f"{FIRST_SEED:,} on, none of which limits and priors were chosen on; the figures do not depend on "
            "the machine."
        )
        + "\n",
        f"## Promises\n\n{kept} of {len(promised)} kept.\n",
        grid(("what", "measured", "promised", ""), [promise.cells() for promise in promised]),
        *(f"## {table.heading}\n\n{_wrapped(table.about)}\n\n{grid(table.columns, table.rows)}" for table in tables),
    ]
    return "\n".join(parts)


def gate_promises(gates: Sequence[Gates], by_size: Sequence[Gates]) -> list[Promise]:
    """False blocks of judges that deserve to pass, false passes of those that must not."""
    deserving = [one for one in [*gates, *by_size] if worth(one) is Worth.PASS]
    unworthy = [one for one in [*gates, *by_size] if worth(one) is Worth.BLOCK]
    enough = [one for one in unworthy if one.design.anchors > 3]
    three = [one for one in unworthy if one.design.anchors == 3]
    return [
        *(_false_blocks(name, [one for one in deserving if one.judge.name == name]) for name in _names(deserving)),
        *(_false_passes(name, [one for one in enough if label(one) == name]) for name in _names(enough)),
        *(
            _false_passes(f"{name}, three anchors", [one for one in three if label(one) == name])
            for name in _names(three)
        ),
    ]


def figure_promises(found: Simulated) -> list[Promise]:
    """Coverage, scores, slopes, reliability of coin tosses."""
    promised = []
    for one in found.qualities:
        if one.name not in BEST_SCORES:
            continue
        promised += [
            Promise(f"80 % ranges cover, {one.name}", f"{one.cover:.1%}", "80 to 90 %", 0.80 <= one.cover <= 0.90),
            Promise(
                f"ranked probability score, {one.name}",
                f"{one.score:.3f} ({one.score / one.oracle:.2f} of the true cuts' {one.oracle:.3f})",
                f"≤ {BEST_SCORES[one.name]:.3f}",
                one.score <= BEST_SCORES[one.name],
            ),
            Promise(
                f"slope of score on truth, anchors over pupils, {one.name}",
                f"{one.slopes:.3f}",
                "1 within 3 %",
                abs(one.slopes - 1) <= 0.03,
            ),
        ]
    for one in found.qualities:
        before, wrong, promise, left = one.review[REVIEWED.index(0.3)]
        prevented = (wrong - left) / (before - promise)
        what = f"re-reading 30 % prevents, of what the report promises: {one.name}"
        promised.append(Promise(what, f"{prevented:.0%}", "75 to 125 %", 0.75 <= prevented <= 1.25))
    for tossed in (one for one in found.reliabilities if one.judge == COIN):
        measured = f"mean {tossed.mean:.2f}, 95th percentile {tossed.ninety_fifth:.2f}"
        kept = tossed.mean <= 0.10 and tossed.ninety_fifth <= 0.25
        promised.append(Promise(f"reliability of coin tosses, {tossed.essays} essays", measured, "≤ .10, ≤ .25", kept))
    for real in (one for one in found.reliabilities if one.judge == ORDINARY):
        measured = f"{real.mean:.3f}, squared correlation {real.truth:.3f}"
        kept = abs(real.mean - real.truth) <= 0.03
        promised.append(Promise(f"reliability, ordinary judge, {real.essays} essays", measured, "within .03", kept))
    return promised


def worth(one: Gates) -> Worth:
    """Scrambled anchors are to be stopped, whoever judges."""
    return Worth.BLOCK if one.design.scrambled else one.judge.worth


def label(one: Gates) -> str:
    """The judge, and what is wrong with the anchors."""
    odd = ", scrambled anchors" if one.design.scrambled else ", a fifth of the anchors a grade off"
    return one.judge.name + (odd if one.design.scrambled or one.design.mislabelled else "")


def _names(cells: Iterable[Gates]) -> list[str]:
    return list(dict.fromkeys(label(one) if worth(one) is Worth.BLOCK else one.judge.name for one in cells))


def _false_blocks(name: str, cells: Sequence[Gates]) -> Promise:
    blocked = reduce(add, (one.stopped for one in cells))
    limit = f"≤ {MOST_FALSE_BLOCKS:.0%}"
    kept = blocked.share <= MOST_FALSE_BLOCKS
    return Promise(f"withheld though right: {name}", str(blocked), limit, kept, not kept and blocked.low <= 0.01)


def _false_passes(name: str, cells: Sequence[Gates]) -> Promise:
    stopped = reduce(add, (one.stopped for one in cells))
    passed = Rate(stopped.batches - stopped.happened, stopped.batches)
    limit, kept = f"≤ {MOST_FALSE_PASSES:.0%}", passed.share <= MOST_FALSE_PASSES
    return Promise(f"passed though worthless: {name}", str(passed), limit, kept, not kept and passed.low <= 0.05)


def gate_table(gates: Sequence[Gates]) -> Table:
    names = ("success_rate", "anchors_in_order", "ungraded_share", "one_model_per_judge")
    rows = [
        (label(one), str(worth(one)), str(one.stopped), *(str(one.by_gate.get(name, 0)) for name in names))
        for one in gates
    ]
    return Table(
        "Every gate, on an exam's batch",
        "37 essays, 12 anchors on nine grades, 14 comparisons per essay, pupils' spread 1.5 logits, an order effect of "
        ".3 logits; judgments, grades and findings as the assets make them. Shares of batches whose grades are "
        "withheld, with exact 95 % intervals, and how many each gate stopped (several can be red at once).",
        ("judge", "worth", "withheld", *names),
        tuple(rows),
    )


def size_table(gates: Sequence[Gates]) -> Table:
    designs = list(dict.fromkeys((one.design.essays, one.design.anchors) for one in gates))
    names = list(dict.fromkeys(label(one) for one in gates))
    stopped = {(one.design.essays, one.design.anchors, label(one)): one.stopped for one in gates}
    rows = [
        (str(essays), str(anchors), *(f"{stopped[essays, anchors, name].share:.1%}" for name in names))
        for essays, anchors in designs
    ]
    return Table(
        "The anchor gate, by size",
        f"Share of {gates[0].stopped.batches} batches each that the gate stops. Three anchors fall into perfect order "
        "by chance once in six times; there that is asked of them, and a slope beyond the scores' errors.",
        ("essays", "anchors", *names),
        tuple(rows),
    )


def quality_table(qualities: Sequence[Quality]) -> Table:
    rows = [
        (
            one.name,
            f"{one.cover:.1%} ± {1.96 * one.cover_error:.1%}",
            f"{one.width:.2f}",
            f"{one.least_mass:.0%}",
            f"{one.score:.3f}",
            f"{one.score / one.oracle:.2f}",
            f"{one.right:.1%}",
            f"{one.stated:.1%}",
            f"{one.slopes:.3f}",
            str(one.stopped),
        )
        for one in qualities
    ]
    return Table(
        "Grades of pupils",
        "An exam's batch unless said otherwise. Equal: grades equally wide; skewed: the widest three times the "
        "narrowest; mislabelled: a fifth of the anchors one grade off; sharp: a judge that sees 2.5 times the "
        "distances; own taste: essay by essay the judge differs from the grades, by that sd. `RPS`: ranked probability "
        "score; `oracle`: its ratio to the one with the true cuts. `least`: the probability that every range of a "
        "batch holds at least, for all of them to hold 80 % on average.",
        (
            "case",
            "80 % ranges cover",
            "grades in them",
            "least",
            "RPS",
            "oracle",
            "right",
            "said to be right",
            "slopes",
            "withheld",
        ),
        tuple(rows),
    )


def review_table(qualities: Sequence[Quality]) -> Table:
    rows = []
    for one in qualities:
        cells = [one.name, f"{one.review[0][0]:.1f} / {one.review[0][1]:.1f}"]
        cells += [f"{promised:.1f} / {true:.1f}" for _, _, promised, true in one.review]
        rows.append(tuple(cells))
    return Table(
        "Re-reading",
        "Expected misgrades as the report promises them / misgrades there were, per batch, before and after a person "
        "re-reads that share of pupils in the order of the list.",
        ("case", "nothing re-read", *(f"{share:.0%}" for share in REVIEWED)),
        tuple(rows),
    )


def reliability_table(found: Sequence[Reliability]) -> Table:
    rows = [
        (one.judge.name, str(one.essays), f"{one.mean:.3f}", f"{one.ninety_fifth:.3f}", f"{one.truth:.3f}")
        for one in found
    ]
    return Table(
        "Reliability",
        "As stated, beside the squared correlation of scores and truth (for tossed coins: of nothing with nothing).",
        ("judge", "essays", "mean", "95th percentile", "squared correlation"),
        tuple(rows),
    )


def drift_table(found: Sequence[tuple[str, Rate]]) -> Table:
    return Table(
        "Drift",
        "Warnings about two batches of 37 essays that share their anchors, judged by the same ordinary judge.",
        ("what moved", "warned"),
        tuple((name, str(rate)) for name, rate in found),
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)
