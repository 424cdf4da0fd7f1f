"""The one decision: finish, fail, or ask for another wave. A pure function of where the batch stands."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from cj_pipeline.waves.coverage import Coverage
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline.waves.rules import WaveRules
from cj_pipeline.waves.stop_rules import NO_EVIDENCE, Evidence, Signal, signal_in, stop_reason

WaveKind = Literal["coverage", "resampling"]


class Decision(StrEnum):
    """What is to be done; the words of the predecessor's metrics."""

    FINALIZE_SCORING = "finalize_scoring"
    FINALIZE_FAILURE = "finalize_failure"
    REQUEST_MORE_COMPARISONS = "request_more_comparisons"
    NO_OP = "no_op"


class TerminalLabel(StrEnum):
    """How a batch ended."""

    STABLE = "stable"
    NO_SIGNAL = "no_signal"
    BUDGET_EXHAUSTED = "budget_exhausted"
    COVERAGE_EXHAUSTED = "coverage_exhausted"
    SINGLE_WAVE_COMPLETE = "single_wave_complete"
    PARTIAL = "partial"
    FAILED_LOW_SUCCESS = "failed_low_success"
    INSUFFICIENT_ESSAYS = "insufficient_essays"


@dataclass(frozen=True, slots=True)
class WaveState:
    """Where a batch stands. `budget_left` is in pairs, as waves are; the other counts are comparisons."""

    mode: LLMBatchingMode
    n_essays: int
    budget_left: int
    planned: int  # pairs times the judges that answer them
    answered: int  # with a verdict
    failed: int  # with an outcome and no verdict
    coverage: Coverage
    resampling_passes: int = 0
    evidence: Evidence = NO_EVIDENCE
    rules: WaveRules = field(default_factory=WaveRules)

    @property
    def pending(self) -> int:
        """Comparisons without an outcome."""
        return max(0, self.planned - self.answered - self.failed)

    @property
    def success_rate(self) -> float:
        """Share of the comparisons with an outcome that have a verdict; 1 before there are any."""
        ended = self.answered + self.failed
        return self.answered / ended if ended else 1.0

    @property
    def low_success(self) -> bool:
        """Too few verdicts to score on."""
        ended = self.answered + self.failed
        return ended > 0 and (self.answered == 0 or self.success_rate < self.rules.min_success_rate)


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision with its reason for people; a label when it ends the batch, a kind when it asks for a wave."""

    decision: Decision
    reason: str
    label: TerminalLabel | None = None
    wave_kind: WaveKind | None = None

    @property
    def terminal(self) -> bool:
        """Whether the batch is over."""
        return self.label is not None


def decide(state: WaveState) -> Decided:
    """What follows from where the batch stands. It never waits for anything but outcomes that are still out."""
    if state.n_essays < 2:
        return _end(TerminalLabel.INSUFFICIENT_ESSAYS, f"{state.n_essays} essay: nothing can be compared")
    if state.pending:
        return Decided(Decision.NO_OP, f"{state.pending} of {state.planned} comparisons have no outcome yet")
    if not state.planned:
        return _more("coverage", "nothing is planned yet")
    if not state.mode.iterative:
        return _single_wave(state)
    if stopped := _stopped(state):
        return stopped
    kind = _next_kind(state)
    if kind is None:
        return _exhausted(state)
    return _more(kind, f"{state.coverage.open} pairs are open, {state.budget_left} within the budget")


def _single_wave(state: WaveState) -> Decided:
    if state.low_success:
        return _failed(state)
    if state.failed:
        return _end(TerminalLabel.PARTIAL, f"{state.failed} of {state.planned} comparisons have no verdict")
    return _end(TerminalLabel.SINGLE_WAVE_COMPLETE, f"all {state.planned} comparisons have a verdict")


def _stopped(state: WaveState) -> Decided | None:
    """The end by stop rule, if it is met; a low success rate blocks it, and so does a signal not yet clear."""
    if state.low_success or not (reason := stop_reason(state.evidence, state.answered, state.rules)):
        return None
    signal = signal_in(state.evidence, state.rules)
    if signal is Signal.SURE:
        return _end(TerminalLabel.STABLE, reason)
    if signal is Signal.NONE or (signal is Signal.UNCLEAR and _next_kind(state) is None):
        return _end(TerminalLabel.NO_SIGNAL, f"{reason}, and {state.evidence.signal_sentence()}")
    return None


def _next_kind(state: WaveState) -> WaveKind | None:
    """The wave that may follow: pairs without an answer first, then pairs again while passes are left."""
    if state.budget_left < 1:
        return None
    if state.coverage.open:
        return "coverage"
    passes_left = state.resampling_passes < state.rules.most_passes(state.n_essays)
    return "resampling" if passes_left and state.coverage.answered and not state.low_success else None


def _exhausted(state: WaveState) -> Decided:
    if state.low_success:
        return _failed(state)
    if signal_in(state.evidence, state.rules) is Signal.NONE:
        return _end(TerminalLabel.NO_SIGNAL, f"nothing more is asked, and {state.evidence.signal_sentence()}")
    if state.budget_left < 1:
        return _end(TerminalLabel.BUDGET_EXHAUSTED, f"the budget is spent on {state.planned} comparisons")
    return _end(
        TerminalLabel.COVERAGE_EXHAUSTED,
        f"every pair was asked, and {state.resampling_passes} time(s) again; {state.budget_left} pairs of the "
        "budget stay unspent",
    )


def _failed(state: WaveState) -> Decided:
    return Decided(
        Decision.FINALIZE_FAILURE,
        f"{state.answered} of {state.planned} comparisons have a verdict, {state.success_rate:.0%}; "
        f"{state.rules.min_success_rate:.0%} are needed",
        label=TerminalLabel.FAILED_LOW_SUCCESS,
    )


def _end(label: TerminalLabel, reason: str) -> Decided:
    return Decided(Decision.FINALIZE_SCORING, reason, label=label)


def _more(kind: WaveKind, reason: str) -> Decided:
    return Decided(Decision.REQUEST_MORE_COMPARISONS, reason, wave_kind=kind)
