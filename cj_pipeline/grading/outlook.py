"""What a batch may expect for its money: its own plan simulated, other budgets along the law through it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.grading.budget_curve import Cohort, expected_beside, smallest_budget, usual_budgets
from cj_pipeline.grading.forecast import ORDINARY_JUDGE_SD, SHARP_JUDGE_SD, Forecast, forecast
from cj_pipeline.pairing.comparison_pairs import item_indices

NANO = 1e-9


@dataclass(frozen=True, slots=True)
class Prospect:
    """One budget. `comparisons` counts every judge's, `per_essay` those of one judge; `usd` is the expected cost."""

    comparisons: int
    per_essay: float
    usd: float
    this_batch: bool
    ordinary: Forecast
    sharp: Forecast


@dataclass(frozen=True, slots=True)
class Target:
    """The smallest budgets expected to reach a reliability, in comparisons; None when every pair does not."""

    reliability: float
    ordinary: int | None
    sharp: int | None
    ordinary_usd: float | None
    sharp_usd: float | None
    every_pair: int  # comparisons there are at most


@dataclass(frozen=True, slots=True)
class Outlook:
    """Prospects by rising budget, with the batch's own among them."""

    prospects: Sequence[Prospect]
    target: Target | None
    panel: bool
    tops_up: str | None

    def sentences(self) -> Iterator[str]:
        """What the figures mean, for people."""
        if self.target is not None:
            yield from _target_sentences(self.target)
        if self.tops_up is not None:
            yield (
                f"Expected of all essays together, those of {self.tops_up} with the judgments they have; "
                "other budgets are not forecast for a top-up."
            )
        yield (
            "This batch's plan is simulated with a judge that follows the model; other budgets follow SE ~ "
            "1/sqrt(comparisons). A real judge may see quality differently."
        )
        if self.panel:
            yield "A panel is counted as one judge: what its judges agree to see wrongly, no number of them corrects."


def outlook_of(
    batch: Batch, pairs: pa.Table, *, nano_usd: int, caps: Sequence[int] = (), target: float | None = None
) -> Outlook:
    """Simulate the batch's plan for two sorts of judge and look at other budgets beside it.

    `nano_usd` is the expected cost of the plan, `caps` are further budgets in comparisons of all judges. Of a
    top-up only its own plan is looked at, over all essays with the pairs they have.
    """
    ordinary, sharp = (_simulated(batch, pairs, sd) for sd in (ORDINARY_JUDGE_SD, SHARP_JUDGE_SD))
    cohort, panel = cohort_of(batch), len(batch.manifest.judges) > 1
    shares = sum(judge.share for judge in batch.manifest.judges)
    planned, usd_per_pair = pairs.num_rows, NANO * nano_usd / max(1, pairs.num_rows)
    if batch.earlier is not None:
        per_essay = 2 * (planned + batch.earlier.pairs.num_rows) / cohort.n_essays
        only = Prospect(round(planned * shares), per_essay, NANO * nano_usd, True, ordinary, sharp)
        return Outlook([only], None, panel=panel, tops_up=batch.earlier.batch_id)
    wanted = {max(1, min(cohort.every_pair, int(cap / shares))) for cap in caps}
    budgets = sorted({planned, *(wanted or usual_budgets(cohort, planned))})
    prospects = [
        Prospect(
            comparisons=round(count * shares),
            per_essay=2 * count / cohort.n_essays,
            usd=count * usd_per_pair,
            this_batch=count == planned,
            ordinary=expected_beside(cohort, count, ordinary, planned),
            sharp=expected_beside(cohort, count, sharp, planned),
        )
        for count in budgets
    ]
    found = None
    if target is not None:
        least, least_sharp = (smallest_budget(cohort, target, simulated, planned) for simulated in (ordinary, sharp))
        found = Target(
            reliability=target,
            ordinary=None if least is None else ceil(least * shares),
            sharp=None if least_sharp is None else ceil(least_sharp * shares),
            ordinary_usd=None if least is None else least * usd_per_pair,
            sharp_usd=None if least_sharp is None else least_sharp * usd_per_pair,
            every_pair=round(cohort.every_pair * shares),
        )
    return Outlook(prospects, found, panel=panel, tops_up=None)


def cohort_of(batch: Batch) -> Cohort:
    """Pupils, anchors and grades of a batch, as far as it has them."""
    graded = batch.scale is not None and batch.n_anchors > 0
    return Cohort(batch.n_students, batch.n_anchors, len(batch.scale.grades) if batch.scale and graded else 0)


def _simulated(batch: Batch, pairs: pa.Table, judge_sd: float) -> Forecast:
    asked = [pairs] if batch.earlier is None else [batch.earlier.pairs, pairs]
    together = pa.concat_tables(asked).unify_dictionaries()
    first, second = (item_indices(together[name], batch.essays["essay_id"]) for name in ("essay_a", "essay_b"))
    known = [grade for grade in batch.essays["anchor_grade"].to_pylist() if grade is not None]
    grades = np.array([batch.scale.grade_index(grade) for grade in known]) if batch.scale and known else None
    return forecast(first, second, batch.essays.num_rows, judge_sd=judge_sd, anchor_grades=grades, scale=batch.scale)


def _target_sentences(target: Target) -> Iterator[str]:
    for name, least, usd in (
        ("as sharp as people", target.ordinary, target.ordinary_usd),
        ("very sharp", target.sharp, target.sharp_usd),
    ):
        if least is None:
            yield (
                f"A judge {name} is not expected to reach a reliability of {target.reliability:g} "
                f"with all {target.every_pair:,} comparisons there are."
            )
        else:
            yield (
                f"Smallest budget expected to reach a reliability of {target.reliability:g} with a judge {name}: "
                f"max_comparisons = {least}, USD {usd:.4f}."
            )
