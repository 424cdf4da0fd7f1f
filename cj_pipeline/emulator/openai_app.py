"""The routes of OpenAI's Files, Batches and chat completions: reading requests, calling rules, store and work."""

import json
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from cj_pipeline.emulator.calls import Calls, settle_create, strike
from cj_pipeline.emulator.faults import CANCEL_400, Meets
from cj_pipeline.emulator.faulty_batches import faulty_shape, results_unreadable
from cj_pipeline.emulator.judges import JUDGES
from cj_pipeline.emulator.keys import project_of
from cj_pipeline.emulator.lifecycle import done_by, standing
from cj_pipeline.emulator.openai_batches import (
    BATCHES_LISTED,
    MAX_BATCHES_LISTED,
    batch_object,
    check_creation,
)
from cj_pipeline.emulator.openai_errors import missing, no_such
from cj_pipeline.emulator.openai_files import (
    MAX_UPLOAD_BYTES,
    check_upload,
    deleted_object,
    file_object,
    file_page,
    list_object,
    page_limit,
)
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.emulator.store import Batch, File, Order, Store
from cj_pipeline.emulator.work import Work

_FORM_ROOM = 1 << 20  # bytes of a multipart request besides the file


class OpenAi:
    """The handlers, over one store. `seconds_per_phase` is given to each new batch."""

    def __init__(self, store: Store, work: Work, seconds_per_phase: float) -> None:
        self._store = store
        self._work = work
        self._seconds_per_phase = seconds_per_phase

    def routes(self) -> list[Route]:
        """Path by path, as in the API reference."""
        return [
            Route("/files", self.create_file, methods=["POST"]),
            Route("/files", self.list_files),
            Route("/files/{file_id}", self.retrieve_file),
            Route("/files/{file_id}", self.delete_file, methods=["DELETE"]),
            Route("/files/{file_id}/content", self.file_content),
            Route("/batches", self.create_batch, methods=["POST"]),
            Route("/batches", self.list_batches),
            Route("/batches/{batch_id}", self.retrieve_batch),
            Route("/batches/{batch_id}/cancel", self.cancel_batch, methods=["POST"]),
            Route("/chat/completions", self.complete_chat, methods=["POST"]),
            Route("/models", self.list_models),
        ]

    async def create_file(self, request: Request) -> Response:
        """The upload goes to the disk as it comes; memory does not grow with it."""
        if int(request.headers.get("content-length", 0)) > MAX_UPLOAD_BYTES + _FORM_ROOM:
            raise Refused(413, f"The file is larger than {MAX_UPLOAD_BYTES} bytes.", param="file")
        async with request.form() as form:
            upload = form.get("file")
            if not isinstance(upload, UploadFile):
                raise missing("file")
            filename = upload.filename or "upload"
            purpose, seconds = check_upload(form, filename=filename)
            if (upload.size or 0) > MAX_UPLOAD_BYTES:
                raise Refused(413, f"The file is larger than {MAX_UPLOAD_BYTES} bytes.", param="file")
            add = partial(
                self._store.files.add_upload,
                filename=filename,
                purpose=purpose,
                keep_seconds=seconds,
                project=project_of(request),
            )
            return JSONResponse(file_object(await run_in_threadpool(add, upload.file)))

    def list_files(self, request: Request) -> Response:
        """By purpose, order, limit, after."""
        return JSONResponse(file_page(self._store.files.all(project_of(request)), request.query_params))

    def retrieve_file(self, request: Request) -> Response:
        """One file's description."""
        return JSONResponse(file_object(self._file(request)))

    def file_content(self, request: Request) -> Response:
        """The bytes, unless they are a result that a fault hides."""
        file, now = self._file(request), self._store.now()
        if any(results_unreadable(batch, now) for batch in self._store.batches.writing(file.id)):
            raise no_such("File object", file.id)
        return FileResponse(self._store.files.path(file.id), media_type="application/octet-stream")

    def delete_file(self, request: Request) -> Response:
        """Row and bytes; not while an unfinished batch reads them."""
        file, now = self._file(request), self._store.now()
        for batch in self._store.batches.reading(file.id):
            if not standing(batch, now).terminal:
                raise Refused(409, f"The file {file.id} is the input of {batch.id}, which has not ended.", param="id")
        self._store.files.delete(file.id)
        return JSONResponse(deleted_object(file.id))

    async def create_batch(self, request: Request) -> Response:
        """Accepted means on the disk: only then comes the answer, or the ordered fault in its place."""
        await strike(request, self._store, Meets.CREATE)
        batch = await run_in_threadpool(self._create_batch, await request.body(), project_of(request))
        await settle_create(request, batch)
        return JSONResponse(self._shown(batch, batch.created_at))

    async def list_batches(self, request: Request) -> Response:
        """Newest first, by after and limit."""
        await strike(request, self._store, Meets.READ)
        return await run_in_threadpool(self._list_batches, request)

    async def retrieve_batch(self, request: Request) -> Response:
        """One batch as it stands."""
        await strike(request, self._store, Meets.READ)
        return JSONResponse(self._shown(self._batch(request), self._store.now()))

    def cancel_batch(self, request: Request) -> Response:
        """Stop where the clock says the work is; asked again, the answer is the batch as it stands."""
        batch, now = self._batch(request), self._store.now()
        if CANCEL_400 in batch.faults:
            raise Refused(400, "Cancelling batches is not supported.")
        stands = standing(batch, now)
        if stands.terminal:
            raise Refused(409, f"Cannot cancel a batch with status '{stands.status}'.")
        if stands.status != "cancelling":
            begun = stands.status != "validating"
            stop_rank = done_by(batch, now) if begun else None
            for file_id in self._store.batches.set_cancelling(batch.id, at=now, stop_rank=stop_rank):
                self._store.files.delete(file_id)
            self._work.take_up(batch.id)
        return JSONResponse(self._shown(self._batch(request), now))

    async def complete_chat(self, request: Request) -> Response:
        """One answer at once."""
        return await Calls(self._store, "openai").answer(request)

    def list_models(self, request: Request) -> Response:
        """The offline judges."""
        owner = "cj_pipeline emulator"
        data = [{"id": name, "object": "model", "created": 0, "owned_by": owner} for name in JUDGES]
        return JSONResponse({"object": "list", "data": data})

    def _list_batches(self, request: Request) -> Response:
        query, project = request.query_params, project_of(request)
        limit = page_limit(query, default=BATCHES_LISTED, maximum=MAX_BATCHES_LISTED)
        older_than = None
        if "after" in query:
            after = self._seen(query["after"], project)
            if after is None:
                raise no_such("Batch object", query["after"], param="after")
            older_than = after.seq
        found = self._store.batches.page("openai", project, limit + 1, older_than=older_than)
        now = self._store.now()
        return JSONResponse(
            list_object([self._shown(batch, now) for batch in found[:limit]], has_more=len(found) > limit)
        )

    def _create_batch(self, body: bytes, project: str) -> Batch:
        try:
            creation = check_creation(json.loads(body))
        except ValueError:
            raise Refused(400, "We could not parse the JSON body of your request.") from None
        batch = self._store.batches.add(
            Order(
                api="openai",
                project=project,
                input_file_id=creation.input_file_id,
                endpoint=creation.endpoint,
                completion_window=creation.completion_window,
                metadata=creation.metadata,
                output_seconds=creation.output_seconds,
                seconds_per_phase=self._seconds_per_phase,
                prompt_cache=self._store.settings.current().prompt_cache,
            )
        )
        self._work.take_up(batch.id)
        return batch

    def _shown(self, batch: Batch, now: float) -> dict[str, Any]:
        return faulty_shape(batch_object(batch, now), batch, now)

    def _file(self, request: Request) -> File:
        file_id = request.path_params["file_id"]
        file = self._store.files.get(file_id, project_of(request))
        if file is None:
            raise no_such("File object", file_id)
        return file

    def _batch(self, request: Request) -> Batch:
        batch_id = request.path_params["batch_id"]
        batch = self._seen(batch_id, project_of(request))
        if batch is None:
            raise no_such("Batch object", batch_id)
        return batch

    def _seen(self, batch_id: str, project: str) -> Batch | None:
        """The batch of that id, if this API shows it to this project."""
        batch = self._store.batches.get(batch_id)
        return batch if batch and (batch.api, batch.project) == ("openai", project) else None
