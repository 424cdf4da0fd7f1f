"""Claims about the planned pairs of a batch."""

from enum import StrEnum

import pyarrow as pa

from cj_pipeline.findings import Finding, Kind
from cj_pipeline.pairing.comparison_pairs import PairBudget, item_indices
from cj_pipeline.pairing.design import Design, describe_design
from cj_pipeline.pairing.seats import MOST_SEAT_IMBALANCE

LEAST_COMPARISONS = 10  # per essay; generally sufficient (Kinnear, Jones & Davies 2025, 101 data sets)

CHECKS = {
    "pairs_unique": (
        Kind.STRUCTURAL,
        "No wave holds an ordered pair twice, unless pairs.csv says so; no essay meets itself.",
    ),
    "within_budget": (Kind.STRUCTURAL, "The plan holds no more comparisons than the cap allows."),
    "connected": (Kind.STRUCTURAL, "Every essay is linked to every other by a chain of comparisons."),
    "seats_balanced": (Kind.ADVICE, "Every essay is shown first about as often as second."),
    "comparisons_per_essay": (Kind.ADVICE, "Every essay meets enough others to be placed."),
}


class Waves(StrEnum):
    """How many waves the pairs are of: the single one, those so far, or all there will be."""

    SINGLE = "single"
    GO_ON = "go on"
    ENDED = "ended"


def pair_findings(
    essays: pa.Table,
    pairs: pa.Table,
    budget: PairBudget,
    asked: pa.Table | None = None,
    *,
    waves: Waves = Waves.SINGLE,
) -> list[Finding]:
    """All claims about the table `comparison_pairs`, in the order of `CHECKS`.

    In a top-up the pairs of the earlier batch, `asked`, count wherever the design as a whole is meant. Where wave
    follows wave, a later one may ask a pair again, and the design is judged when the last is there.
    """
    together = pairs if asked is None else pa.concat_tables([asked, pairs]).unify_dictionaries()
    first = item_indices(together["essay_a"], essays["essay_id"])
    second = item_indices(together["essay_b"], essays["essay_id"])
    design = describe_design(first, second, essays.num_rows)
    ordered = list(zip(first.tolist(), second.tolist(), strict=True))
    earlier = ordered[: together.num_rows - pairs.num_rows]
    repeated = budget.repeated + len(earlier) - len(set(earlier))  # the earlier batch may have had a list of its own
    unique = len(set(ordered))
    if waves is not Waves.SINGLE:
        in_wave = list(zip(together["wave"].to_pylist(), ordered, strict=True))
        unique, repeated = len(set(in_wave)), 0
    return [
        _unique(together.num_rows, unique, repeated, int((first == second).sum())),
        _within(pairs.num_rows, budget),
        _connected(design, together.num_rows, essays.num_rows, waves),
        _balanced(design),
        _enough(design, essays.num_rows, waves),
    ]


def _unique(pairs: int, ordered: int, repeated: int, with_itself: int) -> Finding:
    asked_again = f", {repeated} asked again by pairs.csv" if repeated else ""
    return _finding(
        "pairs_unique",
        ordered == pairs - repeated and not with_itself,
        f"{ordered} different ordered pairs of {pairs}{asked_again}, {with_itself} of an essay with itself",
        pairs=pairs,
        different=ordered,
        repeated=repeated,
    )


def _within(pairs: int, budget: PairBudget) -> Finding:
    asked_again = f", {budget.repeated} asked again" if budget.repeated else ""
    return _finding(
        "within_budget",
        pairs <= budget.pairs,
        f"{pairs} pairs, {budget.pairs} allowed ({budget.coverage} different, {budget.audit} mirrored{asked_again})",
        pairs=pairs,
        allowed=budget.pairs,
        audit=budget.audit,
    )


def _connected(design: Design, pairs: int, essays: int, waves: Waves) -> Finding:
    # with fewer pairs than a chain needs nothing could be connected; each part is then scored apart
    possible = pairs >= essays - 1
    said = f"{design.n_components} connected parts"
    if waves is Waves.GO_ON:
        said += " so far"
    elif not possible:
        said += f": {pairs} pairs cannot link {essays} essays"
    return _finding(
        "connected",
        design.n_components == 1 or not possible or waves is Waves.GO_ON,
        said,
        components=design.n_components,
    )


def _balanced(design: Design) -> Finding:
    worst = int(design.max_seat_imbalance)
    return _finding(
        "seats_balanced",
        worst <= MOST_SEAT_IMBALANCE,
        f"the largest difference between first and second seats of an essay is {worst}",
        largest_imbalance=worst,
    )


def _enough(design: Design, essays: int, waves: Waves) -> Finding:
    least = min(LEAST_COMPARISONS, essays - 1)
    so_far = " so far" if waves is Waves.GO_ON else ""
    return _finding(
        "comparisons_per_essay",
        design.min_comparisons >= least or waves is Waves.GO_ON,
        f"{design.min_comparisons} to {design.max_comparisons} comparisons per essay{so_far}; {least} are generally "
        "sufficient",
        fewest=int(design.min_comparisons),
        most=int(design.max_comparisons),
    )


def _finding(name: str, passed: bool, summary: str, **numbers: float | int | str) -> Finding:
    return Finding("comparison_pairs", name, CHECKS[name][0], bool(passed), summary, numbers)
