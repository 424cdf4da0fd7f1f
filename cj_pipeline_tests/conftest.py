"""Fixtures of all rooms."""

import signal

from cj_pipeline_tests.installation import installation, next_emulator, postgres_url

__all__ = ["installation", "next_emulator", "postgres_url"]

# What a shell runs in the background ignores Ctrl-C, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
