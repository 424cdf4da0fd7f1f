"""Sensors: folders are planned, approved plans bought, ended jobs collected, people told. All level-triggered."""

from collections.abc import Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from cj_pipeline.continuation import continue_scored
from cj_pipeline.defs.lost_runs import fail_lost_runs
from cj_pipeline.defs.partitions import batches, live_partitions, partitions_of
from cj_pipeline.defs.resources import DeploymentResource
from cj_pipeline.defs.stages import NEXT_WAVE, PLAN, PURCHASE, READING, STAGE_TAG
from cj_pipeline.due import Due, Found, batches_to_buy, batches_to_collect, new_batches, waves_to_buy
from cj_pipeline.notices import notices
from cj_pipeline.notifications import WebhookFailed, tell

MOST_REQUESTS_PER_TICK = 25  # a request takes 0.2 s to launch, and a tick must end within a minute
LONGEST_CONTINUING_SECONDS = 20.0  # of a tick; what is left waits for the next

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dg.sensor(
    target=dg.AssetSelection.assets(*PLAN), minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING
)
def register_batches_sensor(
    context: dg.SensorEvaluationContext, deployment: DeploymentResource
) -> dg.SensorResult | dg.SkipReason:
    """New batch folders get a partition and their free part: essays and pairs, with an estimate. Buys nothing."""
    registered = live_partitions(context.instance)
    found = new_batches(deployment.open(), registered)
    on_their_way = _batches_of(context.instance, "plan", _UNFINISHED)
    # new ones first: one whose plan failed stays due, and must not keep a place from them
    due = sorted(
        (one for one in found.due if one.batch_id not in on_their_way), key=lambda one: one.batch_id in registered
    )
    chosen = due[:MOST_REQUESTS_PER_TICK]
    if not chosen:
        return _skipped(found, "no new batch folder")
    return dg.SensorResult(
        run_requests=[_request(due, "plan", due.key) for due in chosen],
        dynamic_partitions_requests=[batches.build_add_request([due.batch_id for due in chosen])],
    )


@dg.sensor(
    target=dg.AssetSelection.assets(*PURCHASE),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def buy_approved_sensor(
    context: dg.SensorEvaluationContext, deployment: DeploymentResource
) -> dg.SensorResult | dg.SkipReason:
    """Planned batches are bought once somebody approved them (or the manifest says `auto`, or they cost nothing)."""
    return _requested(
        context, batches_to_buy(deployment.open()), "buy", "nothing approved waits to be bought", {"wave"}
    )


@dg.sensor(
    target=dg.AssetSelection.assets(*READING),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def collect_ended_sensor(
    context: dg.SensorEvaluationContext, deployment: DeploymentResource
) -> dg.SensorResult | dg.SkipReason:
    """Batches whose jobs have all ended are collected, scored, graded and reported."""
    return _requested(context, batches_to_collect(deployment.open()), "collect", "no batch has ended", {"wave"})


@dg.sensor(
    target=dg.AssetSelection.assets(*NEXT_WAVE, *READING),
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def continue_waves_sensor(
    context: dg.SensorEvaluationContext, deployment: DeploymentResource
) -> dg.SensorResult | dg.SkipReason:
    """After a wave is scored: what was decided is recorded, once; a further wave it asks for is planned and bought.

    A batch in `provider_batch_api` has one wave, whose end is recorded here.
    """
    opened = deployment.open()
    busy = partitions_of(context.instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED)))
    remarks = continue_scored(opened, busy=busy, patience_seconds=LONGEST_CONTINUING_SECONDS)
    found = waves_to_buy(opened)
    found = replace(found, remarks=tuple(remarks))
    return _requested(context, found, "wave", "no further wave is asked for", {"buy", "collect"})


def _requested(
    context: dg.SensorEvaluationContext, found: Found, stage: str, nothing: str, beside: Set[str]
) -> dg.SensorResult | dg.SkipReason:
    """Requests for what is due and not on its way, in this stage or one `beside` it that does the same work.

    Dagster never repeats a key, not even after a failure: what is due gets another one when it changed or when time
    passed.
    """
    live = live_partitions(context.instance)
    on_their_way = set().union(*(_batches_of(context.instance, name, _UNFINISHED) for name in {stage, *beside}))
    due = [one for one in found.due if one.batch_id in live and one.batch_id not in on_their_way]
    requests = [_request(one, stage, one.key) for one in due[:MOST_REQUESTS_PER_TICK]]
    return dg.SensorResult(run_requests=requests) if requests else _skipped(found, nothing)


def _request(due: Due, stage: str, key: str) -> dg.RunRequest:
    return dg.RunRequest(run_key=key, partition_key=due.batch_id, tags={STAGE_TAG: stage})


def _batches_of(instance: dg.DagsterInstance, stage: str, statuses: Sequence[dg.DagsterRunStatus]) -> set[str]:
    return partitions_of(instance.get_runs(dg.RunsFilter(tags={STAGE_TAG: stage}, statuses=list(statuses))))


def _skipped(found: Found, nothing: str) -> dg.SkipReason:
    return dg.SkipReason("\n".join(found.remarks) or nothing)


@dg.sensor(minimum_interval_seconds=30, default_status=dg.DefaultSensorStatus.RUNNING)
def lost_runs_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Reports runs as failed whose process was killed, so that they are tried again and hold up nothing."""
    lost = fail_lost_runs(context.instance)
    return dg.SkipReason(f"lost: {', '.join(lost)}" if lost else "every run has its process")


@dg.sensor(minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.RUNNING)
def notify_sensor(context: dg.SensorEvaluationContext, deployment: DeploymentResource) -> dg.SkipReason:
    """Tells people, once each, what waits for them: to the log, and to the webhook CJ_NOTIFY_URL.

    Approvals, jobs in doubt, refused, unlisted or about to expire, caps, accounts on hold, red gates.
    """
    opened = deployment.open()
    now = datetime.now(UTC)
    try:
        told = tell(opened.store, notices(opened, now), opened.settings.notify_url, now)
    except WebhookFailed as error:
        return dg.SkipReason(str(error))
    for notice in told:
        context.log.warning(f"{notice.matter}: {notice.sentence}. Next: {notice.next_step}")
    return dg.SkipReason("\n".join(f"told: {notice.sentence}" for notice in told) or "nothing new to tell")


SENSORS = [
    register_batches_sensor,
    buy_approved_sensor,
    collect_ended_sensor,
    continue_waves_sensor,
    lost_runs_sensor,
    notify_sensor,
]
