"""Claims about the scale of a batch."""

from typing import Any

import pyarrow as pa

from cj_pipeline.findings import Finding, Kind

GRADIENT_TOLERANCE = 1e-6  # of a log-likelihood with information of order 1 per essay: scores exact to ~1e-6 logits
WIDE_PRIOR_FACTOR = 1.5  # an estimated spread beyond this many prior SDs means the prior shrinks the ends
MISFIT = 1.5  # mean squares above are unproductive for measurement (Linacre)
LEAST_MIRRORED = 10  # pairs; fewer say little about a judge's noise

CHECKS = {
    "converged": (Kind.STRUCTURAL, "The fit stands at its optimum."),
    "connected": (Kind.ADVICE, "All essays that were answered about stand on one scale."),
    "reliability": (Kind.ADVICE, "The essays differ by more than the uncertainty of their scores."),
    "prior_wide_enough": (Kind.ADVICE, "The spread of the essays is not held down by the prior."),
    "standard_errors": (Kind.ADVICE, "Every scored essay has a finite standard error above zero."),
    "misfit": (Kind.ADVICE, "Few essays are judged in a way the scale cannot explain."),
    "judge_noise_measured": (Kind.ADVICE, "Mirrored pairs show how often a judge contradicts itself."),
}


def score_findings(
    scores: pa.Table, scale_fit: pa.Table, judge_fit: pa.Table, *, least_reliability: float
) -> list[Finding]:
    """All claims about the table `bradley_terry_scores`, in the order of `CHECKS`."""
    fit: dict[str, Any] = scale_fit.to_pylist()[0]
    return [
        _converged(fit),
        _connected(fit),
        _reliable(fit, least_reliability),
        _prior(fit),
        _errors(scores),
        _misfit(scores),
        _noise(judge_fit),
    ]


def _converged(fit: dict[str, Any]) -> Finding:
    return _finding(
        "converged",
        fit["gradient_norm"] <= GRADIENT_TOLERANCE,
        f"largest gradient entry {fit['gradient_norm']:.1e} after {fit['iterations']} Newton steps",
        gradient_norm=fit["gradient_norm"],
        iterations=fit["iterations"],
    )


def _connected(fit: dict[str, Any]) -> Finding:
    return _finding(
        "connected",
        fit["components"] == 1,
        f"{fit['components']} sets of essays that no answered comparison links; each is scored apart",
        components=fit["components"],
    )


def _reliable(fit: dict[str, Any], least: float) -> Finding:
    reliability, ssr = fit["reliability"], fit["ssr"]
    said = "not defined" if reliability is None else f"{reliability:.2f}"
    return _finding(
        "reliability",
        reliability is not None and reliability >= least,
        f"reliability {said} (SD²/(SD² + mean SE²), auto prior), SSR {'not defined' if ssr is None else f'{ssr:.2f}'} "
        f"(1 - mean SE²/var); {least:.2f} is asked for",
        **{name: fit[name] for name in ("reliability", "ssr", "separation") if fit[name] is not None},
    )


def _prior(fit: dict[str, Any]) -> Finding:
    estimated = fit["auto_prior_sd"]
    return _finding(
        "prior_wide_enough",
        estimated is None or estimated <= WIDE_PRIOR_FACTOR * fit["prior_sd"],
        f"estimated spread of the essays {'not defined' if estimated is None else f'{estimated:.2f} logits'}, "
        f"prior SD {fit['prior_sd']:.1f}",
        prior_sd=fit["prior_sd"],
        **({} if estimated is None else {"auto_prior_sd": estimated}),
    )


def _errors(scores: pa.Table) -> Finding:
    scored = [(row["score"], row["standard_error"]) for row in scores.to_pylist() if row["score"] is not None]
    errors = [error for _, error in scored if error is not None and error > 0]
    mean = sum(errors) / len(errors) if errors else 0.0
    return _finding(
        "standard_errors",
        len(errors) == len(scored),
        f"{len(scored)} essays scored, mean standard error {mean:.2f} logits, phi applied",
        scored=len(scored),
        mean_standard_error=mean,
    )


def _misfit(scores: pa.Table) -> Finding:
    infits = [infit for infit in scores["infit"].to_pylist() if infit is not None]
    unexplained = sum(infit > MISFIT for infit in infits)
    return _finding(
        "misfit",
        unexplained <= max(1, len(infits) // 10),
        f"{unexplained} of {len(infits)} essays with infit above {MISFIT}",
        misfitting=unexplained,
        essays=len(infits),
    )


def _noise(judge_fit: pa.Table) -> Finding:
    judges = judge_fit.to_pylist()
    said = [
        f"{judge['judge_id']}: {judge['flip_rate']:.0%} of {judge['mirrored_pairs']} mirrored pairs flipped, "
        f"{judge['expected_flip_rate']:.0%} expected"
        for judge in judges
        if judge["flip_rate"] is not None
    ]
    fewest = min((judge["mirrored_pairs"] for judge in judges), default=0)
    return _finding(
        "judge_noise_measured",
        fewest >= LEAST_MIRRORED,
        "; ".join(said) or "no pair was asked in both orders",
        fewest_mirrored_pairs=fewest,
    )


def _finding(name: str, passed: bool, summary: str, **numbers: float | int | str) -> Finding:
    return Finding("bradley_terry_scores", name, CHECKS[name][0], bool(passed), summary, numbers)
