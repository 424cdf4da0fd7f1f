"""LPS-58 to LPS-69, LPS-77, LPS-79, LPS-80 and LPS-82: pairs, whole batches, alignment of anchors, scores.

The runner's cases (LPS-70 to 76, 81) stand in test_lps_runner.py; LPS-78 is listed in docs/parity-lps.md.
"""

import csv
from collections import Counter
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cj_pipeline.batch import read_batch
from cj_pipeline.batch.manifest import ChecksSection
from cj_pipeline.emulator.judges import Comparison, judge_named
from cj_pipeline.eng5.alignment import (
    Alignment,
    Met,
    align,
    direct_inversions,
    kendall_tau_a,
    win_rates,
)
from cj_pipeline.eng5.anchor_findings import target_findings
from cj_pipeline.eng5.anchor_run import rank_on
from cj_pipeline.grading.grade_projections import grade_tables
from cj_pipeline.jobs.plan import open_wave
from cj_pipeline.jobs.recorded_waves import waves_of
from cj_pipeline.jobs.revisions import open_revision
from cj_pipeline.judging import parse_verdict
from cj_pipeline.pairing.comparison_pairs import pair_budget, plan_comparison_pairs
from cj_pipeline.scales import BUILT_IN_SCALES, GradeScale
from cj_pipeline.scoring.choix_ilsr import LARGEST_STANDARD_ERROR, fit_choix_ilsr
from cj_pipeline_tests.eng5.house import House
from cj_pipeline_tests.installation import REPO

NO_RULE = '[stopping]\nrule = "none"\n'


def planned(essays: int, comparisons: int, *, anchors: bool = False) -> pa.Table:
    """The single wave of a batch of so many essays under a cap."""
    table = pa.table({"essay_id": [f"e{number:02d}" for number in range(essays)], "is_anchor": [anchors] * essays})
    budget = pair_budget(essays, max_comparisons=comparisons, judge_shares=1.0, audit_share=0.0)
    return plan_comparison_pairs(table, budget, seed=42)


def unordered(pairs: pa.Table) -> set[frozenset[str]]:
    return {frozenset(pair) for pair in zip(pairs["essay_a"].to_pylist(), pairs["essay_b"].to_pylist(), strict=True)}


def meetings(pairs: pa.Table) -> set[int]:
    """How often each essay meets another."""
    return set(Counter(pairs["essay_a"].to_pylist() + pairs["essay_b"].to_pylist()).values())


@pytest.mark.parametrize(
    ("essays", "cap", "pairs", "each", "anchors"),
    [
        pytest.param(24, 60, 60, 5, False, id="LPS-58"),
        pytest.param(24, 288, 276, 23, False, id="LPS-59"),
        pytest.param(5, 60, 10, 4, False, id="LPS-60"),
        pytest.param(12, 66, 66, 11, True, id="LPS-61"),
    ],
)
def test_a_single_wave_is_as_many_different_pairs_as_the_cap_or_there_are(
    essays: int, cap: int, pairs: int, each: int, anchors: bool
) -> None:
    """In one wave where the predecessor needed several; the numbers are the same."""
    wave = planned(essays, cap, anchors=anchors)
    assert (wave.num_rows, len(unordered(wave))) == (pairs, pairs)
    assert meetings(wave) == {each}
    assert set(wave["wave"].to_pylist()) == {1}


def test_LPS_62_planned_submitted_and_answered_are_one_number(house: House) -> None:
    purchase = house.buy(house.batch(essays=24, comparisons=60, model="cj_generic"))
    assert purchase.column("outcome") == ["success"] * 60
    assert purchase.column("pair_id") == list(range(60))
    assert sum(job.items for job in purchase.jobs) == 60
    assert len(set(purchase.column("custom_id"))) == 60


@pytest.mark.parametrize("cap", [60, 288])
def test_LPS_63_no_essay_is_shown_first_much_more_often_than_second(cap: int) -> None:
    """.167 was seen there at 288; the parity check D3 holds it on real runs in waves."""
    wave = planned(24, cap)
    first, second = (Counter(wave[name].to_pylist()) for name in ("essay_a", "essay_b"))
    skews = [abs(first[essay] - second[essay]) / (first[essay] + second[essay]) for essay in first | second]
    assert max(skews) <= 0.2


def test_LPS_64_the_size_of_a_bundle_is_a_whole_number_from_1_to_64(house: House) -> None:
    purchase = house.buy(house.batch(essays=140, comparisons=139, mode="serial_bundle", extra=NO_RULE))
    sizes = [job.items for job in purchase.jobs]
    assert sizes
    assert all(isinstance(size, int) and 1 <= size <= 64 for size in sizes)
    assert max(sizes) == 64


def test_LPS_65_a_batch_s_own_mode_stands_against_the_installation_s(house: House) -> None:
    serial = house.with_settings(llm_batching_mode="serial_bundle")
    modes = {}
    for named in ("provider_batch_api", ""):
        batch_id = house.batch(essays=4, comparisons=4, mode=named)
        opened = serial.deployment
        batch = opened.batch(batch_id)
        open_revision(opened.ledger, batch)
        open_wave(opened.ledger, opened.store, batch)
        (wave,) = waves_of(opened.ledger, batch_id, opened.ledger.provenance(batch_id).revision)
        modes[named] = str(wave.mode)
    assert modes == {"provider_batch_api": "provider_batch_api", "": "serial_bundle"}


@pytest.mark.parametrize(
    ("places", "tau"),
    [
        ([1, 2, 3, 4, 5], 1.0), ([5, 4, 3, 2, 1], -1.0), ([2, 1, 3, 4, 5], 0.8), ([2, 1, 4, 3, 5], 0.6),
        ([1], 0.0), ([], 0.0), ([1, 2, 2, 4, 5], 0.9),
    ],
)  # fmt: skip
def test_LPS_66_kendall_s_tau_a(places: list[float], tau: float) -> None:
    assert kendall_tau_a(places) == pytest.approx(tau)


# the predecessor's letters, as a scale of a batch
SIXTEEN_LETTERS = GradeScale(
    "letters", ("F", "F+", "E-", "E", "E+", "D-", "D", "D+", "C-", "C", "C+", "B-", "B", "B+", "A-", "A")
)
letter_rank = partial(rank_on, SIXTEEN_LETTERS)


def test_LPS_67_ranks_of_grades() -> None:
    assert [letter_rank(grade) for grade in ("A", "C", "F")] == [0, 6, 15]
    assert {letter_rank(grade) for grade in ("", "a", "A+", "X")} == {99}


def test_LPS_68_an_inversion_is_a_worse_grade_that_won() -> None:
    grades = {"best": "A", "also best": "A", "low": "E-", "lowest": "F"}

    def inversions(*met: tuple[str, str]) -> int:
        return len(direct_inversions(grades, [Met(winner, loser) for winner, loser in met], letter_rank))

    assert inversions(("low", "best")) == 1
    assert inversions(("best", "lowest")) == 0
    assert inversions(("best", "also best")) == 0
    assert inversions(("low", "best"), ("low", "best")) == 1
    assert inversions(("unheard of", "best")) == 1
    assert Met("a", "b").confidence == 0.0


def test_LPS_69_win_rates() -> None:
    met = [Met("two", "none"), Met("two", "none"), Met("half", "other"), Met("other", "half")]
    assert win_rates(["two", "none", "half", "absent"], met) == {"two": 1.0, "none": 0.0, "half": 0.5, "absent": 0.0}


GRADED = """
[scale]
name = "{scale}"
"""


@pytest.mark.parametrize("name", ["eng5_np_legacy_9_step", "eng5_np_national_9_step"])
def test_LPS_77_every_pupil_gets_a_grade_of_the_batch_s_own_scale(house: House, name: str) -> None:
    legacy, national = (BUILT_IN_SCALES[f"eng5_np_{kind}_9_step"] for kind in ("legacy", "national"))
    assert not set(legacy.labels) & set(national.labels)
    scale = BUILT_IN_SCALES[name]
    judge = "latent:sd=4,noise=0.5"
    batch_id = house.batch(essays=15, comparisons=105, model=judge, extra=GRADED.format(scale=name))
    folder = house.folder / "batches" / batch_id
    _grade_anchors(folder, judge, scale.grades)
    purchase = house.buy(batch_id)
    batch = read_batch(folder)
    projections = grade_tables(batch, purchase.judgments, [])["grade_projections"]
    assert projections.num_rows == 15
    given = set(projections["grade"].to_pylist())
    assert given <= set(scale.labels)
    assert len(given) > 3


def _grade_anchors(folder: Path, judge: str, grades: tuple[str, ...]) -> None:
    """Nine essays become anchors, graded in the order in which the judge puts them."""
    with (folder / "essays.csv").open(encoding="utf-8") as file:
        texts = {row["essay_id"]: row["text"] for row in csv.DictReader(file)}
    chosen = list(texts)[:9]
    ask = judge_named(judge)
    won = Counter(
        a if parse_verdict(ask(Comparison(texts[a], texts[b])).content or "", ties=False).winner == "essay_a" else b
        for a, b in combinations(chosen, 2)
    )
    rows = [f"{name},{grade}" for name, grade in zip(sorted(chosen, key=lambda name: won[name]), grades, strict=True)]
    (folder / "anchors.csv").write_text("\n".join(["essay_id,grade", *rows]) + "\n", "utf-8")


def transitive(essays: int) -> tuple[list[int], list[int], list[float]]:
    """Every pair once, the lower number always wins."""
    first, second = zip(*combinations(range(essays), 2), strict=True)
    return list(first), list(second), [1.0] * len(first)


@pytest.mark.parametrize(
    ("essays", "scores"),
    [
        (2, [1.9659, -1.9659]),
        (3, [3.0961, 0.2214, -3.3175]),
        (5, [4.2777, 2.4563, 0.3839, -2.0333, -5.0845]),
        (12, [5.3601, *[np.nan] * 10, -7.6778]),
    ],
)
def test_LPS_79_the_predecessor_s_scores_of_a_perfect_order(essays: int, scores: list[float]) -> None:
    found = fit_choix_ilsr(*transitive(essays), essays).scores
    known = ~np.isnan(scores)
    np.testing.assert_allclose(found[known], np.array(scores)[known], atol=1e-4)
    circle = fit_choix_ilsr([0, 1, 2], [1, 2, 0], [1.0, 1.0, 1.0], 3)
    np.testing.assert_allclose(circle.scores, 0.0, atol=1e-9)
    np.testing.assert_allclose(circle.standard_errors, [1.6330, 1.6330, 0.0], atol=1e-4)


def test_LPS_80_the_predecessor_s_errors_stop_at_two_and_its_reference_has_none() -> None:
    """Why grades stand on other errors here: docs/decisions."""
    errors = fit_choix_ilsr(*transitive(5), 5).standard_errors
    assert errors.tolist() == [LARGEST_STANDARD_ERROR] * 4 + [0.0]


MERLIN = REPO / "data/samples/merlin-german"
# CEFR grades in the places of the predecessor's letters, which its rules know
LETTERS = {"A1": "E", "A2": "D", "B1": "C", "B2": "B", "C1": "A"}


def test_LPS_82_a_judge_in_order_meets_the_targets_and_one_that_draws_lots_misses_them() -> None:
    """Twelve real anchors, all 66 pairs: their own grades as the judge, then a word counter, then lots.

    The targets are set for real or replayed judges; a profile's judge is none, and no target is claimed of it.
    """
    batch = read_batch(MERLIN)
    rows = [row for row in batch.essays.to_pylist() if row["is_anchor"]]
    grades = {row["essay_id"]: LETTERS[row["anchor_grade"]] for row in rows}
    texts = {row["essay_id"]: row["text"] for row in rows}
    by_grade = sorted(grades, key=lambda anchor: letter_rank(grades[anchor]))
    perfect = align(by_grade, grades, [Met(a, b) for a, b in combinations(by_grade, 2)], letter_rank)
    assert (perfect.kendall_tau, len(perfect.inversions)) == (1.0, 0)
    # the last of a perfect order never wins: a target of no such anchor wants a judge that is sometimes wrong
    assert perfect.zero_wins == (by_grade[-1],)
    assert missed_targets(perfect, max_zero_wins=1) == set()
    assert missed_targets(perfect) == {"every_anchor_wins"}
    counted, drawn = (aligned(texts, grades, judge) for judge in ("lexical", "eng5_anchor"))
    assert counted.kendall_tau > 0.7 > 0.4 > drawn.kendall_tau
    assert len(counted.inversions) < len(drawn.inversions)
    assert missed_targets(drawn) >= {"anchors_aligned", "few_inversions"}


def missed_targets(alignment: Alignment, **checks: Any) -> set[str]:
    """The claims about an alignment of twelve anchors that do not hold, by the defaults of a manifest."""
    findings = target_findings(alignment, 12, ChecksSection(**checks))
    return {finding.name for finding in findings if not finding.passed}


def aligned(texts: dict[str, str], grades: dict[str, str], judge: str) -> Alignment:
    """All pairs asked of an offline judge; ranked by wins."""
    ask = judge_named(judge)
    met = []
    for a, b in combinations(texts, 2):
        verdict = parse_verdict(ask(Comparison(texts[a], texts[b])).content or "", ties=False)
        winner, loser = (a, b) if verdict.winner == "essay_a" else (b, a)
        met.append(Met(winner, loser, verdict.confidence))
    rates = win_rates(texts, met)
    return align(sorted(texts, key=lambda anchor: -rates[anchor]), grades, met, letter_rank)
