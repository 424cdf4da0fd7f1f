"""Every sentence the report and the command line say, in one catalogue per language.

Templates and charts ask for a sentence by key and hand over the figures, so a further language is one more
mapping here. Sentences of the stages (reasons, findings) arrive as they were written there.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MISSING = "–"
_NO_BREAK = "\u00a0"
_ISOLATE, _POP = "\u2068", "\u2069"
_TURNING = {"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "FSI", "PDF", "PDI"}  # Unicode bidi classes


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of one language by key, and how that language writes numbers."""

    language: str
    sentences: Mapping[str, str]
    decimal_mark: str = "."
    thousands_mark: str = "\u202f"

    def __call__(self, key: str, /, **figures: object) -> str:
        """The sentence of that key with the figures put in. Raises `KeyError` for an unknown key."""
        unbroken = self.sentences[key].replace(" %", f"{_NO_BREAK}%")
        return unbroken.format(**figures)

    def count(self, key: str, count: int, /, **figures: object) -> str:
        """`key.one` or `key.other`, by the count, which is put in as `{count}`."""
        return self(f"{key}.{'one' if count == 1 else 'other'}", count=self.whole(count), **figures)

    def number(self, value: float | None, digits: int = 2) -> str:
        """A decimal number with a true minus sign; a dash for what is not known."""
        if value is None or not math.isfinite(value):
            return MISSING
        written = f"{value:,.{digits}f}".replace(",", self.thousands_mark).replace(".", self.decimal_mark)
        nought = not any(digit in written for digit in "123456789")
        return written.lstrip("-") if nought else written.replace("-", "−")

    def whole(self, value: float | None) -> str:
        """A whole number, thousands set apart."""
        return self.number(value, 0)

    def percent(self, share: float | None) -> str:
        """A share as a percentage; never 0 or 100 % for what is only nearly so."""
        if share is None or not math.isfinite(share):
            return MISSING
        if 0 < share < 0.01:
            return f"<{_NO_BREAK}1{_NO_BREAK}%"
        if 0.99 < share < 1:
            return f">{_NO_BREAK}99{_NO_BREAK}%"
        return f"{self.number(100 * share, 0)}{_NO_BREAK}%"

    def usd(self, amount: float | None) -> str:
        """US dollars; four decimals below one cent, so that a small bill is not written as none."""
        if amount is None:
            return MISSING
        return f"{self.number(amount, 4 if 0 < abs(amount) < 0.01 else 2)}{_NO_BREAK}USD"

    def moment(self, time: datetime | None) -> str:
        """Date and time to the minute, in UTC and said so."""
        return MISSING if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M}{_NO_BREAK}UTC"

    def day(self, time: datetime) -> str:
        """The date, in UTC."""
        return f"{time.astimezone(UTC):%Y-%m-%d}"

    def span(self, low: str | None, high: str | None) -> str:
        """A range of grades, or the one grade it holds."""
        if low is None or high is None:
            return MISSING
        return isolated(low) if low == high else f"{isolated(low)}–{isolated(high)}"


def isolated(name: str) -> str:
    """A name inside a sentence; one with right-to-left letters is set apart, so that it cannot reorder the rest."""
    turns = any(unicodedata.bidirectional(letter) in _TURNING for letter in name)
    return f"{_ISOLATE}{name}{_POP}" if turns else name


def listed(names: Iterable[str]) -> str:
    """Names in one line."""
    return ", ".join(isolated(name) for name in names)


def quoted(checks: Iterable[str]) -> str:
    """Names of checks in one line, as a person reads them."""
    return ", ".join(f"“{name.replace('_', ' ')}”" for name in checks)


ENGLISH = Catalogue(
    "en",
    {
        # headline
        "report": "Comparative judgement report",
        "batch": "batch {batch}",
        "offline.title": "Offline baseline: no exam may rest on this report",
        "offline.one": (
            "The judge {judges} is an offline baseline. It does not read essays as an assessor does; it is here "
            "to show and test the procedure. Use none of these grades or scores for a pupil."
        ),
        "offline.other": (
            "The judges {judges} are offline baselines. They do not read essays as an assessor does; they are "
            "here to show and test the procedure. Use none of these grades or scores for a pupil."
        ),
        "offline.print": "Offline baseline: no exam may rest on this report",
        "override.one": "A red check was overridden by a person: {names}. The written reason stands under Checks.",
        "override.other": "Red checks were overridden by a person: {names}. The written reasons stand under Checks.",
        "state.graded.all": "Graded: all {graded} pupils’ essays have a grade.",
        "state.graded.some.one": "Graded: {graded} of {pupils} pupils’ essays have a grade; {count} needs a person.",
        "state.graded.some.other": "Graded: {graded} of {pupils} pupils’ essays have a grade; {count} need a person.",
        "state.scored": "Scores without grades: {reason}",
        "state.scored.unknown": "Scores without grades; the tables give no reason.",
        "state.withheld.one": "Grades are withheld by the check {gates}: {reason}",
        "state.withheld.other": "Grades are withheld by the checks {gates}: {reason}",
        "state.anchors": "This batch holds anchors only: no pupil is graded by it.",
        "state.unanswered": "No comparison has been answered: there are neither scores nor grades.",
        "contents": "Contents",
        # how far it can be trusted
        "trust.title": "How far can this be trusted?",
        "trust.anchors": "The {n} anchors, each graded as if its grade were unknown: {exact} exactly right, "
        "{adjacent} within one grade.",
        "trust.anchors.one": "The one anchor, graded as if its grade were unknown: {exact} exactly right, "
        "{adjacent} within one grade.",
        "trust.anchors.note": "This is the only figure about validity that a batch carries by itself. Average error "
        "{mae} grades; quadratic weighted kappa {qwk}, where 1 is perfect and 0 is what guessing gives.",
        "trust.anchors.missing": "No anchor could be graded as if its grade were unknown. Nothing in this batch "
        "itself shows whether the judge is right.",
        "trust.anchors.unprojected": "{count} of the anchors could not be projected and are not counted.",
        "trust.known": "{n} pupils’ essays have a known grade from elsewhere. {exact} of the grades here are the "
        "same, {adjacent} are the same or one grade off.",
        "trust.known.note": "Spearman correlation of score and known grade {score}, of the two grades {grade}; "
        "quadratic weighted kappa {qwk}; average error {mae} grades. Known grades never enter the scale.",
        "trust.known.scores": "{n} pupils’ essays have a known grade from elsewhere. The Spearman correlation of "
        "score and known grade is {score}; 1 would be the same order.",
        "fact.essays": "essays",
        "fact.essays.note": "{pupils} by pupils, {anchors} anchors",
        "fact.comparisons": "comparisons answered",
        "fact.comparisons.note": "of {planned} planned; {median} per essay (median)",
        "fact.judges.one": "judge",
        "fact.judges.other": "judges",
        "fact.reliability": "reliability",
        "fact.reliability.note": "SD²/(SD² + mean SE²), prior fitted to the data",
        "fact.ssr": "SSR",
        "fact.ssr.note": "1 − mean SE²/variance, as No More Marking computes it",
        "fact.money": "spent",
        "fact.money.note": "cap {cap}",
        "fact.money.free": "no paid judge",
        "trust.how": (
            "Reliability and SSR say how consistently this judge would put the essays in the same order again. They "
            "do not say that the order is right: a judge can be consistent and wrong. Whether it is right shows "
            "only against grades that people gave: those of the anchors above, and a person’s own reading."
        ),
        "trust.one_judge": "One judge only: a second opinion, by a person or another judge, is not part of these "
        "figures.",
        "how": "How to read this",
        # review
        "review.title": "Scripts a person should re-read",
        "review.sentence": (
            "If a person re-reads the first {share} of this list ({scripts}), the expected number of wrong grades "
            "falls from {before} to {after} of {pupils}."
        ),
        "review.scripts.one": "{count} script",
        "review.scripts.other": "{count} scripts",
        "review.ungraded.one": "{count} script has no grade and needs a person in any case.",
        "review.ungraded.other": "{count} scripts have no grade and need a person in any case.",
        "review.none": "No script stands out.",
        "review.nogrades": "There are no grades in this batch, so no expected misgrades can be computed. {list}",
        "review.nogrades.list": "These scripts stand out for another reason:",
        "review.nogrades.empty": "No script stands out for another reason.",
        "review.misfit": "verdicts about it do not fit its place in the ranking (infit {infit})",
        "review.noscore": "it has no score",
        "review.more.one": "{count} further script with a remark",
        "review.more.other": "{count} further scripts with a remark",
        "review.ungraded.title": "Without a grade",
        "review.first.title": "Most useful to re-read, in this order",
        "review.rest.one": "{count} further script of this list",
        "review.rest.other": "{count} further scripts of this list",
        "review.boundary": "close to a grade boundary",
        "review.column.wrong": "chance the grade is wrong",
        "review.column.wrong.short": "chance it is wrong",
        "review.column.range": "range",
        "review.column.why": "why",
        "review.how": (
            "The list begins where a re-reading prevents the most. Each essay’s chance of a wrong grade is the "
            "judge’s own estimate from its verdicts; if the judge is systematically wrong, the true number of wrong "
            "grades is larger. The curve assumes that the person who re-reads gives the right grade. The dashed "
            "line is what the same amount of reading would prevent in an arbitrary order."
        ),
        "review.chart": "Expected wrong grades left, by share of scripts re-read",
        "review.chart.text": (
            "Line chart. With nothing re-read {before} wrong grades are expected among {pupils}; after the first "
            "{share} {after}; after all of them none."
        ),
        "review.chart.x": "scripts re-read, in the order of the list (%)",
        "review.chart.y": "expected wrong grades",
        # ranking
        "ranking.title": "Ranking",
        "ranking.chart": "Scores with their uncertainty, best first",
        "ranking.chart.component": "Scores with their uncertainty, best first: set {number} of {of}",
        "ranking.chart.x": "score (logits)",
        "ranking.chart.text": (
            "Interval chart of {count} essays, best first, from {best} at {top} to {worst} at {bottom} logits. Each "
            "has an 80 % and a 95 % interval. The table below carries the same figures."
        ),
        "ranking.key.pupil": "pupil",
        "ranking.key.anchor": "anchor",
        "ranking.key.80": "80 % interval",
        "ranking.key.95": "95 % interval",
        "ranking.key.cut": "cut between grades",
        "ranking.components": (
            "The comparisons fall into {count} sets that were never compared with each other. Scores and ranks hold "
            "within a set only."
        ),
        "ranking.column.set": "set",
        "ranking.column.rank": "rank",
        "ranking.column.essay": "essay",
        "ranking.column.grade": "grade",
        "ranking.column.range.one": "range under this judge, 80 %",
        "ranking.column.range.other": "range under these judges, 80 %",
        "ranking.column.probabilities": "grade probabilities, {worst} to {best}",
        "ranking.column.score": "score, logits",
        "ranking.column.se": "standard error",
        "ranking.column.comparisons": "comparisons",
        "ranking.column.flag": "remark",
        "ranking.anchor": "anchor {grade}",
        "ranking.flag.misfit": "misfit {infit}",
        "ranking.flag.reread": "re-read",
        "ranking.ungraded": "none",
        "ranking.how": (
            "An essay’s score comes only from which essays it won and lost against. Where two intervals overlap "
            "widely, the order of the two is not known. The little columns show how probable each grade is, worst "
            "grade to the left; solid columns lie in the 80 % range. That range is one under the judging done "
            "here: it says how sure the verdicts make the grade, not whether another assessor would agree. Anchors are "
            "shown as they would be graded if their own grade were unknown. A misfit means that verdicts about the "
            "essay contradict its place (infit above {misfit}; 1 is expected): read it."
        ),
        "ranking.how.scores": (
            "An essay’s score comes only from which essays it won and lost against. Where two intervals overlap "
            "widely, the order of the two is not known. Scores have no grades here; a score of one batch means "
            "nothing in another. A misfit means that verdicts about the essay contradict its place (infit above "
            "{misfit}; 1 is expected): read it."
        ),
        "ranking.empty": "There is no ranking: no comparison has been answered.",
        # anchors
        "anchors.title": "Anchors",
        "anchors.none": "This batch has no anchors that were projected. Without them there is no way from scores to "
        "grades, and no test of the judge.",
        "anchors.chart": "Each anchor graded as if its grade were unknown",
        "anchors.chart.x": "grade",
        "anchors.chart.text": (
            "Chart of {n} anchors by grade. A square marks the known grade, a dot the grade it was given without "
            "it: {exact} agree, {adjacent} are at most one grade apart."
        ),
        "anchors.key.known": "known grade",
        "anchors.key.projected": "graded without it",
        "anchors.column.known": "known",
        "anchors.column.projected": "graded without it",
        "anchors.column.p": "probability given to the known grade",
        "anchors.column.residual": "difference, grades",
        "anchors.fault": "The anchors cannot carry grades: {fault}",
        "anchors.order.plain": "Order of the anchors: Kendall’s tau {tau}, where 1 is the order of their grades.",
        "anchors.order.limit": "Below {limit} the order would be implausible for this judge.",
        "anchors.order.chance": "With shuffled grades {chance} is reached once in twenty times.",
        "anchors.furthest": "Furthest from the band of its grade: {anchor}, by {deviation} standard errors.",
        "anchors.how": (
            "Anchors are essays whose grade people agreed on beforehand. One at a time, an anchor’s grade is hidden, "
            "the scale is built from the others, and the anchor is graded like a pupil’s essay. The line between "
            "square and dot is the error. With few anchors a single one moves the result a good deal."
        ),
        # judges
        "judges.title": "How the judge behaved",
        "judges.title.other": "How the judges behaved",
        "judges.order": (
            "Of two equally good essays, {judge} prefers the one shown first in {share} of cases (95 % interval "
            "{low} to {high}); 50 % is even."
        ),
        "judges.order.point": "Of two equally good essays, {judge} prefers the one shown first in {share} of cases; "
        "50 % is even.",
        "judges.order.even": "That is within what chance explains.",
        "judges.order.uneven": "That is more than chance explains; the scores are corrected for it.",
        "judges.order.unknown": "Whether {judge} prefers the essay shown first could not be measured.",
        "judges.flips": (
            "Asked {pairs} again with the seats exchanged, it named the other essay in {observed}; the fitted "
            "scale expects {expected}."
        ),
        "judges.pairs.one": "{count} pair",
        "judges.pairs.other": "{count} pairs",
        "judges.flips.none": "No pair was asked again with the seats exchanged, so its steadiness was not measured.",
        "judges.ties": "{share} of its verdicts are ties.",
        "judges.ties.none": "No verdict is a tie.",
        "judges.unanswered.none": "Every comparison it was asked has a verdict.",
        "judges.silent.one": "{count} comparison has no verdict.",
        "judges.silent.other": "{count} comparisons have no verdict.",
        "judges.unanswered.one": "{count} comparison has no verdict: {reasons}.",
        "judges.unanswered.other": "{count} comparisons have no verdict: {reasons}.",
        "judges.infit": "Infit {infit}: 1 is expected, above 1 its verdicts contradict the common ranking more often.",
        "judges.chart": "Preference for the essay shown first",
        "judges.chart.x": "of two equal essays, the first wins (%)",
        "judges.chart.text": "Dot and 95 % interval per judge on a scale from 0 to 100 %: {parts}.",
        "judges.chart.part": "{judge} {share} ({low} to {high})",
        "judges.seats": "Seats in the plan: how much more often an essay is shown first than second",
        "judges.seats.x": "times first minus times second",
        "judges.seats.y": "essays",
        "judges.seats.text": "Bar chart of {count} essays; the difference goes from {low} to {high}.",
        "judges.how": (
            "Some judges favour the first or the second essay whatever it says. The plan shows every essay first "
            "about as often as second, and the scale measures and removes what preference is left. A judge that "
            "changes its mind when the seats are exchanged is guessing on those pairs; some of that is expected "
            "between essays of nearly equal quality."
        ),
        # checks
        "checks.title": "Checks",
        "checks.summary.clear": "All {count} checks passed.",
        "checks.summary": "{red} red, {overridden} overridden by a person, {warned} with a warning, {passed} passed.",
        "checks.none": "No checks were recorded.",
        "checks.red": "red",
        "checks.overridden": "overridden",
        "checks.warned": "warning",
        "checks.passed": "passed",
        "checks.kind.structural": "structural",
        "checks.kind.gate": "gate: withholds the grades when red",
        "checks.kind.advice": "advice",
        "checks.reason": "Overridden with the written reason:",
        "checks.passed.title.one": "{count} check passed",
        "checks.passed.title.other": "{count} checks passed",
        "checks.how": (
            "A red gate withholds all grades until a person overrides it by name and with a reason, which is kept "
            "here. A structural check is never red in a finished report, but for the last one, “publishable”: it is "
            "red as long as a gate is. A warning stops nothing."
        ),
        # money
        "money.title": "Money",
        "money.sentence": "{spent} spent, {reserved} reserved for answers still open.",
        "money.cap": "The cap of this batch is {cap}.",
        "money.nocap": "This batch has no paid judge and no cap.",
        "money.approved": "Approved by {who} on {when}, up to {cap}.",
        "money.unapproved": "No approval is recorded; none is needed without a paid judge.",
        "money.unapproved.paid": "No approval is recorded.",
        "money.nojobs": "No provider batch job is recorded.",
        "money.jobs": "Provider batch jobs",
        "money.more.one": "{count} further job, summed up in the last line",
        "money.more.other": "{count} further jobs, summed up in the last line",
        "money.column.job": "job",
        "money.column.model": "judge, provider and model",
        "money.column.state": "status",
        "money.column.items": "items",
        "money.column.cost": "cost, USD",
        "money.column.submitted": "submitted",
        "money.column.ended": "ended",
        "money.column.price": "price from",
        "money.total": "all jobs",
        # provenance
        "provenance.title": "Where this comes from",
        "provenance.revision": "revision",
        "provenance.ledger": "ledger version",
        "provenance.made": "report made",
        "provenance.mode": "mode",
        "provenance.ended": "how the batch ended",
        "provenance.scale": "scale",
        "provenance.scale.value": "{name}: {labels} (worst to best)",
        "provenance.fit": "fit",
        "provenance.fit.value": (
            "{comparisons} comparisons, {iterations} Newton steps, gradient {gradient}; prior SD {prior} logits "
            "(fitted to the data: {auto}); dispersion {phi}; order effect {order} logits"
        ),
        "provenance.fingerprints": "fingerprints",
        "provenance.fingerprints.value": "{fingerprints} distinct over {judgments} judgments",
        "provenance.prices": "prices from",
        "provenance.versions": "versions",
        "provenance.judge": "judge {judge}",
        "provenance.judge.value": "{provider}, {model} asked for, {reported} answered, at most {tokens} output tokens",
        "provenance.judge.silent": "{provider}, {model} asked for, at most {tokens} output tokens",
        "provenance.judge.offline": "offline baseline",
        "provenance.prompt": "Prompt, as sent",
        "provenance.assignment": "Assignment",
        "provenance.rubric": "Rubric",
        "provenance.empty": "none was given",
        # scripts
        "scripts.title": "Scripts",
        "scripts.note": "The pupils’ texts are personal data. Keep this file as you keep their exam papers.",
        "scripts.words.one": "{count} word",
        "scripts.words.other": "{count} words",
        "scripts.back": "back to the ranking",
        "foot": "Made by cj_pipeline from the stored tables of this batch. The file needs no network and asks for "
        "none.",
        # terminal
        "terminal.title": "{title} ({batch})",
        "terminal.offline": "OFFLINE BASELINE ({judges}): no exam may rest on these results.",
        "terminal.kind.anchor": "anchor {grade}",
        "terminal.column.kind": "",
        "terminal.column.range": "80 % range",
        "terminal.column.right": "P(right)",
        "terminal.column.se": "SE",
        "terminal.column.score": "score",
        "terminal.caption": "Scores in logits. Range and P(right) are under this judge; anchors as graded without "
        "their own grade.",
        "terminal.caption.other": "Scores in logits. Range and P(right) are under these judges; anchors as graded "
        "without their own grade.",
        "terminal.known": "Known grades of {n} pupils’ essays: {exact} exact, {adjacent} within one grade, quadratic "
        "weighted kappa {qwk}, Spearman {grade} (score and grade {score}).",
        "terminal.known.scores": "Known grades of {n} pupils’ essays: Spearman of score and grade {score}.",
        "terminal.anchors": "Leave-one-anchor-out: {exact} of {n} exact, {adjacent} of {n} within one grade, average "
        "error {mae} grades, quadratic weighted kappa {qwk}.",
        "terminal.reread.one": "{count} script should be re-read by a person ({ungraded} without a grade).",
        "terminal.reread.other": "{count} scripts should be re-read by a person ({ungraded} without a grade).",
        "terminal.standout.one": "{count} script stands out and should be read by a person.",
        "terminal.standout.other": "{count} scripts stand out and should be read by a person.",
        "terminal.reliability": "Reliability {reliability} (SD²/(SD²+mean SE²)), SSR {ssr} (1 − mean SE²/variance), "
        "{comparisons} comparisons.",
    },
)

CATALOGUES: Mapping[str, Catalogue] = {catalogue.language: catalogue for catalogue in (ENGLISH,)}


def catalogue(language: str) -> Catalogue:
    """The catalogue of a language; English where there is none yet."""
    return CATALOGUES.get(language, ENGLISH)
