"""The report's first lines for the command line: the ranking as a table, and what to know about it."""

import re

from rich.table import Table
from rich.text import Text

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures import (
    EssayFigures,
    KnownAgreement,
    Outcome,
    anchor_accuracy,
    batch_state,
    essay_figures,
    known_agreement,
    only_row,
    review,
)
from cj_pipeline.report.page import flagged, headline
from cj_pipeline.report.words import Catalogue, catalogue, listed, quoted

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]")  # escape sequences and overrides act on terminals


def ranking_table(evidence: Evidence) -> Table:
    """The ranking, best first; grades and their range only when the batch has any."""
    t = catalogue(evidence.language)
    rows = essay_figures(evidence)
    graded = any(row.grade is not None for row in rows)
    apart = len({row.component for row in rows if row.score is not None}) > 1
    anchored = any(row.is_anchor for row in rows)
    one = len(evidence.judges) == 1
    table = Table(
        title=_plain(t("terminal.title", title=evidence.title or evidence.batch_id, batch=evidence.batch_id)),
        caption=Text(t("terminal.caption" if one else "terminal.caption.other")) if graded else None,
        title_justify="left",
        caption_justify="left",
    )
    for heading, right in _columns(t, graded=graded, apart=apart, anchored=anchored):
        table.add_column(Text(heading), justify="right" if right else "left")
    for row in rows:
        table.add_row(
            *_cells(row, t, graded=graded, apart=apart, anchored=anchored), style="dim" if row.is_anchor else None
        )
    return table


def summary_lines(evidence: Evidence) -> list[str]:
    """What a person at the command line should know, one sentence a line; plain text, no rich markup."""
    t = catalogue(evidence.language)
    rows = essay_figures(evidence)
    state = batch_state(evidence, rows)
    reread = review(rows)
    fit = only_row(evidence, "scale_fit")
    offline = [card.judge_id for card in evidence.judges if card.offline]
    lines = [t("terminal.offline", judges=listed(offline))] if offline else []
    lines.append(headline(state, t))
    if state.overridden:
        key = "override.one" if len(state.overridden) == 1 else "override.other"
        lines.append(t(key, names=quoted(state.overridden, t)))
    lines += _validity(evidence, rows, t)
    if fit["reliability"] is not None:
        lines.append(
            t(
                "terminal.reliability",
                reliability=t.number(fit["reliability"]),
                ssr=t.number(fit["ssr"]),
                comparisons=t.whole(fit["comparisons"]),
            )
        )
    scripts = flagged(rows, state, reread, t)
    if state.outcome is Outcome.GRADED:
        without = len(scripts["ungraded"])
        lines.append(t.count("terminal.reread", without + len(scripts["first"]), ungraded=t.whole(without)))
    elif scripts["first"]:
        lines.append(t.count("terminal.standout", len(scripts["first"])))
    return [_plain(line).plain for line in lines]


def _validity(evidence: Evidence, rows: list[EssayFigures], t: Catalogue) -> list[str]:
    accuracy = anchor_accuracy(evidence)
    known = known_agreement(evidence, rows)
    lines = []
    if known is not None:
        lines.append(_known(known, t))
    if accuracy is not None:
        lines.append(
            t(
                "terminal.anchors",
                n=accuracy.n,
                exact=accuracy.exact,
                adjacent=accuracy.adjacent,
                mae=t.number(accuracy.mae),
                qwk=t.number(accuracy.qwk),
            )
        )
    return lines


def _known(known: KnownAgreement, t: Catalogue) -> str:
    if not known.graded:
        return t("terminal.known.scores", n=known.n, score=t.number(known.spearman_scores))
    return t(
        "terminal.known",
        n=known.graded,
        exact=t.percent(known.exact),
        adjacent=t.percent(known.adjacent),
        qwk=t.number(known.qwk),
        grade=t.number(known.spearman_grades),
        score=t.number(known.spearman_scores),
    )


def _columns(t: Catalogue, *, graded: bool, apart: bool, anchored: bool) -> list[tuple[str, bool]]:
    columns = [(t("ranking.column.rank"), True), (t("ranking.column.essay"), False)]
    if apart:
        columns.insert(0, (t("ranking.column.set"), True))
    if anchored:
        columns.append((t("terminal.column.kind"), False))
    if graded:
        columns += [
            (t("ranking.column.grade"), False),
            (t("terminal.column.range"), False),
            (t("terminal.column.right"), True),
        ]
    return [*columns, (t("terminal.column.score"), True), (t("terminal.column.se"), True)]


def _cells(row: EssayFigures, t: Catalogue, *, graded: bool, apart: bool, anchored: bool) -> list[Text]:
    cells = [t.whole(row.rank), row.essay_id]
    if apart:
        cells.insert(0, t.whole(row.component + 1))
    if anchored:
        cells.append(t("terminal.kind.anchor", grade=row.anchor_grade) if row.is_anchor else "")
    if graded:
        cells += [row.grade or t("ranking.ungraded"), t.span(row.grade_low, row.grade_high), t.percent(row.p_exact)]
    return [_plain(cell) for cell in [*cells, t.number(row.score), t.number(row.standard_error)]]


def _plain(content: str) -> Text:
    """Text without markup, and without characters that steer a terminal."""
    return Text(_UNPRINTABLE.sub("\ufffd", content).replace("\u2068", "").replace("\u2069", ""))
