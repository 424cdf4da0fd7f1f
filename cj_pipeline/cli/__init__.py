"""`cj`: plan, approve, run and read batches from the command line. Every command says what to do next."""

import sys

import typer
from typer.exceptions import TyperException

from cj_pipeline.cli.batches import approve, demo, report, run
from cj_pipeline.cli.costs import costs
from cj_pipeline.cli.doctor import doctor
from cj_pipeline.cli.emulator import emulator
from cj_pipeline.cli.eng5 import app as eng5
from cj_pipeline.cli.eng5_runner import add_to
from cj_pipeline.cli.erase import erase
from cj_pipeline.cli.export import export
from cj_pipeline.cli.jobs import app as jobs
from cj_pipeline.cli.metrics import app as metrics
from cj_pipeline.cli.new import new
from cj_pipeline.cli.plan import plan
from cj_pipeline.cli.status import status
from cj_pipeline.cli.terminal import Exit, err
from cj_pipeline.errors import CjError, NotApproved

INTERRUPTED = 130  # what the command-line library makes of Ctrl-C

app = typer.Typer(
    help="""Comparative judgement of essays by LLM judges.

    A batch is a folder: batch.toml, essays, anchors.csv, assignment.md, rubric.md. The way of a batch:

    \b
      cj new my-class --from FOLDER                    make the folder
      cj plan my-class                                 pairs, tokens, cost; buys nothing
      cj approve my-class --max-usd 5                  consent to a purchase (paid judges only)
      cj run my-class                                  buy, wait, score, grade, report
      cj status                                        where every batch stands, and what is next
      cj doctor                                        whether this installation can do its work

    \b
    Exit codes: 0 done, 1 a gate is red and grades are withheld,
                2 a mistake to correct, 3 waiting for jobs, an approval or a decision.""",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, new, plan, approve, run, status, report, export, costs, erase, doctor, emulator):
    app.command()(command)
app.add_typer(jobs, name="jobs")
app.add_typer(metrics, name="metrics")
add_to(eng5)
app.add_typer(eng5, name="eng5")


def main() -> None:
    """Entry point: mistakes a person can put right are one message, everything else keeps its traceback."""
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        sys.exit(code)
    except NotApproved as error:
        err.print(f"cj: {error}", style="yellow", soft_wrap=True, markup=False)
        sys.exit(Exit.WAITING)
    except CjError as error:
        err.print(f"cj: {error}", style="red", soft_wrap=True, markup=False)
        sys.exit(Exit.MISTAKE)
    except TyperException as error:  # a command line that is not understood
        err.print(f"cj: {error.format_message()} See `cj --help`.", style="red", soft_wrap=True)
        sys.exit(Exit.MISTAKE)
    except (KeyboardInterrupt, typer.Abort):
        err.print("\nstopped. Jobs at the provider go on; the same command continues from here.")
        sys.exit(Exit.WAITING)
