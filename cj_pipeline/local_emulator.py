"""Batches with offline judges need the local emulator: it is started beside, if nothing answers at its address."""

from urllib.parse import urlsplit

from cj_pipeline import emulator
from cj_pipeline.batch import Batch
from cj_pipeline.errors import CjError
from cj_pipeline.settings import Settings


def start_emulator_if_needed(batch: Batch, settings: Settings) -> None:
    """Make sure that a batch's offline judges can be reached. The emulator outlives this process.

    Raises `CjError` when CJ_EMULATOR_URL names no local address and nothing of ours answers there.
    """
    if all(judge.provider != "emulator" for judge in batch.manifest.judges) or emulator.answers(settings.emulator_url):
        return
    address = urlsplit(settings.emulator_url)
    if address.hostname not in {"127.0.0.1", "localhost", "::1"} or address.port is None:
        raise CjError(f"no emulator answers at {settings.emulator_url}. Start one there, or unset CJ_EMULATOR_URL.")
    emulator.start_process(
        folder=settings.emulator_folder,
        port=address.port,
        seconds_per_phase=settings.emulator_seconds_per_phase,
        detached=True,
    )
