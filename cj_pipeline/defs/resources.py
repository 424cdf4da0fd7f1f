"""What assets are given: the deployment, opened when it is first needed, never when definitions load."""

from collections.abc import Mapping

import dagster as dg
import pyarrow as pa

from cj_pipeline.defs.lost_runs import PROCESS_TAG, this_process
from cj_pipeline.defs.shown import column_schema, first_rows
from cj_pipeline.deployment import Deployment

Tables = Mapping[str, pa.Table]


class DeploymentResource(dg.ConfigurableResource[None]):
    """Opens the deployment that the environment describes (see `cj_pipeline.settings`)."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Note on the run which process carries it out, so that one that was killed can be told from one at work."""
        if context.run is not None and context.instance is not None:
            context.instance.add_run_tags(context.run.run_id, {PROCESS_TAG: this_process()})

    def open(self) -> Deployment:
        """The deployment, with its ledger brought up to the newest schema."""
        return Deployment.open()


class TableIOManager(dg.ConfigurableIOManager):
    """Keeps each asset's table in the store, and refuses to hand over one that is out of date.

    An asset that makes several tables returns them by name; the one named after the asset is what the next
    asset is handed.
    """

    def handle_output(self, context: dg.OutputContext, obj: pa.Table | Tables) -> None:
        """Write the table or tables and show where they lie."""
        name = context.asset_key.path[-1]
        tables: Tables = {name: obj} if isinstance(obj, pa.Table) else obj
        locations = Deployment.open().write_tables(context.partition_key, tables)
        context.add_output_metadata(
            {
                "dagster/row_count": tables[name].num_rows,
                "dagster/uri": locations[name],
                "dagster/column_schema": column_schema(name),
                **first_rows(name, tables[name]),
            }
        )

    def load_input(self, context: dg.InputContext) -> pa.Table:
        """The stored table of the asset upstream. Raises `StaleTable`."""
        return Deployment.open().read_table(context.asset_key.path[-1], context.partition_key)
