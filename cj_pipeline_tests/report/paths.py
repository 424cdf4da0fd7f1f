"""Evidence of a batch judged in waves."""

from dataclasses import replace

from cj_pipeline.report.evidence import Evidence
from cj_pipeline.tables import table_of_rows
from cj_pipeline_tests.report.evidence_factory import make_evidence


def in_waves(label: str = "stable", language: str = "en") -> Evidence:
    evidence = make_evidence()
    (last,) = evidence.tables["wave_path"].to_pylist()
    going = {"decision": "request_more_comparisons", "label": None, "reason": "pairs are open"}
    rows = [
        {**last, **going, "wave": 1, "reliability": 0.2, "mean_standard_error": 1.9},
        {**last, **going, "wave": 2, "reliability": 0.5, "mean_standard_error": 1.1, "score_change": 1.83},
        {**last, "wave": 3, "reliability": 0.77, "mean_standard_error": 0.66, "score_change": 0.41, "label": label},
    ]
    tables = {**evidence.tables, "wave_path": table_of_rows("wave_path", rows)}
    return replace(evidence, mode="serial_bundle", tables=tables, language=language)
