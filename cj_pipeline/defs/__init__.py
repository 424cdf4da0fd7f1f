"""The Dagster face of the pipeline, and the only room that knows Dagster. It holds no logic of its own."""

import warnings

import dagster as dg

# Partitioned asset checks are a preview in 1.13. The version is pinned, and one warning per check tells nothing new.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
