"""What is claimed of an alignment run: it reaches the manifest's targets, and is no worse than the last one."""

from math import comb

from cj_pipeline.batch import Batch
from cj_pipeline.batch.manifest import ChecksSection
from cj_pipeline.deployment import Deployment
from cj_pipeline.eng5.alignment import Alignment
from cj_pipeline.eng5.anchor_run import AnchorRun, earlier_run, gather_anchor_run, is_alignment_batch, rank_on
from cj_pipeline.findings import Finding, Kind

ASSET = "batch_report"
NAMED = 3  # inversions and anchors that a summary names
NOT_ALIGNED = "no anchor alignment: the batch has pupils' essays, or no scale"
CHECKS = {
    "anchors_aligned": (Kind.PARITY, "Anchor alignment: scores follow grades (Kendall's tau at least min_tau)."),
    "few_inversions": (Kind.PARITY, "Anchor alignment: the worse grade won in at most max_inversions pairs."),
    "every_anchor_wins": (Kind.PARITY, "Anchor alignment: at most max_zero_wins anchors never won."),
    "no_regression": (Kind.PARITY, "Anchor alignment: tau fell by at most max_tau_drop since the last run."),
}


def alignment_findings(deployment: Deployment, batch: Batch) -> list[Finding]:
    """The claims about a batch, in the order of `CHECKS`; all green, and saying so, where it is no alignment run.

    Raises `StaleTable` before it was scored, and for a last run that was not.
    """
    if not is_alignment_batch(batch):
        return [_finding(name, True, NOT_ALIGNED) for name in CHECKS]
    run = gather_anchor_run(deployment, batch)
    checks = batch.manifest.checks
    return [
        *target_findings(run.alignment, len(run.ranked), checks),
        regression_finding(run, earlier_run(deployment, batch), checks),
    ]


def target_findings(found: Alignment, n_anchors: int, checks: ChecksSection) -> list[Finding]:
    """The predecessor's three targets; they mean something for real or replayed judges."""
    inverted = ", ".join(f"{one.worse} over {one.better}" for one in found.inversions[:NAMED])
    return [
        _finding(
            "anchors_aligned",
            found.kendall_tau >= checks.min_tau,
            f"Kendall's tau {found.kendall_tau:.3f} of {n_anchors} anchors, at least {checks.min_tau:g}",
            kendall_tau=found.kendall_tau,
            min_tau=checks.min_tau,
            anchors=n_anchors,
        ),
        _finding(
            "few_inversions",
            len(found.inversions) <= checks.max_inversions,
            f"{len(found.inversions)} pairs inverted, at most {checks.max_inversions}"
            + (f": {inverted}" if inverted else ""),
            inversions=len(found.inversions),
            max_inversions=checks.max_inversions,
            comparisons=found.comparisons,
        ),
        _finding(
            "every_anchor_wins",
            len(found.zero_wins) <= checks.max_zero_wins,
            f"{len(found.zero_wins)} anchors never won, at most {checks.max_zero_wins}"
            + (f": {', '.join(found.zero_wins[:NAMED])}" if found.zero_wins else ""),
            zero_wins=len(found.zero_wins),
            max_zero_wins=checks.max_zero_wins,
        ),
    ]


def regression_finding(run: AnchorRun, last: AnchorRun | None, checks: ChecksSection) -> Finding:
    """The run beside the last one, both over the texts they share.

    `p_worse` is that of an exact sign test over the pairs that only one of the two judged against the grades: how
    often chance alone would set the new run as far behind. It is shown and decides nothing: twelve anchors are few.
    """
    if last is None:
        return _finding("no_regression", True, "there is no earlier run to be held against")
    shared = set(run.hashes.values()) & set(last.hashes.values())
    now, then = run.among(shared), last.among(shared)
    if len(now.ranked) < 2 or len(then.ranked) < 2:
        return _finding("no_regression", True, f"{last.batch_id} has no two of these anchors; nothing to hold against")
    new, gone = _against_grades(now) - _against_grades(then), _against_grades(then) - _against_grades(now)
    drop = then.alignment.kendall_tau - now.alignment.kendall_tau
    return _finding(
        "no_regression",
        drop <= checks.max_tau_drop,
        f"tau {now.alignment.kendall_tau:.3f}, {then.alignment.kendall_tau:.3f} in {last.batch_id} (revision "
        f"{last.revision[:12]}) over {len(now.ranked)} shared anchors; it may fall by {checks.max_tau_drop:g}. "
        f"{len(new)} pairs newly against the grades, {len(gone)} no longer",
        kendall_tau=now.alignment.kendall_tau,
        kendall_tau_before=then.alignment.kendall_tau,
        drop=drop,
        newly_inverted=len(new),
        no_longer_inverted=len(gone),
        p_worse=sign_test(len(new), len(gone)),
    )


def sign_test(worse: int, better: int) -> float:
    """One-sided exact probability of at least `worse` of `worse + better` fair coins."""
    n = worse + better
    return sum(comb(n, k) for k in range(worse, n + 1)) / 2**n


def _against_grades(run: AnchorRun) -> set[tuple[str, str]]:
    """Pairs (better, worse), by the hashes of their texts, that stand the other way round in the scores."""
    rank = {anchor: rank_on(run.scale, run.grades[anchor]) for anchor in run.ranked}
    return {
        (run.hashes[lower], run.hashes[higher])
        for place, higher in enumerate(run.ranked)
        for lower in run.ranked[place + 1 :]
        if rank[lower] < rank[higher]
    }


def _finding(name: str, passed: bool, summary: str, **numbers: float | int | str) -> Finding:
    return Finding(ASSET, name, CHECKS[name][0], bool(passed), summary, numbers)
