"""What no provider has: the bill, what was asked, faults to order, a health check and a page to look at."""

import json
import os
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from cj_pipeline.emulator.faults import FAULTS, Meets, Takes, UnknownFault, ordered
from cj_pipeline.emulator.page import batches_page
from cj_pipeline.emulator.process import SERVICE
from cj_pipeline.emulator.refused import Refused
from cj_pipeline.emulator.rows import ROWS
from cj_pipeline.emulator.store import NoSuchSetting, Store

_BATCHES_SHOWN = 200


class Admin:
    """The handlers, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """Outside /v1, so that they are never taken for the provider's."""
        return [
            Route("/", self.page),
            Route("/healthz", self.healthz),
            Route("/admin/bill", self.bill),
            Route("/admin/requests", self.requests),
            Route("/admin/faults", self.list_faults),
            Route("/admin/faults", self.arm_fault, methods=["POST"]),
            Route("/admin/faults", self.disarm_faults, methods=["DELETE"]),
            Route("/admin/settings", self.settings),
            Route("/admin/settings", self.change_settings, methods=["POST"]),
        ]

    def page(self, request: Request) -> Response:
        """For people."""
        newest = self._store.batches.newest(_BATCHES_SHOWN)
        return HTMLResponse(batches_page(newest, self._store.now(), self._store.bill.total()))

    def healthz(self, request: Request) -> Response:
        """Who is there, and as which process."""
        return JSONResponse({"service": SERVICE, "pid": os.getpid()})

    def bill(self, request: Request) -> Response:
        """All that was asked, what it cost (nothing), and what was asked more than once.

        With `?requests=true` also every single request, so that a test can price them.
        """
        bill = self._store.bill.total()
        if request.query_params.get("requests") == "true":
            bill |= self._store.bill.every_request()
        return JSONResponse(bill)

    def requests(self, request: Request) -> Response:
        """Every time a custom_id was carried out."""
        custom_id = request.query_params.get("custom_id")
        if not custom_id:
            raise Refused(400, "Name a request: /admin/requests?custom_id=...", param="custom_id")
        return JSONResponse({"requests": self._store.bill.requests(custom_id)})

    def list_faults(self, request: Request) -> Response:
        """The table, and what is armed."""
        table = {name: asdict(fault) for name, fault in FAULTS.items()}
        rows = {number: asdict(row) for number, row in ROWS.items()}
        return JSONResponse({"faults": table, "armed": self._store.faults.armed(), "rows": rows})

    async def arm_fault(self, request: Request) -> Response:
        """`{"name": "lose_lines", "value": 3, "times": 1}`: for the next `times` creates or calls (default 1)."""
        try:
            order: Any = json.loads(await request.body())
            name, value = ordered(order.get("name"), order.get("value"))
            times = order.get("times", 1)
        except (ValueError, AttributeError) as error:
            detail = str(error) if isinstance(error, UnknownFault) else 'send {"name": ..., "value": ..., "times": 1}'
            raise Refused(400, detail, param="name") from None
        if isinstance(times, bool) or not isinstance(times, int) or times < 1:
            raise Refused(400, "times is a whole number above 0", param="times")
        if FAULTS[name].meets is Meets.READ and FAULTS[name].takes is Takes.COUNT:
            times = int(value)
        await run_in_threadpool(self._store.faults.arm, name, value, times=times)
        return JSONResponse({"armed": self._store.faults.armed()})

    def disarm_faults(self, request: Request) -> Response:
        """All of them."""
        self._store.faults.disarm()
        return JSONResponse({"armed": []})

    def settings(self, request: Request) -> Response:
        """As they stand."""
        return JSONResponse(asdict(self._store.settings.current()))

    async def change_settings(self, request: Request) -> Response:
        """`{"prompt_cache": true, "enqueued_tokens": 90000, "clock_ahead_seconds": 86400}`, or some of them."""
        try:
            given: Any = json.loads(await request.body())
            changed = await run_in_threadpool(self._store.settings.change, dict(given))
        except NoSuchSetting as error:
            raise Refused(400, str(error), param="settings") from None
        except (ValueError, TypeError):
            raise Refused(400, "send an object of settings", param="settings") from None
        return JSONResponse(asdict(changed))
