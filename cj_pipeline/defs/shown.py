"""How an asset presents itself in the Dagster UI: who owns it, where its files lie, its pictures and first rows."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

from cj_pipeline.batch import Batch
from cj_pipeline.deployment import Deployment
from cj_pipeline.report.pictures import Picture
from cj_pipeline.report.previews import COLUMNS, preview
from cj_pipeline.tables import CONTRACTS

OWNERS = ["team:assessment"]


def places(deployment: Deployment, batch: Batch) -> dict[str, dg.MetadataValue]:
    """The batch folder, and the report once there is one."""
    shown: dict[str, dg.MetadataValue] = {"batch_folder": dg.MetadataValue.path(str(batch.folder.resolve()))}
    report = f"reports/{batch.batch_id}.html"
    if deployment.store.exists(report):
        shown["report"] = dg.MetadataValue.path(deployment.store.location(report))
    return shown


def pictures(**drawn: Picture) -> dict[str, dg.MetadataValue]:
    """Drawings by name: at a glance beside the figures, and with names and axis behind a click."""
    shown: dict[str, dg.MetadataValue] = {}
    for name, picture in drawn.items():
        shown[name] = dg.MetadataValue.md(f"![]({picture.glance})")
        shown[f"{name}_large"] = dg.MetadataValue.md(f"![{name}]({picture.large})")
    return shown


def short(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Fractions to four digits, as a person reads them; what there is not is left out."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in figures.items()
        if value is not None
    }


def first_rows(name: str, table: pa.Table) -> dict[str, dg.MetadataValue]:
    """The first rows of an asset's own table, without texts; nothing for a table that stands beside it."""
    return {"preview": dg.MetadataValue.md(preview(name, table))} if name in COLUMNS else {}


def _type_name(kind: pa.DataType) -> str:
    """How a column is stored is nothing a reader wants to know."""
    return str(kind.value_type if pa.types.is_dictionary(kind) else kind)


def column_schema(name: str) -> dg.TableSchema:
    """A contract as the Dagster UI shows it, with the meaning of every column."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=_type_name(field.type),
                description=field.metadata[b"meaning"].decode(),
                constraints=dg.TableColumnConstraints(nullable=field.nullable),
            )
            for field in CONTRACTS[name]
        ]
    )
