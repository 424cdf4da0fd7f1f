"""The report on the judges as a panel: how far they agree, what pulls them, and where people and models differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures import Z95, first_wins, only_row, stored
from cj_pipeline.report.words import Catalogue, isolated

MOST_JUDGES_SHOWN = 12  # in the tables side by side; more of them by the largest misfit
MOST_ROWS = 10  # of each list
HEAT_STEPS = 5  # shades of the agreement table

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AgreementCell:
    """What two judges make of their shared pairs; `shade` is 0 (no more than chance) to 5 (all alike)."""

    share: float
    pairs: int
    kappa: float | None
    shade: int


@dataclass(frozen=True, slots=True)
class PanelFigures:
    """What the section shows. Sentences are whole; tables are rows of the stored tables, already cut to length."""

    sentences: tuple[str, ...]
    judges: tuple[Row, ...]  # side by side; empty for one judge
    left_out: int  # judges beyond those
    agreement: Mapping[tuple[str, str], AgreementCell]
    groups: tuple[Row, ...]
    pairs: tuple[Row, ...]  # most surprising
    people_pairs: tuple[Row, ...]
    people_essays: tuple[Row, ...]


def panel_figures(evidence: Evidence, t: Catalogue) -> PanelFigures:
    """The section's content from the stored tables; everything is empty before the batch has a scale."""
    fit = only_row(evidence, "scale_fit")
    judges = stored(evidence, "judge_fit").to_pylist()
    heard = [judge for judge in judges if judge["comparisons"]]
    side_by_side = _side_by_side(heard) if len(heard) > 1 else []
    shown = {judge["judge_id"] for judge in side_by_side}
    differing = stored(evidence, "disagreements").to_pylist()
    return PanelFigures(
        sentences=tuple(
            sentence for sentence in (_split(fit, t), _length(fit, t), _people(fit, t)) if sentence is not None
        ),
        judges=tuple(side_by_side),
        left_out=max(0, len(heard) - len(side_by_side)) if side_by_side else 0,
        agreement=_agreement(stored(evidence, "judge_agreement").to_pylist(), shown),
        groups=tuple(stored(evidence, "group_effects").slice(0, MOST_ROWS).to_pylist()),
        pairs=tuple(stored(evidence, "pair_fit").slice(0, MOST_ROWS).to_pylist()),
        people_pairs=tuple([row for row in differing if row["kind"] == "pair"][:MOST_ROWS]),
        people_essays=tuple([row for row in differing if row["kind"] == "essay"][:MOST_ROWS]),
    )


def first_seat_interval(judge: Row, t: Catalogue) -> str:
    """P(the first of two equal essays wins) with its 95 % interval."""
    effect, error = judge["order_effect"], judge["order_effect_standard_error"]
    if effect is None:
        return t.percent(None)
    if error is None:
        return t.percent(first_wins(effect))
    return t(
        "panel.interval",
        value=t.percent(first_wins(effect)),
        low=t.percent(first_wins(effect - Z95 * error)),
        high=t.percent(first_wins(effect + Z95 * error)),
    )


def _side_by_side(judges: Sequence[Row]) -> list[Row]:
    if len(judges) <= MOST_JUDGES_SHOWN:
        return list(judges)
    return sorted(judges, key=lambda judge: -(judge["infit_z"] or 0.0))[:MOST_JUDGES_SHOWN]


def _agreement(rows: Sequence[Row], shown: set[str]) -> dict[tuple[str, str], AgreementCell]:
    cells = {}
    for row in rows:
        one, other = row["judge_1"], row["judge_2"]
        if one in shown and other in shown:
            shade = round(HEAT_STEPS * min(1.0, max(0.0, 2 * row["agreement"] - 1)))
            cell = AgreementCell(row["agreement"], row["pairs"], row["kappa"], shade)
            cells[one, other] = cells[other, one] = cell
    return cells


def _split(fit: Row, t: Catalogue) -> str | None:
    if fit["split_by"] is None or fit["split_reliability"] is None:
        return None
    return t(
        "panel.split.judges" if fit["split_by"] == "judges" else "panel.split.comparisons",
        splits=t.whole(fit["splits"]),
        correlation=t.number(fit["split_correlation"]),
        reliability=t.number(fit["split_reliability"]),
    )


def _length(fit: Row, t: Catalogue) -> str | None:
    effect, error = fit["length_effect"], fit["length_effect_standard_error"]
    if effect is None or error is None:
        return None
    measured = t(
        "panel.length.association" if fit["length_effect_method"] == "association" else "panel.length.graded",
        essays=t.whole(fit["length_effect_essays"]),
        effect=t.number(effect),
        low=t.number(effect - Z95 * error),
        high=t.number(effect + Z95 * error),
        wins=t.percent(first_wins(effect)),
        method=t("panel.method." + fit["length_effect_method"].replace(" ", "_")),
    )
    return f"{measured} {t('panel.length.even' if abs(effect) <= Z95 * error else 'panel.length.uneven')}"


def _people(fit: Row, t: Catalogue) -> str | None:
    if not fit["people_votes"]:
        return None
    if fit["people_predicted"] is None or fit["people_correlation"] is None:
        return t("panel.people.few", votes=t.whole(fit["people_votes"]))
    return t(
        "panel.people",
        votes=t.whole(fit["people_votes"]),
        predicted=t.percent(fit["people_predicted"]),
        correlation=t.number(fit["people_correlation"]),
    )


def group_name(row: Row, t: Catalogue) -> str:
    """Which essays, and by whom: the column with its value, and the judge if it is one against the others."""
    named = f"{isolated(row['column'])}: {isolated(row['group'])}"
    return named if row["judge_id"] is None else t("panel.groups.by", group=named, judge=isolated(row["judge_id"]))
