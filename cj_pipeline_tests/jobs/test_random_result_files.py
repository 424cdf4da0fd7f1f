"""Anything at all in place of the result files: never a crash, never a winner that no line states, always an end."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.emulator import anthropic_batches, openai_batches
from cj_pipeline.emulator.answer import Circumstances, answer
from cj_pipeline.emulator.anthropic_messages import MESSAGES
from cj_pipeline.emulator.openai_chat import CHAT_COMPLETIONS
from cj_pipeline.jobs.findings import job_findings
from cj_pipeline.jobs.job import Job, jobs_of
from cj_pipeline.jobs.judgments import judgments_of
from cj_pipeline.jobs.plan import open_wave, plan_jobs
from cj_pipeline.jobs.reconciliation import reconcile
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.jobs.spending import Caps, reserve
from cj_pipeline.providers.anthropic_wire import translated
from cj_pipeline.providers.openai_wire import read_request_line
from cj_pipeline_tests.installation import Installation
from cj_pipeline_tests.jobs.purchase import paid_batch

PAIRS = 6
WINNERS = {"essay a": "essay_a", "essay b": "essay_b", "tie": "tie"}
CALLED = Circumstances(request_id="r", created=1, in_batch=True)
NO_CAP = Caps(10**12, 10**12, 10**12)
ODD_COUNTS = [-1_000, -1, 0, 1, 400, 10**10, 2**70, 1.5, True, None]


@dataclass(frozen=True, slots=True, repr=False)
class Fetched:
    """A job whose results can be anything, and the lines that a provider would send."""

    deployment: Deployment
    batch: Batch
    job: Job
    lines: list[bytes]

    def read(self, output: bytes, error: bytes | None = None, phase: str = "completed") -> tuple[Job, pa.Table]:
        """Put these in place of the raw files, reconcile, and read the judgments."""
        ledger, store = self.deployment.ledger, self.deployment.store
        columns: dict[str, object] = {"state": "fetched", "phase": phase, "reserved_nano_usd": self.job.bound_nano_usd}
        for name, content in (("output", output), ("error", error)):
            written = None if content is None else store.write(f"jobs/{name}.jsonl", [content])
            columns |= {f"{name}_path": written and written.path, f"{name}_sha256": written and written.sha256}
        with ledger.transaction() as connection:
            connection.execute(
                sa.text(f"update jobs set {', '.join(f'{name} = :{name}' for name in columns)}"), columns
            )
            reserved = sa.text("update batches set reserved_nano_usd = :bound, spent_nano_usd = 0")
            connection.execute(reserved, {"bound": self.job.bound_nano_usd})
        (job,) = jobs_of(ledger, self.batch.batch_id)
        return reconcile(ledger, store, self.batch, job), judgments_of(ledger, store, self.batch)


@pytest.fixture(scope="module", params=["openai", "anthropic"])
def fetched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    folder = tmp_path_factory.mktemp(request.param)
    environment = {
        "CJ_BATCHES": str(folder / "batches"), "CJ_STORE": f"memory://{folder}", "CJ_LEDGER": str(folder / "ledger"),
        "CJ_PRICES": "", "OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": "",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CJ_POSTGRES_URL", raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        installation = Installation(folder, "http://127.0.0.1:9", environment)
        path = paid_batch(installation, "any", provider=request.param, essays=4, max_comparisons=PAIRS)
        manifest = (path / "batch.toml").read_text("utf-8")
        ties = f"\nties = {str(request.param == 'anthropic').lower()}\nbase_url"
        (path / "batch.toml").write_text(manifest.replace("\nbase_url", ties), "utf-8")
        yield fetched_job(installation.deployment, request.param)


def fetched_job(deployment: Deployment, provider: str) -> Fetched:
    ledger, store, batch = deployment.ledger, deployment.store, deployment.batch("any")
    open_revision(ledger, batch)
    plan_jobs(ledger, store, batch, open_wave(ledger, store, batch), deployment.settings)
    (job,) = jobs_of(ledger, "any")
    reserve(ledger, job, NO_CAP)
    requests = list(store.lines(job.request_path))
    return Fetched(deployment, batch, job, [line_for(provider, request) for request in requests])


def line_for(provider: str, request: bytes) -> bytes:
    """What the provider's emulator answers to a request."""
    custom_id, body = read_request_line(request)
    if provider == "openai":
        line = openai_batches.answered_line("batch", custom_id, answer(CHAT_COMPLETIONS, body, CALLED))
    else:
        params = translated(request)["params"]
        line = anthropic_batches.answered_line("batch", custom_id, answer(MESSAGES, params, CALLED))
    return json.dumps(line).encode()


# --- what stands in the files ---

NUMBERS = st.integers(-400, 400) | st.sampled_from([10**10, 2**70]) | st.floats()
WORDS = st.sampled_from(
    ["Essay A", "essay  b", "Tie", "stop", "length", "refusal", "succeeded", "errored", "custom_id", "content", "text"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=9) | WORDS,
    lambda value: st.lists(value, max_size=3) | st.dictionaries(st.text(max_size=9) | WORDS, value, max_size=3),
    max_leaves=6,
)
# what stands where decides most, and what has been seen there
DECISIVE: dict[str, list[Any]] = {
    "finish_reason": ["length", "content_filter", "tool_calls", None],
    "refusal": ["I cannot.", {}, False],
    "status_code": [0, 199, 299, 400, 429, 500, "200", None, True],
    "choices": [[], None, {}, [None], [{}]],
    "stop_reason": ["refusal", "max_tokens", "pause_turn", "stop_sequence", None],
    "type": ["errored", "expired", "canceled", "thinking", "paused"],
    "content": [None, [], "", [None], [{}], {}],
    "response": [None, [], "", {"status_code": 200}],
    "result": [None, [], "", {"type": "succeeded"}],
    "usage": [None, [], 0],
}
COUNTS = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "cache_read_input_tokens")
ANSWERS = st.fixed_dictionaries(
    {"winner": WORDS | VALUES, "justification": st.text(max_size=9) | VALUES, "confidence": st.integers(0, 6) | VALUES}
).map(json.dumps)
TEXTS = st.one_of(
    ANSWERS,
    ANSWERS.map(lambda text: f"```json\n{text}\n```"),
    st.tuples(ANSWERS, ANSWERS).map("\n".join),
    st.tuples(ANSWERS, st.text(max_size=9)).map("".join),
    st.text(max_size=30),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place within a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield (*path, key)
        yield from places(part, (*path, key))


def altered(line: bytes, path: tuple[Any, ...], *instead: Any) -> bytes:
    """The line with another value at a place within it, or with none there."""
    fields = within = json.loads(line)
    for key in path[:-1]:
        within = within[key]
    if instead:
        within[path[-1]] = instead[0]
    else:
        del within[path[-1]]
    return json.dumps(fields).encode()


def decided(line: bytes) -> Iterator[bytes]:
    """A line with each of the odd values, one by one, where it decides most."""
    for path in places(json.loads(line)):
        for value in DECISIVE.get(path[-1], ODD_COUNTS if path[-1] in COUNTS else ()):
            yield altered(line, path, value)


KINDS = ("whole", "cut", "named", "replaced", "decided", "removed", "says", "flipped", "bytes", "json")


@st.composite
def spoilt(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """One line: a real one, a real one gone wrong in one way, or nothing of the kind."""
    line = draw(st.sampled_from(lines))
    kind = draw(st.sampled_from(KINDS))
    match kind:
        case "cut":
            return line[: draw(st.integers(0, len(line)))]
        case "named":
            name = draw(st.sampled_from([json.loads(other)["custom_id"] for other in lines]) | VALUES)
            return altered(line, ("custom_id",), name)
        case "replaced":
            value = draw(VALUES)
            path = draw(st.sampled_from(list(places(json.loads(line)))))
            return altered(line, path, value)
        case "decided":
            return draw(st.sampled_from(list(decided(line))))
        case "removed":
            path = draw(st.sampled_from(list(places(json.loads(line)))))
            return altered(line, path)
        case "says":
            said = draw(TEXTS)
            path = max(path for path in places(json.loads(line)) if path[-1] in {"text", "content"})
            return altered(line, path, said)
        case "flipped":
            at = draw(st.integers(0, len(line) - 1))
            return line[:at] + draw(st.binary(min_size=1, max_size=3)) + line[at + 1 :]
        case "bytes":
            return draw(st.binary(max_size=60))
        case "json":
            return json.dumps(draw(VALUES)).encode()
    return line


@st.composite
def files(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """Spoilt lines, some as they should be between them, and ends of any kind."""
    spoiled = draw(st.lists(spoilt(lines), min_size=1, max_size=6))
    mixed = draw(st.permutations(spoiled + draw(st.lists(st.sampled_from(lines), max_size=3))))
    return draw(st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \n"])).join(mixed) + draw(st.sampled_from([b"\n", b""]))


# --- what must hold ---


def stated(provider: str, line: bytes) -> tuple[str, str] | None:
    """The item and the winner that a finished answer states, read as plainly as can be."""
    try:
        fields = json.loads(line)
        if provider == "openai":
            choice = fields["response"]["body"]["choices"][0]
            cut_short = choice.get("finish_reason") in ["length", "content_filter"] or choice["message"].get("refusal")
            if cut_short or fields["response"]["status_code"] // 100 != 2:
                return None
            text = choice["message"]["content"]
        else:
            message = fields["result"]["message"]
            if fields["result"]["type"] != "succeeded" or message.get("stop_reason") in ["refusal", "max_tokens"]:
                return None
            blocks = message["content"]
            text = blocks if isinstance(blocks, str) else "".join(b["text"] for b in blocks if b["type"] == "text")
        text = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```")
        winner = json.loads(text, strict=False)["winner"]
        return str(fields["custom_id"]), WINNERS[" ".join(winner.split()).casefold()]
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None


def check(fetched: Fetched, content: bytes, job: Job, rows: pa.Table) -> None:
    winners: dict[str, set[str]] = defaultdict(set)
    for named, winner in filter(None, (stated(fetched.job.provider, line) for line in content.split(b"\n"))):
        winners[named].add(winner)
    assert sorted(rows["pair_id"].to_pylist()) == list(range(PAIRS))
    for row in rows.to_pylist():
        assert row["outcome"] in {"success", "failure", "expired"}
        assert (row["winner"] is None) is (row["error_code"] is not None) is (row["outcome"] != "success")
        assert row["winner"] is None or winners[row["custom_id"]] == {row["winner"]}
        assert row["cost_usd"] is None or row["cost_usd"] >= 0
    assert str(job.state) == "reconciled"
    assert job.spent_nano_usd is not None
    assert 0 <= job.spent_nano_usd <= job.bound_nano_usd
    assert (job.reserved_nano_usd, job.unanswered) == (0, rows["winner"].null_count)


@given(data=st.data(), phase=st.sampled_from(["completed", "expired", "cancelled", "failed"]))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_whatever_the_result_files_hold_every_item_ends_and_no_winner_is_guessed(
    fetched: Fetched, data: st.DataObject, phase: str
) -> None:
    output = data.draw(files(fetched.lines) | st.binary(max_size=200))
    error = data.draw(st.none() | files(fetched.lines))
    job, rows = fetched.read(output, error, phase)
    check(fetched, output + b"\n" + (error or b""), job, rows)


def test_no_odd_value_where_it_decides_makes_a_winner_or_a_debt(fetched: Fetched) -> None:
    for column in zip(*map(decided, fetched.lines), strict=True):
        output = b"\n".join(column)
        job, rows = fetched.read(output)
        check(fetched, output, job, rows)


def test_untouched_files_give_every_verdict(fetched: Fetched) -> None:
    job, rows = fetched.read(b"\n".join(fetched.lines))
    check(fetched, b"\n".join(fetched.lines), job, rows)
    assert rows["winner"].null_count == 0


def test_a_bill_above_the_bound_is_booked_as_it_is_claimed_and_a_check_says_so(fetched: Fetched) -> None:
    """Money that a provider says it took is not hidden; only counts that no model could reach are no bill."""
    output = b"\n".join(fetched.lines)
    name = b"completion_tokens" if fetched.job.provider == "openai" else b"output_tokens"
    job, rows = fetched.read(output.replace(b'"' + name + b'": ', b'"' + name + b'": 1000'))
    assert rows["cost_usd"].null_count == 0
    assert (job.spent_nano_usd or 0) > job.bound_nano_usd
    deployment, batch = fetched.deployment, fetched.batch
    pairs = open_wave(deployment.ledger, deployment.store, batch)
    found = {f.name: f for f in job_findings(deployment.ledger, batch, pairs, deployment.settings)}
    assert not found["bill_within_bound"].passed
