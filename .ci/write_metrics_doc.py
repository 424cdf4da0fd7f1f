"""Write docs/metrics.md from the families in `cj_pipeline.metrics`."""

from collections.abc import Sequence
from pathlib import Path

from cj_pipeline.metrics import ABSENT, FAMILIES, LABELS, SECTIONS, Family, Origin

PAGE = Path(__file__).resolve().parent.parent / "docs/metrics.md"

HEAD = """\
# Metrics

```console
$ cj metrics serve                         # scraped at http://127.0.0.1:9464/metrics
$ cj metrics write cj.prom                 # the same for the node exporter's textfile collector
```

Every number is computed from the ledger and the stored tables at the moment of the scrape. Nothing is pushed and
nothing lives in a process's memory: after a restart, and from every machine that reads the same ledger, the numbers
are the same, and they equal the tables to the unit. A scrape asks no provider. No label ever holds the id of a batch,
an essay or a job; where one batch matters, read its tables and asset checks.

Names, types and labels are those of the predecessor, so that its dashboards carry over. What is counted otherwise is
said in the last column. Families that were declared there and never counted are marked *declared*; those that are
ours alone begin with `cj_pipeline_`. Counters count all revisions of all batches: what was bought was bought. They go
back only if the ledger is restored from a backup, or a person's act says so below.

`serve` listens on loopback unless `--host` says otherwise; it shows models, account names and amounts of money to
whoever reaches it, and no text. A scrape that cannot read the ledger fails, so that `up` is 0. `write` puts the file
there whole or not at all; the node exporter reads only names that end with `.prom`.

- `deploy/prometheus/cj_pipeline.rules.yml`: alert rules
- `deploy/grafana/cj_pipeline.json`: a dashboard; import it and choose the data source

This page is written by `.ci/write_metrics_doc.py`; change `cj_pipeline/metrics/` instead.
"""


def metrics_page() -> str:
    """The whole page."""
    families = [_section(title, families) for title, families in SECTIONS.items()]
    return "\n".join([HEAD, *families, _buckets(), _labels(), _absent()])


def _section(title: str, families: Sequence[Family]) -> str:
    head = ["| family | type | labels | meaning | from | otherwise than there |", "|---|---|---|---|---|---|"]
    return "\n".join([f"## {title}", "", *head, *(_row(family) for family in families), ""])


def _row(family: Family) -> str:
    mark = " *declared*" if family.origin is Origin.DECLARED else ""
    labels = ", ".join(f"`{label}`" for label in family.labels)
    cells = [f"`{family.name}`{mark}", str(family.kind), labels, family.help, family.source, family.difference]
    return "| " + " | ".join(cells) + " |"


def _buckets() -> str:
    rows = [
        f"| `{family.name}` | {' '.join(f'{bound:g}' for bound in family.buckets)} |"
        for family in FAMILIES
        if family.buckets
    ]
    return "\n".join(["## Bounds of the histograms", "", "| family | upper bounds |", "|---|---|", *rows, ""])


def _labels() -> str:
    rows = [
        f"| `{name}` | {label.meaning} | {'as configured' if label.values is None else ' '.join(label.values)} |"
        for name, label in LABELS.items()
    ]
    said = "A label has no other values than these; those *as configured* are few, and a person chose them."
    return "\n".join(["## Labels", "", said, "", "| label | meaning | values |", "|---|---|---|", *rows, ""])


def _absent() -> str:
    rows = [f"| `{name}` | {reason} |" for name, reason in ABSENT.items()]
    return "\n".join(
        ["## Families of the predecessor without a meaning here", "", "| family | why |", "|---|---|", *rows, ""]
    )


if __name__ == "__main__":
    PAGE.write_text(metrics_page(), "utf-8")
