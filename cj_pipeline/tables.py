"""The contracts between stages: one pyarrow schema per table, and what each stored file must carry.

A table is cast to its contract before it is written, so what a later stage or a person reads is exactly what
stands here. Money is in US dollars, time in UTC, scores in logits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from cj_pipeline.errors import StaleTable, StructuralFault

ESSAY_ID = pa.dictionary(pa.int32(), pa.string())
LABEL = pa.dictionary(pa.int32(), pa.string())
UTC = pa.timestamp("us", tz="UTC")


def _field(name: str, kind: pa.DataType, meaning: str, *, null: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=null, metadata={"meaning": meaning})


ESSAYS = pa.schema(
    [
        _field("essay_id", ESSAY_ID, "the essay's name in its batch; never sent to a judge"),
        _field("text", pa.string(), "the essay, line ends normalised to \\n"),
        _field("sha256", pa.string(), "SHA-256 of the text in UTF-8"),
        _field("word_count", pa.int32(), "runs of non-blank characters"),
        _field("is_anchor", pa.bool_(), "its grade is known and calibrates the scale"),
        _field("anchor_grade", LABEL, "the known grade of an anchor", null=True),
        _field("known_grade", LABEL, "a pupil's grade from elsewhere; only ever compared with", null=True),
    ]
)

COMPARISON_PAIRS = pa.schema(
    [
        _field("pair_id", pa.int32(), "number of the pair, from 0; a top-up counts on from the judged batch"),
        _field("wave", pa.int32(), "the wave the pair is bought in, from 1"),
        _field("kind", LABEL, "coverage | resampling | audit (asked again with the seats exchanged)"),
        _field("at_random", pa.bool_(), "drawn without looking at scores; reliability is computed on these"),
        _field("essay_a", ESSAY_ID, "shown first"),
        _field("essay_b", ESSAY_ID, "shown second"),
    ]
)

PROVIDER_BATCH_JOBS = pa.schema(
    [
        _field("job_id", pa.string(), "deterministic name of the job; a prefix of its custom_ids"),
        _field("wave", pa.int32(), "the wave it belongs to"),
        _field("attempt", pa.int32(), "1, or higher for items that are asked again"),
        _field("judge_id", LABEL, "the judge that answers"),
        _field("provider", LABEL, "openai | anthropic | vllm | emulator"),
        _field("model", LABEL, "the model that was asked for"),
        _field("account", LABEL, "name of the provider's project or workspace"),
        _field("state", LABEL, "state in the ledger"),
        _field(
            "status",
            LABEL,
            "what people see: scheduled | running | completed | failed | expired | cancelled | unknown",
        ),
        _field("reason", pa.string(), "why a job failed or is unknown", null=True),
        _field("items", pa.int32(), "requests in the job"),
        _field("request_bytes", pa.int64(), "size of the request file"),
        _field("request_sha256", pa.string(), "SHA-256 of the request file"),
        _field("provider_job_id", pa.string(), "the provider's name for it", null=True),
        _field("reserved_usd", pa.float64(), "upper bound reserved while the bill is open"),
        _field("cost_usd", pa.float64(), "booked from usage at reconciliation", null=True),
        _field("price_source", pa.string(), "where the price comes from", null=True),
        _field("planned_at", UTC, "when the intent was recorded"),
        _field("submitted_at", UTC, "when the provider accepted it", null=True),
        _field("ended_at", UTC, "when the provider was done with it", null=True),
    ]
)

JUDGMENTS = pa.schema(
    [
        _field("pair_id", pa.int32(), "the planned pair"),
        _field("essay_a", ESSAY_ID, "shown first"),
        _field("essay_b", ESSAY_ID, "shown second"),
        _field("wave", pa.int32(), "the wave the pair was bought in"),
        _field("kind", LABEL, "coverage | resampling | audit"),
        _field("judge_id", LABEL, "who judged"),
        _field("replicate", pa.int32(), "how often the judge was asked the very same before in this wave"),
        _field("fingerprint", pa.string(), "SHA-256 of all that the judge saw and how it was asked"),
        _field("outcome", LABEL, "success | failure | expired"),
        _field("error_code", LABEL, "why there is no verdict", null=True),
        _field("winner", LABEL, "essay_a | essay_b | tie", null=True),
        _field("confidence", pa.int8(), "the judge's own, 1 to 5; never used in scoring", null=True),
        _field("justification", pa.string(), "the judge's reason", null=True),
        _field("attempt", pa.int32(), "the attempt that gave the terminal outcome"),
        _field("provider", LABEL, "openai | anthropic | vllm | emulator"),
        _field("model_requested", LABEL, "the model that was asked for"),
        _field("model_reported", LABEL, "the model that says it answered", null=True),
        _field("input_tokens", pa.int64(), "prompt tokens, cached ones included", null=True),
        _field("cached_tokens", pa.int64(), "prompt tokens read from the provider's cache", null=True),
        _field("cache_write_tokens", pa.int64(), "prompt tokens written into it, where that is charged", null=True),
        _field("output_tokens", pa.int64(), "completion tokens, reasoning included", null=True),
        _field(
            "cost_usd",
            pa.float64(),
            "of all attempts at this comparison; null when usage is unknown",
            null=True,
        ),
        _field("job_id", LABEL, "the job of the terminal attempt"),
        _field("custom_id", pa.string(), "the item in that job"),
        _field("completed_at", UTC, "when the provider was done with the job"),
    ]
)

HUMAN_JUDGMENTS = pa.schema(
    [
        _field("judge_id", LABEL, "the person"),
        _field("essay_a", ESSAY_ID, "shown first"),
        _field("essay_b", ESSAY_ID, "shown second"),
        _field("winner", LABEL, "essay_a | essay_b | tie"),
        _field("row", pa.int32(), "row of human_judgments.csv; the header is row 1"),
    ]
)

BRADLEY_TERRY_SCORES = pa.schema(
    [
        _field("essay_id", ESSAY_ID, "the essay"),
        _field("score", pa.float64(), "Bradley-Terry score in logits, mean 0 in its component", null=True),
        _field("standard_error", pa.float64(), "of the centred score, in logits", null=True),
        _field("unshrunk_score", pa.float64(), "without the prior's pull; what grades stand on", null=True),
        _field("unshrunk_standard_error", pa.float64(), "of the unshrunk score", null=True),
        _field("rank", pa.int32(), "1 is the best of its component", null=True),
        _field("comparisons", pa.int32(), "answered comparisons"),
        _field("wins", pa.float64(), "a tie is half a win"),
        _field("infit", pa.float64(), "information-weighted mean square residual; 1 is expected", null=True),
        _field("outfit", pa.float64(), "mean square residual; 1 is expected", null=True),
        _field(
            "leverage",
            pa.float64(),
            "mean weight of one answer in its own fitted value; 2/comparisons is usual, near 1 the score hangs on it",
            null=True,
        ),
        _field("component", pa.int32(), "0 is the largest set of essays linked by comparisons"),
    ]
)

SCALE_FIT = pa.schema(
    [
        _field("essays", pa.int32(), "essays in the batch"),
        _field("comparisons", pa.int32(), "answered comparisons in the fit"),
        _field("components", pa.int32(), "sets of essays not linked with each other"),
        _field("order_effect", pa.float64(), "logit advantage of being shown first"),
        _field("order_effect_standard_error", pa.float64(), "its standard error", null=True),
        _field("gradient_norm", pa.float64(), "largest entry of the gradient at the solution"),
        _field("iterations", pa.int32(), "Newton steps"),
        _field("phi", pa.float64(), "dispersion of repeated pairs; the standard errors carry its root"),
        _field("prior_sd", pa.float64(), "of the Gaussian prior on scores, in logits"),
        _field(
            "auto_prior_sd",
            pa.float64(),
            "by marginal likelihood; near 0 when nothing is to be seen",
            null=True,
        ),
        _field(
            "reliability",
            pa.float64(),
            "SD^2/(SD^2 + mean SE^2), auto-prior fit of pairs drawn at random, times the weight of differing",
            null=True,
        ),
        _field(
            "ssr",
            pa.float64(),
            "1 - mean SE^2 / var, scale separation reliability (No More Marking); not for pairs chosen by score",
            null=True,
        ),
        _field("separation", pa.float64(), "SD / root mean square SE", null=True),
        _field("split_by", LABEL, "what was halved for the split: judges | comparisons (one judge)", null=True),
        _field("splits", pa.int32(), "random splits into halves that could be scored apart"),
        _field("split_correlation", pa.float64(), "median Pearson correlation of the halves' scores", null=True),
        _field("split_reliability", pa.float64(), "the same for the whole, by Spearman-Brown: 2r / (1 + r)", null=True),
        _field("uses_discrimination", pa.bool_(), "the scores weigh judges by their discrimination"),
        _field("length_effect", pa.float64(), "logits per doubling of an essay's word count", null=True),
        _field("length_effect_standard_error", pa.float64(), "its standard error", null=True),
        _field("length_effect_p", pa.float64(), "two-sided p value of no effect", null=True),
        _field("length_effect_method", LABEL, "within grades | given grade | association", null=True),
        _field("length_effect_essays", pa.int32(), "essays it stands on"),
        _field("people_votes", pa.int32(), "judgments by people in the fit"),
        _field("people_predicted", pa.float64(), "share of people's votes that the models' scale predicts", null=True),
        _field("people_correlation", pa.float64(), "of scores from people alone and models alone", null=True),
        _field("terminal_label", pa.string(), "how the batch ended; null while another wave follows", null=True),
        _field("scoring_version", pa.int32(), "of the formulas; a scale of another version is made again"),
        _field("estimator", pa.string(), "newton | choix_map | choix_ilsr: whose scores, standard errors and ranks"),
    ]
)

WAVE_PATH = pa.schema(
    [
        _field("wave", pa.int32(), "number of the wave, from 1"),
        _field("kind", LABEL, "coverage | resampling"),
        _field("pairs", pa.int32(), "pairs of this wave"),
        _field("at_random", pa.int32(), "of them drawn without looking at scores"),
        _field("answered", pa.int32(), "comparisons with a verdict, all waves so far"),
        _field("unanswered", pa.int32(), "comparisons without one, all waves so far"),
        _field("score_change", pa.float64(), "largest change of a score since the wave before, in logits", null=True),
        _field("mean_standard_error", pa.float64(), "of the scores, in logits", null=True),
        _field("reliability", pa.float64(), "on pairs drawn at random, or between judges", null=True),
        _field("signal", pa.float64(), "standard errors by which verdicts follow scores from before them", null=True),
        _field("decision", LABEL, "finalize_scoring | finalize_failure | request_more_comparisons | no_op"),
        _field("label", LABEL, "how the batch ended; null while it goes on", null=True),
        _field("reason", pa.string(), "why this was decided"),
    ]
)

JUDGE_FIT = pa.schema(
    [
        _field("judge_id", LABEL, "the judge"),
        _field("kind", LABEL, "model | person"),
        _field("comparisons", pa.int32(), "comparisons with a verdict"),
        _field("unanswered", pa.int32(), "comparisons without one"),
        _field("unanswered_share", pa.float64(), "of the comparisons it was asked", null=True),
        _field("order_effect", pa.float64(), "its own advantage of the first seat, in logits", null=True),
        _field("order_effect_standard_error", pa.float64(), "its standard error", null=True),
        _field(
            "discrimination",
            pa.float64(),
            "how sharply it tells essays apart: geometric mean of a panel 1, coin tosses near 0; null with one judge",
            null=True,
        ),
        _field("discrimination_standard_error", pa.float64(), "its standard error", null=True),
        _field("infit", pa.float64(), "1 is expected", null=True),
        _field("outfit", pa.float64(), "1 is expected", null=True),
        _field("infit_z", pa.float64(), "infit less 1, in its standard errors under the model", null=True),
        _field("tie_share", pa.float64(), "of its verdicts", null=True),
        _field("first_seat_share", pa.float64(), "verdicts for the essay shown first, ties half", null=True),
        _field("mirrored_pairs", pa.int32(), "pairs it judged in both orders"),
        _field("flip_rate", pa.float64(), "share of those whose winner changed with the seats", null=True),
        _field("expected_flip_rate", pa.float64(), "what the fitted model expects", null=True),
    ]
)

PAIR_FIT = pa.schema(
    [
        _field("essay_a", ESSAY_ID, "one essay of the pair, in either seat"),
        _field("essay_b", ESSAY_ID, "the other"),
        _field("comparisons", pa.int32(), "answered comparisons of the two, all judges"),
        _field("wins_a", pa.float64(), "a tie is half a win"),
        _field("expected_wins_a", pa.float64(), "by the fitted scale"),
        _field("infit", pa.float64(), "information-weighted mean square residual; 1 is expected"),
        _field("outfit", pa.float64(), "mean square residual; 1 is expected"),
        _field("surprise", pa.float64(), "(wins - expected) / standard deviation under the model; largest first"),
    ]
)

JUDGE_AGREEMENT = pa.schema(
    [
        _field("judge_1", LABEL, "one judge"),
        _field("judge_2", LABEL, "another"),
        _field("pairs", pa.int32(), "pairs of essays that both judged"),
        _field("agreement", pa.float64(), "share of those with the same verdict"),
        _field("kappa", pa.float64(), "Cohen's kappa: agreement beyond chance, 1 is full", null=True),
    ]
)

GROUP_EFFECTS = pa.schema(
    [
        _field("column", LABEL, "a column of the essays table"),
        _field("group", LABEL, "the essays with this value, against all others that have one"),
        _field("judge_id", LABEL, "null: all judges; else this judge against all the others", null=True),
        _field("method", LABEL, "within grades | given grade | association | against the other judges"),
        _field("essays", pa.int32(), "essays of the group it stands on"),
        _field("others", pa.int32(), "essays it is compared with"),
        _field("effect", pa.float64(), "logits by which the group is scored higher than the others"),
        _field("standard_error", pa.float64(), "of the effect, essays being the unit"),
        _field("p_value", pa.float64(), "two-sided, of no difference"),
        _field("p_adjusted", pa.float64(), "times the number of tests in this table (Bonferroni), at most 1"),
    ]
)

DISAGREEMENTS = pa.schema(
    [
        _field("kind", LABEL, "pair: votes on two essays; essay: its score by people and by models"),
        _field("essay_a", ESSAY_ID, "the essay, or one of the pair"),
        _field("essay_b", ESSAY_ID, "the other of the pair", null=True),
        _field("people", pa.float64(), "share of people's votes for A; for an essay its score by people alone"),
        _field("models", pa.float64(), "P(A wins) by the models alone; for an essay its score by models alone"),
        _field("difference", pa.float64(), "people - models; for an essay in logits, on the models' scale"),
        _field("standard_error", pa.float64(), "of the difference under the model"),
        _field("people_votes", pa.int32(), "people's votes on the pair, or in which the essay stands"),
    ]
)

GRADE_PROJECTIONS = pa.schema(
    [
        _field("essay_id", ESSAY_ID, "the essay"),
        _field("is_anchor", pa.bool_(), "anchors are shown as projected without their own label"),
        _field("grade", LABEL, "posterior median grade; null when ungraded or withheld", null=True),
        _field("grade_probabilities", pa.map_(pa.string(), pa.float64()), "by grade, worst first", null=True),
        _field("grade_low", LABEL, "lower end of the 80 % range under this judge", null=True),
        _field("grade_high", LABEL, "upper end", null=True),
        _field("p_exact", pa.float64(), "probability that the grade is right", null=True),
        _field("p_within_one", pa.float64(), "probability that it is off by one at most", null=True),
        _field("review_priority", pa.float64(), "expected loss by not re-reading; highest first", null=True),
        _field("reason", pa.string(), "why there is no grade, or why a person should read it", null=True),
    ]
)

ANCHOR_PROJECTIONS = pa.schema(
    [
        _field("essay_id", ESSAY_ID, "the anchor"),
        _field("grade", LABEL, "its known grade"),
        _field("projected_grade", LABEL, "projected with its own label left out", null=True),
        _field("p_grade", pa.float64(), "probability given to the known grade", null=True),
        _field("residual", pa.float64(), "projected minus known, in grades", null=True),
    ]
)

GRADE_FIT = pa.schema(
    [
        _field("scale", pa.string(), "name of the scale", null=True),
        _field("labels", pa.list_(pa.string()), "its grades, worst first"),
        _field("thresholds", pa.list_(pa.float64()), "cuts between grades, on the unshrunk scores"),
        _field(
            "thresholds_on_scores", pa.list_(pa.float64()), "the same cuts beside the shrunken scores, for pictures"
        ),
        _field("threshold_standard_errors", pa.list_(pa.float64()), "their standard errors"),
        _field("anchors", pa.int32(), "anchors used"),
        _field("withheld", pa.string(), "why no grades are given; null when they are", null=True),
        _field("exact", pa.float64(), "leave-one-anchor-out: share projected exactly", null=True),
        _field("adjacent", pa.float64(), "leave-one-anchor-out: share within one grade", null=True),
        _field("mae", pa.float64(), "leave-one-anchor-out: mean absolute error in grades", null=True),
        _field("qwk", pa.float64(), "leave-one-anchor-out: quadratic weighted kappa", null=True),
        _field("spearman", pa.float64(), "anchor scores against grades", null=True),
        _field("anchor_tau", pa.float64(), "Kendall's tau of anchor scores and grades", null=True),
        _field("anchor_tau_limit", pa.float64(), "its 1 % quantile under the fitted model", null=True),
        _field("anchor_chance", pa.float64(), "share of shuffled grades the scores rise with as much", null=True),
        _field("anchor_signal", pa.float64(), "slope of anchor scores on grades, in SE", null=True),
        _field("largest_deviation", pa.float64(), "the anchor furthest from its band, in SE", null=True),
        _field("largest_deviation_anchor", pa.string(), "which anchor that is", null=True),
        _field("anchor_fault", pa.string(), "why the anchors cannot carry grades; null when they can", null=True),
        _field("discrepancy", pa.float64(), "logits: sd between judge and grades beyond their errors", null=True),
        _field("range_mass", pa.float64(), "least probability in a range; 80 % on average", null=True),
    ]
)

ANCHOR_DRIFT = pa.schema(
    [
        _field("essay_id", ESSAY_ID, "an anchor that was one in the earlier batch, too, word for word"),
        _field("earlier_batch", LABEL, "the batch it is compared with"),
        _field("earlier_essay_id", ESSAY_ID, "its id there"),
        _field("grade", LABEL, "its known grade"),
        _field("earlier_grade", LABEL, "its known grade there"),
        _field("shift", pa.float64(), "score less earlier score in logits, the common shift taken off"),
        _field("standard_error", pa.float64(), "of the shift, from the errors of both scores"),
    ]
)

CONTRACTS: dict[str, pa.Schema] = {
    "essays": ESSAYS,
    "comparison_pairs": COMPARISON_PAIRS,
    "provider_batch_jobs": PROVIDER_BATCH_JOBS,
    "judgments": JUDGMENTS,
    "human_judgments": HUMAN_JUDGMENTS,
    "bradley_terry_scores": BRADLEY_TERRY_SCORES,
    "scale_fit": SCALE_FIT,
    "wave_path": WAVE_PATH,
    "judge_fit": JUDGE_FIT,
    "judge_agreement": JUDGE_AGREEMENT,
    "pair_fit": PAIR_FIT,
    "group_effects": GROUP_EFFECTS,
    "disagreements": DISAGREEMENTS,
    "grade_projections": GRADE_PROJECTIONS,
    "anchor_projections": ANCHOR_PROJECTIONS,
    "grade_fit": GRADE_FIT,
    "anchor_drift": ANCHOR_DRIFT,
}
OPEN_CONTRACTS = {"essays"}  # may carry further columns of text: the groups of the batch
FROM_PURCHASE = frozenset(CONTRACTS) - {"essays", "comparison_pairs", "provider_batch_jobs"}

_REVISION = b"cj.revision"
_LEDGER_VERSION = b"cj.ledger_version"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a stored table was made from: the batch's revision and the ledger's version at that moment."""

    revision: str
    ledger_version: int


def conform(name: str, table: pa.Table) -> pa.Table:
    """Cast a table to its contract, columns in the contract's order.

    Raises `StructuralFault` for a missing or unknown column, a null where none may be, or a value that does
    not fit.
    """
    contract = CONTRACTS[name]
    extra = [column for column in table.column_names if column not in contract.names]
    missing = [column for column in contract.names if column not in table.column_names]
    if missing or (extra and name not in OPEN_CONTRACTS):
        raise StructuralFault(f"table {name}: columns missing {missing}, unknown {extra}. This is a bug in the stage.")
    full = pa.schema([*contract, *(pa.field(column, pa.string()) for column in extra)])
    try:
        conformed = pa.table([table[field.name].cast(field.type) for field in full], schema=full)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise StructuralFault(f"table {name}: {error}") from error
    for field in full:
        if not field.nullable and conformed[field.name].null_count:
            raise StructuralFault(f"table {name}: column {field.name} has {conformed[field.name].null_count} nulls")
    return conformed


def table_of_rows(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows by column name as a table of that contract, with none of them too. Raises `StructuralFault`."""
    plain = pa.schema([(field.name, _plain(field.type)) for field in CONTRACTS[name]])
    return conform(name, pa.Table.from_pylist([dict(row) for row in rows], schema=plain))


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(kind) else kind


def stamp(table: pa.Table, provenance: Provenance) -> pa.Table:
    """Write the provenance into the file's own metadata, so that it travels with every copy."""
    marks = {
        _REVISION: provenance.revision.encode(),
        _LEDGER_VERSION: str(provenance.ledger_version).encode(),
    }
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **marks})


def provenance_of(table: pa.Table) -> Provenance:
    """What `stamp` wrote. Raises `StaleTable` for a file without it."""
    marks = table.schema.metadata or {}
    if _REVISION not in marks or _LEDGER_VERSION not in marks:
        raise StaleTable("the file carries no revision; it was not written by this pipeline. Materialise it again.")
    return Provenance(marks[_REVISION].decode(), int(marks[_LEDGER_VERSION]))


def refuse_stale(name: str, batch_id: str, found: Provenance, current: Provenance) -> None:
    """Raise `StaleTable` when a file is older than what the ledger knows.

    Every table must be of the current revision; a table made from answers must also be of the current state
    of the purchase.
    """
    if found.revision != current.revision:
        raise StaleTable(
            f"batch {batch_id}: the stored {name} belong to revision {found.revision[:12]}, the batch is now "
            f"{current.revision[:12]}. Materialise {name} again."
        )
    if name in FROM_PURCHASE and found.ledger_version != current.ledger_version:
        raise StaleTable(
            f"batch {batch_id}: the stored {name} were made at ledger version {found.ledger_version}, the ledger "
            f"is at {current.ledger_version}. Materialise judgments and what follows again."
        )
