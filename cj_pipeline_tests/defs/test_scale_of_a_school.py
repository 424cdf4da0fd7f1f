"""A school's worth of essays goes through the whole flow, and its report stays small."""

import pytest

from cj_pipeline.defs.drive import run_batch
from cj_pipeline.jobs.job import jobs_of
from cj_pipeline_tests.installation import Installation, small_batch

MOST_REPORT_BYTES = 2_500_000
MOST_REPORT_BYTES_OF_A_SCHOOL = 1_000_000


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("essays", "comparisons", "most_bytes"),
    [(300, 3_000, MOST_REPORT_BYTES_OF_A_SCHOOL), (1_000, 14_000, MOST_REPORT_BYTES)],
)
def test_a_school_is_planned_bought_scored_graded_and_reported(
    installation: Installation, essays: int, comparisons: int, most_bytes: int
) -> None:
    folder = small_batch(
        installation.batches / "school", essays=essays, max_comparisons=comparisons, scale='[scale]\nname = "cefr"\n'
    )
    grades = ["A1", "A2", "B1", "B2", "C1", "C2"]
    anchors = "".join(f"e{number:02d},{grades[number % 6]}\n" for number in range(24))
    (folder / "anchors.csv").write_text("essay_id,grade\n" + anchors, "utf-8")
    deployment = installation.deployment
    progress = run_batch(deployment, "school", tell=lambda _: None, wait=True, new_revision=False)
    assert progress.complete
    judgments = deployment.read_table("judgments", "school")
    assert judgments.num_rows == comparisons
    assert judgments["error_code"].null_count == comparisons
    assert deployment.read_table("bradley_terry_scores", "school").num_rows == essays
    assert deployment.read_table("grade_projections", "school").num_rows == essays
    assert len(jobs_of(deployment.ledger, "school")) == -(-comparisons // deployment.settings.requests_per_job)
    assert len(deployment.store.read("reports/school.html")) < most_bytes
