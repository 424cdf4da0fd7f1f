"""One installation: its settings, ledger and store, and how a batch and its tables are found in them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from cj_pipeline.batch import Batch, batch_folder, batch_ids, needs_single_wave, read_batch, read_manifest
from cj_pipeline.errors import BatchError, StaleTable
from cj_pipeline.jobs.ledger import Ledger
from cj_pipeline.jobs.recorded_waves import recorded_mode_of
from cj_pipeline.jobs.top_up import judged_batch
from cj_pipeline.judging.standing import refuse_another_question, standing_judgments
from cj_pipeline.settings import Settings
from cj_pipeline.store import Store, table_path
from cj_pipeline.tables import CONTRACTS, Provenance, refuse_stale
from cj_pipeline.waves.mode import LLMBatchingMode, effective_mode, mode_named


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the command line and Dagster both work on."""

    settings: Settings
    ledger: Ledger
    store: Store

    @classmethod
    def open(cls, settings: Settings | None = None) -> "Deployment":
        """Open what the environment names; creates ledger and folders that are not there yet."""
        settings = settings or Settings()
        return cls(settings, Ledger(settings.ledger_url), Store(settings.store))

    @property
    def roots(self) -> list[Path]:
        """Where batch folders are looked for: one's own, then the samples and, among these, the profiles of ENG5."""
        return [*self._watched, self.settings.samples / "eng5"]

    @property
    def _watched(self) -> list[Path]:
        return [self.settings.batches, self.settings.samples]

    def batch_ids(self) -> list[str]:
        """All batch folders."""
        return batch_ids(self.roots)

    def watched_batch_ids(self) -> list[str]:
        """Batch folders that are planned as soon as they lie there; a profile of ENG5 waits until it is asked for."""
        return batch_ids(self._watched)

    def batch(self, batch_id: str) -> Batch:
        """Read a batch from its folder, and beside it the judged batch it tops up. Raises `BatchError`."""
        return self._batch(batch_id, ())

    def standing_judgments(self, batch: Batch, own: pa.Table) -> pa.Table:
        """What the batch's scale stands on: its own judgments, and those of a batch it tops up. Raises `StaleTable`."""
        if batch.earlier is None:
            return own
        earlier = self.batch(batch.earlier.batch_id)
        judged = self.standing_judgments(earlier, self.read_table("judgments", earlier.batch_id))
        return standing_judgments(batch, own, judged)

    def _batch(self, batch_id: str, topping_up: tuple[str, ...]) -> Batch:
        if batch_id in topping_up:
            raise BatchError(f"batch {batch_id}: tops up itself, by {' and '.join(topping_up)}. Correct tops_up.")
        folder = batch_folder(batch_id, self.roots)
        tops_up = read_manifest(folder).batch.tops_up
        if tops_up is None:
            return self._in_its_mode(read_batch(folder))
        earlier = self._batch(tops_up, (*topping_up, batch_id))
        batch = read_batch(folder, judged_batch(self.ledger, self.store, earlier, batch_id))
        refuse_another_question(batch)
        return self._in_its_mode(batch)

    def _in_its_mode(self, batch: Batch) -> Batch:
        """The batch with the mode it runs in written into its manifest.

        One that names none stays in the mode it was planned in, whatever the installation's setting says later.
        """
        manifest, settings = batch.manifest, self.settings
        named = mode_named(manifest.batch.mode)
        setting = LLMBatchingMode(settings.llm_batching_mode)
        if named is None and (planned := recorded_mode_of(self.ledger, batch.batch_id)) is not None:
            mode = planned
        elif named is None and (batch.listed_pairs is not None or needs_single_wave(manifest)):
            mode = LLMBatchingMode.PROVIDER_BATCH_API
        else:
            providers = [judge.provider for judge in manifest.judges]
            mode = effective_mode(setting, named, providers=providers, allowed=settings.batch_api_providers)
        if mode.iterative and (batch.listed_pairs is not None or needs_single_wave(manifest)):
            raise BatchError(
                f"batch {batch.batch_id}: needs a single wave, and provider_batch_api may not be used with all of its "
                "providers. Add them to CJ_LLM_BATCH_API_ALLOWED_PROVIDERS."
            )
        section = manifest.batch.model_copy(update={"mode": str(mode)})
        return replace(batch, manifest=manifest.model_copy(update={"batch": section}))

    def read_table(self, name: str, batch_id: str) -> pa.Table:
        """A stored table, if it is of the current revision and purchase. Raises `StaleTable`."""
        try:
            table, found = self.store.read_table(name, batch_id)
        except FileNotFoundError:
            raise StaleTable(f"batch {batch_id}: there are no {name} yet. Materialise {name} first.") from None
        refuse_stale(name, batch_id, found, self.ledger.provenance(batch_id))
        return table

    def read_provenance(self, name: str, batch_id: str) -> Provenance:
        """What a stored table was made from, without reading its rows. Raises `StaleTable` when it is out of date."""
        found = self.store.read_provenance(table_path(name, batch_id))
        refuse_stale(name, batch_id, found, self.ledger.provenance(batch_id))
        return found

    def write_tables(self, batch_id: str, tables: Mapping[str, pa.Table]) -> dict[str, str]:
        """Store tables by name under the batch's current revision and ledger version; returns their locations."""
        current = self.ledger.provenance(batch_id)
        return {
            name: self.store.location(self.store.write_table(name, batch_id, table, current))
            for name, table in tables.items()
        }

    def keep_tables_of_earlier_revision(self, batch_id: str) -> None:
        """Move tables that belong to another revision than the current one out of the way of the new ones."""
        current = self.ledger.provenance(batch_id).revision
        for name in CONTRACTS:
            path = table_path(name, batch_id)
            if self.store.exists(path):
                _, found = self.store.read_table(name, batch_id)
                if found.revision != current:
                    self.store.move(path, f"revisions/{batch_id}/{found.revision[:16]}/{name}.parquet")
