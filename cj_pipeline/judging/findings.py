"""Claims about the judgments of a batch, and the essays too few of whose comparisons were answered."""

from collections import Counter, defaultdict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from cj_pipeline.batch import Batch
from cj_pipeline.findings import Finding, Kind
from cj_pipeline.judging.outcome import ErrorCode
from cj_pipeline.judging.questions import fingerprint, fingerprint_stem, questions_of

DEFAULT_MIN_ANSWERED = 8
REFUSAL_TAIL = 1e-3  # an essay refused more often than this chance allows is set apart
BIAS_LIMIT = 3.0  # standard errors of the first-seat share from one half

CHECKS = {
    "one_outcome_per_comparison": (Kind.STRUCTURAL, "Every planned comparison has exactly one terminal outcome."),
    "fingerprints_match": (Kind.STRUCTURAL, "Every judgment answers the question and the texts of this revision."),
    "success_rate": (Kind.GATE, "Enough of the comparisons came back with a verdict."),
    "one_model_per_judge": (Kind.GATE, "All answers of a judge name one model."),
    "answered_per_essay": (Kind.ADVICE, "Every essay has enough answered comparisons to be graded."),
    "position_bias": (Kind.ADVICE, "The seat does not decide: the first seat wins about half of the time."),
    "invalid_verdicts": (Kind.ADVICE, "Few answers break the form that was asked for."),
    "price_applied": (Kind.ADVICE, "The cost of every answer is known."),
}


def judgment_findings(batch: Batch, pairs: pa.Table, judgments: pa.Table) -> list[Finding]:
    """All claims about the table `judgments`, in the order of `CHECKS`."""
    checks = batch.manifest.checks
    codes = Counter(code for code in judgments["error_code"].to_pylist() if code is not None)
    return [
        _one_outcome(batch, pairs, judgments),
        _fingerprints(batch, judgments),
        _success_rate(judgments, codes, checks.min_success_rate),
        _one_model(judgments),
        _answered(batch, judgments),
        _position_bias(judgments),
        _invalid(codes, judgments.num_rows, checks.max_invalid_share),
        _priced(judgments),
    ]


def unanswered_essays(batch: Batch, judgments: pa.Table) -> dict[str, str]:
    """Essays that must not be graded from what was answered, each with the reason.

    Too few answered comparisons (default: the smaller of 8 and half of the plan), or refused more often than
    the batch's own refusal rate explains (one-sided binomial tail of 0.1 %): failures are not missing at random.
    """
    planned = _mentions(judgments)
    answered = _mentions(judgments.filter(pc.equal(judgments["outcome"], "success")))
    refused = _mentions(judgments.filter(pc.equal(judgments["error_code"], str(ErrorCode.REFUSED))))
    rate = sum(refused.values()) / max(1, 2 * judgments.num_rows)
    reasons: dict[str, str] = {}
    for essay in batch.essays["essay_id"].to_pylist():
        least = batch.manifest.checks.min_answered or min(DEFAULT_MIN_ANSWERED, -(-planned[essay] // 2))
        if answered[essay] < max(1, least):
            reasons[essay] = f"{answered[essay]} of {planned[essay]} comparisons answered, {max(1, least)} are needed"
        elif refused[essay] and stats.binom.sf(refused[essay] - 1, planned[essay], rate) < REFUSAL_TAIL:
            reasons[essay] = f"the judge refused {refused[essay]} of its {planned[essay]} comparisons"
    return reasons


def _one_outcome(batch: Batch, pairs: pa.Table, judgments: pa.Table) -> Finding:
    keys = list(zip(*_columns(judgments, "pair_id", "judge_id", "replicate"), strict=True))
    planned = set(zip(*_columns(pairs, "pair_id", "essay_a", "essay_b"), strict=True))
    judges = {judge.id: judge for judge in batch.manifest.judges}
    expected = {(pair, name) for pair, _, _ in planned for name, judge in judges.items() if judge.share == 1}
    absent = len(expected - {(pair, name) for pair, name, _ in keys})
    told = zip(*_columns(judgments, "pair_id", "essay_a", "essay_b", "judge_id"), strict=True)
    foreign = sum((pair, a, b) not in planned or judge not in judges for pair, a, b, judge in told)
    repeated = len(keys) - len(set(keys))
    return _finding(
        "one_outcome_per_comparison",
        not (absent or foreign or repeated),
        f"{len(keys)} judgments; {absent} comparisons without one, {repeated} with several, {foreign} never planned",
        judgments=len(keys),
        absent=absent,
        repeated=repeated,
        foreign=foreign,
    )


def _fingerprints(batch: Batch, judgments: pa.Table) -> Finding:
    questions = questions_of(batch)
    stems = {judge.id: fingerprint_stem(judge, questions[judge.id]) for judge in batch.manifest.judges}
    digests = dict(zip(*_columns(batch.essays, "essay_id", "sha256"), strict=True))
    rows = zip(*_columns(judgments, "judge_id", "essay_a", "essay_b", "fingerprint"), strict=True)
    # a judge or an essay that is not of the batch has no digest, and its row no fingerprint
    strange = sum(
        fingerprint(stems.get(judge, ""), digests.get(a, ""), digests.get(b, "")) != found
        for judge, a, b, found in rows
    )
    return _finding(
        "fingerprints_match",
        strange == 0,
        f"{strange} of {judgments.num_rows} judgments answer another question or another text",
        strange=strange,
        judgments=judgments.num_rows,
    )


def _success_rate(judgments: pa.Table, codes: Counter[str], least: float) -> Finding:
    failed = sum(codes.values())
    rate = 1 - failed / max(1, judgments.num_rows)
    why = ", ".join(f"{count} {code}" for code, count in codes.most_common()) or "none failed"
    return _finding(
        "success_rate",
        judgments.num_rows > 0 and failed < judgments.num_rows and rate >= least,
        f"{judgments.num_rows - failed} of {judgments.num_rows} comparisons have a verdict ({rate:.1%}; {why})",
        success_rate=rate,
        least=least,
        **{f"failed_{code}": count for code, count in codes.items()},
    )


def _one_model(judgments: pa.Table) -> Finding:
    models: dict[str, set[str]] = defaultdict(set)
    for judge, model in zip(judgments["judge_id"].to_pylist(), judgments["model_reported"].to_pylist(), strict=True):
        if model is not None:
            models[judge].add(model)
    said = "; ".join(f"{judge}: {', '.join(sorted(names))}" for judge, names in sorted(models.items()))
    return _finding(
        "one_model_per_judge",
        all(len(names) == 1 for names in models.values()),
        said or "no answers",
        largest_number_of_models=max(map(len, models.values()), default=0),
    )


def _answered(batch: Batch, judgments: pa.Table) -> Finding:
    asked = _mentions(judgments)
    reasons = {
        essay: reason
        for essay, reason in unanswered_essays(batch, judgments).items()
        if asked[essay] or batch.earlier is None  # an essay of a topped-up batch need not be asked again
    }
    named = "; ".join(f"{essay}: {reason}" for essay, reason in list(reasons.items())[:3])
    return _finding(
        "answered_per_essay",
        not reasons,
        f"{len(reasons)} essays cannot be graded for want of answers{': ' + named if named else ''}",
        essays=len(reasons),
    )


def _position_bias(judgments: pa.Table) -> Finding:
    winners = Counter(judgments["winner"].to_pylist())
    first, second = winners["essay_a"], winners["essay_b"]
    decided = first + second
    share = first / decided if decided else 0.5
    error = 0.5 / decided**0.5 if decided else 0.5
    return _finding(
        "position_bias",
        abs(share - 0.5) <= BIAS_LIMIT * error,
        f"the essay shown first won {share:.1%} of {decided} decided comparisons "
        f"(chance alone stays within {BIAS_LIMIT * error:.1%} of 50 %)",
        first_seat_share=share,
        standard_error=error,
        decided=decided,
    )


def _invalid(codes: Counter[str], judgments: int, most: float) -> Finding:
    invalid = codes[ErrorCode.INVALID_VERDICT] + codes[ErrorCode.TRUNCATED] + codes[ErrorCode.EMPTY]
    share = invalid / max(1, judgments)
    return _finding(
        "invalid_verdicts",
        share <= most,
        f"{invalid} of {judgments} answers are no verdict ({share:.1%}, at most {most:.0%} expected)",
        invalid_share=share,
        most=most,
    )


def _priced(judgments: pa.Table) -> Finding:
    unknown = judgments["cost_usd"].null_count
    total = pc.sum(judgments["cost_usd"]).as_py() or 0.0
    return _finding(
        "price_applied",
        unknown == 0,
        f"USD {total:.4f} for {judgments.num_rows} comparisons; the cost of {unknown} is not known",
        cost_usd=total,
        unknown=unknown,
    )


def _columns(table: pa.Table, *names: str) -> list[list[Any]]:
    return [table[name].to_pylist() for name in names]


def _mentions(rows: pa.Table) -> Counter[str]:
    return Counter(rows["essay_a"].to_pylist()) + Counter(rows["essay_b"].to_pylist())


def _finding(name: str, passed: bool, summary: str, **numbers: float | int | str) -> Finding:
    return Finding("judgments", name, CHECKS[name][0], bool(passed), summary, numbers)
