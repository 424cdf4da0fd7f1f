"""Claims about the scale of a batch."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from scipy.stats import norm

from cj_pipeline.findings import Finding, Kind

GRADIENT_TOLERANCE = 1e-6  # of a log-likelihood with information of order 1 per essay: scores exact to ~1e-6 logits
WIDE_PRIOR_FACTOR = 1.5  # an estimated spread beyond this many prior SDs means the prior shrinks the ends
MISFIT = 1.5  # mean squares above are unproductive for measurement (Linacre)
LEAST_MIRRORED = 10  # pairs; fewer say little about a judge's noise
JUDGE_MISFIT = 1.2  # infit; a coin among judges of ordinary sharpness has about 2
FALSE_ALARM = 0.01  # chance of a warning about judges, length or groups when nothing is there
LENGTH_THAT_MATTERS = 0.1  # logits per doubling; a smaller effect moves no grade, however certain it is
SHOWN = 3  # names in a sentence

CHECKS = {
    "converged": (Kind.STRUCTURAL, "The fit stands at its optimum."),
    "signal": (Kind.GATE, "Pairs that nobody chose by score bear the scores out."),
    "connected": (Kind.ADVICE, "All essays that were answered about stand on one scale."),
    "reliability": (Kind.ADVICE, "The essays differ by more than the uncertainty of their scores."),
    "prior_wide_enough": (Kind.ADVICE, "The spread of the essays is not held down by the prior."),
    "standard_errors": (Kind.ADVICE, "Every scored essay has a finite standard error above zero."),
    "misfit": (Kind.ADVICE, "Few essays are judged in a way the scale cannot explain."),
    "judge_noise_measured": (Kind.ADVICE, "Mirrored pairs show how often a judge contradicts itself."),
    "judges_agree": (Kind.ADVICE, "Another half of the judges would put the essays in the same order."),
    "judges_fit": (Kind.ADVICE, "No judge contradicts the common scale more often than its noise explains."),
    "length": (Kind.ADVICE, "Verdicts do not follow the length of essays of the same grade."),
    "groups": (Kind.ADVICE, "No group of essays is scored differently from what else is known about it."),
    "people_agree": (Kind.ADVICE, "People's own verdicts leave no essay far from where the models put it."),
}


def score_findings(tables: Mapping[str, pa.Table], *, least_reliability: float) -> list[Finding]:
    """All claims about the tables of the scale, in the order of `CHECKS`."""
    fit: dict[str, Any] = tables["scale_fit"].to_pylist()[0]
    judges: list[dict[str, Any]] = tables["judge_fit"].to_pylist()
    return [
        _converged(fit),
        signal_finding(fit),
        _connected(fit),
        _reliable(fit, least_reliability),
        _prior(fit),
        _errors(tables["bradley_terry_scores"]),
        _misfit(tables["bradley_terry_scores"]),
        _noise(judges),
        _judges_agree(fit, judges, least_reliability),
        _judges_fit(judges),
        _length(fit),
        _groups(tables["group_effects"].to_pylist()),
        _people_agree(fit, tables["disagreements"].to_pylist()),
    ]


def _converged(fit: dict[str, Any]) -> Finding:
    return _finding(
        "converged",
        fit["gradient_norm"] <= GRADIENT_TOLERANCE,
        f"largest gradient entry {fit['gradient_norm']:.1e} after {fit['iterations']} Newton steps",
        gradient_norm=fit["gradient_norm"],
        iterations=fit["iterations"],
    )


def signal_finding(fit: dict[str, Any]) -> Finding:
    """The gate on a batch that was stopped because its scores were precise, while they say nothing."""
    label = fit["terminal_label"]
    ended = f"ended as {label}" if label else "another wave follows"
    return _finding(
        "signal",
        label != "no_signal",
        f"{ended}: its scores are precise, and fresh verdicts do not follow them" if label == "no_signal" else ended,
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


def _noise(judge_fit: list[dict[str, Any]]) -> Finding:
    judges = [judge for judge in judge_fit if judge["kind"] == "model"]
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


def _judges_agree(fit: dict[str, Any], judges: list[dict[str, Any]], least: float) -> Finding:
    reliability, correlation = fit["split_reliability"], fit["split_correlation"]
    if fit["split_by"] == "comparisons":
        said = "One judge only, and one judge agrees with itself"
        if reliability is not None:
            said += (
                f": halves of its comparisons correlate {correlation:.2f}, which makes {reliability:.2f} for the whole"
            )
        return _finding("judges_agree", False, said, **_known(fit, "split_correlation", "split_reliability", "splits"))
    if reliability is None:
        said = "the judges' halves share too few essays to be compared"
    else:
        said = (
            f"halves of the {sum(judge['comparisons'] > 0 for judge in judges)} judges correlate {correlation:.2f} "
            f"(median of {fit['splits']} splits), which makes {reliability:.2f} for the panel; {least:.2f} is asked for"
        )
    return _finding(
        "judges_agree",
        reliability is not None and reliability >= least,
        said,
        **_known(fit, "split_correlation", "split_reliability", "splits"),
    )


def _judges_fit(judges: list[dict[str, Any]]) -> Finding:
    measured = [judge for judge in judges if judge["infit_z"] is not None]
    limit = float(norm.isf(FALSE_ALARM / max(1, len(measured))))
    strange = [judge for judge in measured if judge["infit"] > JUDGE_MISFIT and judge["infit_z"] > limit]
    strange.sort(key=lambda judge: -judge["infit_z"])
    named = ", ".join(f"{judge['judge_id']} (infit {judge['infit']:.2f})" for judge in strange[:SHOWN])
    return _finding(
        "judges_fit",
        not strange,
        f"{len(strange)} of {len(measured)} judges contradict the common scale beyond their noise"
        + (f": {named}" if named else ""),
        misfitting=len(strange),
        judges=len(measured),
    )


def _length(fit: dict[str, Any]) -> Finding:
    effect, error, method = fit["length_effect"], fit["length_effect_standard_error"], fit["length_effect_method"]
    if effect is None:
        return _finding("length", True, "too few essays of different length to say")
    said = f"{effect:+.2f} logits (standard error {error:.2f}) per doubling of the word count"
    if method == "association":
        said += f" over {fit['length_effect_essays']} essays without known grades: better essays may simply be longer"
    else:
        said += f", {method}, over {fit['length_effect_essays']} essays"
    matters = fit["length_effect_p"] < FALSE_ALARM and abs(effect) > LENGTH_THAT_MATTERS
    return _finding(
        "length",
        method == "association" or not matters,
        said,
        **_known(fit, "length_effect", "length_effect_standard_error", "length_effect_p", "length_effect_essays"),
    )


def _groups(effects: list[dict[str, Any]]) -> Finding:
    tested = [effect for effect in effects if effect["method"] != "association"]
    found = [effect for effect in tested if effect["p_adjusted"] < FALSE_ALARM]
    named = "; ".join(
        f"{effect['column']} {effect['group']} {effect['effect']:+.2f} logits (standard error "
        f"{effect['standard_error']:.2f}, {effect['judge_id'] + ' ' if effect['judge_id'] else ''}{effect['method']})"
        for effect in found[:SHOWN]
    )
    looked = f"{len(tested)} differences between groups tested, {len(effects) - len(tested)} shown as mere associations"
    return _finding(
        "groups",
        not found,
        f"{len(found)} beyond chance (Bonferroni); {looked}{': ' + named if named else ''}",
        found=len(found),
        tested=len(tested),
    )


def _people_agree(fit: dict[str, Any], rows: list[dict[str, Any]]) -> Finding:
    essays = [row for row in rows if row["kind"] == "essay"]
    if not fit["people_votes"]:
        return _finding("people_agree", True, "no judgments by people", people_votes=0)
    if not essays:
        said = f"{fit['people_votes']} judgments by people, too few of essays that models judged"
        return _finding("people_agree", True, said, people_votes=fit["people_votes"])
    limit = float(norm.isf(FALSE_ALARM / (2 * len(essays))))
    apart = [row for row in essays if abs(row["difference"]) > limit * row["standard_error"]]
    named = ", ".join(f"{row['essay_a']} ({row['difference']:+.1f} logits)" for row in apart[:SHOWN])
    predicted, correlation = fit["people_predicted"], fit["people_correlation"]
    said = f"{len(apart)} of {len(essays)} essays stand elsewhere by people than by models"
    said += f": {named}" if named else ""
    if predicted is not None:
        said += f"; the models' scale predicts {predicted:.0%} of {fit['people_votes']} votes by people"
    if correlation is not None:
        said += f", the two scales correlate {correlation:.2f}"
    return _finding(
        "people_agree",
        not apart,
        said,
        apart=len(apart),
        essays=len(essays),
        **_known(fit, "people_votes", "people_predicted", "people_correlation"),
    )


def _known(fit: dict[str, Any], *names: str) -> dict[str, float]:
    return {name: fit[name] for name in names if fit[name] is not None}


def _finding(name: str, passed: bool, summary: str, **numbers: float | int | str) -> Finding:
    return Finding("bradley_terry_scores", name, CHECKS[name][0], bool(passed), summary, numbers)
