"""Families of the requests themselves: errors, tokens, cost, the prompt and the provider's cache."""

from collections import Counter
from collections.abc import Iterator

from cj_pipeline.jobs.job import State
from cj_pipeline.jobs.tallies import Kind as Tally
from cj_pipeline.metrics.family import Amount, Family, Kind, LabelValues, Observation, Origin, reaching_days
from cj_pipeline.metrics.figures import Figures, JobFigures
from cj_pipeline.metrics.moments import seconds
from cj_pipeline.providers import usd

TOKENS = {
    "input": "input_tokens",
    "cached": "cached_tokens",
    "cache_write": "cache_write_tokens",
    "output": "output_tokens",
}
STAGES = {
    "planned": ("planned_at", "reserved_at"),
    "reserved": ("reserved_at", "submitted_at"),
    "submitted": ("submitted_at", "ended_at"),
    "ended": ("ended_at", "fetched_at"),
    "fetched": ("fetched_at", "reconciled_at"),
}


def _requests(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        if job.sent:
            status = "failed" if job.state == State.REFUSED else "queued"
            yield (job.provider, job.model, "comparison", status), job.items


def _errors(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        for code, count in job.failures.items():
            yield (job.provider, job.model, code), count


def _response_durations(figures: Figures) -> Iterator[Observation]:
    for group in figures.call_durations:
        yield (group.provider, group.model), group.seconds / group.calls, group.calls


def _stages(figures: Figures) -> Iterator[Observation]:
    for job in figures.jobs:
        for stage, (begin, end) in STAGES.items():
            began, ended = getattr(job, begin), getattr(job, end)
            if began is not None and ended is not None:
                yield (job.provider, stage), seconds(began, ended), 1


def _tokens(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        for token_type, column in TOKENS.items():
            tokens = getattr(job, column)
            if tokens is not None:
                yield (job.provider, job.model, token_type), tokens


def _cost(figures: Figures) -> Iterator[Amount]:
    booked: Counter[LabelValues] = Counter()
    for job in figures.jobs:
        if job.spent_nano_usd is not None:
            booked[job.provider, job.model] += job.spent_nano_usd
    return ((model, usd(nano)) for model, nano in booked.items())


def _at_the_provider(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        if job.by_batch and job.state == State.SUBMITTED:
            yield (job.provider,), job.items
    for provider, _, state, count, _ in figures.calls:
        if state == "asked":
            yield (provider,), count


def _marks_its_prefix(job: JobFigures) -> bool:
    """Whether Anthropic is asked to keep what a job's requests begin with; the others keep prefixes unasked."""
    return job.provider == "anthropic" and bool(job.cacheable_tokens)


def _blocks(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        if job.sent:
            yield (job.provider, job.model, "system", "false", "none"), job.items
            yield (job.provider, job.model, "user", "false", "none"), job.items
            if _marks_its_prefix(job):
                yield (job.provider, job.model, "user", "true", "1h"), job.items


def _prompt_tokens(figures: Figures) -> Iterator[Observation]:
    for job in figures.jobs:
        if job.input_tokens:
            shared = min(job.cacheable_tokens or 0, job.input_tokens)
            for section, tokens in (("static", shared), ("dynamic", job.input_tokens - shared)):
                yield (job.provider, job.model, section), tokens / job.items, job.items


def _cache_events(figures: Figures) -> Iterator[Amount]:
    for provider, model, kind, name, count in figures.tallies:
        if kind == Tally.CACHE:
            yield (provider, model, name), count


def _cache_scope(figures: Figures) -> Iterator[Amount]:
    for (provider, model, result), count in _cache_events(figures):
        yield (provider, model, "assignment", result), count


def _cache_tokens(figures: Figures) -> Iterator[Amount]:
    for job in figures.jobs:
        for direction, tokens in (("read", job.cached_tokens), ("write", job.cache_write_tokens)):
            if tokens is not None:
                yield (job.provider, job.model, direction), tokens


REQUESTS = (
    Family(
        "llm_provider_requests_total", Kind.COUNTER, ("provider", "model", "request_type", "status"),
        "Comparisons sent: `queued` in jobs the provider took, `failed` in jobs it refused.",
        "`jobs.items` by state", _requests,
    ),
    Family(
        "llm_provider_errors_total", Kind.COUNTER, ("provider", "model", "error_type"),
        "Answers without a verdict, by reason.",
        "`tallies` (failure); `jobs.state` of jobs without results", _errors,
        difference="Counted for every provider and for every item, not only where an HTTP call failed.",
    ),
    Family(
        "llm_provider_response_duration_seconds", Kind.HISTOGRAM, ("provider", "model"),
        "Seconds of a synchronous call that was answered.",
        "`calls.asked_at` to `calls.ended_at`, exact to a millisecond", _response_durations, Origin.DECLARED,
        difference="An item of a batch job has no duration of its own.",
        buckets=(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
    ),
    Family(
        "llm_provider_request_lifecycle_duration_seconds", Kind.HISTOGRAM, ("provider", "lifecycle_stage"),
        "Seconds that jobs spent in each stage of their life.",
        "`jobs.planned_at`, `reserved_at`, `submitted_at`, `ended_at`, `fetched_at`, `reconciled_at`", _stages,
        Origin.DECLARED, difference="Per job. Bounds reach seven days.",
        buckets=reaching_days(0.1, 0.5, 1, 2, 5, 10, 30, 60, 120),
    ),
    Family(
        "llm_provider_tokens_used_total", Kind.COUNTER, ("provider", "model", "token_type"),
        "Tokens that were billed, all attempts.",
        "`jobs.input_tokens`, `cached_tokens`, `cache_write_tokens`, `output_tokens`", _tokens, Origin.DECLARED,
    ),
    Family(
        "llm_provider_cost_dollars_total", Kind.COUNTER, ("provider", "model"),
        "USD booked, all attempts.",
        "`jobs.spent_nano_usd`", _cost, Origin.DECLARED,
    ),
    Family(
        "llm_provider_concurrent_requests", Kind.GAUGE, ("provider",),
        "Comparisons at the provider now.",
        "`jobs.items` of submitted batch jobs, `calls` that are out", _at_the_provider, Origin.DECLARED,
    ),
    Family(
        "llm_provider_prompt_blocks_total", Kind.COUNTER, ("provider", "model", "target", "cacheable", "ttl"),
        "Blocks of the requests sent: the system message, and the user message in one block, or two when the first "
        "is marked to be kept.",
        "`jobs.items`, `jobs.cacheable_tokens`", _blocks,
        difference="Only Anthropic is asked to keep a block, always for an hour; every block has its target.",
    ),
    Family(
        "llm_provider_prompt_tokens_histogram", Kind.HISTOGRAM, ("provider", "model", "section"),
        "Prompt tokens of a request.",
        "`jobs.input_tokens`, `jobs.cacheable_tokens`, each job's mean for all its requests", _prompt_tokens,
        difference="Tokens as billed, not words; `legacy` does not occur, every request has sections.",
        buckets=(16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768),
    ),
    Family(
        "llm_provider_prompt_cache_events_total", Kind.COUNTER, ("provider", "model", "result"),
        "Answers by what the provider's cache did: tokens read are a hit, else tokens written a miss, else bypass.",
        "`tallies` (cache), from each answer's usage", _cache_events,
        difference="For every provider, and for every answer that was billed.",
    ),
    Family(
        "llm_provider_prompt_cache_tokens_total", Kind.COUNTER, ("provider", "model", "direction"),
        "Prompt tokens read from the provider's cache and written into it.",
        "`jobs.cached_tokens`, `jobs.cache_write_tokens`", _cache_tokens, difference="For every provider.",
    ),
    Family(
        "llm_provider_cache_scope_total", Kind.COUNTER, ("provider", "model", "scope", "result"),
        "The same events by what shares the prompt.",
        "`tallies` (cache)", _cache_scope,
        difference="`scope` is always `assignment`: what requests share is the assignment and rubric of their batch.",
    ),
)  # fmt: skip
