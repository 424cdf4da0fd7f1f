"""The routes of Anthropic's Message Batches and Messages: reading requests, calling the rules, store and work."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from cj_pipeline.emulator.anthropic_batches import (
    BATCHES_LISTED,
    MAX_BATCHES_LISTED,
    RESULTS_KEPT_SECONDS,
    archived_at,
    message_batch,
    rfc3339,
)
from cj_pipeline.emulator.anthropic_input import MAX_BYTES, as_file, first_model, read_requests
from cj_pipeline.emulator.budget import over_budget
from cj_pipeline.emulator.calls import Calls, settle_create, strike
from cj_pipeline.emulator.faults import CANCEL_400, Meets
from cj_pipeline.emulator.faulty_batches import faulty_shape, results_unreadable
from cj_pipeline.emulator.judges import JUDGES
from cj_pipeline.emulator.keys import project_of
from cj_pipeline.emulator.lifecycle import done_by, standing
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.emulator.store import Batch, Order, Store
from cj_pipeline.emulator.store.files import REQUESTS
from cj_pipeline.emulator.work import Work

_ENDPOINT = "/v1/messages"
_JSON_LINES = "application/x-jsonl"


class Anthropic:
    """The handlers, over one store. `seconds_per_phase` is given to each new batch."""

    def __init__(self, store: Store, work: Work, seconds_per_phase: float) -> None:
        self._store = store
        self._work = work
        self._seconds_per_phase = seconds_per_phase

    def routes(self) -> list[Route]:
        """Path by path, as in the API reference. /v1/models is OpenAI's unless the call names a version."""
        batch = "/messages/batches/{batch_id}"
        return [
            Route("/messages/batches", self.create_batch, methods=["POST"]),
            Route("/messages/batches", self.list_batches),
            Route(batch, self.retrieve_batch),
            Route(batch, self.delete_batch, methods=["DELETE"]),
            Route(f"{batch}/cancel", self.cancel_batch, methods=["POST"]),
            Route(f"{batch}/results", self.batch_results),
            Route("/messages", self.create_message, methods=["POST"]),
            _VersionedRoute("/models", self.list_models),
        ]

    async def create_batch(self, request: Request) -> Response:
        """Accepted means on the disk: only then comes the answer, or the ordered fault in its place."""
        version = _version(request)
        await strike(request, self._store, Meets.CREATE)
        if int(request.headers.get("content-length", 0)) > MAX_BYTES:
            raise Refused(413, f"Request exceeds the maximum size of {MAX_BYTES} bytes")
        body = await request.body()
        batch = await run_in_threadpool(self._create_batch, body, project_of(request), version)
        await settle_create(request, batch)
        return JSONResponse(self._shown(batch, batch.created_at, request))

    async def list_batches(self, request: Request) -> Response:
        """Newest first, by after_id, before_id and limit."""
        await strike(request, self._store, Meets.READ)
        return await run_in_threadpool(self._list_batches, request)

    async def retrieve_batch(self, request: Request) -> Response:
        """One batch as it stands."""
        await strike(request, self._store, Meets.READ)
        return JSONResponse(self._shown(self._batch(request), self._store.now(), request))

    def batch_results(self, request: Request) -> Response:
        """One line per request, in no order; 404 once they are archived."""
        batch, now = self._batch(request), self._store.now()
        if not standing(batch, now).terminal:
            raise Refused(400, f"Batch {batch.id} has not finished processing; its results are not available yet")
        if archived_at(batch, now) is not None:
            days = RESULTS_KEPT_SECONDS // 86_400
            raise Refused(404, f"The results of {batch.id} are no longer available, {days} days after its creation")
        if results_unreadable(batch, now):
            raise Refused(404, f"No results found for {batch.id}")
        if batch.output_file_id is None:  # every line was lost
            return Response(media_type=_JSON_LINES)
        return FileResponse(self._store.files.path(batch.output_file_id), media_type=_JSON_LINES)

    def cancel_batch(self, request: Request) -> Response:
        """Stop where the clock says the work is; asked again, the answer is the batch as it stands."""
        batch, now = self._batch(request), self._store.now()
        if CANCEL_400 in batch.faults:
            raise Refused(400, "Canceling batches is not supported")
        stands = standing(batch, now)
        if stands.terminal:
            raise Refused(400, f"Batch {batch.id} cannot be canceled because it has finished processing")
        if stands.status != "cancelling":
            stop_rank = done_by(batch, now)
            for file_id in self._store.batches.set_cancelling(batch.id, at=now, stop_rank=stop_rank):
                self._store.files.delete(file_id)
            self._work.take_up(batch.id)
        return JSONResponse(self._shown(self._batch(request), now, request))

    def delete_batch(self, request: Request) -> Response:
        """Requests and results go, and it is shown no more."""
        batch = self._batch(request)
        if not standing(batch, self._store.now()).terminal:
            raise Refused(400, f"Batch {batch.id} cannot be deleted while it is processing; cancel it first")
        for file_id in filter(None, (batch.input_file_id, batch.output_file_id)):
            self._store.files.delete(file_id)
        self._store.batches.set_deleted(batch.id)
        return JSONResponse({"id": batch.id, "type": "message_batch_deleted"})

    async def create_message(self, request: Request) -> Response:
        """One answer at once."""
        _version(request)
        return await Calls(self._store, "anthropic").answer(request)

    def list_models(self, request: Request) -> Response:
        """The offline judges."""
        born = rfc3339(0.0)
        data = [
            {"id": name, "type": "model", "display_name": name, "created_at": born, "lifecycle": "active"}
            for name in JUDGES
        ]
        return JSONResponse({"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]})

    def _create_batch(self, body: bytes, project: str, version: str) -> Batch:
        requests = read_requests(body)
        model = first_model(requests)
        if over_budget(self._store, project, model, len(body)):
            raise Refused(429, f"The number of tokens of {model} in queued batches exceeds your limit")
        order = Order(
            api="anthropic",
            project=project,
            input_file_id=self._store.files.add_upload(
                as_file(requests),
                filename="requests.jsonl",
                purpose=REQUESTS,
                keep_seconds=RESULTS_KEPT_SECONDS,
                project=project,
            ).id,
            endpoint=_ENDPOINT,
            seconds_per_phase=self._seconds_per_phase,
            api_version=version,
            prompt_cache=self._store.settings.current().prompt_cache,
            total=len(requests),
            model=model,
        )
        batch = self._store.batches.add(order)
        self._work.take_up(batch.id)
        return batch

    def _list_batches(self, request: Request) -> Response:
        query, project = request.query_params, project_of(request)
        limit = query.get("limit", str(BATCHES_LISTED))
        if not limit.isdecimal() or not 1 <= int(limit) <= MAX_BATCHES_LISTED:
            raise Refused(400, f"limit: Input should be from 1 to {MAX_BATCHES_LISTED}")
        if "after_id" in query and "before_id" in query:
            raise Refused(400, "after_id, before_id: only one of them can be given")
        older = self._cursor(query["after_id"], project) if "after_id" in query else None
        newer = self._cursor(query["before_id"], project) if "before_id" in query else None
        wanted = int(limit)
        found = self._store.batches.page("anthropic", project, wanted + 1, older_than=older, newer_than=newer)
        shown = found[-wanted:] if newer is not None else found[:wanted]
        now = self._store.now()
        return JSONResponse(
            {
                "data": [self._shown(batch, now, request) for batch in shown],
                "has_more": len(found) > wanted,
                "first_id": shown[0].id if shown else None,
                "last_id": shown[-1].id if shown else None,
            }
        )

    def _cursor(self, batch_id: str, project: str) -> int:
        return self._seen(batch_id, project).seq

    def _shown(self, batch: Batch, now: float, request: Request) -> dict[str, Any]:
        base_url = f"{request.url.scheme}://{request.url.netloc}"
        return faulty_shape(message_batch(batch, now, base_url=base_url), batch, now)

    def _batch(self, request: Request) -> Batch:
        _version(request)
        return self._seen(request.path_params["batch_id"], project_of(request))

    def _seen(self, batch_id: str, project: str) -> Batch:
        """The batch of that id, if this API shows it to this project. Raises `Refused`."""
        batch = self._store.batches.get(batch_id)
        if batch is None or (batch.api, batch.project) != ("anthropic", project) or batch.deleted_at is not None:
            raise Refused(404, f"No message batch found with id: {batch_id}")
        return batch


class _VersionedRoute(Route):
    """A path that both APIs have; Anthropic's is meant when the call carries its version header."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Not at all without the header."""
        if not any(name == b"anthropic-version" for name, _ in scope["headers"]):
            return Match.NONE, {}
        return super().matches(scope)


def _version(request: Request) -> str:
    version = request.headers.get("anthropic-version")
    if not version:
        raise Refused(400, "anthropic-version: header is required")
    return version
