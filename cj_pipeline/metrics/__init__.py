"""Prometheus families over ledger and stored tables: the predecessor's names, types and labels, and exact numbers.

Nothing lives in process memory, nothing is pushed, and no label ever holds an id.
"""

from cj_pipeline.metrics.collector import LedgerCollector, registry_of
from cj_pipeline.metrics.families import ABSENT, FAMILIES, SECTIONS
from cj_pipeline.metrics.family import LABELS, Family, Kind, Label, Origin
from cj_pipeline.metrics.serving import Served, write_metrics

__all__ = [
    "ABSENT",
    "FAMILIES",
    "LABELS",
    "SECTIONS",
    "Family",
    "Kind",
    "Label",
    "LedgerCollector",
    "Origin",
    "Served",
    "registry_of",
    "write_metrics",
]
