"""The stages of a batch in assets, as sensors, jobs and `cj run` all take them."""

PLAN = ("essays", "comparison_pairs")
PURCHASE = ("provider_batch_jobs",)
SCORING = ("bradley_terry_scores", "grade_projections", "batch_report")
SCORED = ("judgments", "bradley_terry_scores")
NEXT_WAVE = ("comparison_pairs", *PURCHASE)
WAVE = (*NEXT_WAVE, *SCORED)  # its calls are answered within the run
READING = ("judgments", *SCORING)

STAGE_TAG = "cj/stage"  # of a run: plan, buy, wave, collect or score; a sensor asks for none that is on its way
