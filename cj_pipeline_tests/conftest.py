"""Fixtures of all rooms."""

from cj_pipeline_tests.installation import installation

__all__ = ["installation"]
