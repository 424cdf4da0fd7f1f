"""Every sentence of the report and the command line in Swedish, by key."""

from collections.abc import Mapping

from cj_pipeline.report import english

SENTENCES: Mapping[str, str] = dict(english.SENTENCES)
