"""`cj plan` as a person or a script meets it: other budgets, a target, and one JSON object."""

import json

from cj_pipeline_tests.cli.command import cj
from cj_pipeline_tests.installation import Installation, small_batch


def test_a_plan_shows_the_batch_among_other_budgets(installation: Installation) -> None:
    installation.copy_of_demo()
    said = cj(installation, "plan", "demo")
    assert "259 pairs" in said
    (own,) = [line for line in said.splitlines() if "this batch" in line]
    assert "14.0" in own
    assert "nothing was bought" in said
    assert installation.bill()["files_uploaded"] == 0


def test_a_target_names_the_smallest_budget_and_one_out_of_reach_is_said_so(installation: Installation) -> None:
    installation.copy_of_demo()
    near = json.loads(cj(installation, "plan", "demo", "--target-reliability", ".8", "--json"))
    assert 120 < near["target"]["sharp"] < near["target"]["ordinary"] < 300
    far = json.loads(cj(installation, "plan", "demo", "--target-reliability", ".99", "--json"))
    assert far["target"]["ordinary"] is None
    assert any("not expected to reach a reliability of 0.99 with all 666 comparisons" in note for note in far["notes"])


def test_budgets_of_one_s_own_are_priced_and_capped_at_every_pair(installation: Installation) -> None:
    folder = installation.copy_of_demo()
    manifest = (folder / "batch.toml").read_text("utf-8").replace('"emulator"', '"openai"')
    manifest = manifest.replace('model = "lexical"', 'model = "gpt-6-luna"') + "\n[spending]\nmax_usd = 5.0\n"
    (folder / "batch.toml").write_text(manifest, "utf-8")
    plan = json.loads(cj(installation, "plan", "demo", "--budgets", "100,200,9999", "--json"))
    rows = plan["budgets"]
    assert [row["comparisons"] for row in rows] == [100, 200, 259, 666]
    assert [row["this_batch"] for row in rows] == [False, False, True, False]
    assert [round(row["usd"] / row["comparisons"], 9) for row in rows] == [round(rows[0]["usd"] / 100, 9)] * 4
    assert rows[0]["usd"] > 0
    assert rows[0]["ordinary"]["reliability"] < rows[3]["ordinary"]["reliability"]
    assert plan["next"] == "cj approve demo --max-usd AMOUNT"


def test_a_budget_that_is_no_number_and_a_reliability_of_one_are_mistakes(installation: Installation) -> None:
    small_batch(installation.batches / "small")
    assert "100,200,400" in cj(installation, "plan", "small", "--budgets", "many", code=2)
    assert "between 0 and 1" in cj(installation, "plan", "small", "--target-reliability", "1", code=2)
