"""A purchase by synchronous calls killed at every write and around every request: nothing asked twice, none lost.

At most one call per slot is in doubt, and it is booked at its upper bound. A real process is really killed (SIGKILL).
"""

import itertools
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa

from cj_pipeline.jobs.job import jobs_of
from cj_pipeline.jobs.schema import account_leases, calls
from cj_pipeline_tests.installation import Installation
from cj_pipeline_tests.jobs.calling import bill_of_calls, booked, calling_folder
from cj_pipeline_tests.jobs.kills.killing import MOST_POINTS, killed_once, on
from cj_pipeline_tests.jobs.kills.trial import Trials, trials

ESSAYS, PAIRS = 4, 2

# of these each must have been among the points at which a purchase died
WRITES = (
    "before the commit in reserve",
    "after the commit in reserve",
    "before the commit in advance",
    "after the commit in advance",
    "before the commit in _commit",
    "after the commit in _commit",
    "before the commit in _close",
    "after the commit in _close",
    "before the commit in reconcile",
    "after the commit in reconcile",
    "after writing output.jsonl",
    "after writing job.json",
    "before a file gets its name",
)
REQUESTS = {"openai": "POST /v1/chat/completions", "anthropic": "POST /v1/messages"}


class CallTrials(Trials):
    """Purchases by calls, two at a time."""

    slots = 2

    def new_batch(self, batch_id: str) -> None:
        self.installation.environment["CJ_CALL_SLOTS"] = str(self.slots)
        calling_folder(
            replace(self.installation, emulator_url=self.proxy.url), batch_id,
            provider=self.provider, mode="per_request", essays=ESSAYS,
        )  # fmt: skip

    def check(self, batch_id: str) -> None:
        """One judgment per pair; what was answered has its verdict, and few calls are in doubt."""
        deployment = self.installation.deployment
        rows = deployment.read_table("judgments", batch_id)
        assert sorted(rows["pair_id"].to_pylist()) == list(range(PAIRS))
        (job,) = jobs_of(deployment.ledger, batch_id)
        assert (str(job.state), job.reserved_nano_usd) == ("reconciled", 0)
        ends = Counter(code or "answered" for code in rows["error_code"].to_pylist())
        with deployment.ledger.reading() as connection:
            kept = connection.execute(sa.select(calls.c.state).where(calls.c.job_id == job.job_id)).scalars()
            assert ends == Counter(kept)
        assert set(ends) <= {"answered", "uncertain"}
        assert ends["uncertain"] <= self.slots
        assert deployment.store.paths(f"jobs/{batch_id}/*/call-*") == []

    def check_the_bill(self) -> None:
        """No call was carried out twice, and the ledger has at least what they cost: exactly that but for doubts."""
        deployment = self.installation.deployment
        with deployment.ledger.reading() as connection:
            rows = connection.execute(sa.select(calls.c.state, calls.c.bound_nano_usd, calls.c.times_asked)).all()
            leases = connection.execute(sa.select(account_leases.c.account)).scalars().all()
        assert {row.times_asked for row in rows} == {1}
        assert not [name for name in leases if name.startswith("job/")]
        seen = self.installation.bill(requests=True)
        assert seen["sync"]["requests_seen"] <= len(rows)
        if self.provider == "openai":
            assert set(seen["times_carried_out"].values()) == {1}
        in_doubt = sum(row.bound_nano_usd for row in rows if row.state == "uncertain")
        assert bill_of_calls(self.installation) <= booked(deployment) <= bill_of_calls(self.installation) + in_doubt


class OneByOne(CallTrials):
    """One call at a time, so that every purchase has the same writes in the same order."""

    slots = 1


@on(("sqlite", "openai"))
def test_calls_killed_at_any_write_are_kept_or_booked(installation: Installation, provider: str) -> None:
    with trials(installation, provider, OneByOne) as fire:
        first, last = points_of_a_whole_purchase(fire, "before the commit in reserve", "after the commit in reconcile")
        for write in range(first, last + 1):
            assert not killed_once(fire, f"w{write}", write=write)
        assert set(WRITES) <= fire.points.keys(), set(WRITES) - fire.points.keys()
        assert [point for point in fire.points if point.startswith("after writing call-")]
        fire.check_the_bill()


@on(("sqlite", "anthropic"))
def test_calls_killed_around_any_request_are_kept_or_booked(installation: Installation, provider: str) -> None:
    with trials(installation, provider, CallTrials) as fire:
        for request, before in itertools.product(range(1, MOST_POINTS), (True, False)):
            if killed_once(fire, f"r{request}{'b' if before else 'a'}", request=request, before=before):
                break
        assert {f"{REQUESTS[provider]}, {when}" for when in ("before", "after")} == fire.points.keys()
        assert fire.kills == 2 * PAIRS
        fire.check_the_bill()


@pytest.mark.heavy
@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
def test_calls_killed_at_a_few_writes_are_kept_or_booked_on_postgresql(installation: Installation) -> None:
    with trials(installation, "openai", OneByOne) as fire:
        (asked,) = points_of_a_whole_purchase(fire, "after the commit in _commit")
        for write in (asked - 1, asked, asked + 2):
            assert not killed_once(fire, f"w{write}", write=write)
        fire.check_the_bill()


def points_of_a_whole_purchase(fire: Trials, *names: str) -> list[int]:
    """Where these points stand first among all of a purchase; what comes before is planning, killed elsewhere."""
    fire.new_batch("whole")
    assert fire.run("whole")
    passed = fire.log.read_text("utf-8").splitlines()
    return [passed.index(name) + 1 for name in names]
