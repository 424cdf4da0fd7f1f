"""The Dagster face of the pipeline, and the only room that knows Dagster. It holds no logic of its own."""
