"""Every sentence of the report and the command line in English, by key."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
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
    "quoted": "“{name}”",
    # the three views
    "views": "Views of this report",
    "overview.title": "Overview",
    "overview.for": "What came out, how far it can be trusted, and what a person should do now.",
    "psychometrics.title": "Psychometrics",
    "psychometrics.for": "The scale and its errors, the judges, the anchors: what the grades rest on.",
    "audit.title": "Audit",
    "audit.for": "What was checked, bought and computed, so that each figure can be followed back.",
    # grades
    "grades.title": "Grades",
    "grades.none": "There are no grades. The order of the essays, with its uncertainty, stands under Psychometrics.",
    "grades.lead": "The range is where the right grade lies in four of five cases if the judging is sound. Where it "
    "spans several grades, the grade alone says more than is known.",
    "grades.chart": "Pupils’ essays by grade",
    "grades.chart.text": "Column chart of {pupils} pupils’ essays by grade: {parts}.",
    "grades.chart.part": "{grade} {count}",
    "grades.chart.y": "essays",
    "grades.column.range": "likely range, 80 %",
    "grades.column.reread": "re-read?",
    "grades.yes": "yes",
    "grades.rest.one": "{count} further essay",
    "grades.rest.other": "{count} further essays",
    # what it must not be used for
    "limits.title": "What this must not be used for",
    "limits.offline": "Nothing that concerns a pupil: the judging was done by an offline baseline.",
    "limits.alone": "No decision by itself. A grade here is what the comparisons make probable; the teacher, who has "
    "seen more than one text, decides.",
    "limits.unread": "No publication before the scripts above are re-read. Those without a grade have none until a "
    "person gives it.",
    "limits.withheld": "No grades taken from the scores by hand: a check found that they would mislead.",
    "limits.order": "No order among pupils whose ranges or intervals overlap: it is not known who wrote better.",
    "limits.scores": "No comparison of scores with another batch, year or school: a score means something within its "
    "own batch only.",
    "limits.groups": "No verdict on a teacher, a class or a group of pupils: a difference may come from the judge.",
    # the scale
    "scale.title": "The scale",
    "scale.error": "mean standard error",
    "scale.error.note": "logits; from {low} to {high}",
    "scale.separation": "separation",
    "scale.separation.note": "true spread by its error, both in logits",
    "scale.order": "order effect",
    "scale.order.note": "logits in favour of the essay shown first; standard error {error}",
    "scale.dispersion": "dispersion φ",
    "scale.dispersion.note": "repeated pairs; errors are widened by its root",
    "scale.prior": "prior SD",
    "scale.prior.note": "logits; {auto} if fitted to the data",
    "scale.misfit": "misfitting essays",
    "scale.misfit.note": "infit above {limit}; median infit {median}",
    "scale.per_essay": "comparisons per essay",
    "scale.per_essay.note": "median; from {low} to {high}",
    "scale.none": "There is no scale: no comparison has been answered.",
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
    "trust.one_judge": "One judge only: a second opinion, by a person or another judge, is not part of these figures.",
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
        "grades is larger. The curve assumes that the person who re-reads gives the right grade, and it is "
        "somewhat hopeful: in simulations four fifths or more of what it promises was prevented. The dashed "
        "line is what the same amount of reading would prevent in an arbitrary order."
    ),
    "review.steps.title": "What re-reading buys",
    "review.steps.share": "re-read first",
    "review.steps.scripts": "scripts",
    "review.steps.before": "wrong grades expected",
    "review.steps.after": "left after it",
    "review.steps.by_lot": "after as many by lot",
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
    "ranking.new": "new",
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
    "anchors.order.chance": "Shuffled grades would look as well ordered in {chance} of cases.",
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
    # the judges as a panel
    "panel.split.judges": "Scored by halves of the judges, the essays’ two scores correlate {correlation} (median "
    "of {splits} splits); for all judges together that makes a reliability of {reliability}.",
    "panel.split.comparisons": "Scored by halves of its comparisons, the essays’ two scores correlate "
    "{correlation} (median of {splits} splits), a reliability of {reliability} for the whole. One judge agrees "
    "with itself: this says nothing about a second judge.",
    "panel.length.graded": "Of two essays {method}, one twice as long as the other wins in {wins} of cases "
    "({effect} logits, 95 % interval {low} to {high}, {essays} essays with known grades).",
    "panel.length.association": "Of two essays, one twice as long as the other wins in {wins} of cases ({effect} "
    "logits, 95 % interval {low} to {high}, {essays} essays). Without known grades this cannot be told from longer "
    "essays being better.",
    "panel.length.even": "That is within what chance explains.",
    "panel.length.uneven": "That is more than chance explains; longer essays may still be the better ones.",
    "panel.method.within_grades": "of the same grade",
    "panel.method.given_grade": "of like grade, by a straight line over the grades",
    "panel.method.association": "scores as they are; the groups may truly differ",
    "panel.method.against_the_other_judges": "this judge against all others",
    "panel.people": "People gave {votes} judgments. The models’ scale alone predicts {predicted} of those that "
    "name a winner, and the scores by people alone and by models alone correlate {correlation}.",
    "panel.people.few": "People gave {votes} judgments, too few of essays that models judged as well.",
    "panel.judges.title": "The judges side by side",
    "panel.judges.more.one": "{count} further judge fits better than these.",
    "panel.judges.more.other": "{count} further judges fit better than these.",
    "panel.judges.alike": "Every vote counts alike in the scores, whatever the discrimination of its judge.",
    "panel.judges.weighs": "In the scores judges weigh by their discrimination, as the manifest asks.",
    "panel.column.judge": "judge",
    "panel.column.kind": "kind",
    "panel.kind.model": "model",
    "panel.kind.person": "person",
    "panel.column.comparisons": "verdicts",
    "panel.column.first": "first of two equals wins (95 % interval)",
    "panel.column.discrimination": "discrimination (± standard error)",
    "panel.column.infit": "infit",
    "panel.column.ties": "ties",
    "panel.column.unanswered": "unanswered",
    "panel.interval": "{value} ({low} to {high})",
    "panel.plusminus": "{value} ± {error}",
    "panel.agreement.title": "Same verdict on the pairs that both judged",
    "panel.agreement.kappa": "κ {kappa}",
    "panel.people.title": "Where people and models differ most",
    "panel.people.essays": "Essays that people place elsewhere than models, in logits of the models’ scale",
    "panel.people.share": "people’s votes for the one",
    "panel.people.expected": "expected by the models’ scale",
    "panel.people.votes": "people’s votes",
    "panel.people.score": "by people",
    "panel.models.score": "by models",
    "panel.column.one": "the one",
    "panel.column.other": "the other",
    "panel.column.difference": "difference (± standard error)",
    "panel.groups.title": "Groups of essays",
    "panel.groups.by": "{group}, by {judge}",
    "panel.groups.essays": "{essays} against {others}",
    "panel.groups.note": "Logits by which a group is scored higher than the essays it is compared with. The p "
    "value is multiplied by the number of differences looked at (Bonferroni); below 0.01 the check “groups” warns.",
    "panel.column.group": "group",
    "panel.column.essays": "essays",
    "panel.column.p": "adjusted p",
    "panel.column.method": "compared",
    "panel.pairs.title": "The verdicts that surprise most",
    "panel.pairs.wins": "wins of the one",
    "panel.pairs.expected": "expected",
    "panel.how": (
        "Discrimination says how sharply a judge tells essays apart: 1 is the panel’s middle, near 0 is tossing "
        "coins. It rewards agreeing with the others, and does not show who is right. Agreement counts pairs on "
        "which both name the same essay, or both a tie; kappa (κ) is what is left of it beyond chance. The lists "
        "begin with what is largest compared with its own uncertainty: read those essays first, and where people "
        "and models differ, both texts. A difference between groups is not yet unfairness, and none is not yet "
        "fairness."
    ),
    # checks
    "checks.title": "Checks",
    "checks.language": "What the checks found is told in English.",
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
    # budget
    "path.title": "The way there, wave by wave",
    "path.lead.one": "This batch was asked in one wave of {pairs} pairs.",
    "path.lead.other": "This batch was asked in {count} waves, {pairs} pairs in all.",
    "path.label.stable": "It stopped when its scores were precise enough, and fresh verdicts follow them.",
    "path.label.no_signal": "It stopped without a signal: its scores are precise, but fresh verdicts ignore them.",
    "path.label.budget_exhausted": "It ended when its budget was spent.",
    "path.label.coverage_exhausted": "It ended when every pair had been asked as often as may be.",
    "path.label.single_wave_complete": "Every comparison was answered.",
    "path.label.partial": "Some comparisons were not answered.",
    "path.label.failed_low_success": "It failed: too few comparisons were answered.",
    "path.label.insufficient_essays": "It had too few essays to compare.",
    "path.chart": "Precision, reliability and change of the scores by wave",
    "path.chart.text": (
        "After {waves} waves the mean standard error is {error} logits, the reliability {reliability} and the largest "
        "change of a score in the last wave {change} logits."
    ),
    "path.chart.x": "wave",
    "path.key.error": "mean standard error, logits",
    "path.key.reliability": "reliability on pairs drawn at random, or between judges",
    "path.key.change": "largest change of a score, logits",
    "path.caption": "What the scores were worth after each wave",
    "path.column.wave": "Wave",
    "path.column.kind": "Kind",
    "path.column.pairs": "Pairs",
    "path.column.at_random": "Drawn at random",
    "path.column.comparisons": "Comparisons so far",
    "path.column.change": "Largest change",
    "path.column.error": "Mean standard error",
    "path.column.reliability": "Reliability",
    "path.kind.coverage": "new pairs",
    "path.kind.resampling": "asked again",
    "path.how": (
        "Each wave pairs essays that have not met, the least asked and the closest first; part of it is drawn without "
        "looking at scores. Only on that part, and between judges, is reliability computed: pairs chosen by score make "
        "chance look like agreement. How much the scores still change depends on the size of a wave, and decides "
        "nothing by default."
    ),
    "budget.title": "What other budgets would give",
    "budget.lead": (
        "With {per_essay} answered comparisons per essay this batch reached a reliability of {reached}. As many "
        "are expected to give {ordinary} with a judge as sharp as people are, {sharp} with a very sharp one."
    ),
    "budget.chart": "Reliability by comparisons per essay",
    "budget.chart.text": (
        "Expected reliability rises with comparisons per essay. At {per_essay} it is {ordinary} for a judge as "
        "sharp as people and {sharp} for a very sharp one; this batch reached {reached}."
    ),
    "budget.chart.x": "comparisons per essay",
    "budget.chart.y": "reliability",
    "budget.key.reached": "this batch",
    "budget.key.ordinary": "expected, judge as sharp as people",
    "budget.key.sharp": "expected, very sharp judge",
    "budget.caption": "Expected if the judge is as sharp as people / very sharp",
    "budget.column.per_essay": "Comparisons per essay",
    "budget.column.comparisons": "Comparisons",
    "budget.column.reliability": "Reliability",
    "budget.column.exact": "Grades exact",
    "budget.column.adjacent": "Within one",
    "budget.both": "{ordinary} / {sharp}",
    "budget.here": "this batch",
    "budget.how": (
        "Expected for essays of normally distributed quality (SD 1.5 and 2.5 in the judge's logits) and a judge "
        "that follows the model: an essay's squared error is about 1 / (comparisons × mean information of one). "
        "Simulated plans lie within .05 of it in reliability and within .1 in the share of exact grades. A batch "
        "above the dashed line has a sharper judge or more varied essays; one far below the solid line a judge "
        "that sees little. It says nothing about whether the judge sees what teachers see."
    ),
    # money
    "money.title": "Money",
    "money.sentence": "{spent} spent, {reserved} reserved for answers still open.",
    "money.cap": "The cap of this batch is {cap}.",
    "money.nocap": "This batch has no paid judge and no cap.",
    "money.approved": "Approved by {who} on {when}, up to {cap}.",
    "money.approved.unnamed": "Approved on {when}, up to {cap}.",
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
    "provenance.tops_up": "joins the judged batch",
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
    "scripts.back": "back to the grades",
    "foot": "Made by cj_pipeline from the stored tables of this batch. The file needs no network and asks for none.",
    # the copy for others than the school
    "public.note": "Public copy: essays’ texts, groups of pupils and names of persons are left out.",
    "public.groups": "What was found about groups of pupils is left out of this copy.",
    "public.person": "person {number}",
    # the page over all batches
    "index.title": "Batches",
    "index.made": "as of {when}",
    "index.none": "There is no batch yet.",
    "index.person": "What needs a person",
    "index.person.none": "Nothing waits for a person.",
    "index.all": "All batches",
    "index.money": "{spent} spent and {reserved} reserved over {batches}.",
    "index.batches.one": "{count} batch",
    "index.batches.other": "{count} batches",
    "index.column.batch": "batch",
    "index.column.state": "state",
    "index.column.essays": "essays",
    "index.column.progress": "jobs done",
    "index.column.spent": "spent, USD",
    "index.column.reserved": "reserved, USD",
    "index.column.held": "held up by",
    "index.column.next": "next",
    "index.column.reread": "to re-read",
    "index.progress": "{done} of {jobs}",
    "index.reread.one": "{count} script to re-read",
    "index.reread.other": "{count} scripts to re-read",
    "index.how": "The page is written anew whenever a report is made, and by cj report --index. It shows the state "
    "at the time given above.",
    # experiments on anchors
    "experiment": "Experiment on anchors",
    "experiment.made": "as of {when}",
    "experiment.variants.one": "{count} variant of the same question, asked about {anchors} anchors.",
    "experiment.variants.other": "{count} variants of the same question, asked about {anchors} anchors.",
    "experiment.none": "No variant has been scored yet.",
    "experiment.side": "Side by side",
    "experiment.column.variant": "variant",
    "experiment.column.judges": "judges",
    "experiment.column.tau": "Kendall’s tau",
    "experiment.column.inversions": "inversions",
    "experiment.column.zero": "never won",
    "experiment.column.order": "first seat, logits",
    "experiment.column.reliability": "reliability",
    "experiment.column.answered": "answered",
    "experiment.column.cost": "USD",
    "experiment.column.verdict": "targets",
    "experiment.answered": "{answered} of {asked}",
    "experiment.order": "{effect} ± {half}",
    "experiment.met": "met",
    "experiment.missed": "missed",
    "experiment.waiting": "not scored: {why}",
    "experiment.how": "Tau is tau-a of the order of scores against the order of grades; equal grades never count as "
    "wrong. An inversion is a pair in which the anchor with the worse grade won. The first seat’s advantage is given "
    "with its 95 % interval. Reliability says how consistent a judge is, not whether it is right.",
    "experiment.targets": "Targets and the last run",
    "experiment.anchors": "Anchor by anchor",
    "experiment.column.anchor": "anchor",
    "experiment.column.grade": "grade",
    "experiment.place": "{place} ({rate})",
    "experiment.anchors.how": "Place by score, 1 the best, and in brackets the share of its comparisons that the "
    "anchor won.",
    "experiment.inversions": "Inversions",
    "experiment.inversions.none": "No pair was inverted.",
    "experiment.column.better": "better by grade",
    "experiment.column.worse": "won all the same",
    "experiment.column.said": "the judge’s reason",
    "experiment.prompts": "What each variant was asked",
    "experiment.assignment": "Assignment of {variant}",
    "experiment.rubric": "Rubric of {variant}",
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
}
