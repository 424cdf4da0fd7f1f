"""The 44 hostile responses: each is provoked in each API that can give it, and looked at as raw HTTP and bytes."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
import pytest

from cj_pipeline import emulator
from cj_pipeline.emulator.faults import FAULTS
from cj_pipeline.emulator.rows import ROWS
from cj_pipeline.judging import InvalidVerdict, Winner, parse_verdict
from cj_pipeline_tests.emulator.emulator_client import CHAT, arm, jsonl, lines, params, plain, requests, settings

Raw = dict[str, Any]
ENDED = ("completed", "failed", "expired", "cancelled", "ended")
STATUS = {"openai": "status", "anthropic": "processing_status"}


@dataclass(frozen=True)
class Emulator:
    """Raw HTTP to both APIs of one running emulator."""

    url: str
    http: httpx2.Client

    def call(self, api: str, method: str, path: str, *, key: str = "local", **more: Any) -> httpx2.Response:
        version = {"anthropic-version": "2026-10-21"} if api == "anthropic" else {}
        return self.http.request(method, path, headers={"Authorization": f"Bearer {key}", **version}, **more)

    def ordered(self, name: str, value: object = True, **more: object) -> None:
        arm(self.url, name, value, **more)

    def create(self, api: str, count: int = 6, content: Any = None) -> httpx2.Response:
        if api == "anthropic":
            return self.call(api, "POST", "/v1/messages/batches", json={"requests": content or requests(count)})
        file = {"file": ("cj.jsonl", content or jsonl(lines(count)))}
        file_id = self.call(api, "POST", "/v1/files", files=file, data={"purpose": "batch"}).json()["id"]
        order = {"input_file_id": file_id, "endpoint": CHAT, "completion_window": "24h"}
        return self.call(api, "POST", "/v1/batches", json=order)

    def path(self, api: str, batch_id: str) -> str:
        return f"/v1/messages/batches/{batch_id}" if api == "anthropic" else f"/v1/batches/{batch_id}"

    def shown(self, api: str, batch_id: str) -> Raw:
        said: Raw = self.call(api, "GET", self.path(api, batch_id)).json()
        return said

    def wait(self, api: str, batch_id: str, until: Callable[[Raw], bool] | None = None) -> Raw:
        done = until or (lambda shown: str(shown[STATUS[api]]).lower() in ENDED)
        deadline = time.monotonic() + 20
        while not done(batch := self.shown(api, batch_id)):
            assert time.monotonic() < deadline, batch
            time.sleep(0.01)
        return batch

    def ended(self, api: str, fault: str, value: object = True, count: int = 6) -> Raw:
        """A batch that met a fault and has ended."""
        self.ordered(fault, value)
        return self.wait(api, self.create(api, count).json()["id"])

    def results(self, api: str, batch: Raw, which: str = "output") -> list[bytes]:
        """The raw lines; Anthropic has one file of them."""
        if api == "anthropic":
            answer = self.call(api, "GET", f"{self.path(api, batch['id'])}/results")
        elif batch[f"{which}_file_id"] is None:
            return []
        else:
            answer = self.call(api, "GET", f"/v1/files/{batch[f'{which}_file_id']}/content")
        assert answer.status_code == 200
        return answer.content.split(b"\n")[:-1]

    def bodies(self, api: str, fault: str, count: int) -> list[Raw]:
        """The answers of the first so many items, which met the fault."""
        found = self.results(api, self.ended(api, fault, count))[:count]
        read = [json.loads(line) for line in found]
        return [line["result"]["message"] if api == "anthropic" else line["response"]["body"] for line in read]

    def contents(self, api: str, fault: str, count: int) -> list[str]:
        return [_content(api, body) for body in self.bodies(api, fault, count)]


def _content(api: str, body: Raw) -> str:
    content: str = body["content"][0]["text"] if api == "anthropic" else body["choices"][0]["message"]["content"]
    return content


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    process = emulator.start_process(folder=tmp_path_factory.mktemp("emulator"), seconds_per_phase=0.01)
    with plain(process.url) as http:
        yield Emulator(process.url, http)
    process.stop()


@pytest.fixture(autouse=True)
def _nothing_is_left_armed(provider: Emulator) -> Iterator[None]:
    yield
    provider.http.delete("/admin/faults")
    settings(provider.url, enqueued_tokens=None, clock_ahead_seconds=0)


Provocation = Callable[[Emulator, str], None]
PROVOCATIONS: dict[int, Provocation] = {}


def row(number: int) -> Callable[[Provocation], Provocation]:
    def note(provocation: Provocation) -> Provocation:
        assert number not in PROVOCATIONS
        PROVOCATIONS[number] = provocation
        return provocation

    return note


POSSIBLE = [(number, api) for number, row in ROWS.items() for api in ("openai", "anthropic") if getattr(row, api)]


@pytest.mark.parametrize(("number", "api"), POSSIBLE)
def test_each_hostile_response_can_be_provoked(provider: Emulator, number: int, api: str) -> None:
    PROVOCATIONS[number](provider, api)


def test_all_44_rows_are_mapped_to_a_fault_or_a_rule() -> None:
    assert set(ROWS) == set(range(1, 45)) == set(PROVOCATIONS)
    for one in ROWS.values():
        named = [what for what in (one.openai, one.anthropic) if what]
        assert named
        assert all(what.startswith("rule: ") or what in FAULTS for what in named), one
    assert {fault.row for fault in FAULTS.values()} - {None} <= set(ROWS)


@row(1)
def _errors_only(e: Emulator, api: str) -> None:
    batch = e.ended(api, "every_line_fails")
    if api == "openai":
        assert (batch["status"], batch["output_file_id"]) == ("completed", None)
        assert batch["request_counts"] == {"total": 6, "completed": 0, "failed": 6}
        assert all(json.loads(line)["response"]["status_code"] == 500 for line in e.results(api, batch, "error"))
    else:
        assert batch["request_counts"]["errored"] == 6
        assert {json.loads(line)["result"]["error"]["error"]["type"] for line in e.results(api, batch)} == {"api_error"}


@row(2)
def _late_output(e: Emulator, api: str) -> None:
    batch = e.ended(api, "output_late", 0.3)
    name = "output_file_id" if api == "openai" else "results_url"
    assert batch[name] is None
    assert batch["request_counts"]["completed" if api == "openai" else "succeeded"] == 6
    later = e.wait(api, batch["id"], lambda shown: shown[name] is not None)
    assert len(e.results(api, later)) == 6


@row(3)
def _zero_counts(e: Emulator, api: str) -> None:
    batch = e.ended(api, "counts_zero")
    assert set(batch["request_counts"].values()) == {0}
    assert len(e.results(api, batch)) == 6


@row(4)
def _null_counts(e: Emulator, api: str) -> None:
    batch = e.ended(api, "counts_null")
    assert batch["request_counts"] is None
    if api == "openai":
        assert batch["errors"] is None
        assert e.ended(api, "errors_empty")["errors"] == []


@row(5)
def _paid_partial_output(e: Emulator, api: str) -> None:
    batch = e.ended(api, "expire_after", 0.5)
    if api == "openai":
        assert (batch["status"], len(e.results(api, batch))) == ("expired", 3)
        codes = {json.loads(line)["error"]["code"] for line in e.results(api, batch, "error")}
        assert codes == {"batch_expired"}
    else:
        kinds = [json.loads(line)["result"]["type"] for line in e.results(api, batch)]
        assert (kinds.count("succeeded"), kinds.count("expired")) == (3, 3)


@row(6)
def _expired_with_odd_errors(e: Emulator, api: str) -> None:
    batch = e.ended(api, "expire_with_errors", 0.5)
    odd = [line for line in e.results(api, batch, "error") if b"An error occurred while processing" in line]
    assert len(odd) == 3
    assert all(b"request ID" in line and b"expired" not in line for line in odd)


@row(7)
def _failed_validation(e: Emulator, api: str) -> None:
    if api == "anthropic":
        assert e.create(api, content=[{"custom_id": "x"}]).status_code == 400
        return
    for fault, value, line in (("fail_at_line", 3, 3), ("fail_without_line", True, None)):
        batch = e.ended(api, fault, value)
        assert (batch["status"], batch["output_file_id"], batch["error_file_id"]) == ("failed", None, None)
        assert [error["line"] for error in batch["errors"]["data"]] == [line]
    batch = e.wait(api, e.create(api, content=b"{not json}\n").json()["id"])
    assert (batch["status"], batch["errors"]["data"][0]["line"]) == ("failed", 1)


@row(8)
def _enqueued_tokens(e: Emulator, api: str) -> None:
    if api == "openai":
        batch = e.ended(api, "token_limit_exceeded")
        assert [error["code"] for error in batch["errors"]["data"]] == ["token_limit_exceeded"]
    settings(e.url, enqueued_tokens=len(jsonl(lines(6))) // 4 + 500)
    e.ordered("stuck_in_progress", 0.5)
    first = e.create(api).json()["id"]
    e.wait(api, first, lambda shown: shown[STATUS[api]] == "in_progress")
    second = e.create(api)
    if api == "openai":
        assert e.wait(api, second.json()["id"])["errors"]["data"][0]["code"] == "token_limit_exceeded"
    else:
        assert (second.status_code, second.json()["error"]["type"]) == (429, "rate_limit_error")
    e.wait(api, first)
    admitted = e.wait(api, e.create(api).json()["id"])
    assert admitted[STATUS[api]] in ("completed", "ended")


@row(9)
def _status_zero(e: Emulator, api: str) -> None:
    batch = e.ended(api, "status_zero_lines", 2)
    assert batch["request_counts"] == {"total": 6, "completed": 6, "failed": 0}
    codes = [json.loads(line)["response"]["status_code"] for line in e.results(api, batch)]
    assert sorted(codes) == [0, 0, 200, 200, 200, 200]


@row(10)
def _error_null(e: Emulator, api: str) -> None:
    for fault, status, kind in (
        ("server_error_lines", 500, "api_error"),
        ("rate_limit_lines", 429, "rate_limit_error"),
    ):
        batch = e.ended(api, fault, 2)
        read = [json.loads(line) for line in e.results(api, batch, "error")]
        if api == "openai":
            assert [(line["response"]["status_code"], line["error"]) for line in read] == [(status, None)] * 2
            assert all(line["response"]["body"]["error"]["message"] for line in read)
        else:
            errors = [line["result"]["error"] for line in read if line["result"]["type"] == "errored"]
            assert [(error["type"], error["error"]["type"]) for error in errors] == [("error", kind)] * 2


@row(11)
def _no_response(e: Emulator, api: str) -> None:
    batch = e.ended(api, "unrun_lines", 2)
    read = [json.loads(line) for line in e.results(api, batch, "error")]
    if api == "openai":
        assert batch["status"] == "completed"
        assert [(line["response"], line["error"]["code"]) for line in read] == [(None, "batch_expired")] * 2
    else:
        assert [line["result"] for line in read].count({"type": "expired"}) == 2


@row(12)
def _lost(e: Emulator, api: str) -> None:
    batch = e.ended(api, "lose_lines", 2)
    assert len(e.results(api, batch)) == 4
    assert batch["request_counts"]["completed" if api == "openai" else "succeeded"] == 6


@row(13)
def _cancelled_without_lines(e: Emulator, api: str) -> None:
    e.ordered("cancel_leaves_no_lines")
    e.ordered("stuck_in_progress", 1)
    batch_id = e.create(api).json()["id"]
    e.call(api, "POST", f"{e.path(api, batch_id)}/cancel")
    batch = e.wait(api, batch_id)
    found = e.results(api, batch) + (e.results(api, batch, "error") if api == "openai" else [])
    assert b"cancel" not in b"".join(found)
    assert len(found) == batch["request_counts"]["completed" if api == "openai" else "succeeded"]


@row(14)
def _twice(e: Emulator, api: str) -> None:
    same = e.results(api, e.ended(api, "duplicate_lines", 1))
    assert (len(same), len(set(same)), same[0]) == (7, 6, same[1])
    first, second = e.results(api, e.ended(api, "conflicting_lines", 1))[:2]
    assert json.loads(first)["custom_id"] == json.loads(second)["custom_id"]
    winners = [b"Essay A" in line.partition(b"justification")[0] for line in (first, second)]
    assert sorted(winners) == [False, True]


@row(15)
def _foreign(e: Emulator, api: str) -> None:
    batch = e.ended(api, "foreign_lines", 2)
    ids = [json.loads(line)["custom_id"] for line in e.results(api, batch)]
    assert len(set(ids) - {f"c{i}" for i in range(6)}) == 1
    assert len(ids) == 8


@row(16)
def _same_id_in_input(e: Emulator, api: str) -> None:
    if api == "anthropic":
        answer = e.create(api, content=[*requests(2), *requests(1)])
        assert answer.status_code == 400
        assert "requests.2.custom_id" in answer.json()["error"]["message"]
    else:
        batch = e.wait(api, e.create(api, content=jsonl([*lines(2), *lines(1)])).json()["id"])
        assert (batch["status"], batch["errors"]["data"][0]["code"]) == ("failed", "duplicate_custom_id")


def _is(api: str, status: str, batch: Raw) -> bool:
    return bool(batch[STATUS[api]] == status)


@row(17)
def _stuck(e: Emulator, api: str) -> None:
    for fault, status in (("stuck_in_progress", "in_progress"), ("stuck_finalizing", "finalizing")):
        e.ordered(fault)
        batch_id = e.create(api).json()["id"]
        shown = status if api == "openai" else "in_progress"
        e.wait(api, batch_id, partial(_is, api, shown))
        if api == "openai":
            e.wait(api, batch_id, lambda batch: batch.get("request_counts", {}).get("completed") == 6)
        settings(e.url, clock_ahead_seconds=30 * 3_600)
        assert e.shown(api, batch_id)[STATUS[api]] == shown  # long past its 24 hours
        settings(e.url, clock_ahead_seconds=0)
        assert e.call(api, "POST", f"{e.path(api, batch_id)}/cancel").status_code == 200
        assert len(e.results(api, e.wait(api, batch_id))) == 6  # what was done can be had by cancelling
    assert e.ended(api, "stuck_finalizing", 0.1)[STATUS[api]] in ENDED


@row(18)
def _cancel(e: Emulator, api: str) -> None:
    e.ordered("cancel_400")
    e.ordered("stuck_in_progress", 0.3)
    batch_id = e.create(api).json()["id"]
    assert e.call(api, "POST", f"{e.path(api, batch_id)}/cancel").status_code == 400
    assert len(e.results(api, e.wait(api, batch_id))) == 6
    e.ordered("slow_cancel", 600)
    e.ordered("stuck_in_progress", 600)
    batch_id = e.create(api).json()["id"]
    e.call(api, "POST", f"{e.path(api, batch_id)}/cancel")
    assert e.shown(api, batch_id)[STATUS[api]] in ("cancelling", "canceling")
    settings(e.url, clock_ahead_seconds=590)
    assert e.shown(api, batch_id)[STATUS[api]] in ("cancelling", "canceling")
    settings(e.url, clock_ahead_seconds=610)
    assert e.wait(api, batch_id)[STATUS[api]] in ("cancelled", "ended")


def _content_status(e: Emulator, api: str, batch: Raw) -> int:
    if api == "anthropic":
        return e.call(api, "GET", f"{e.path(api, batch['id'])}/results").status_code
    return e.call(api, "GET", f"/v1/files/{batch['output_file_id']}/content").status_code


@row(19)
def _not_readable_yet(e: Emulator, api: str) -> None:
    batch = e.ended(api, "content_404", 60)
    assert _content_status(e, api, batch) == 404
    settings(e.url, clock_ahead_seconds=61)
    assert len(e.results(api, batch)) == 6


@row(20)
def _another_project(e: Emulator, api: str) -> None:
    batch_id = e.create(api).json()["id"]
    listing = "/v1/messages/batches" if api == "anthropic" else "/v1/batches"
    for key, sees in (("another-key", True), ("sk-school-1", False)):
        listed = e.call(api, "GET", listing, key=key).json()["data"]
        assert (batch_id in {batch["id"] for batch in listed}) is sees
        assert e.call(api, "GET", e.path(api, batch_id), key=key).status_code == (200 if sees else 404)
        assert e.call(api, "GET", listing, key=key, params={"after_id": batch_id, "after": batch_id}).status_code == (
            200 if sees else 404
        )


@row(21)
def _gone(e: Emulator, api: str) -> None:
    batch = e.ended(api, "results_gone")
    assert _content_status(e, api, batch) == 404
    if api == "anthropic":
        assert batch["archived_at"] is not None
        batch = e.wait(api, e.create(api).json()["id"])
        settings(e.url, clock_ahead_seconds=29 * 86_400)
        assert e.shown(api, batch["id"])["archived_at"] is not None
    else:
        batch = e.wait(api, e.create(api).json()["id"])
        settings(e.url, clock_ahead_seconds=31 * 86_400)
    assert _content_status(e, api, batch) == 404


@row(22)
def _no_credit(e: Emulator, api: str) -> None:
    batch = e.ended(api, "out_of_credit")
    found = e.results(api, batch, "error")
    said = b"insufficient_quota" if api == "openai" else b"Your credit balance is too low"
    assert len(found) == 6
    assert all(said in line for line in found)
    e.ordered("create_out_of_credit")
    answer = e.create(api)
    if api == "openai":
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "billing_hard_limit_reached")
    else:
        assert (answer.status_code, answer.json()["error"]["type"]) == (402, "billing_error")


@row(23)
def _long_id(e: Emulator, api: str) -> None:
    if api == "anthropic":
        answer = e.create(api, content=[{"custom_id": "c" * 65, "params": {}}])
        assert answer.status_code == 400
        assert "requests.0.custom_id: String should have at most 64" in answer.json()["error"]["message"]
    else:
        content = jsonl([{**lines(1)[0], "custom_id": "c" * 65}])
        batch = e.wait(api, e.create(api, content=content).json()["id"])
        assert batch["errors"]["data"][0]["code"] == "invalid_custom_id"


@row(24)
def _temperature(e: Emulator, api: str) -> None:
    content = [{"custom_id": "t", "params": params("Ein Brief", "Brief", temperature=1)}]
    batch = e.wait(api, e.create(api, content=content).json()["id"])
    assert b"temperature: Extra inputs are not permitted" in e.results(api, batch)[0]


@row(25)
def _cache_control(e: Emulator, api: str) -> None:
    if api == "openai":
        unknown = jsonl([{**one, "body": one["body"] | {"cache_control": {}}} for one in lines(1)])
        batch = e.wait(api, e.create(api, content=unknown).json()["id"])
        assert b"cache_control" in e.results(api, batch, "error")[0]
        return
    e.ordered("cache_control_refused")
    marked = {"system": [{"type": "text", "text": "Judge.", "cache_control": {"type": "ephemeral"}}]}
    content = [*requests(1), {"custom_id": "marked", "params": params("Ein Brief", "Brief") | marked}]
    batch = e.wait(api, e.create(api, content=content).json()["id"])
    assert batch["request_counts"]["errored"] == 1
    assert b"cache_control: Extra inputs are not permitted" in b"".join(e.results(api, batch))


@row(26)
def _blank_and_cut(e: Emulator, api: str) -> None:
    found = e.results(api, e.ended(api, "blank_lines", 2))
    assert (len(found), found.count(b"")) == (8, 2)
    found = e.results(api, e.ended(api, "cut_lines", 1))
    assert len(found) == 6
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        json.loads(found[0])


@row(27)
def _raw_separators(e: Emulator, api: str) -> None:
    found = e.results(api, e.ended(api, "raw_separators", 2))
    assert len(found) == 6
    assert sum("\u2028".encode() in line and "\u0085".encode() in line for line in found) == 2
    assert len(b"\n".join(found).decode().splitlines()) > 6
    assert all(json.loads(line) for line in found)


@row(28)
def _another_host(e: Emulator, api: str) -> None:
    e.ordered("error_strings", 1)
    batch = e.ended(api, "compatible_host")
    assert batch["status"] == "COMPLETED"
    assert batch["created_at"].endswith("Z")
    assert batch["errors"] == []
    read = [json.loads(line) for line in e.results(api, batch)]
    assert [type(line["error"]) for line in read].count(str) == 1
    e.ordered("compatible_host")
    failed = e.ended(api, "fail_at_line", 2)
    assert failed["status"] == "FAILED"
    assert isinstance(failed["errors"][0], str)


@row(29)
def _empty(e: Emulator, api: str) -> None:
    blank, null, none = e.bodies(api, "empty_answers", 3)
    assert _content(api, blank) == ""
    if api == "openai":
        assert null["choices"][0]["message"]["content"] is None
        assert none["choices"] == []
    else:
        assert null["content"] == none["content"] == []


@row(30)
def _refusals(e: Emulator, api: str) -> None:
    for body in e.bodies(api, "refusal_lines", 2):
        if api == "openai":
            message = body["choices"][0]["message"]
            assert (message["content"], bool(message["refusal"])) == (None, True)
        else:
            assert (body["content"], body["stop_reason"]) == ([], "refusal")


@row(31)
def _filtered(e: Emulator, api: str) -> None:
    batch = e.ended(api, "filtered_lines", 2)
    read = [json.loads(line) for line in e.results(api, batch)]
    if api == "openai":
        reasons = [line["response"]["body"]["choices"][0]["finish_reason"] for line in read]
        assert reasons.count("content_filter") == 2
    else:
        errored = [line["result"] for line in read if line["result"]["type"] == "errored"]
        assert len(errored) == 2
        assert all("content filtering" in result["error"]["error"]["message"] for result in errored)


@row(32)
def _cut_verdict(e: Emulator, api: str) -> None:
    (body,) = e.bodies(api, "cut_verdicts", 1)
    assert '"winner": "Essay' in _content(api, body)
    stopped = body["choices"][0]["finish_reason"] if api == "openai" else body["stop_reason"]
    assert stopped == ("length" if api == "openai" else "max_tokens")
    with pytest.raises(InvalidVerdict):
        parse_verdict(_content(api, body), ties=False)


@row(33)
def _raw_newlines(e: Emulator, api: str) -> None:
    (content,) = e.contents(api, "raw_newlines", 1)
    assert "\n" in content
    with pytest.raises(ValueError, match="control character"):
        json.loads(content)
    assert parse_verdict(content, ties=False).winner in (Winner.ESSAY_A, Winner.ESSAY_B)


@row(34)
def _odd_winners(e: Emulator, api: str) -> None:
    winners = [json.loads(content)["winner"] for content in e.contents(api, "odd_winners", 6)]
    assert winners == ["a", "ESSAY A", " Tie ", "left", "Essay A and Essay B", None]


@row(35)
def _no_winner_is_no_tie(e: Emulator, api: str) -> None:
    valid = []
    for content in e.contents(api, "odd_winners", 6):
        try:
            valid.append(parse_verdict(content, ties=False).winner)
        except InvalidVerdict:
            continue
    assert valid == [Winner.ESSAY_A]


@row(36)
def _quoted(e: Emulator, api: str) -> None:
    (content,) = e.contents(api, "quoted_verdicts", 1)
    assert content.index("[[A]]") < content.index("[[B]]")


@row(37)
def _prose(e: Emulator, api: str) -> None:
    prose, fenced, chatty, two = e.contents(api, "prose_answers", 4)
    assert parse_verdict(fenced, ties=False).winner in (Winner.ESSAY_A, Winner.ESSAY_B)
    for content in (prose, chatty, two):
        with pytest.raises(InvalidVerdict):
            parse_verdict(content, ties=False)


@row(38)
def _odd_fields(e: Emulator, api: str) -> None:
    extra, word, six = (json.loads(content) for content in e.contents(api, "odd_fields", 3))
    assert "score_a" in extra
    assert (word["confidence"], six["confidence"]) == ("high", 6)


@row(39)
def _odd_usage(e: Emulator, api: str) -> None:
    missing, zero, impossible = e.bodies(api, "odd_usage", 3)
    assert "usage" not in missing
    if api == "openai":
        assert (zero["usage"]["prompt_tokens"], zero["usage"]["completion_tokens"]) == (0, 0)
        usage = impossible["usage"]
        assert usage["prompt_tokens_details"]["cached_tokens"] > usage["prompt_tokens"]
    else:
        assert (zero["usage"]["input_tokens"], zero["usage"]["output_tokens"]) == (0, 0)
        assert impossible["usage"]["cache_read_input_tokens"] < 0


@row(40)
def _blips(e: Emulator, api: str) -> None:
    batch_id = e.create(api).json()["id"]
    listing = "/v1/messages/batches" if api == "anthropic" else "/v1/batches"
    e.ordered("read_500", 2)
    answers = [e.call(api, "GET", path).status_code for path in (listing, e.path(api, batch_id), listing)]
    assert answers == [500, 500, 200]
    e.ordered("read_dropped", 1)
    with pytest.raises(httpx2.TransportError):
        e.call(api, "GET", listing)
    assert e.wait(api, batch_id)[STATUS[api]] in ("completed", "ended")


@row(41)
def _days_to_wait(e: Emulator, api: str) -> None:
    for fault, method, path in (("read_429", "GET", "batches"), ("create_429", "POST", "batches")):
        e.ordered(fault, 3 * 86_400)
        answer = e.call(api, method, f"/v1/messages/{path}" if api == "anthropic" else f"/v1/{path}", json={})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "259200")


@row(42)
def _elsewhere(e: Emulator, api: str) -> None:
    batch = e.ended(api, "results_elsewhere", 9)
    assert batch["results_url"].startswith("http://127.0.0.2:9/")
    assert len(e.results(api, batch)) == 6  # its own path works all the same


@row(43)
def _unheard(e: Emulator, api: str) -> None:
    e.ordered("unheard_results", 1)
    e.ordered("unheard_status", 0.3)
    batch_id = e.create(api).json()["id"]
    e.wait(api, batch_id, lambda shown: shown[STATUS[api]] == "paused")
    found = [json.loads(line) for line in e.results(api, e.wait(api, batch_id))]
    if api == "openai":
        assert [line["response"]["body"]["object"] for line in found].count("decision") == 1
    else:
        assert [line["result"]["type"] for line in found].count("paused") == 1


@row(44)
def _other_model(e: Emulator, api: str) -> None:
    assert {body["model"] for body in e.bodies(api, "other_model", 2)} == {"lexical-2026-01-01"}
