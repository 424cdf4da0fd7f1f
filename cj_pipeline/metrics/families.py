"""All families, in the order of the page `docs/metrics.md`; and those of the predecessor that mean nothing here."""

from cj_pipeline.metrics.batches import BATCHES
from cj_pipeline.metrics.requests import REQUESTS
from cj_pipeline.metrics.standing import STANDING
from cj_pipeline.metrics.waiting import WAITING

SECTIONS = {
    "Comparative judgement": BATCHES,
    "Waiting, jobs and expiry": WAITING,
    "Requests, tokens, cost and cache": REQUESTS,
    "How things stand": STANDING,
}
FAMILIES = tuple(family for section in SECTIONS.values() for family in section)

_NO_SERVER = "there is no server of ours: `cj` and Dagster work on folders and the ledger"
_NO_POOL = "connections are the SDKs' own, and end with the process"
_NO_BREAKER = (
    "there is no circuit breaker: a pause (`jobs.not_before`) and a hold (`account_holds`) are rows of the ledger"
)
_NOT_KEPT = "measured in a process, and nothing here lives in one"
_ONE_BUILDER = "every request is built by one function, which marks one block at the most"
_FROM_FOLDER = "texts are read from the batch's folder; one that cannot be read is `broken` in `cj status`"

ABSENT = {
    "cj_assessment_http_requests_total": _NO_SERVER,
    "cj_assessment_http_request_duration_seconds": _NO_SERVER,
    "cj_admin_instruction_operations_total": f"instructions and anchors are files of the batch; {_NO_SERVER}",
    "kafka_message_queue_latency_seconds": "there is no message broker",
    "huleedu_cj_prompt_fetch_failures_total": _FROM_FOLDER,
    "huleedu_cj_prompt_fetch_success_total": _FROM_FOLDER,
    "cj_orphan_callbacks_total": "planned there, never counted; a line that belongs to no item is logged and kept",
    "llm_provider_http_requests_total": _NO_SERVER,
    "llm_provider_http_request_duration_seconds": _NO_SERVER,
    "llm_provider_api_errors_total": "the status code of a reply is not kept; its meaning is, as `error_type` of "
    "llm_provider_errors_total",
    "llm_provider_validation_duration_seconds": _NOT_KEPT,
    "llm_provider_response_time_percentiles": "the same as llm_provider_response_duration_seconds; percentiles follow "
    "from its buckets",
    "llm_provider_availability_percentage": "a provider is asked only when something is due",
    "llm_provider_connection_pool_size": _NO_POOL,
    "llm_provider_connection_pool_active": _NO_POOL,
    "llm_provider_circuit_breaker_state": _NO_BREAKER,
    "llm_provider_circuit_breaker_state_changes_total": _NO_BREAKER,
    "llm_provider_circuit_breaker_calls_total": _NO_BREAKER,
    "llm_provider_prompt_ttl_violations_total": _ONE_BUILDER,
}
