"""The report on the budget: what other numbers of comparisons are expected to give, and where this batch stands."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cj_pipeline.batch import FROM_BATCH
from cj_pipeline.grading.budget_curve import Cohort, expected, usual_budgets
from cj_pipeline.grading.forecast import ORDINARY_JUDGE_SD, SHARP_JUDGE_SD, Forecast
from cj_pipeline.report.charts import budget_chart
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures import only_row, stored
from cj_pipeline.report.words import Catalogue

FEWEST_ESSAYS = 3  # below, no reliability is defined


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """What a number of answered comparisons is expected to give, by the sharpness of the judge."""

    comparisons: int
    per_essay: float
    this_batch: bool
    ordinary: Forecast
    sharp: Forecast


@dataclass(frozen=True, slots=True)
class BudgetFigures:
    """The curve by rising budget; `here` is the batch as it was answered, `reached` the reliability it has."""

    rows: Sequence[BudgetRow]
    here: BudgetRow
    reached: float
    gradable: bool


def new_essays(evidence: Evidence) -> frozenset[str]:
    """The essays that joined a judged batch in this one; none in a batch that stands alone."""
    essays = stored(evidence, "essays")
    if FROM_BATCH not in essays.column_names:
        return frozenset()
    rows = essays.select(["essay_id", FROM_BATCH]).to_pylist()
    return frozenset(row["essay_id"] for row in rows if row[FROM_BATCH] == evidence.batch_id)


def budget_figures(evidence: Evidence) -> BudgetFigures | None:
    """The curve over the batch's own essays; None while it has no reliability."""
    fit = only_row(evidence, "scale_fit")
    essays = stored(evidence, "essays")
    if not fit["comparisons"] or fit["reliability"] is None or essays.num_rows < FEWEST_ESSAYS:
        return None
    anchors = sum(essays["is_anchor"].to_pylist())
    graded = only_row(evidence, "grade_fit")["labels"] or []
    cohort = Cohort(essays.num_rows - anchors, anchors, len(graded))
    answered = min(fit["comparisons"], cohort.every_pair)
    rows = [_row(cohort, count, answered) for count in usual_budgets(cohort, answered)]
    here = next(row for row in rows if row.this_batch)
    return BudgetFigures(rows, here, float(fit["reliability"]), cohort.gradable)


def budget_drawing(figures: BudgetFigures, t: Catalogue) -> Markup:
    """Expected reliability against comparisons per essay for both sorts of judge, and what was reached."""
    text = t(
        "budget.chart.text",
        per_essay=t.number(figures.here.per_essay, 1),
        reached=t.number(figures.reached),
        ordinary=t.number(figures.here.ordinary.reliability),
        sharp=t.number(figures.here.sharp.reliability),
    )
    return budget_chart(
        [row.per_essay for row in figures.rows],
        [row.ordinary.reliability for row in figures.rows],
        [row.sharp.reliability for row in figures.rows],
        reached=(figures.here.per_essay, figures.reached),
        text=text,
        x_label=t("budget.chart.x"),
        y_label=t("budget.chart.y"),
        decimal_mark=t.decimal_mark,
    )


def _row(cohort: Cohort, pairs: int, answered: int) -> BudgetRow:
    return BudgetRow(
        comparisons=pairs,
        per_essay=2 * pairs / cohort.n_essays,
        this_batch=pairs == answered,
        ordinary=expected(cohort, pairs, ORDINARY_JUDGE_SD),
        sharp=expected(cohort, pairs, SHARP_JUDGE_SD),
    )
