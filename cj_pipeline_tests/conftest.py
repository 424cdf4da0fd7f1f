"""Fixtures of all rooms."""

from cj_pipeline_tests.installation import installation, next_emulator, postgres_url

__all__ = ["installation", "next_emulator", "postgres_url"]
