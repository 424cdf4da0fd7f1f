"""`cj erase`: pupils' texts go, results stay."""

import getpass
from typing import Annotated

import typer

from cj_pipeline.cli.terminal import Exit, JsonOutput, deployment_here, out, print_json


def erase(
    batch_id: Annotated[str | None, typer.Argument(metavar="[BATCH]", help="The batch; not needed with --due.")] = None,
    essay: Annotated[list[str] | None, typer.Option(help="One essay; may be given several times.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every essay of the batch.")] = False,
    due: Annotated[bool, typer.Option("--due", help="Every batch whose retain_days have passed.")] = False,
    receipts: Annotated[bool, typer.Option("--receipts", help="Erase nothing; show what was erased.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: Annotated[str, typer.Option(help="Who asks for it; default: the user of this machine.")] = "",
    as_json: JsonOutput = False,
) -> None:
    """Erase the texts of essays: in the batch folder, in the store, and at the provider.

    Scores, grades, money and hashes stay. What was erased cannot be brought back, except from your own backups.

    \b
    Examples: cj erase spring-5b --essay anna-b
              cj erase spring-5b --all
              cj erase --due
              cj erase spring-5b --receipts
    """
    from cj_pipeline.erase import batches_past_retention, erase_essays, erase_what_is_due
    from cj_pipeline.erase import receipts as receipts_of

    deployment = deployment_here()
    if due:
        names = [batch.batch_id for batch in batches_past_retention(deployment)]
        if names and not yes:
            typer.confirm(f"Erase all texts of {', '.join(names)}?", abort=True)
        _tell(erase_what_is_due(deployment) or ["nothing is past its retention"], as_json=as_json)
        return
    if batch_id is None:
        raise typer.BadParameter("name a batch, or give --due")
    if receipts:
        rows = receipts_of(deployment, batch_id)
        if as_json:
            print_json(rows)
            return
        for row in rows:
            said = [str(row[name]) for name in ("erased_at", "what", "how", "name", "why", "erased_by")]
            out.print("  ".join(said), soft_wrap=True)
        return
    batch = deployment.batch(batch_id)
    wanted = batch.essays["essay_id"].to_pylist() if everything else list(essay or [])
    if not wanted:
        raise typer.BadParameter("name essays with --essay, or give --all")
    if not yes:
        typer.confirm(f"Erase {len(wanted)} of {batch.essays.num_rows} texts of {batch_id} for good?", abort=True)
    _tell(erase_essays(deployment, batch, wanted, erased_by=by or getpass.getuser()), as_json=as_json)
    out.print(f"Next: cj run {batch_id} makes its tables and report anew, without the texts.")
    raise typer.Exit(Exit.DONE)


def _tell(lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json(lines)
        return
    for line in lines:
        out.print(line, soft_wrap=True)
