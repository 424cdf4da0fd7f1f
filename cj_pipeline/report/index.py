"""The page over all batches: where each stands, what it cost, and what waits for a person."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cj_pipeline.batch import batch_folder, read_manifest
from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.progress import Progress, progress_of_all
from cj_pipeline.notices import Notice, notices
from cj_pipeline.report.figures import REVIEW_SHARE
from cj_pipeline.report.page import render_page
from cj_pipeline.report.words import catalogue, isolated
from cj_pipeline.status import BatchStatus, batch_status

PATH = "reports/index.html"
FOR_A_PERSON = frozenset({"broken", "changed", "approval wanted", "uncertain", "withheld", "failed"})  # states


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One batch on the page: its status, its jobs, how many scripts to re-read, and where its report lies."""

    status: BatchStatus
    progress: Progress
    to_reread: int
    report: str | None

    @property
    def jobs(self) -> int:
        """Jobs of the current revision."""
        return self.progress.planned + self.progress.uncertain + self.progress.at_provider + self.progress.done


@dataclass(frozen=True, slots=True)
class Errand:
    """Something for a person to do. `about` is a batch or an account, `matter` a code of the catalogue."""

    about: str
    matter: str
    sentence: str
    next_step: str


def index_page(lines: Sequence[BatchLine], waiting: Sequence[Notice], made_at: datetime, language: str) -> str:
    """The page as one HTML document; what needs a person comes first. Links lead to the reports beside it."""
    t = catalogue(language)
    return render_page(
        "index.html",
        t,
        title=t("index.title"),
        lines=lines,
        errands=errands(lines, waiting),
        made_at=made_at,
        spent=math.fsum(line.status.spent_usd for line in lines),
        reserved=math.fsum(line.status.reserved_usd for line in lines),
        isolated=isolated,
    )


def errands(lines: Sequence[BatchLine], waiting: Sequence[Notice]) -> list[Errand]:
    """The notices, then the batches in a state for a person that no notice is about."""
    told = {notice.subject for notice in waiting}
    return [
        *(Errand(notice.subject, notice.matter, notice.sentence, notice.next_step) for notice in waiting),
        *(
            Errand(line.status.batch_id, line.status.state, line.status.blocked_by, line.status.next_action)
            for line in lines
            if line.status.state in FOR_A_PERSON and line.status.batch_id not in told
        ),
    ]


def publish_index(deployment: Deployment) -> str:
    """Write the page beside the reports in the store; returns where it lies."""
    now = datetime.now(UTC)
    ids = deployment.batch_ids()
    progress = progress_of_all(deployment.ledger)
    lines = [_line(deployment, batch_id, progress.get(batch_id, Progress())) for batch_id in ids]
    page = index_page(lines, notices(deployment, now), now, _language(deployment, ids))
    deployment.store.write(PATH, [page.encode()])
    return deployment.store.location(PATH)


def _line(deployment: Deployment, batch_id: str, progress: Progress) -> BatchLine:
    written = deployment.store.exists(f"reports/{batch_id}.html")
    return BatchLine(
        status=batch_status(deployment, batch_id),
        progress=progress,
        to_reread=_to_reread(deployment, batch_id),
        report=f"{batch_id}.html" if written else None,
    )


def _to_reread(deployment: Deployment, batch_id: str) -> int:
    """As many as the report lists: pupils without a grade, and the first of the others; 0 without any grade."""
    try:
        rows = deployment.read_table("grade_projections", batch_id).select(["is_anchor", "grade"]).to_pylist()
    except CjError:
        return 0
    graded = [row["grade"] is not None for row in rows if not row["is_anchor"]]
    return graded.count(False) + math.ceil(REVIEW_SHARE * graded.count(True)) if any(graded) else 0


def _language(deployment: Deployment, ids: Sequence[str]) -> str:
    """The language of most batches."""
    spoken: Counter[str] = Counter()
    for batch_id in ids:
        try:
            spoken[read_manifest(batch_folder(batch_id, deployment.roots)).batch.language] += 1
        except CjError:
            continue
    return max(spoken, key=lambda language: spoken[language], default="en")
