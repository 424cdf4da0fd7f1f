"""The table of families is complete against the predecessor's, and the page and the deployment follow it."""

import json
import re
import runpy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cj_pipeline.metrics import ABSENT, FAMILIES, LABELS, Family, Kind, Origin
from cj_pipeline_tests.installation import REPO

RULES = REPO / "deploy/prometheus/cj_pipeline.rules.yml"
DASHBOARD = REPO / "deploy/grafana/cj_pipeline.json"
BY_NAME = {family.name: family for family in FAMILIES}
DAY = 86_400

# what the predecessor counted: type and labels, as its two services registered them
PREDECESSOR = {
    "cj_assessment_llm_api_calls_total": "counter provider model status",
    "huleedu_cj_assessment_duration_seconds": "histogram",
    "cj_callbacks_processed_total": "counter status",
    "cj_callback_latency_seconds": "histogram",
    "cj_callback_processing_duration_seconds": "histogram",
    "cj_comparisons_total": "counter status",
    "cj_llm_requests_total": "counter batching_mode",
    "cj_llm_batches_started_total": "counter batching_mode",
    "cj_workflow_decisions_total": "counter decision",
    "cj_bt_se_inflated_batches_total": "counter",
    "cj_bt_sparse_coverage_batches_total": "counter",
    "cj_stuck_batches_detected": "gauge",
    "cj_stuck_batches_recovered_total": "counter",
    "cj_stuck_batches_failed_total": "counter",
    "llm_provider_queue_depth": "gauge queue_type",
    "llm_provider_queue_wait_time_seconds": "histogram queue_processing_mode result",
    "llm_provider_queue_processing_time_seconds": "histogram provider status",
    "llm_provider_comparison_callbacks_total": "counter queue_processing_mode result",
    "llm_provider_queue_expiry_total": "counter provider queue_processing_mode expiry_reason",
    "llm_provider_queue_expiry_age_seconds": "histogram provider queue_processing_mode",
    "llm_provider_serial_bundle_calls_total": "counter provider model",
    "llm_provider_serial_bundle_items_per_call": "histogram provider model",
    "llm_provider_batch_api_jobs_total": "counter provider model status",
    "llm_provider_batch_api_items_per_job": "histogram provider model",
    "llm_provider_batch_api_job_duration_seconds": "histogram provider model",
    "llm_provider_requests_total": "counter provider model request_type status",
    "llm_provider_errors_total": "counter provider model error_type",
    "llm_provider_prompt_blocks_total": "counter provider model target cacheable ttl",
    "llm_provider_prompt_tokens_histogram": "histogram provider model section",
    "llm_provider_prompt_cache_events_total": "counter provider model result",
    "llm_provider_prompt_cache_tokens_total": "counter provider model direction",
    "llm_provider_cache_scope_total": "counter provider model scope result",
}
# registered there and never counted, with the labels they were registered with
DECLARED = {
    "cj_failed_comparisons_total": "counter failure_reason",
    "cj_retry_batches_submitted_total": "counter",
    "cj_successful_retries_total": "counter",
    "cj_permanently_failed_comparisons_total": "counter",
    "cj_failed_pool_size": "gauge",  # without its label batch_id, which is an id
    "cj_assessment_operations_total": "counter operation status",
    "huleedu_cj_comparisons_made": "histogram",
    "cj_batch_state": "gauge state",
    "cj_batch_progress_percentage": "histogram",
    "cj_batch_processing_duration_seconds": "histogram",
    "cj_iterations_per_batch": "histogram",
    "cj_score_stability_changes": "histogram",
    "llm_provider_queue_overflow_total": "counter queue_type",
    "llm_provider_response_duration_seconds": "histogram provider model",
    "llm_provider_tokens_used_total": "counter provider model token_type",
    "llm_provider_cost_dollars_total": "counter provider model",
    "llm_provider_concurrent_requests": "gauge provider",
    "llm_provider_request_lifecycle_duration_seconds": "histogram provider lifecycle_stage",
}
WITHOUT_MEANING = 19


def as_registered(family: Family) -> str:
    return " ".join([str(family.kind), *family.labels])


@pytest.mark.parametrize(("origin", "there"), [(Origin.LIVING, PREDECESSOR), (Origin.DECLARED, DECLARED)])
def test_the_families_of_the_predecessor_keep_name_type_and_labels(origin: Origin, there: dict[str, str]) -> None:
    here = {family.name: as_registered(family) for family in FAMILIES if family.origin is origin}
    assert here == there


def test_every_other_family_of_the_predecessor_has_its_reason() -> None:
    assert len(ABSENT) == WITHOUT_MEANING
    assert not ABSENT.keys() & BY_NAME.keys()
    assert all(len(reason) > 10 for reason in ABSENT.values())
    assert all(name.startswith("cj_pipeline_") for name, family in BY_NAME.items() if family.origin is Origin.OWN)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_is_well_formed(family: Family) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]+", family.name)
    assert family.name.endswith("_total") == (family.kind is Kind.COUNTER)
    assert set(family.labels) <= LABELS.keys()
    assert not {label for label in family.labels if label.endswith("_id") or label in {"batch", "job", "essay"}}
    assert bool(family.buckets) == (family.kind is Kind.HISTOGRAM)
    assert list(family.buckets) == sorted(set(family.buckets))
    assert len(family.help) > 15
    assert family.source


def test_names_are_used_once() -> None:
    assert len(BY_NAME) == len(FAMILIES)


@pytest.mark.parametrize(
    "name",
    [
        "llm_provider_batch_api_job_duration_seconds",
        "llm_provider_queue_wait_time_seconds",
        "llm_provider_queue_processing_time_seconds",
        "llm_provider_queue_expiry_age_seconds",
        "huleedu_cj_assessment_duration_seconds",
        "cj_batch_processing_duration_seconds",
    ],
)
def test_durations_reach_a_provider_s_window_and_beyond(name: str) -> None:
    bounds = BY_NAME[name].buckets
    assert DAY in bounds
    assert bounds[-1] == 7 * DAY


def test_the_page_of_the_metrics_is_what_the_families_write() -> None:
    write = runpy.run_path(str(REPO / ".ci/write_metrics_doc.py"))
    assert (REPO / "docs/metrics.md").read_text("utf-8") == write["metrics_page"]()


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return read


def queries() -> Iterator[tuple[str, str]]:
    yield from ((rule["alert"], rule["expr"]) for rule in rules())
    yield from ((panel["title"], target["expr"]) for panel in panels() for target in panel["targets"])


def family_of(sample: str) -> Family | None:
    stem = re.sub(r"_(bucket|sum|count)$", "", sample)
    histogram = BY_NAME.get(stem)
    return histogram if histogram and histogram.kind is Kind.HISTOGRAM else BY_NAME.get(sample)


@pytest.mark.parametrize(("title", "query"), [pytest.param(*query, id=query[0]) for query in queries()])
def test_a_query_names_families_labels_and_values_that_exist(title: str, query: str) -> None:
    named = re.findall(r"\b((?:cj|llm_provider|huleedu)_\w+)(?:\{([^}]*)\})?", query)
    assert named
    known = {"le"}
    for sample, selector in named:
        family = family_of(sample)
        assert family is not None, sample
        known |= set(family.labels)
        for label, operator, value in re.findall(r'(\w+)(=~?)"([^"]*)"', selector):
            assert label in family.labels
            values = LABELS[label].values
            assert values is None or set(value.split("|") if operator == "=~" else [value]) <= set(values)
    for group in re.findall(r"\b(?:by|on|ignoring|without) ?\(([^)]*)\)", query):
        assert {label.strip() for label in group.split(",")} <= known


def test_what_dashboard_and_alerts_say_names_labels_that_are_there() -> None:
    for panel in panels():
        for target in panel["targets"]:
            assert_labels_survive(target["legendFormat"], target["expr"])
    for rule in rules():
        for text in rule["annotations"].values():
            assert_labels_survive(text.replace("$labels.", ""), rule["expr"])


def assert_labels_survive(text: str, query: str) -> None:
    used = set(re.findall(r"\{\{ ?(\w+) ?\}\}", text))
    grouped = re.findall(r"\bby ?\(([^)]*)\)", query)
    if grouped:
        kept = {label.strip() for group in grouped for label in group.split(",")}
    else:
        kept = {label for sample in re.findall(r"\b(?:cj|llm_provider)_\w+", query) for label in BY_NAME[sample].labels}
    assert used <= kept, (text, query)


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in panels()):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


@pytest.mark.heavy
@pytest.mark.parametrize("arguments", [["check", "rules", str(RULES)], ["test", "rules", "alerts.test.yml"]])
def test_promtool_takes_the_rules_and_the_alerts_fire_when_they_should(arguments: list[str]) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing; .ci/run installs it"
    here = Path(__file__).parent
    said = subprocess.run([promtool, *arguments], cwd=here, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
