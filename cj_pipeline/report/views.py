"""The three views of a report, each for a reader of its own: which sections it has, and what only it shows."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cj_pipeline.report.figures import EssayFigures, Outcome, State

# a view's sections in order; a section's title is its name with ".title"
VIEWS: Mapping[str, tuple[str, ...]] = {
    "overview": ("trust", "grades", "review", "limits", "scripts"),
    "psychometrics": ("scale", "ranking", "anchors", "judges", "path", "budget"),
    "audit": ("checks", "money", "provenance"),
}


@dataclass(frozen=True, slots=True)
class ScaleFigures:
    """The scale in a few numbers; errors are standard errors in logits."""

    mean_error: float
    least_error: float
    largest_error: float
    fewest: int
    most: int
    misfits: int
    median_infit: float | None


def views(*, with_texts: bool, with_budget: bool, with_path: bool) -> dict[str, list[str]]:
    """The sections of each view that this report has."""
    optional = {"scripts": with_texts, "budget": with_budget, "path": with_path}
    left_out = {name for name, shown in optional.items() if not shown}
    return {view: [name for name in sections if name not in left_out] for view, sections in VIEWS.items()}


def scale_figures(rows: Sequence[EssayFigures]) -> ScaleFigures | None:
    """Over the essays that have a score and an error; None without any."""
    scored = [row for row in rows if row.score is not None and row.standard_error is not None]
    errors = [row.standard_error for row in scored if row.standard_error is not None]
    if not errors:
        return None
    infits = [row.infit for row in scored if row.infit is not None]
    return ScaleFigures(
        mean_error=statistics.fmean(errors),
        least_error=min(errors),
        largest_error=max(errors),
        fewest=min(row.comparisons for row in scored),
        most=max(row.comparisons for row in scored),
        misfits=sum(row.misfit for row in scored),
        median_infit=statistics.median(infits) if infits else None,
    )


def limits(state: State, *, offline: bool) -> list[str]:
    """What the report must not be used for, as the last part of the keys of its sentences."""
    graded = state.outcome is Outcome.GRADED
    applies = {
        "offline": offline,
        "withheld": state.outcome is Outcome.WITHHELD,
        "alone": graded,
        "unread": graded,
        "order": True,
        "scores": True,
        "groups": True,
    }
    return [name for name, holds in applies.items() if holds]
