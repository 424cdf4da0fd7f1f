"""The stages of a batch in assets, as sensors, jobs and `cj run` all take them."""

PLAN = ("essays", "comparison_pairs")
PURCHASE = ("provider_batch_jobs",)
SCORING = ("bradley_terry_scores", "grade_projections", "batch_report")
READING = ("judgments", *SCORING)

STAGE_TAG = "cj/stage"  # of a run: plan, buy, collect or score; a sensor asks for none that is on its way
