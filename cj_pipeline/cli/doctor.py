"""`cj doctor`: whether everything that a batch needs is in place, line by line."""

from typing import Annotated

import typer
from rich.table import Table

from cj_pipeline.cli.terminal import Exit, JsonOutput, out, print_json


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Ask no provider; only what is on this machine.")] = False,
    as_json: JsonOutput = False,
) -> None:
    """Look at Python, packages, batches, store, disk, ledger, keys, providers, emulator, Dagster and its daemon.

    Buys and changes nothing, and shows no key. Ends with 2 when something is wrong.
    """
    from cj_pipeline.defs.health import look_at_dagster
    from cj_pipeline.doctor import Verdict, look_around
    from cj_pipeline.settings import Settings

    looks = [*look_around(Settings(), offline=offline), *look_at_dagster()]
    if as_json:
        print_json(looks)
    else:
        table = Table("", "what", "found", "what to do")
        for look in looks:
            table.add_row(str(look.verdict), look.what, look.found, look.advice, style=_STYLES[look.verdict])
        out.print(table)
    wrong = sum(look.verdict is Verdict.WRONG for look in looks)
    if wrong:
        raise typer.Exit(Exit.MISTAKE)


_STYLES = {"ok": "", "warning": "yellow", "wrong": "red"}
