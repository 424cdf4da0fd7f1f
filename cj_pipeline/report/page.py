"""The HTML report: one self-contained file per batch, rendered from the evidence.

Essay texts, ids and titles are hostile input: every value is escaped, and the page's own content security
policy forbids any request and any script or style but the ones hashed into it.
"""

import base64
import functools
import hashlib
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cj_pipeline.findings import Finding
from cj_pipeline.report.budget import budget_drawing, budget_figures, new_essays
from cj_pipeline.report.charts import (
    Preference,
    anchor_chart,
    grade_bars,
    preference_chart,
    ranking_chart,
    review_chart,
    seat_chart,
)
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures import (
    Z95,
    EssayFigures,
    JudgeFigures,
    Outcome,
    Review,
    State,
    anchor_accuracy,
    anchor_figures,
    batch_state,
    calibrated_component,
    essay_figures,
    first_wins,
    grade_labels,
    is_overridden,
    judge_figures,
    known_agreement,
    only_row,
    review,
    seat_differences,
    stored,
)
from cj_pipeline.report.panel import first_seat_interval, group_name, panel_figures
from cj_pipeline.report.review_steps import review_steps
from cj_pipeline.report.words import Catalogue, catalogue, isolated, listed, quoted
from cj_pipeline.scoring.findings import MISFIT

MOST_JOBS_SHOWN = 50
ROWS_BELOW_A_CHART = 12  # on paper a longer ranking table begins its own page
MOST_SCRIPTS_OPEN = 25  # longer lists show this many; the rest unfolds
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # not allowed in HTML; shown as unreadable


@dataclass(frozen=True, slots=True)
class Flagged:
    """A script on the re-read list, and why it is there."""

    essay: EssayFigures
    why: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing under its title."""

    title: str
    drawing: Markup


def render_report(evidence: Evidence, *, with_texts: bool = True) -> str:
    """The whole report as one HTML document; without texts no word of any essay is in it."""
    t = catalogue(evidence.language)
    style = _source("report.css").replace('"PRINT NOTE"', _css_string(_print_note(evidence, t)))
    script = _source("report.js")
    document = (
        _environment()
        .get_template("report.html")
        .render(
            _contents(evidence, t),
            t=t,
            with_texts=with_texts,
            texts=_texts(evidence) if with_texts else {},
            style=Markup(style),  # noqa: S704 (this package's own file)
            script=Markup(script),  # noqa: S704
            policy=_policy(style, script),
            isolated=isolated,
            listed=listed,
            quoted=quoted,
            first_wins=first_wins,
            Z95=Z95,
        )
    )
    return _CONTROLS.sub("\ufffd", document)


def _contents(evidence: Evidence, t: Catalogue) -> dict[str, Any]:
    """What the templates show, by the names they use."""
    rows = essay_figures(evidence)
    state = batch_state(evidence, rows)
    reread = review(rows)
    labels = grade_labels(evidence)
    listed_scripts = flagged(rows, state, reread, t)
    judgments = stored(evidence, "judgments")
    return {
        "evidence": evidence,
        "rows": rows,
        "long": len(rows) > ROWS_BELOW_A_CHART,
        "sets": len({row.component for row in rows if row.score is not None}),
        "misfit_limit": MISFIT,
        "most_open": MOST_SCRIPTS_OPEN,
        "by_id": {row.essay_id: row for row in rows},
        "anchor_count": sum(row.is_anchor for row in rows),
        "labels": labels,
        "place": {label: index for index, label in enumerate(labels)},
        "state": state,
        "headline": headline(state, t),
        "judges": judge_figures(evidence),
        "new_essays": new_essays(evidence),
        "budget": budget_figures(evidence),
        "panel": panel_figures(evidence, t),
        "first_seat_interval": first_seat_interval,
        "group_name": group_name,
        "judge_ids": [card.judge_id for card in evidence.judges],
        "one_judge": "one" if len(evidence.judges) == 1 else "other",
        "paid": any(not card.offline for card in evidence.judges),
        "offline": [card.judge_id for card in evidence.judges if card.offline],
        "fit": only_row(evidence, "scale_fit"),
        "grade_fit": only_row(evidence, "grade_fit"),
        "planned": stored(evidence, "comparison_pairs").num_rows * max(len(evidence.judges), 1),
        "answered": judgments["outcome"].to_pylist().count("success"),
        "middle": statistics.median(row.comparisons for row in rows) if rows else 0,
        "accuracy": anchor_accuracy(evidence),
        "known": known_agreement(evidence, rows),
        "anchors": anchor_figures(evidence),
        "review": reread,
        "review_steps": review_steps(reread),
        "flagged": listed_scripts,
        "to_reread": {item.essay.number for name in ("ungraded", "first") for item in listed_scripts[name]},
        "charts": _charts(evidence, rows, reread, t),
        "findings": findings_by_colour(evidence.findings),
        "jobs": stored(evidence, "provider_batch_jobs").slice(0, MOST_JOBS_SHOWN).to_pylist(),
        "total": _job_totals(evidence),
        "provenance": _provenance(evidence),
        "versions": ", ".join(f"{name} {version}" for name, version in evidence.versions.items()),
        "bars": functools.partial(_bars, labels=labels, t=t),
        "reasons": _reasons,
        "shown": lambda value: t.number(value, 3) if isinstance(value, float) else value,
    }


def headline(state: State, t: Catalogue) -> str:
    """How the batch stands, in one sentence."""
    if state.outcome is Outcome.UNANSWERED:
        return t("state.unanswered")
    if state.outcome is Outcome.WITHHELD:
        key = "state.withheld.one" if len(state.gates) == 1 else "state.withheld.other"
        return t(key, gates=quoted(state.gates, t), reason=state.reason)
    if state.outcome is Outcome.SCORED:
        return t("state.scored", reason=state.reason) if state.reason else t("state.scored.unknown")
    if not state.pupils:
        return t("state.anchors")
    if state.graded == state.pupils:
        return t("state.graded.all", graded=t.whole(state.graded))
    rest = state.pupils - state.graded
    return t.count("state.graded.some", rest, graded=t.whole(state.graded), pupils=t.whole(state.pupils))


def flagged(rows: Sequence[EssayFigures], state: State, reread: Review, t: Catalogue) -> dict[str, list[Flagged]]:
    """The re-read list: `ungraded`, the `first` scripts, and `more` that carry a remark.

    In a batch without any grade only what stands out for a reason of its own is listed, under `first`.
    """
    if state.outcome is not Outcome.GRADED:
        outstanding = [row for row in rows if not row.is_anchor and _stands_out(row, state)]
        alone = [replace(row, reason=None) if row.reason == state.shared_reason else row for row in outstanding]
        return {"ungraded": [], "first": [Flagged(row, _why(row, t)) for row in alone], "more": []}
    rest = [row for row in reread.graded[reread.first :] if row.reason or row.misfit]
    return {
        "ungraded": [Flagged(row, _why(row, t)) for row in reread.ungraded],
        "first": [Flagged(row, _why(row, t)) for row in reread.graded[: reread.first]],
        "more": [Flagged(row, _why(row, t)) for row in rest],
    }


def findings_by_colour(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Red first, then overridden, warnings, passed; each in the order given."""
    colours: dict[str, list[Finding]] = {"red": [], "overridden": [], "warned": [], "passed": []}
    for finding in findings:
        colours[_colour(finding)].append(finding)
    return colours


def _colour(finding: Finding) -> str:
    if finding.passed:
        return "passed"
    if is_overridden(finding):
        return "overridden"
    return "warned" if finding.kind == "advice" else "red"


def _stands_out(row: EssayFigures, state: State) -> bool:
    own_reason = row.reason is not None and row.reason != state.shared_reason
    return row.misfit or (state.outcome is not Outcome.UNANSWERED and (own_reason or row.score is None))


def _why(row: EssayFigures, t: Catalogue) -> str:
    remarks = [row.reason] if row.reason else []
    if row.misfit and "infit" not in (row.reason or ""):  # the grade stage says so itself where it gave a grade
        remarks.append(t("review.misfit", infit=t.number(row.infit)))
    if not remarks:
        remarks.append(t("review.noscore") if row.score is None else t("review.boundary"))
    return "; ".join(remarks)


def _charts(
    evidence: Evidence, rows: Sequence[EssayFigures], reread: Review, t: Catalogue
) -> Mapping[str, Sequence[Chart]]:
    return {
        "ranking": _ranking_charts(evidence, rows, t),
        "review": _review_charts(reread, t),
        "anchors": _anchor_charts(evidence, t),
        "judges": [*_preference_charts(evidence, t), *_seat_charts(evidence, t)],
        "budget": _budget_charts(evidence, t),
    }


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
            members, cuts=cuts or [], labels=grade_labels(evidence), text=text, x_label=t("ranking.chart.x")
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
    labels = {"x_label": t("review.chart.x"), "y_label": t("review.chart.y")}
    return [Chart(t("review.chart"), review_chart(wrong, reread.first, text=text, **labels))]


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


def _bars(row: EssayFigures, *, labels: Sequence[str], t: Catalogue) -> Markup:
    ends = (row.grade_low, row.grade_high)
    inside = (labels.index(ends[0]), labels.index(ends[1])) if ends[0] in labels and ends[1] in labels else None
    parts = [
        f"{label} {t.percent(share)}" for label, share in zip(labels, row.probabilities, strict=True) if share >= 0.01
    ]
    return grade_bars(row.probabilities, inside, ", ".join(parts))


def _reasons(judge: JudgeFigures) -> str:
    return ", ".join(f"{reason.replace('_', ' ')} ({count})" for reason, count in judge.unanswered.items())


def _texts(evidence: Evidence) -> dict[int, str]:
    return dict(enumerate(stored(evidence, "essays")["text"].to_pylist(), start=1))


def _job_totals(evidence: Evidence) -> dict[str, Any]:
    jobs = stored(evidence, "provider_batch_jobs")
    return {
        "jobs": jobs.num_rows,
        "items": sum(jobs["items"].to_pylist()),
        "cost_usd": sum(cost or 0.0 for cost in jobs["cost_usd"].to_pylist()),
    }


def _provenance(evidence: Evidence) -> dict[str, Any]:
    judgments = stored(evidence, "judgments")
    sources = stored(evidence, "provider_batch_jobs")["price_source"].to_pylist()
    return {
        "judgments": judgments.num_rows,
        "fingerprints": len(set(judgments["fingerprint"].to_pylist())),
        "prices": sorted({source for source in sources if source}),
    }


def _print_note(evidence: Evidence, t: Catalogue) -> str:
    return t("offline.print") if any(card.offline for card in evidence.judges) else ""


def _css_string(content: str) -> str:
    """A CSS string literal: every character as a numeric escape, so that none can end it."""
    return '"' + "".join(f"\\{ord(character):06x}" for character in content) + '"'


def _policy(style: str, script: str) -> str:
    """Nothing may be requested; only this style and this script may act (CSP level 3, hash sources)."""
    return (
        f"default-src 'none'; style-src '{_sha256(style)}'; script-src '{_sha256(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _sha256(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("cj_pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _source(name: str) -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0]
