"""One dynamic partition per batch, the same key through all assets."""

import dagster as dg

batches = dg.DynamicPartitionsDefinition(name="batch")
