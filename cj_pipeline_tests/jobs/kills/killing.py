"""One purchase killed once at a chosen point, and held against the provider's bill."""

import itertools

import pytest

from cj_pipeline_tests.jobs.kills.trial import Trials

EVERYWHERE = list(itertools.product(("sqlite", "postgres"), ("openai", "anthropic")))
MOST_POINTS = 200


def on(*places: tuple[str, str]) -> pytest.MarkDecorator:
    """On these databases with these providers in the slow lane, on all the others where a thousand kills are."""
    marked = [
        pytest.param(*place, marks=pytest.mark.heavy if place in places else pytest.mark.endurance)
        for place in EVERYWHERE
    ]
    return pytest.mark.parametrize(("installation", "provider"), marked, indirect=["installation"])


def killed_once(
    fire: Trials, batch_id: str, *, write: int | None = None, request: int | None = None, before: bool = False
) -> bool:
    """Kill a new purchase there, then let it run; whether it was through before it came there."""
    fire.new_batch(batch_id)
    through = fire.run(batch_id, write=write, request=request, before=before)
    if not through:
        assert fire.run(batch_id)
    fire.check(batch_id)
    return through
