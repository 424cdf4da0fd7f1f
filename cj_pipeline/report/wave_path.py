"""The report on the way of a batch: what its scores were worth after each wave, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cj_pipeline.report.charts import path_chart
from cj_pipeline.report.evidence import Evidence
from cj_pipeline.report.figures import stored
from cj_pipeline.report.words import Catalogue


@dataclass(frozen=True, slots=True)
class PathRow:
    """A wave. `comparisons` are the answered ones of all waves so far; errors and changes are in logits."""

    wave: int
    kind: str
    pairs: int
    at_random: int
    comparisons: int
    score_change: float | None
    mean_standard_error: float | None
    reliability: float | None


@dataclass(frozen=True, slots=True)
class PathFigures:
    """The waves in their order, and the label they ended with."""

    rows: Sequence[PathRow]
    label: str

    @property
    def pairs(self) -> int:
        """Of all waves."""
        return sum(row.pairs for row in self.rows)


def path_figures(evidence: Evidence) -> PathFigures | None:
    """The way of a batch that was asked wave by wave; None for one that was asked at once."""
    rows = stored(evidence, "wave_path").to_pylist()
    if evidence.mode == "provider_batch_api" or not rows:
        return None
    waves = [
        PathRow(
            wave=row["wave"],
            kind=row["kind"],
            pairs=row["pairs"],
            at_random=row["at_random"],
            comparisons=row["answered"],
            score_change=row["score_change"],
            mean_standard_error=row["mean_standard_error"],
            reliability=row["reliability"],
        )
        for row in rows
    ]
    return PathFigures(waves, rows[-1]["label"] or "")


def path_drawing(figures: PathFigures, t: Catalogue) -> Markup:
    """Mean standard error, reliability and largest change of a score against the waves."""
    last = figures.rows[-1]
    text = t(
        "path.chart.text",
        waves=t.whole(len(figures.rows)),
        error=t.number(last.mean_standard_error),
        reliability=t.number(last.reliability),
        change=t.number(last.score_change),
    )
    return path_chart(
        [row.mean_standard_error for row in figures.rows],
        [row.reliability for row in figures.rows],
        [row.score_change for row in figures.rows],
        text=text,
        x_label=t("path.chart.x"),
        decimal_mark=t.decimal_mark,
    )
