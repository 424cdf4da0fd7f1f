"""The drawings of a report: which figures go into which chart, and the words that go with it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cj_pipeline.report.budget import budget_drawing, budget_figures
from cj_pipeline.report.charts import (
    Preference,
    anchor_chart,
    grade_chart,
    preference_chart,
    ranking_chart,
    review_chart,
    seat_chart,
)
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures import (
    Z95,
    EssayFigures,
    Review,
    anchor_accuracy,
    anchor_figures,
    calibrated_component,
    first_wins,
    grade_labels,
    judge_figures,
    only_row,
    seat_differences,
)
from cj_pipeline.report.wave_path import path_drawing, path_figures
from cj_pipeline.report.words import Catalogue


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing under its title."""

    title: str
    drawing: Markup


def drawings(
    evidence: Evidence, rows: Sequence[EssayFigures], reread: Review, t: Catalogue
) -> Mapping[str, Sequence[Chart]]:
    """Every chart by the section that shows it."""
    return {
        "grades": _grade_charts(evidence, reread, t),
        "ranking": _ranking_charts(evidence, rows, t),
        "review": _review_charts(reread, t),
        "anchors": _anchor_charts(evidence, t),
        "judges": [*_preference_charts(evidence, t), *_seat_charts(evidence, t)],
        "budget": _budget_charts(evidence, t),
        "path": _path_charts(evidence, t),
    }


def _grade_charts(evidence: Evidence, reread: Review, t: Catalogue) -> list[Chart]:
    labels = grade_labels(evidence)
    if not reread.graded:
        return []
    given = Counter(row.grade for row in reread.graded)
    counts = [given[label] for label in labels]
    parts = [t("grades.chart.part", grade=label, count=t.whole(given[label])) for label in labels]
    text = t("grades.chart.text", pupils=t.whole(len(reread.graded)), parts=", ".join(parts))
    return [Chart(t("grades.chart"), grade_chart(counts, labels=labels, text=text, y_label=t("grades.chart.y")))]


def _path_charts(evidence: Evidence, t: Catalogue) -> list[Chart]:
    figures = path_figures(evidence)
    return [Chart(t("path.chart"), path_drawing(figures, t))] if figures else []


def _budget_charts(evidence: Evidence, t: Catalogue) -> list[Chart]:
    figures = budget_figures(evidence)
    return [Chart(t("budget.chart"), budget_drawing(figures, t))] if figures else []


def _ranking_charts(evidence: Evidence, rows: Sequence[EssayFigures], t: Catalogue) -> list[Chart]:
    scored = [row for row in rows if row.score is not None]
    sizes = Counter(row.component for row in scored)
    components = sorted(sizes)
    calibrated = calibrated_component(scored)
    charts = []
    for place, component in enumerate(components, start=1):
        if sizes[component] < 2:
            continue
        members = [row for row in scored if row.component == component]
        cuts = only_row(evidence, "grade_fit")["thresholds_on_scores"] if component == calibrated else []
        text = t(
            "ranking.chart.text",
            count=t.whole(len(members)),
            best=members[0].essay_id,
            top=t.number(members[0].score),
            worst=members[-1].essay_id,
            bottom=t.number(members[-1].score),
        )
        title = (
            t("ranking.chart")
            if len(components) == 1
            else t("ranking.chart.component", number=place, of=len(components))
        )
        drawing = ranking_chart(
            members,
            cuts=cuts or [],
            labels=grade_labels(evidence),
            text=text,
            x_label=t("ranking.chart.x"),
            decimal_mark=t.decimal_mark,
        )
        charts.append(Chart(title, drawing))
    return charts


def _review_charts(reread: Review, t: Catalogue) -> list[Chart]:
    if not reread.graded:
        return []
    wrong = reread.expected_wrong
    text = t(
        "review.chart.text",
        before=t.number(wrong[0], 1),
        pupils=t.whole(len(reread.graded)),
        share=t.percent(reread.first / len(reread.graded)),
        after=t.number(wrong[reread.first], 1),
    )
    drawing = review_chart(
        wrong,
        reread.first,
        text=text,
        x_label=t("review.chart.x"),
        y_label=t("review.chart.y"),
        decimal_mark=t.decimal_mark,
    )
    return [Chart(t("review.chart"), drawing)]


def _anchor_charts(evidence: Evidence, t: Catalogue) -> list[Chart]:
    anchors, accuracy = anchor_figures(evidence), anchor_accuracy(evidence)
    if accuracy is None:
        return []
    text = t("anchors.chart.text", n=accuracy.n, exact=accuracy.exact, adjacent=accuracy.adjacent)
    drawing = anchor_chart(anchors, labels=grade_labels(evidence), text=text, x_label=t("anchors.chart.x"))
    return [Chart(t("anchors.chart"), drawing)]


def _preference_charts(evidence: Evidence, t: Catalogue) -> list[Chart]:
    fits = [(judge.card.judge_id, judge.fit) for judge in judge_figures(evidence)]
    measured = [
        Preference(name, fit["order_effect"], fit["order_effect_standard_error"])
        for name, fit in fits
        if fit["order_effect"] is not None and fit["order_effect_standard_error"] is not None
    ]
    if not measured:
        return []
    parts = [
        t(
            "judges.chart.part",
            judge=one.judge,
            share=t.percent(first_wins(one.order_effect)),
            low=t.percent(first_wins(one.order_effect - Z95 * one.standard_error)),
            high=t.percent(first_wins(one.order_effect + Z95 * one.standard_error)),
        )
        for one in measured
    ]
    text = t("judges.chart.text", parts="; ".join(parts))
    return [Chart(t("judges.chart"), preference_chart(measured, text=text, x_label=t("judges.chart.x")))]


def _seat_charts(evidence: Evidence, t: Catalogue) -> list[Chart]:
    differences = seat_differences(evidence)
    if not differences:
        return []
    text = t(
        "judges.seats.text",
        count=t.whole(len(differences)),
        low=t.whole(min(differences)),
        high=t.whole(max(differences)),
    )
    labels = {"x_label": t("judges.seats.x"), "y_label": t("judges.seats.y")}
    return [Chart(t("judges.seats"), seat_chart(differences, text=text, **labels))]
