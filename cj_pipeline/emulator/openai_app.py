"""The routes of OpenAI's Files and Batches: reading requests and calling the rules, the store and the work."""

import json
import time
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, UploadFile
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from cj_pipeline.emulator.faults import CREATE_400, CREATE_500_AFTER_ACCEPT, DROP_CONNECTION_AFTER_CREATE
from cj_pipeline.emulator.hang_up import hang_up
from cj_pipeline.emulator.judges import JUDGES
from cj_pipeline.emulator.lifecycle import done_by, standing
from cj_pipeline.emulator.openai_batches import (
    BATCHES_LISTED,
    MAX_BATCHES_LISTED,
    batch_object,
    check_creation,
)
from cj_pipeline.emulator.openai_errors import Refused, error_body, missing, no_such
from cj_pipeline.emulator.openai_files import (
    MAX_UPLOAD_BYTES,
    check_upload,
    deleted_object,
    file_object,
    file_page,
    list_object,
    page_limit,
)
from cj_pipeline.emulator.store import Batch, File, Store
from cj_pipeline.emulator.work import Work

_FORM_ROOM = 1 << 20  # bytes of a multipart request besides the file


class OpenAi:
    """The handlers, over one store. `seconds_per_phase` is given to each new batch."""

    def __init__(self, store: Store, work: Work, seconds_per_phase: float) -> None:
        self._store = store
        self._work = work
        self._seconds_per_phase = seconds_per_phase

    def routes(self) -> Mount:
        """Path by path, as in the API reference."""
        return Mount(
            "/v1",
            middleware=[Middleware(KeyRequired)],
            routes=[
                Route("/files", self.create_file, methods=["POST"]),
                Route("/files", self.list_files),
                Route("/files/{file_id}", self.retrieve_file),
                Route("/files/{file_id}", self.delete_file, methods=["DELETE"]),
                Route("/files/{file_id}/content", self.file_content),
                Route("/batches", self.create_batch, methods=["POST"]),
                Route("/batches", self.list_batches),
                Route("/batches/{batch_id}", self.retrieve_batch),
                Route("/batches/{batch_id}/cancel", self.cancel_batch, methods=["POST"]),
                Route("/models", self.list_models),
            ],
        )

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
            add = partial(self._store.files.add_upload, filename=filename, purpose=purpose, keep_seconds=seconds)
            return JSONResponse(file_object(await run_in_threadpool(add, upload.file)))

    def list_files(self, request: Request) -> Response:
        """By purpose, order, limit, after."""
        return JSONResponse(file_page(self._store.files.all(now=time.time()), request.query_params))

    def retrieve_file(self, request: Request) -> Response:
        """One file's description."""
        return JSONResponse(file_object(self._file(request)))

    def file_content(self, request: Request) -> Response:
        """The bytes."""
        return FileResponse(self._store.files.path(self._file(request).id), media_type="application/octet-stream")

    def delete_file(self, request: Request) -> Response:
        """Row and bytes; not while an unfinished batch reads them."""
        file, now = self._file(request), time.time()
        for batch in self._store.batches.reading(file.id):
            if not standing(batch, now).terminal:
                raise Refused(409, f"The file {file.id} is the input of {batch.id}, which has not ended.", param="id")
        self._store.files.delete(file.id)
        return JSONResponse(deleted_object(file.id))

    async def create_batch(self, request: Request) -> Response:
        """Accepted means on the disk: only then comes the answer, or the ordered fault in its place."""
        batch = await run_in_threadpool(self._create_batch, await request.body())
        if DROP_CONNECTION_AFTER_CREATE in batch.faults:
            await hang_up(request)
        if CREATE_500_AFTER_ACCEPT in batch.faults:
            message = "The server had an error while processing your request."
            return JSONResponse(error_body(message, kind="server_error"), 500)
        return JSONResponse(batch_object(batch, batch.created_at))

    def list_batches(self, request: Request) -> Response:
        """Newest first, by after and limit."""
        query = request.query_params
        limit = page_limit(query, default=BATCHES_LISTED, maximum=MAX_BATCHES_LISTED)
        before = None
        if "after" in query:
            after = self._store.batches.get(query["after"])
            if after is None:
                raise no_such("Batch object", query["after"], param="after")
            before = after.seq
        found, now = self._store.batches.newest(limit + 1, before=before), time.time()
        return JSONResponse(
            list_object([batch_object(batch, now) for batch in found[:limit]], has_more=len(found) > limit)
        )

    def retrieve_batch(self, request: Request) -> Response:
        """One batch as it stands."""
        return JSONResponse(batch_object(self._batch(request), time.time()))

    def cancel_batch(self, request: Request) -> Response:
        """Stop where the clock says the work is; asked again, the answer is the batch as it stands."""
        batch, now = self._batch(request), time.time()
        stands = standing(batch, now)
        if stands.terminal:
            raise Refused(409, f"Cannot cancel a batch with status '{stands.status}'.")
        if stands.status != "cancelling":
            begun = stands.status != "validating"
            stop_rank = done_by(batch, now) if begun else None
            for file_id in self._store.batches.set_cancelling(batch.id, at=now, stop_rank=stop_rank):
                self._store.files.delete(file_id)
            self._work.take_up(batch.id)
        return JSONResponse(batch_object(self._batch(request), now))

    def list_models(self, request: Request) -> Response:
        """The offline judges."""
        owner = "cj_pipeline emulator"
        data = [{"id": name, "object": "model", "created": 0, "owned_by": owner} for name in JUDGES]
        return JSONResponse({"object": "list", "data": data})

    def _create_batch(self, body: bytes) -> Batch:
        if self._store.faults.take(CREATE_400):
            raise Refused(400, "The emulator was told to refuse this create.", code="ordered_fault")
        try:
            creation = check_creation(json.loads(body))
        except ValueError:
            raise Refused(400, "We could not parse the JSON body of your request.") from None
        batch = self._store.batches.add(
            input_file_id=creation.input_file_id,
            endpoint=creation.endpoint,
            completion_window=creation.completion_window,
            metadata=creation.metadata,
            output_seconds=creation.output_seconds,
            seconds_per_phase=self._seconds_per_phase,
        )
        self._work.take_up(batch.id)
        return batch

    def _file(self, request: Request) -> File:
        file_id = request.path_params["file_id"]
        file = self._store.files.get(file_id, now=time.time())
        if file is None:
            raise no_such("File object", file_id)
        return file

    def _batch(self, request: Request) -> Batch:
        batch_id = request.path_params["batch_id"]
        batch = self._store.batches.get(batch_id)
        if batch is None:
            raise no_such("Batch object", batch_id)
        return batch


class KeyRequired:
    """Any key will do, but there must be one, as `Authorization: Bearer`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise Refused(401, "You didn't provide an API key. Send any, as: Authorization: Bearer KEY")
        await self._app(scope, receive, send)
