"""The HTML report: one self-contained file per batch, rendered from the evidence.

Essay texts, ids and titles are hostile input: every value is escaped, and the page's own content security
policy forbids any request and any script or style but the ones hashed into it.
"""

import base64
import functools
import hashlib
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cj_pipeline.findings import Finding
from cj_pipeline.report.budget import budget_figures, new_essays
from cj_pipeline.report.charts import grade_bars
from cj_pipeline.report.drawings import drawings
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
    essay_figures,
    first_wins,
    grade_labels,
    is_overridden,
    judge_figures,
    known_agreement,
    only_row,
    review,
    stored,
)
from cj_pipeline.report.panel import first_seat_interval, group_name, panel_figures
from cj_pipeline.report.review_steps import review_steps
from cj_pipeline.report.views import limits, scale_figures, views
from cj_pipeline.report.wave_path import path_figures
from cj_pipeline.report.words import Catalogue, catalogue, isolated, listed, quoted
from cj_pipeline.scoring.findings import MISFIT

MOST_JOBS_SHOWN = 50
ROWS_BELOW_A_CHART = 12  # on paper a longer ranking table begins its own page
MOST_GRADES_OPEN = 40  # pupils in the table of grades; the rest unfolds, and is on paper in any case
MOST_SCRIPTS_OPEN = 25  # longer lists show this many; the rest unfolds
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # not allowed in HTML; shown as unreadable


@dataclass(frozen=True, slots=True)
class Flagged:
    """A script on the re-read list, and why it is there."""

    essay: EssayFigures
    why: str


def render_report(evidence: Evidence, *, with_texts: bool = True) -> str:
    """The whole report as one HTML document; without texts, and in a public copy, no word of any essay is in it."""
    t = catalogue(evidence.language)
    with_texts = with_texts and not evidence.public
    return render_page(
        "report.html",
        t,
        print_note=t("offline.print") if any(card.offline for card in evidence.judges) else "",
        views=views(
            with_texts=with_texts,
            with_budget=budget_figures(evidence) is not None,
            with_path=path_figures(evidence) is not None,
        ),
        with_texts=with_texts,
        texts=_texts(evidence) if with_texts else {},
        isolated=isolated,
        listed=listed,
        quoted=quoted,
        first_wins=first_wins,
        Z95=Z95,
        **_contents(evidence, t),
    )


def render_page(template: str, t: Catalogue, *, print_note: str = "", **contents: object) -> str:
    """A template of this room with the style and script of all its pages; nothing else may act in it."""
    style = _source("report.css").replace('"PRINT NOTE"', _css_string(print_note))
    script = _source("report.js")
    document = (
        _environment()
        .get_template(template)
        .render(
            contents,
            t=t,
            style=Markup(style),  # noqa: S704 (this package's own file)
            script=Markup(script),  # noqa: S704 (the same)
            policy=_policy(style, script),
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
        "most_grades": MOST_GRADES_OPEN,
        "pupils": [row for row in rows if not row.is_anchor],
        "scale": scale_figures(rows),
        "limits": limits(state, offline=any(card.offline for card in evidence.judges)),
        "by_id": {row.essay_id: row for row in rows},
        "anchor_count": sum(row.is_anchor for row in rows),
        "labels": labels,
        "place": {label: index for index, label in enumerate(labels)},
        "state": state,
        "headline": headline(state, t),
        "judges": judge_figures(evidence),
        "new_essays": new_essays(evidence),
        "budget": budget_figures(evidence),
        "path": path_figures(evidence),
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
        "charts": drawings(evidence, rows, reread, t),
        "findings": findings_by_colour(evidence.findings),
        "jobs": stored(evidence, "provider_batch_jobs").slice(0, MOST_JOBS_SHOWN).to_pylist(),
        "total": _job_totals(evidence),
        "provenance": _provenance(evidence),
        "versions": ", ".join(f"{name} {version}" for name, version in evidence.versions.items()),
        "bars": functools.partial(_bars, labels=labels, t=t),
        "reasons": functools.partial(_reasons, t=t),
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


def _bars(row: EssayFigures, *, labels: Sequence[str], t: Catalogue) -> Markup:
    ends = (row.grade_low, row.grade_high)
    inside = (labels.index(ends[0]), labels.index(ends[1])) if ends[0] in labels and ends[1] in labels else None
    parts = [
        f"{label} {t.percent(share)}" for label, share in zip(labels, row.probabilities, strict=True) if share >= 0.01
    ]
    return grade_bars(row.probabilities, inside, ", ".join(parts))


def _reasons(judge: JudgeFigures, *, t: Catalogue) -> str:
    return ", ".join(f"{t.code(reason)} ({t.whole(count)})" for reason, count in judge.unanswered.items())


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
