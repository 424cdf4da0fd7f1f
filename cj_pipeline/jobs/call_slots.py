"""Making the calls of one job: so many at a time, each written down before it leaves, each answer kept unread.

A slot whose call ended in doubt asks no more in this run, so a run leaves at most one call in doubt per slot.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from cj_pipeline.errors import CjError, ProviderBusy, ProviderUncertain, ProviderUnreachable, TurnedAway
from cj_pipeline.jobs.call_book import CallBook, CallState
from cj_pipeline.providers import Caller

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.5  # where the provider does not say how long; doubles until an answer comes


class Patience:
    """How the slots of a job wait together while the provider turns calls away.

    `exhausted` holds the pause that was too long to wait out, in seconds.
    """

    def __init__(self, seconds: float) -> None:
        self.exhausted: float | None = None
        self._left = self._whole = seconds
        self._next_pause = FIRST_PAUSE_SECONDS
        self._open_at = 0.0

    def turned_away(self, retry_after: float | None) -> None:
        """Keep all slots waiting as long as the provider asks, if that is within what is left of the patience."""
        now = asyncio.get_running_loop().time()
        pause = self._next_pause if retry_after is None else retry_after
        longer = now + pause - max(now, self._open_at)
        if longer <= 0:
            return  # the others wait as long already
        if longer > self._left:
            self.exhausted = pause
            return
        self._left -= longer
        self._open_at = now + pause
        self._next_pause = max(self._next_pause * 2, pause)

    def answered(self) -> None:
        """Calls are taken again."""
        self._left, self._next_pause = self._whole, FIRST_PAUSE_SECONDS

    async def pass_by(self) -> None:
        """Wait until calls may leave."""
        while (wait := self._open_at - asyncio.get_running_loop().time()) > 0 and self.exhausted is None:
            await asyncio.sleep(wait)


class Slots:
    """The calls of one job that are still to be made, and the slots that make them.

    What stopped them all stands in `stopped_by`, the last thing that went wrong in `trouble`.
    """

    def __init__(
        self, book: CallBook, keep: Callable[[str, bytes], None], patience: Patience, *, deadline: datetime
    ) -> None:
        self.stopped_by: CjError | None = None
        self.trouble = ""
        self._book, self._keep, self._patience, self._deadline = book, keep, patience, deadline
        self._left: deque[tuple[str, bytes]] = deque()
        self._told_to_stop = False

    @property
    def pause_seconds(self) -> float | None:
        """The pause that the provider asks for, when it was too long to wait out."""
        return self._patience.exhausted

    async def make(self, caller: Caller, lines: Mapping[str, bytes], at_once: int) -> None:
        """Make the calls, as far as they can be made now.

        Cancelled (Ctrl-C, or a run that is terminated), it lets the calls that are on their way come back first.
        """
        self._left = deque(lines.items())
        running = [asyncio.create_task(self._run_slot(caller)) for _ in range(min(at_once, len(lines)))]
        if not running:
            return
        try:
            await asyncio.wait(running)
        except asyncio.CancelledError:
            self._told_to_stop = True
            await asyncio.wait(running)
            raise
        for task in running:
            task.result()

    def _goes_on(self) -> bool:
        return not (
            self._told_to_stop
            or self._book.cancelled
            or self.stopped_by is not None
            or self._patience.exhausted is not None
            or datetime.now(UTC) >= self._deadline
        )

    async def _run_slot(self, caller: Caller) -> None:
        try:
            await self._slot(caller)
        except BaseException:
            self._told_to_stop = True  # what one slot cannot write down, the others could not either
            raise

    async def _slot(self, caller: Caller) -> None:
        while True:
            await self._patience.pass_by()
            if not self._left or not self._goes_on():
                return
            custom_id, line = self._left.popleft()
            await self._book.write(custom_id, CallState.ASKED)
            try:
                answer = await caller.call(line)
            except TurnedAway as error:
                self.trouble = str(error)
                self._patience.turned_away(error.retry_after)
                await self._book.write(custom_id, CallState.TURNED_AWAY, str(error))
                self._left.appendleft((custom_id, line))
            except (ProviderBusy, ProviderUnreachable) as error:
                self.stopped_by = self.stopped_by or error
                await self._book.write(custom_id, CallState.TURNED_AWAY, str(error))
            except ProviderUncertain as error:
                log.warning("call %s is uncertain: %s", custom_id, error)
                self.trouble = str(error)
                await self._book.write(custom_id, CallState.UNCERTAIN, str(error))
                return
            else:
                await asyncio.to_thread(self._keep, custom_id, answer)
                self._patience.answered()
                await self._book.write(custom_id, CallState.ANSWERED)
