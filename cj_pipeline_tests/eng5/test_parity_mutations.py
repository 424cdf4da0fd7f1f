"""A run is bent in one place, and exactly the checks that claim to see it turn red.

A check over an emulator that repeats what it was told proves nothing while all is green. These tables and ledger rows
are real ones; each row below changes one thing in them and names every check that must notice, and in which form.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pytest

from cj_pipeline.eng5.findings import PARITY, parity_findings
from cj_pipeline.eng5.readings import Form, red
from cj_pipeline.eng5.run import ProfileRun
from cj_pipeline.eng5.trace import events_of
from cj_pipeline.jobs.job import State
from cj_pipeline.providers import Transport
from cj_pipeline_tests.eng5.conftest import RunOf
from cj_pipeline_tests.eng5.profile_runs import with_column

Bend = Callable[[ProfileRun], ProfileRun]
OTHER_SEAT = {"essay_a": "essay_b", "essay_b": "essay_a"}


def winners_turned(count: int, *, seat: str) -> Bend:
    """The first so many verdicts for a seat go to the other."""

    def bend(run: ProfileRun) -> ProfileRun:
        winners = run.judgments["winner"].to_pylist()
        for row in [row for row, winner in enumerate(winners) if winner == seat][:count]:
            winners[row] = OTHER_SEAT[seat]
        return replace(run, judgments=with_column(run.judgments, "winner", winners))

    return bend


def line_lost(run: ProfileRun) -> ProfileRun:
    return replace(run, judgments=run.judgments.slice(1))


def line_twice(run: ProfileRun) -> ProfileRun:
    return replace(run, judgments=pa.concat_tables([run.judgments, run.judgments.slice(0, 1)]))


def seat_flipped(run: ProfileRun) -> ProfileRun:
    """One comparison was shown the other way round; the same essay won it."""
    bent = run.judgments
    for name, other in (("essay_a", "essay_b"), ("essay_b", "essay_a")):
        values, others = (run.judgments[column].to_pylist() for column in (name, other))
        bent = with_column(bent, name, [others[0], *values[1:]])
    winners = run.judgments["winner"].to_pylist()
    return replace(run, judgments=with_column(bent, "winner", [OTHER_SEAT[winners[0]], *winners[1:]]))


def always_first(run: ProfileRun) -> ProfileRun:
    """One essay is shown first whenever it is shown, by plan; the same essays win."""
    favoured = run.essays["essay_id"][0].as_py()
    bent = {}
    for name, table in (("pairs", run.pairs), ("judgments", run.judgments)):
        first, second = (table[column].to_pylist() for column in ("essay_a", "essay_b"))
        turned = [essay == favoured for essay in second]
        seats = [(b, a) if turn else (a, b) for a, b, turn in zip(first, second, turned, strict=True)]
        bent[name] = with_column(with_column(table, "essay_a", [a for a, _ in seats]), "essay_b", [b for _, b in seats])
        if name == "judgments":
            winners = zip(table["winner"].to_pylist(), turned, strict=True)
            kept = [OTHER_SEAT[winner] if turn else winner for winner, turn in winners]
            bent[name] = with_column(bent[name], "winner", kept)
    return replace(run, pairs=bent["pairs"], judgments=bent["judgments"])


def tokens_times(factor: float, rows: int) -> Bend:
    """The first so many answers took other input tokens."""

    def bend(run: ProfileRun) -> ProfileRun:
        read = run.judgments["input_tokens"].to_pylist()
        bent = [int(value * factor) for value in read[:rows]] + read[rows:]
        return replace(run, judgments=with_column(run.judgments, "input_tokens", bent))

    return bend


def judge_swapped(run: ProfileRun) -> ProfileRun:
    """One answer names another model."""
    models = run.judgments["model_reported"].to_pylist()
    return replace(run, judgments=with_column(run.judgments, "model_reported", ["latent", *models[1:]]))


def errors_off(run: ProfileRun) -> ProfileRun:
    """Standard errors 1 % too small."""
    errors = [value * 0.99 for value in run.scores["standard_error"].to_pylist()]
    return replace(run, scores=with_column(run.scores, "standard_error", errors))


def score_off(run: ProfileRun) -> ProfileRun:
    """Two scores exchanged: mean and spread stay."""
    scores = run.scores["score"].to_pylist()
    best, worst = int(np.argmax(scores)), int(np.argmin(scores))
    scores[best], scores[worst] = scores[worst], scores[best]
    return replace(run, scores=with_column(run.scores, "score", scores))


def wave_recorded_too_many(run: ProfileRun) -> ProfileRun:
    return replace(run, waves=(*run.waves, run.waves[-1] + 1))


def wave_planned_too_many(run: ProfileRun) -> ProfileRun:
    """One pair more, in a wave of its own, that nobody was asked."""
    extra = run.pairs.slice(0, 1)
    extra = with_column(extra, "wave", [run.waves[-1] + 1])
    extra = with_column(extra, "pair_id", [run.pairs.num_rows])
    return replace(run, pairs=pa.concat_tables([run.pairs, extra]))


def answer_failed(run: ProfileRun) -> ProfileRun:
    """The first answer is a failure."""
    bent = run.judgments
    for name, value in {
        "outcome": "failure", "error_code": "refused", "winner": None, "confidence": None, "justification": None,
    }.items():  # fmt: skip
        bent = with_column(bent, name, [value, *run.judgments[name].to_pylist()[1:]])
    return replace(run, judgments=bent)


def confidence_beyond(run: ProfileRun) -> ProfileRun:
    sure = run.judgments["confidence"].to_pylist()
    return replace(run, judgments=with_column(run.judgments, "confidence", [6, *sure[1:]]))


def slow(run: ProfileRun) -> ProfileRun:
    """Every call took five seconds."""
    return replace(run, response_ms=dict.fromkeys(run.judgments["custom_id"].to_pylist(), 5_000.0))


def job_failed(run: ProfileRun) -> ProfileRun:
    return replace(run, jobs=(replace(run.jobs[0], state=State.REFUSED), *run.jobs[1:]))


def job_out(run: ProfileRun) -> ProfileRun:
    """The first job never came to its end."""
    out = replace(run.jobs[0], state=State.SUBMITTED, phase="running", ended_at=None, reconciled_at=None)
    return replace(run, jobs=(out, *run.jobs[1:]))


def job_slow(run: ProfileRun) -> ProfileRun:
    """Planned a day before it ended."""
    return replace(run, jobs=tuple(replace(job, planned_at="2026-01-01T00:00:00+00:00") for job in run.jobs))


def job_larger(run: ProfileRun) -> ProfileRun:
    """A job with more requests than were planned."""
    return replace(run, jobs=(replace(run.jobs[0], items=65), *run.jobs[1:]))


def other_transport(run: ProfileRun) -> ProfileRun:
    other = {Transport.BATCH: Transport.CALLS, Transport.CALLS: Transport.BATCH}
    return replace(run, jobs=tuple(replace(job, transport=other[job.transport]) for job in run.jobs))


def other_mode(run: ProfileRun) -> ProfileRun:
    return replace(run, modes=("per_request",) * len(run.modes))


def stopped_short(run: ProfileRun) -> ProfileRun:
    """The scale says that too few comparisons were answered."""
    return replace(run, scale_fit=with_column(run.scale_fit, "terminal_label", ["failed_low_success"]))


@dataclass(frozen=True)
class Mutation:
    """`asserted` are the checks that are red as the predecessor asserted them; the others see it to the unit only."""

    profile: str
    bend: Bend
    red: str
    asserted: str


MUTATIONS = {
    "generic: winner share drifted": Mutation(
        "cj-generic-batch-api", winners_turned(2, seat="essay_a"), "P1 P7 scale", "P1 P7"
    ),
    "generic: one winner turned": Mutation(
        "cj-generic-batch-api", winners_turned(1, seat="essay_a"), "P1 P7 scale", "P7"
    ),
    "generic: a line lost": Mutation("cj-generic-batch-api", line_lost, "P1 P3 P7 B7 scale", "P1 P3 P7"),
    "generic: a line twice": Mutation("cj-generic-batch-api", line_twice, "P1 P3 P7 B7 scale", "P1 P3 P7"),
    "generic: a seat flipped": Mutation("cj-generic-batch-api", seat_flipped, "P1 P3 P7 scale", "P1 P3 P7"),
    "generic: token counts drifted": Mutation("cj-generic-batch-api", tokens_times(4, 16), "P1 P7", "P1 P7"),
    "generic: one token count off": Mutation("cj-generic-batch-api", tokens_times(2, 1), "P1 P7", "P7"),
    "generic: a judge swapped": Mutation("cj-generic-batch-api", judge_swapped, "P7", "P7"),
    "generic: standard errors off": Mutation("cj-generic-batch-api", errors_off, "scale", ""),
    "generic: an answer failed": Mutation("cj-generic-batch-api", answer_failed, "P1 P3 P7 B6 scale", "P1 P3 P7"),
    "generic: confidence off the scale": Mutation("cj-generic-batch-api", confidence_beyond, "P1 P3 P7", "P1 P3 P7"),
    "generic: a job failed": Mutation("cj-generic-batch-api", job_failed, "B2", "B2"),
    "generic: a job never ended": Mutation("cj-generic-batch-api", job_out, "B2 B4 B5", "B2 B4 B5"),
    "generic: jobs waited a day": Mutation("cj-generic-batch-api", job_slow, "B5", "B5"),
    "generic: a job too large": Mutation("cj-generic-batch-api", job_larger, "P3 P7 B3 B5", "P7"),
    "generic: another transport": Mutation("cj-generic-batch-api", other_transport, "B1 B2 B3 B4 B5", "B1 B2 B3 B4 B5"),
    "generic: another mode": Mutation("cj-generic-batch-api", other_mode, "B1", ""),
    "anchors: winner share drifted": Mutation(
        "eng5-anchor", winners_turned(22, seat="essay_a"), "P4 P7 scale", "P4 P7"
    ),
    "anchors: one winner turned": Mutation("eng5-anchor", winners_turned(1, seat="essay_b"), "P4 P7 scale", "P7"),
    "anchors: a line lost": Mutation("eng5-anchor", line_lost, "P4 P7 S6 scale", "P4 P7"),
    "anchors: a seat flipped": Mutation("eng5-anchor", seat_flipped, "P4 P7 scale", "P4 P7"),
    "anchors: token counts drifted": Mutation("eng5-anchor", tokens_times(2.1, 66), "P4 P7", "P4 P7"),
    "anchors: calls too slow": Mutation("eng5-anchor", slow, "P4 P7", "P4 P7"),
    "anchors: a judge swapped": Mutation("eng5-anchor", judge_swapped, "P7", "P7"),
    "anchors: standard errors off": Mutation("eng5-anchor", errors_off, "scale", ""),
    "anchors: two scores exchanged": Mutation("eng5-anchor", score_off, "scale", ""),
    "lower five: winner share drifted": Mutation(
        "eng5-lower5", winners_turned(12, seat="essay_a"), "P5 P6 P7 scale", "P5 P6 P7"
    ),
    "lower five: one winner turned": Mutation(
        "eng5-lower5", winners_turned(1, seat="essay_b"), "P5 P6 P7 scale", "P6 P7"
    ),
    "lower five: a line lost": Mutation("eng5-lower5", line_lost, "P5 P6 P7 S6 scale", "P5 P6 P7"),
    "lower five: a seat flipped": Mutation("eng5-lower5", seat_flipped, "P5 P6 P7 scale", "P5 P6 P7"),
    "lower five: token counts drifted": Mutation("eng5-lower5", tokens_times(2, 30), "P5 P6 P7", "P5 P6 P7"),
    "lower five: calls too slow": Mutation("eng5-lower5", slow, "P5 P6 P7", "P5 P6 P7"),
    "lower five: a judge swapped": Mutation("eng5-lower5", judge_swapped, "P7", "P7"),
    "lower five: standard errors off": Mutation("eng5-lower5", errors_off, "scale", ""),
    "bundles: another transport": Mutation("eng5-lower5", other_transport, "S1 S2 S3 S4", "S1 S2 S3 S4"),
    "bundles: another mode": Mutation("eng5-lower5", other_mode, "S1", ""),
    "bundles: one too large": Mutation("eng5-lower5", job_larger, "S2 S3 S4", "S3"),
    "bundles: one never ended": Mutation("eng5-lower5", job_out, "S4 S7", ""),
    "bundles: they waited a day": Mutation("eng5-lower5", job_slow, "S4", "S4"),
    "bundles: an answer failed": Mutation("eng5-lower5", answer_failed, "P5 P6 P7 S5 scale", "P5 P6 P7"),
    "repetitions: one winner turned": Mutation(
        "cj-generic", winners_turned(1, seat="essay_a"), "P1 P2 P7 scale", "P2 P7"
    ),
    "repetitions: a line lost": Mutation("cj-generic", line_lost, "P1 P2 P7 S6 scale", "P1 P2 P7"),
    "repetitions: one token count off": Mutation("cj-generic", tokens_times(2, 1), "P1 P2 P7", "P2 P7"),
    "single wave: a wave too many recorded": Mutation("eng5-batch-api", wave_recorded_too_many, "D1", ""),
    "single wave: a wave too many planned": Mutation("eng5-batch-api", wave_planned_too_many, "D1 B3", ""),
    "single wave: a line lost": Mutation("eng5-batch-api", line_lost, "D1 B7 scale", ""),
    "single wave: an answer failed": Mutation("eng5-batch-api", answer_failed, "D1 B6 scale", "D1"),
    "single wave: another mode": Mutation("eng5-batch-api", other_mode, "D1 B1", "D1"),
    "single wave: stopped short": Mutation("eng5-batch-api", stopped_short, "D1", "D1"),
    "single wave: one winner turned": Mutation("eng5-batch-api", winners_turned(1, seat="essay_a"), "D1 scale", ""),
    "single wave: a judge swapped": Mutation("eng5-batch-api", judge_swapped, "P7", "P7"),
    "single wave: standard errors off": Mutation("eng5-batch-api", errors_off, "scale", ""),
    "small net: a wave too many recorded": Mutation("eng5-small-net", wave_recorded_too_many, "D4", ""),
    "small net: a wave too many planned": Mutation("eng5-small-net", wave_planned_too_many, "D4 S2", ""),
    "small net: a line lost": Mutation("eng5-small-net", line_lost, "D4 S6 scale", ""),
    "small net: a line twice": Mutation("eng5-small-net", line_twice, "D4 S6 scale", ""),
    "small net: a seat flipped": Mutation("eng5-small-net", seat_flipped, "D4 scale", ""),
    "small net: an answer failed": Mutation("eng5-small-net", answer_failed, "D4 S5 scale", "D4"),
    "small net: stopped short": Mutation("eng5-small-net", stopped_short, "D4", "D4"),
    "small net: a bundle too large": Mutation("eng5-small-net", job_larger, "S2 S3 S4", "S3"),
    "small net: a bundle never ended": Mutation("eng5-small-net", job_out, "S4 S7", ""),
    "small net: bundles waited a day": Mutation("eng5-small-net", job_slow, "S4", "S4"),
    "small net: another transport": Mutation("eng5-small-net", other_transport, "S1 S2 S3 S4", "S1 S2 S3 S4"),
    "small net: another mode": Mutation("eng5-small-net", other_mode, "S1", ""),
    "small net: a judge swapped": Mutation("eng5-small-net", judge_swapped, "P7", "P7"),
    "small net: standard errors off": Mutation("eng5-small-net", errors_off, "scale", ""),
    "regular: a wave too many recorded": Mutation("eng5-regular", wave_recorded_too_many, "D2 D3", ""),
    "regular: a wave too many planned": Mutation("eng5-regular", wave_planned_too_many, "D2 D3 S2", "D3"),
    "regular: a line lost": Mutation("eng5-regular", line_lost, "D2 D3 S6 scale", "D2 D3"),
    "regular: one winner turned": Mutation("eng5-regular", winners_turned(1, seat="essay_a"), "scale", ""),
    "regular: a seat flipped": Mutation("eng5-regular", seat_flipped, "D2 scale", "D2"),
    "regular: an essay always first": Mutation("eng5-regular", always_first, "D3 scale", "D3"),
    "regular: an answer failed": Mutation("eng5-regular", answer_failed, "D2 D3 S5 scale", "D2 D3"),
    "regular: a bundle too large": Mutation("eng5-regular", job_larger, "D2 S2 S3 S4", "D2 S3"),
    "regular: standard errors off": Mutation("eng5-regular", errors_off, "scale", ""),
}
TAKES_LONG = {"eng5-regular", "eng5-small-net"}


def each(names: Mapping[str, str]) -> list[object]:
    """Test parameters by name; those whose profile takes long are heavy."""
    return [
        pytest.param(name, marks=pytest.mark.heavy if batch_id in TAKES_LONG else (), id=name)
        for name, batch_id in names.items()
    ]


def test_every_check_is_turned_red_by_some_mutation() -> None:
    assert set().union(*(mutation.red.split() for mutation in MUTATIONS.values())) == PARITY.keys()


@pytest.mark.parametrize("batch_id", each({mutation.profile: mutation.profile for mutation in MUTATIONS.values()}))
def test_a_run_as_it_came_is_green_in_every_form(run_of: RunOf, batch_id: str) -> None:
    run = run_of(batch_id)
    assert [finding.summary for finding in parity_findings(run) if not finding.passed] == []


@pytest.mark.parametrize("name", each({name: mutation.profile for name, mutation in MUTATIONS.items()}))
def test_a_bent_run_turns_exactly_the_checks_red_that_claim_to_see_it(run_of: RunOf, name: str) -> None:
    mutation = MUTATIONS[name]
    bent = mutation.bend(run_of(mutation.profile))
    asserted = {
        case for case, claim in PARITY.items() if case in bent.profile.checks and red(claim(bent), Form.TOLERANCE)
    }
    turned = {finding.name.removeprefix("parity_") for finding in parity_findings(bent) if not finding.passed}
    assert turned == set(mutation.red.split())
    assert asserted == set(mutation.asserted.split())


def test_the_summary_of_a_run_is_what_its_tables_say(run_of: RunOf) -> None:
    run = run_of("cj-generic-batch-api")
    summary = run.trace
    assert (summary.total_events, summary.error_count) == (run.judgments.num_rows, 0)
    assert summary.token_usage["prompt_tokens"].mean == 5.0
    assert summary.response_time_ms.mean_ms is None  # a batch job tells no times of single answers
    assert [event.winner for event in events_of(run.judgments)] == run.judgments["winner"].to_pylist()
