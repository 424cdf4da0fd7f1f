"""One page per experiment: its variants side by side, anchor by anchor, with what each of them was asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.eng5.anchor_findings import NOT_ALIGNED, alignment_findings
from cj_pipeline.eng5.anchor_run import AnchorRun, gather_anchor_run, is_alignment_batch, rank_on
from cj_pipeline.eng5.experiment import Experiment, experiment_of, experiment_roots, read_experiment
from cj_pipeline.errors import BatchError, CjError
from cj_pipeline.findings import Finding
from cj_pipeline.report.page import render_page
from cj_pipeline.report.words import catalogue, isolated

LONGEST_REASON = 50  # letters of a judge's reason, as on the predecessor's page
Z95 = 1.959964  # standard normal quantile of .975


@dataclass(frozen=True, slots=True)
class VariantLine:
    """One variant: what it was asked, and what came of it; without a run the reason stands in `waiting`."""

    variant: str
    judges: str
    offline: tuple[str, ...]  # those of its judges that are no judges of essays
    assignment: str
    rubric: str
    run: AnchorRun | None
    findings: tuple[Finding, ...]
    waiting: str = ""
    report: str | None = None

    @property
    def passed(self) -> bool:
        """Every target is met, and it is no worse than the last run."""
        return self.run is not None and all(finding.passed for finding in self.findings)

    @property
    def order_half_width(self) -> float | None:
        """Half of the 95 % interval of the first seat's advantage, in logits."""
        error = self.run.order_effect_standard_error if self.run else None
        return None if error is None else Z95 * error


@dataclass(frozen=True, slots=True)
class AnchorLine:
    """One anchor: its place and its win rate in every scored variant, None where it has none."""

    essay_id: str
    grade: str
    places: tuple[tuple[int, float] | None, ...]


def page_path(experiment: str) -> str:
    """Where the page lies in the store."""
    return f"reports/experiments/{experiment}.html"


def publish_experiment(deployment: Deployment, experiment: Experiment) -> tuple[str, list[VariantLine]]:
    """Write the page from what is there; returns where it lies, and its lines. A variant without scores says why."""
    lines = [_line(deployment, variant, batch_id) for variant, batch_id in experiment.batch_ids.items()]
    page = experiment_page(experiment.title, experiment.language, lines, datetime.now(UTC))
    path = page_path(experiment.name)
    deployment.store.write(path, [page.encode()])
    return deployment.store.location(path), lines


def publish_experiment_of(deployment: Deployment, batch_id: str) -> str | None:
    """The page of the experiment that a batch is a variant of, written anew; None for any other batch.

    An experiment whose folder was broken since says so in its own command, and stops no variant's report.
    """
    roots = experiment_roots(deployment.settings)
    name = experiment_of(batch_id, roots)
    if name is None:
        return None
    try:
        return publish_experiment(deployment, read_experiment(name, roots))[0]
    except BatchError:
        return None


def experiment_page(title: str, language: str, lines: Sequence[VariantLine], made_at: datetime) -> str:
    """The page as one HTML document that asks for nothing from anywhere; links lead to the variants' reports."""
    scored = [line for line in lines if line.run is not None]
    return render_page(
        "experiment.html",
        catalogue(language),
        title=title,
        made_at=made_at,
        lines=lines,
        scored=scored,
        offline=sorted({judge for line in lines for judge in line.offline}),
        anchors=_anchors([line.run for line in scored if line.run is not None]),
        isolated=isolated,
        shortened=shortened,
    )


def shortened(reason: str) -> str:
    """The beginning of a judge's reason."""
    return reason if len(reason) <= LONGEST_REASON else reason[:LONGEST_REASON] + "…"


def _anchors(runs: Sequence[AnchorRun]) -> list[AnchorLine]:
    """Best grade first; equal grades by id."""
    grades = {
        anchor: (rank_on(run.scale, run.grades[anchor]), run.grades[anchor]) for run in runs for anchor in run.ranked
    }
    return [
        AnchorLine(anchor, grades[anchor][1], tuple(_place(run, anchor) for run in runs))
        for anchor in sorted(grades, key=lambda anchor: (grades[anchor][0], anchor))
    ]


def _place(run: AnchorRun, anchor: str) -> tuple[int, float] | None:
    if anchor not in run.ranked:
        return None
    return run.ranked.index(anchor) + 1, run.alignment.win_rates[anchor]


def _line(deployment: Deployment, variant: str, batch_id: str) -> VariantLine:
    try:
        batch = deployment.batch(batch_id)
    except CjError as error:
        return VariantLine(variant, "", (), "", "", None, (), waiting=str(error))
    judges = ", ".join(f"{judge.provider}:{judge.model}" for judge in batch.manifest.judges)
    offline = tuple(judge.id for judge in batch.manifest.judges if judge.provider == "emulator")
    run, findings, waiting = _outcome(deployment, batch)
    written = deployment.store.exists(f"reports/{batch_id}.html")
    return VariantLine(
        variant, judges, offline, batch.assignment, batch.rubric, run, findings, waiting,
        report=f"../{batch_id}.html" if written else None,
    )  # fmt: skip


def _outcome(deployment: Deployment, batch: Batch) -> tuple[AnchorRun | None, tuple[Finding, ...], str]:
    if not is_alignment_batch(batch):
        return None, (), NOT_ALIGNED
    try:
        findings = tuple(alignment_findings(deployment, batch))
        return gather_anchor_run(deployment, batch), findings, ""
    except CjError as error:
        return None, (), str(error)
