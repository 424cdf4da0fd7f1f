"""What follows a scored wave: worked out with the scores, then recorded once, together with the wave it asks for.

Working it out changes nothing and may be repeated by anyone; a decision that is recorded stands.
"""

import logging
import time
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cj_pipeline.batch import Batch, seed_of
from cj_pipeline.deployment import Deployment
from cj_pipeline.due import scored_batches
from cj_pipeline.errors import CjError, StructuralFault
from cj_pipeline.jobs.plan import batch_mode, budget_of, comparison_budget, rules_of
from cj_pipeline.jobs.recorded_waves import Decision as Recorded
from cj_pipeline.jobs.recorded_waves import Wave, decisions_of, keep_wave, record_decision, waves_of
from cj_pipeline.jobs.retries import due_at_the_end, plan_further_attempt
from cj_pipeline.scoring.votes import collect_votes
from cj_pipeline.tables import table_of_rows
from cj_pipeline.waves.coverage import coverage_of
from cj_pipeline.waves.decision import Decided, Decision, TerminalLabel, WaveState, decide
from cj_pipeline.waves.evidence import evidence_of, vote_origins
from cj_pipeline.waves.next_wave import plan_next_wave
from cj_pipeline.waves.processing_metadata import processing_metadata
from cj_pipeline.waves.quality import summarise

log = logging.getLogger(__name__)

Tables = Mapping[str, pa.Table]


class Step(StrEnum):
    """What `continue_batch` did."""

    NOTHING = "nothing"  # decided before
    ASKED_AGAIN = "failed comparisons are asked again"
    NEXT_WAVE = "a further wave"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where a batch stands after its latest wave, and what follows from it."""

    wave: Wave
    state: WaveState
    decided: Decided


def decided_tables(
    deployment: Deployment, batch: Batch, pairs: pa.Table, judgments: pa.Table, tables: Tables
) -> tuple[Tables, dict[str, Any]]:
    """The tables of the scale with what follows from them: `wave_path`, and in `scale_fit` the terminal label.

    Beside them the record of the decision (`processing_metadata`), for people.

    In the iterative modes the reliability is that of pairs which nobody chose by score. Changes nothing.
    """
    revision = deployment.ledger.provenance(batch.batch_id).revision
    recorded = decisions_of(deployment.ledger, batch.batch_id, revision)
    follows = continuation_of(deployment, batch, pairs, judgments)
    decided = follows.decided
    standing = next((one for one in recorded if one.wave == follows.wave.wave), None)
    if standing is not None:
        label = TerminalLabel(standing.label) if standing.label else None
        decided = Decided(Decision(standing.decision), standing.reason, label, decided.wave_kind)
    path = [dict(one.processing_metadata["wave_path"]) for one in recorded if one.wave < follows.wave.wave]
    follows = replace(follows, decided=decided)
    path.append(_path_row(follows, pairs))
    fit = tables["scale_fit"].to_pylist()[0] | {"terminal_label": decided.label and str(decided.label)}
    if follows.state.mode.iterative:
        fit["reliability"] = _number(follows.state.evidence.reliability)
    own = {"scale_fit": table_of_rows("scale_fit", [fit]), "wave_path": table_of_rows("wave_path", path)}
    return {**tables, **own}, metadata_of(batch, follows, tables["bradley_terry_scores"])


def continuation_of(deployment: Deployment, batch: Batch, pairs: pa.Table, judgments: pa.Table) -> Continuation:
    """Evaluate the decision from what is recorded and answered. Raises `NotConverged`."""
    revision = deployment.ledger.provenance(batch.batch_id).revision
    waves = waves_of(deployment.ledger, batch.batch_id, revision)
    state = wave_state(batch, waves, pairs, judgments)
    decided = decide(state)
    if decided.terminal and (again := due_at_the_end(deployment.ledger, deployment.store, batch, state.rules)):
        said = f"{again} failed comparisons are asked again before the end ({decided.label}: {decided.reason})"
        decided = Decided(Decision.NO_OP, said)
    return Continuation(waves[-1], state, decided)


def wave_state(batch: Batch, waves: list[Wave], pairs: pa.Table, judgments: pa.Table) -> WaveState:
    """Where the batch stands, as the decision sees it."""
    rules = rules_of(batch)
    succeeded = judgments.filter(pc.equal(judgments["outcome"], "success"))
    votes = collect_votes(batch.essays, judgments, [judge.id for judge in batch.manifest.judges])
    answered = set(succeeded["pair_id"].to_pylist())
    return WaveState(
        mode=waves[-1].mode,
        n_essays=batch.essays.num_rows,
        budget_left=max(0, budget_of(batch).pairs - pairs.num_rows),
        planned=judgments.num_rows,
        answered=succeeded.num_rows,
        failed=judgments.num_rows - succeeded.num_rows,
        coverage=coverage_of(batch.essays, pairs, answered),
        resampling_passes=sum(wave.kind == "resampling" for wave in waves),
        evidence=evidence_of(votes, vote_origins(votes, judgments, pairs)),
        rules=rules,
    )


def continue_batch(deployment: Deployment, batch_id: str) -> Step:
    """Act on what was worked out with the scores of the latest wave: once, whoever calls this, and however often.

    A decision is recorded with the wave it asks for in one transaction. Before the batch may end, what failed and
    may be asked again gets jobs. Raises `StaleTable` while the wave is not scored.
    """
    batch, ledger = deployment.batch(batch_id), deployment.ledger
    revision = ledger.provenance(batch_id).revision
    deployment.read_provenance("wave_path", batch_id)
    names = ("comparison_pairs", "judgments", "bradley_terry_scores", "wave_path")
    pairs, judgments, scores, path = (deployment.read_table(name, batch_id) for name in names)
    if any(one.wave == path["wave"][-1].as_py() for one in decisions_of(ledger, batch_id, revision)):
        return Step.NOTHING
    follows = continuation_of(deployment, batch, pairs, judgments)
    if follows.decided.decision is Decision.NO_OP:
        planned = plan_further_attempt(
            ledger, deployment.store, batch, deployment.settings, follows.state.rules, final=True
        )
        return Step.ASKED_AGAIN if planned else Step.NOTHING
    row = None if follows.decided.terminal else _next_wave(deployment, batch, follows, pairs, judgments, scores)
    recorded = Recorded(
        wave=follows.wave.wave,
        decision=str(follows.decided.decision),
        label=follows.decided.label and str(follows.decided.label),
        reason=follows.decided.reason,
        processing_metadata=metadata_of(batch, follows, scores) | {"wave_path": path.to_pylist()[-1]},
    )
    if not record_decision(ledger, batch_id, revision, recorded, row):
        return Step.NOTHING
    return Step.NEXT_WAVE if row else Step.ENDED


def continue_scored(deployment: Deployment, *, busy: Set[str], patience_seconds: float) -> list[str]:
    """`continue_batch` for every batch whose latest wave is scored, as far as the time goes; what went wrong, said.

    A busy batch has a run under way, whose later assets must find the ledger as its earlier ones did.
    """
    deadline, said = time.monotonic() + patience_seconds, []
    for batch_id in scored_batches(deployment):
        if batch_id in busy:
            continue
        if time.monotonic() > deadline:
            break
        try:
            step = continue_batch(deployment, batch_id)
            log.info("batch %s: %s", batch_id, step)
        except CjError as error:
            said.append(str(error))
    return said


def metadata_of(batch: Batch, follows: Continuation, scores: pa.Table) -> dict[str, Any]:
    """The record of a decision, under the predecessor's names."""
    errors = scores["standard_error"].to_numpy(zero_copy_only=False).astype(float)
    return dict(
        processing_metadata(
            follows.state, follows.decided, comparison_budget(batch), wave=follows.wave.wave,
            summary=summarise(errors, np.array(scores["comparisons"].to_pylist(), dtype=np.int64)),
        )
    )  # fmt: skip


def _next_wave(
    deployment: Deployment, batch: Batch, follows: Continuation, pairs: pa.Table, judgments: pa.Table, scores: pa.Table
) -> dict[str, object]:
    answered = frozenset(judgments.filter(pc.equal(judgments["outcome"], "success"))["pair_id"].to_pylist())
    position = {row["essay_id"]: row["score"] for row in scores.select(["essay_id", "score"]).to_pylist()}
    kind, wave = follows.decided.wave_kind or "coverage", follows.wave.wave + 1
    further = plan_next_wave(
        kind, batch.essays, pairs, answered, {name: score for name, score in position.items() if score is not None},
        follows.state.budget_left, wave, seed_of(batch.batch_id, batch.manifest), follows.state.rules,
    )  # fmt: skip
    if not further.num_rows:
        raise StructuralFault(f"batch {batch.batch_id}: wave {wave} would be empty. This is a bug in the decision.")
    revision = deployment.ledger.provenance(batch.batch_id).revision
    return keep_wave(
        deployment.store, batch.batch_id, revision, further,
        wave=wave, kind=kind, mode=str(batch_mode(batch)), why=follows.decided.reason,
    )  # fmt: skip


def _path_row(follows: Continuation, pairs: pa.Table) -> dict[str, Any]:
    state, evidence, wave = follows.state, follows.state.evidence, follows.wave
    return {
        "wave": wave.wave,
        "kind": wave.kind,
        "pairs": wave.pairs,
        "at_random": pc.sum(pairs.filter(pc.equal(pairs["wave"], wave.wave))["at_random"]).as_py(),
        "answered": state.answered,
        "unanswered": state.failed,
        "score_change": _number(evidence.score_change),
        "mean_standard_error": _number(evidence.mean_se),
        "reliability": _number(evidence.reliability),
        "signal": _number(evidence.signal),
        "decision": str(follows.decided.decision),
        "label": follows.decided.label and str(follows.decided.label),
        "reason": follows.decided.reason,
    }


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
