"""`cj metrics`: what Prometheus reads, served or written to a file."""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from cj_pipeline.cli.terminal import deployment_here, out

app = typer.Typer(
    help="""Metrics for Prometheus, computed from the ledger and the stored tables at every scrape.

    \b
      cj metrics serve --port 9464                          scraped at http://127.0.0.1:9464/metrics
      cj metrics write /var/lib/node_exporter/cj.prom       for the node exporter's textfile collector

    docs/metrics.md lists every family; deploy/ holds a Grafana dashboard and alert rules.""",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 9464,
    host: Annotated[str, typer.Option(help="Other machines reach it only if this is not loopback.")] = "127.0.0.1",
) -> None:
    """Answer scrapes until stopped. Holds nothing: after a restart the numbers are the same."""
    from cj_pipeline.metrics import Served

    served = Served(deployment_here(), host, port)
    stopped = threading.Event()
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: stopped.set())
    out.print(f"metrics at {served.url} until Ctrl-C")
    served.wait(stopped)


@app.command()
def write(path: Annotated[Path, typer.Argument(metavar="PATH", help="Ends with .prom for the node exporter.")]) -> None:
    """Write the metrics to a file, whole or not at all; run it from cron or a timer."""
    from cj_pipeline.metrics import write_metrics

    write_metrics(deployment_here(), path)
    out.print(f"metrics written to {path}")
