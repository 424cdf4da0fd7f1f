"""`cj eng5`: the predecessor's profiles by name, and what was asserted of them."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from cj_pipeline.cli.terminal import Exit, JsonOutput, deployment_here, err, out, print_json, telling

if TYPE_CHECKING:
    from cj_pipeline.eng5.profiles import Profile
    from cj_pipeline.findings import Finding

app = typer.Typer(help="ENG5: profiles of the predecessor, as batches that run on this machine for nothing.")


@app.callback()
def eng5() -> None:
    """The predecessor's profiles, and its parity checks."""


@app.command()
def profile(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Profiles to run; without a name they are listed.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Run all of them, one after the other.")] = False,
    as_json: JsonOutput = False,
) -> None:
    """Take profiles to their end and hold them against what the predecessor did.

    Ends with 1 when a parity check is red. A profile that was run before is not asked again, only checked.

    \b
      cj eng5 profile                      which there are
      cj eng5 profile eng5-anchor          12 anchors, 66 pairs
      cj eng5 profile regular small-net    two of them
      cj eng5 profile --all                all of them
    """
    from cj_pipeline.eng5.profiles import PROFILES, profile_named

    chosen = list(PROFILES.values()) if every else [profile_named(name) for name in names or ()]
    if not chosen:
        _list(list(PROFILES.values()), as_json=as_json)
        return
    found = {one.batch_id: _run(one, quiet=as_json) for one in chosen}
    if as_json:
        print_json(found)
    if any(not finding.passed for findings in found.values() for finding in findings):
        raise typer.Exit(Exit.GATE_RED)


def _list(profiles: "list[Profile]", *, as_json: bool) -> None:
    if as_json:
        print_json(profiles)
        return
    for one in profiles:
        also = "" if one.alias == one.batch_id else f" (or {one.alias})"
        own = ", ".join(one.own_checks)
        out.print(f"{one.batch_id}{also}: {one.comparisons} comparisons of {one.essays} essays, {one.mode}; {own}")
    out.print("Next: cj eng5 profile NAME")


def _run(one: "Profile", *, quiet: bool) -> "list[Finding]":
    """The profile's parity findings, without those that claim nothing of it."""
    from cj_pipeline.eng5.findings import check_name, parity_findings
    from cj_pipeline.eng5.run import gather_run

    deployment = deployment_here()
    with telling(f"{one.batch_id}: {one.comparisons} comparisons") if not quiet else nullcontext(_nobody) as tell:
        from cj_pipeline.defs.drive import run_batch  # imports Dagster: two seconds that other commands save

        progress = run_batch(deployment, one.batch_id, tell=tell, wait=True, new_revision=False)
    if not progress.complete:
        err.print(f"cj: {one.batch_id}: jobs {progress.sentence()}. Run the same command again.", soft_wrap=True)
        raise typer.Exit(Exit.WAITING)
    claimed = {check_name(case) for case in one.checks}
    findings = [finding for finding in parity_findings(gather_run(deployment, one)) if finding.name in claimed]
    if not quiet:
        for finding in findings:
            mark = "holds" if finding.passed else "RED"
            out.print(f"{one.batch_id}  {finding.name}  {mark}: {finding.summary}", markup=False, soft_wrap=True)
    return findings


def _nobody(_: str) -> None:
    """Told when only JSON is wanted."""
