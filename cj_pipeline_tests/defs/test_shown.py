"""What a person sees of a batch in the Dagster UI: what an asset is, its figures, pictures and first rows."""

import dagster as dg
import pytest

from cj_pipeline.definitions import ASSETS, defs
from cj_pipeline.tables import CONTRACTS
from cj_pipeline_tests.defs.materialising import materialise
from cj_pipeline_tests.installation import Installation

SHOWN_AT_ONCE = 1_000  # characters of markdown that the UI shows without a click; measured in 1.13
LARGEST_EVENT = 64_000
PICTURES = {
    "comparison_pairs": {"seat_balance"},
    "provider_batch_jobs": {"cost", "timeline"},
    "judgments": {"cost", "timeline"},
    "bradley_terry_scores": {"score_intervals"},
}


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.key.to_user_string())
def test_an_asset_teaches_what_it_is_what_it_costs_and_what_to_do(asset: dg.AssetsDefinition) -> None:
    (spec,) = asset.specs
    assert spec.owners == ["team:assessment"]
    assert spec.kinds
    assert "**When it is red:**" in (spec.description or "")
    money = "**This spends money**" in (spec.description or "")
    assert money is (spec.key == dg.AssetKey("provider_batch_jobs"))
    assert money or "**Costs** nothing" in (spec.description or "")


def test_a_batch_shows_its_figures_pictures_and_places_and_no_text(installation: Installation) -> None:
    installation.copy_of_demo()
    instance = dg.DagsterInstance.ephemeral()
    result = materialise(instance, "demo")
    texts = installation.deployment.batch("demo").essays["text"].to_pylist()
    for event in result.get_asset_materialization_events():
        made = event.step_materialization_data.materialization
        name, shown = made.asset_key.to_user_string(), made.metadata
        assert str(shown["batch_folder"].value) == str(installation.batches / "demo")
        if name == "batch_report":
            continue
        schema = shown["dagster/column_schema"].value
        assert isinstance(schema, dg.TableSchema)
        assert [column.name for column in schema.columns] == CONTRACTS[name].names
        assert all(column.description and "dictionary" not in column.type for column in schema.columns)
        assert isinstance(shown["dagster/row_count"].value, int)
        drawn = {key for key, value in shown.items() if str(value.value).startswith("![](data:image/svg+xml")}
        assert drawn == PICTURES.get(name, set())
        assert all(len(str(shown[key].value)) < SHOWN_AT_ONCE for key in drawn)
        assert all(f"{key}_large" in shown for key in drawn)
        assert str(shown["preview"].value).startswith("| ")
    events = [dg.serialize_value(entry) for entry in instance.all_logs(result.run_id)]
    assert max(map(len, events)) < LARGEST_EVENT
    assert not any(text[:60] in event for text in texts for event in events)


def test_the_jobs_of_a_backfill_say_what_they_cost() -> None:
    assert "**Spends money**" in (defs.resolve_job_def("buy_batches").description or "")
    assert "Free." in (defs.resolve_job_def("score_batches").description or "")
