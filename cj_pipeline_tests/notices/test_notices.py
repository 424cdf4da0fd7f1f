"""What needs a person is told once per occurrence, in words that may leave the house."""

import logging
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from cj_pipeline.defs.sensors import notify_sensor
from cj_pipeline.deployment import Deployment
from cj_pipeline.errors import OverBudget
from cj_pipeline.jobs.holds import hold_account, lift_hold
from cj_pipeline.jobs.spending import approve
from cj_pipeline.notices import Matter, Notice, notices
from cj_pipeline.notifications import TOLD_PATH, WebhookFailed, read_told, tell
from cj_pipeline_tests.defs.ticks import evaluated, planned
from cj_pipeline_tests.installation import Installation, small_batch
from cj_pipeline_tests.jobs.purchase import bought, ended, paid_batch
from cj_pipeline_tests.notices.webhook import Webhook, webhook

NOW = datetime.now(UTC)


def standing(deployment: Deployment, after: timedelta = timedelta()) -> list[tuple[Matter, str]]:
    return [(notice.matter, notice.subject) for notice in notices(deployment, datetime.now(UTC) + after)]


def set_job(deployment: Deployment, **columns: str | None) -> None:
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    with deployment.ledger.transaction() as connection:
        connection.execute(sa.text(f"update jobs set {changes}"), columns)


def manual(installation: Installation, batch_id: str) -> None:
    """A paid batch that waits for a person."""
    manifest = paid_batch(installation, batch_id) / "batch.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('approval = "auto"', 'approval = "manual"'), "utf-8")


# --- what is noticed ---


def test_a_plan_that_nobody_approved_is_noticed_until_somebody_does(installation: Installation) -> None:
    manual(installation, "dear")
    small_batch(installation.batches / "free")
    planned(installation, "dear")
    planned(installation, "free")
    deployment = installation.deployment
    (notice,) = notices(deployment, NOW)
    assert (notice.matter, notice.subject) == (Matter.APPROVAL_WANTED, "dear")
    assert "cj approve dear --max-usd" in notice.next_step
    approve(deployment.ledger, "dear", approved_by="head of study", max_usd=1)
    assert standing(deployment) == []


def test_another_revision_wants_another_approval(installation: Installation) -> None:
    manual(installation, "dear")
    planned(installation, "dear")
    first = notices(installation.deployment, NOW)
    (installation.batches / "dear/rubric.md").write_text("Another rubric.", "utf-8")
    planned(installation, "dear")
    second = notices(installation.deployment, NOW)
    assert [notice.subject for notice in second] == ["dear"]
    assert first[0].key != second[0].key


def test_a_job_goes_through_its_troubles(installation: Installation) -> None:
    """One job of the ledger, put where each trouble leaves it."""
    small_batch(installation.batches / "one")
    bought(installation.deployment, "one")
    deployment = installation.deployment
    assert standing(deployment) == []
    assert standing(deployment, timedelta(hours=23)) == [(Matter.NEAR_EXPIRY, "one")]

    now = datetime.now(UTC)
    set_job(deployment, missing_since=now.isoformat())
    assert standing(deployment, timedelta(minutes=1)) == []  # a list may lag behind
    assert standing(deployment, timedelta(hours=1)) == [(Matter.JOB_NOT_LISTED, "one")]

    set_job(deployment, state="ended", missing_since=None)
    assert standing(deployment, timedelta(days=1)) == []
    assert standing(deployment, timedelta(days=6)) == [(Matter.NEAR_EXPIRY, "one")]

    set_job(deployment, state="submitting", submitting_at=now.isoformat())
    assert standing(deployment, timedelta(minutes=1)) == []  # it may still be on its way
    assert standing(deployment, timedelta(hours=1)) == [(Matter.JOB_UNKNOWN, "one")]
    (left,) = notices(deployment, now + timedelta(hours=1))
    set_job(deployment, state="unknown")
    (doubtful,) = notices(deployment, NOW)
    assert doubtful.key == left.key
    assert "cj jobs reconcile one" in doubtful.next_step

    set_job(deployment, state="refused", reason="The provider quotes a pupil")
    (refused,) = notices(deployment, NOW)
    assert refused.matter is Matter.JOB_REFUSED
    assert "pupil" not in refused.sentence


def test_a_job_of_an_earlier_revision_troubles_nobody(installation: Installation) -> None:
    small_batch(installation.batches / "one")
    bought(installation.deployment, "one")
    set_job(installation.deployment, state="refused", revision="an earlier one")
    assert standing(installation.deployment) == []


def test_a_cap_in_the_way_is_noticed_with_its_amount(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid_batch(installation, "dear")
    monkeypatch.setenv("CJ_ACCOUNT_MAX_USD_PER_DAY", "0.000001")
    with pytest.raises(OverBudget) as stopped:
        bought(installation.deployment, "dear")
    (notice,) = notices(installation.deployment, NOW)
    assert (notice.matter, notice.subject) == (Matter.OVER_CAP, "dear")
    assert str(stopped.value) in notice.sentence
    monkeypatch.delenv("CJ_ACCOUNT_MAX_USD_PER_DAY")
    assert standing(installation.deployment) == []


def test_the_batchs_own_cap_is_noticed_too(installation: Installation) -> None:
    paid_batch(installation, "tight", max_usd=1e-7)
    with pytest.raises(OverBudget) as stopped:
        bought(installation.deployment, "tight")
    (notice,) = notices(installation.deployment, NOW)
    assert str(stopped.value) in notice.sentence


def test_an_account_on_hold_is_noticed_and_a_second_hold_is_another(installation: Installation) -> None:
    ledger = installation.deployment.ledger
    with ledger.transaction() as connection:
        hold_account(connection, "openai/default", "no credit")
    (first,) = notices(installation.deployment, NOW)
    assert (first.matter, first.subject) == (Matter.ACCOUNT_ON_HOLD, "openai/default")
    lift_hold(ledger, "openai/default", lifted_by="somebody who paid")
    assert standing(installation.deployment) == []
    with ledger.transaction() as connection:
        hold_account(connection, "openai/default", "no credit")
    (second,) = notices(installation.deployment, NOW)
    assert first.key != second.key


def test_a_red_gate_is_noticed_and_a_green_batch_is_not(installation: Installation) -> None:
    from cj_pipeline_tests.defs.materialising import materialise

    installation.copy_of_demo("coins", model="latent:sd=0,seed=3")
    installation.copy_of_demo("green")
    instance = dg.DagsterInstance.ephemeral()
    for batch_id in ("coins", "green"):
        materialise(instance, batch_id, raise_on_error=False)
    assert standing(installation.deployment) == [(Matter.GATE_RED, "coins")]


def test_looking_changes_nothing(installation: Installation) -> None:
    small_batch(installation.batches / "one")
    bought(installation.deployment, "one")
    ended(installation.deployment, "one")
    before = installation.deployment.ledger.provenance("one")
    bill = installation.bill()
    assert notices(installation.deployment, NOW) == notices(installation.deployment, NOW)
    assert installation.deployment.ledger.provenance("one") == before
    assert installation.bill() == bill


# --- telling ---


def some(*keys: str) -> list[Notice]:
    return [Notice(key, Matter.GATE_RED, "batch", f"sentence {key}", f"step {key}") for key in keys]


def told_to(hook: Webhook, installation: Installation, *keys: str) -> list[str]:
    told = tell(installation.deployment.store, some(*keys), SecretStr(hook.url), datetime.now(UTC))
    return [notice.key for notice in told]


def test_each_occurrence_is_told_once(installation: Installation, caplog: pytest.LogCaptureFixture) -> None:
    with webhook() as hook, caplog.at_level(logging.WARNING):
        assert told_to(hook, installation, "a", "b") == ["a", "b"]
        assert told_to(hook, installation, "b", "c") == ["c"]
        assert told_to(hook, installation, "a") == []  # it was over, and is back: the same occurrence
    assert [notice["id"] for notice in hook.notices] == ["a", "b", "c"]
    assert len(hook.received) == 2
    assert [message.split(": ")[1] for message in caplog.messages] == [
        "sentence a. Next", "sentence b. Next", "sentence c. Next",
    ]  # fmt: skip


def test_a_message_is_readable_by_people_and_by_machines(installation: Installation) -> None:
    with webhook() as hook:
        told_to(hook, installation, "a")
    assert hook.received == [
        {
            "service": "cj_pipeline",
            "text": "gate red: sentence a. Next: step a",
            "notices": [
                {"id": "a", "matter": "gate red", "subject": "batch", "sentence": "sentence a", "next_step": "step a"}
            ],
        }
    ]


def test_a_webhook_that_fails_is_tried_again_and_the_log_is_not(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook() as hook, caplog.at_level(logging.WARNING, logger="cj_pipeline.notifications"):
        hook.status = 503
        for _ in range(2):
            with pytest.raises(WebhookFailed, match="HTTP 503") as failure:
                told_to(hook, installation, "a")
            assert "secret-token" not in str(failure.value)
        hook.status = 204
        assert told_to(hook, installation, "a") == ["a"]
    assert [notice["id"] for notice in hook.notices] == ["a"]
    assert len(caplog.records) == 1


def test_a_webhook_that_hangs_up_or_is_no_address_is_a_message_without_the_address(installation: Installation) -> None:
    for address in ("http://127.0.0.1:9/hooks/secret-token", "file:///etc/secret-token", "secret-token"):
        with pytest.raises(WebhookFailed) as failure:
            tell(installation.deployment.store, some("a"), SecretStr(address), NOW)
        assert "secret-token" not in str(failure.value)


def test_a_webhook_that_comes_later_is_told_what_still_stands(installation: Installation) -> None:
    store = installation.deployment.store
    assert [notice.key for notice in tell(store, some("over", "stands"), None, NOW)] == ["over", "stands"]
    with webhook() as hook:
        assert told_to(hook, installation, "stands") == ["stands"]
    assert [notice["id"] for notice in hook.notices] == ["stands"]


def test_what_was_told_is_forgotten_a_season_after_it_was_over(installation: Installation) -> None:
    store = installation.deployment.store
    tell(store, some("old", "standing"), None, NOW - timedelta(days=100))
    tell(store, some("standing", "new"), None, NOW)
    assert set(read_told(store).log) == {"standing", "new"}


# --- the sensor ---


def test_the_sensor_tells_once_and_says_so_in_its_tick(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    manual(installation, "dear")
    planned(installation, "dear")
    instance = dg.DagsterInstance.ephemeral()

    def tick() -> str:
        skipped = evaluated(notify_sensor, instance)
        assert isinstance(skipped, dg.SkipReason)
        return str(skipped.skip_message)

    with webhook() as hook:
        monkeypatch.setenv("CJ_NOTIFY_URL", hook.url)
        hook.status = 500
        assert "HTTP 500" in tick()
        hook.status = 200
        assert "batch dear is planned" in tick()
        assert tick() == "nothing new to tell"
        (body,) = hook.received
    assert "says something of its own" not in str(body)
    assert "sk-any" not in str(body)
    installation.deployment.store.remove(TOLD_PATH)
    assert "did not take 1 notices" in tick()  # the record is gone, and so is the webhook
