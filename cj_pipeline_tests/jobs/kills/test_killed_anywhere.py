"""A purchase killed at every single write and every single request, and at random: nothing is paid twice or lost.

A real process is really killed (SIGKILL), with the real SDKs, over real HTTP, for both providers and both databases.
"""

import itertools
import random
from typing import Any

import pytest

from cj_pipeline_tests.installation import Installation
from cj_pipeline_tests.jobs.kills.killing import MOST_POINTS, killed_once, on
from cj_pipeline_tests.jobs.kills.trial import trials

ROUNDS, KILLS_A_ROUND = 4, 66  # times two providers and two databases: more than a thousand kills


# of these each must have been among the points at which a purchase died
WRITES = (
    "before the commit in reserve",
    "after the commit in reserve",
    "before the commit in advance",
    "after the commit in advance",
    "before the commit in reconcile",
    "after the commit in reconcile",
    "before the commit in add_attempt",
    "after the commit in add_attempt",
    "before the commit in _plan_wave",
    "after writing requests.jsonl",
    "after writing items.parquet",
    "after writing output.jsonl",
    "after writing job.json",
    "after writing tables",
    "before a file gets its name",
)
REQUESTS = {
    "openai": ("POST /v1/files", "POST /v1/batches", "GET /v1/batches"),
    "anthropic": ("POST /v1/messages/batches", "GET /v1/messages/batches"),
}


@on(("postgres", "openai"))
def test_a_purchase_killed_at_any_write_goes_on_where_it_was(installation: Installation, provider: str) -> None:
    with trials(installation, provider) as fire:
        for write in range(1, MOST_POINTS):
            if killed_once(fire, f"w{write}", write=write):
                break
        assert set(WRITES) <= fire.points.keys(), set(WRITES) - fire.points.keys()
        fire.check_the_bill()


@on(("sqlite", "anthropic"))
def test_a_purchase_killed_around_any_request_goes_on_where_it_was(installation: Installation, provider: str) -> None:
    with trials(installation, provider) as fire:
        for request, before in itertools.product(range(1, MOST_POINTS), (True, False)):
            if killed_once(fire, f"r{request}{'b' if before else 'a'}", request=request, before=before):
                break
        expected = {f"{name}, {when}" for name in REQUESTS[provider] for when in ("before", "after")}
        assert expected <= fire.points.keys(), expected - fire.points.keys()
        fire.check_the_bill()


@on()
@pytest.mark.parametrize("number_of_round", range(ROUNDS))
def test_purchases_killed_again_and_again_at_random(
    installation: Installation, provider: str, number_of_round: int
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    with trials(installation, provider) as fire:
        for number in itertools.count():
            batch_id = f"x{number}"
            fire.new_batch(batch_id)
            while not fire.run(batch_id, **at_random(draw)):
                pass
            fire.check(batch_id)
            if fire.kills >= KILLS_A_ROUND:
                break
        fire.check_the_bill()


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_purchase_killed_around_its_create_call_buys_once(installation: Installation, provider: str) -> None:
    with trials(installation, provider) as fire:
        fire.new_batch("whole")
        assert fire.run("whole")
        create = fire.proxy.seen.index({"openai": "POST /v1/batches"}.get(provider, "POST /v1/messages/batches")) + 1
        for before in (True, False):
            killed_once(fire, f"create{'b' if before else 'a'}", request=create, before=before)
        assert fire.kills == 2
        fire.check_the_bill()


def at_random(draw: random.Random) -> dict[str, Any]:
    if draw.random() < 0.5:
        return {"write": draw.randint(1, 90)}
    return {"request": draw.randint(1, 25), "before": draw.random() < 0.5}
