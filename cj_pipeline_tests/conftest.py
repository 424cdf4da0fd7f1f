"""Fixtures of all rooms."""

from cj_pipeline_tests.installation import installation, postgres_url

__all__ = ["installation", "postgres_url"]
