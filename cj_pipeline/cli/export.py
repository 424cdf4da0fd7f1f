"""`cj export`: a batch's results for a school or for other tools."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cj_pipeline.cli.terminal import BatchId, deployment_here, out


class Form(StrEnum):
    """File formats of `cj export`."""

    XLSX = "xlsx"
    CSV = "csv"
    PARQUET = "parquet"


def export(
    batch_id: BatchId,
    to: Annotated[Path, typer.Option(help="Folder to write into.")],
    form: Annotated[Form, typer.Option("--format", help="xlsx: one workbook for a school.")] = Form.CSV,
    texts: Annotated[bool, typer.Option("--texts/--no-texts", help="Include the essays' texts.")] = False,
) -> None:
    """Write a batch's results: one Excel workbook for a school, or all its tables as csv or parquet.

    Example: cj export spring-5b --to results --format xlsx
    """
    from cj_pipeline.report.export import export_batch
    from cj_pipeline.report.gather import gather_evidence

    evidence = gather_evidence(deployment_here(), batch_id)
    for path in export_batch(evidence, to, form.value, with_texts=texts):
        out.print(str(path))
