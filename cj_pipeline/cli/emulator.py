"""The local emulator, for those who want to run it by hand."""

from pathlib import Path
from typing import Annotated

import typer


def emulator(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8791,
    folder: Annotated[Path | None, typer.Option(help="Where it keeps its state; default: data/emulator.")] = None,
    seconds: Annotated[float, typer.Option(min=0.0, help="How long a job takes per phase.")] = 0.5,
) -> None:
    """Serve the local emulator of the providers' batch APIs, with its offline judges, until stopped."""
    from cj_pipeline.emulator import serve
    from cj_pipeline.settings import Settings

    serve(port=port, folder=folder or Settings().emulator_folder, seconds_per_phase=seconds)
