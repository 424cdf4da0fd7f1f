"""What every command shares: the two consoles, exit codes, and the deployment a command works on."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from cj_pipeline.deployment import Deployment

# a pipe has no width: ids and figures should not be cut there; titles and messages may hold [brackets]
out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, highlight=False, markup=False)

JsonOutput = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]
BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="The batch's id: the name of its folder.")]


class Exit:
    """Exit codes, so that a script can tell "not yet" from "wrong"."""

    DONE = 0
    GATE_RED = 1
    MISTAKE = 2
    WAITING = 3


def deployment_here() -> "Deployment":
    """The deployment that the environment describes."""
    from cj_pipeline.deployment import Deployment

    return Deployment.open()


@contextmanager
def telling(first: str) -> Iterator[Callable[[str], None]]:
    """A line that is kept up to date on a terminal; plain lines, each once, elsewhere."""
    if out.is_terminal:
        with out.status(first) as shown:
            yield shown.update
        return
    out.print(first)
    said = {first}

    def tell(line: str) -> None:
        if line not in said:
            said.add(line)
            out.print(line)

    yield tell


def print_json(value: object) -> None:
    """JSON on standard output, nothing else; dataclasses as objects, moments in ISO 8601."""
    sys.stdout.write(json.dumps(value, default=_plain, ensure_ascii=False, indent=2) + "\n")


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def show_notices(notices: tuple[str, ...]) -> None:
    """What a person should know about a batch before it goes on."""
    for notice in notices:
        err.print(notice, style="yellow", markup=False, soft_wrap=True)


def age_in_words(seconds: float) -> str:
    """A duration in its largest unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
