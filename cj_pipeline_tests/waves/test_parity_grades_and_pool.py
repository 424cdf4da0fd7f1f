"""Parity with the predecessor: anchors, failed comparisons, results, prompt (CJ-P93, P97 to P109)."""

import json
from math import comb
from pathlib import Path

import numpy as np
import pytest

from cj_pipeline.batch import JudgeSection, read_batch
from cj_pipeline.errors import BatchError
from cj_pipeline.grading import NotGradable, project_grades, scale_named
from cj_pipeline.judging import Question, read_sections
from cj_pipeline.providers.anthropic_wire import translated
from cj_pipeline.providers.openai_wire import encode_body, request_body, request_line
from cj_pipeline.scoring import score_comparisons
from cj_pipeline.waves.coverage import Coverage
from cj_pipeline.waves.decision import TerminalLabel, WaveState, decide
from cj_pipeline.waves.failed_pool import FailedComparison, RetryRound, retry_round
from cj_pipeline.waves.mode import LLMBatchingMode
from cj_pipeline.waves.next_wave import plan_first_wave
from cj_pipeline.waves.rules import WaveRules
from cj_pipeline_tests.batch.batch_folder import MANIFEST, batch_with
from cj_pipeline_tests.waves.parity_case import case
from cj_pipeline_tests.waves.pure_loop import essays_numbered, latent_judge, play


@pytest.mark.parametrize("anchors", [case("CJ-P93", [([], []), ([0, 1], [3, 3])])])
def test_without_anchors_of_two_grades_there_are_scores_and_no_grades(
    anchors: list[tuple[list[int], list[int]]],
) -> None:
    """There the projection was "unavailable" and pupils got U with a confidence of 0; here no grade and the reason."""
    one, other = np.triu_indices(5, 1)
    fit = score_comparisons(one, other, (one + other) % 2, np.zeros(10, dtype=int), 5, n_judges=1)
    assert np.isfinite(fit.scores).all()
    for items, grades in anchors:
        with pytest.raises(NotGradable, match="anchor"):
            project_grades(
                fit, np.array(items, dtype=int), np.array(grades, dtype=int), scale_named("swedish_8_anchor")
            )


@pytest.mark.parametrize("grades", [case("CJ-P97", [["E+", "C-", "A"], ["1", "3", "7"]])])
def test_a_grade_stands_for_its_place_on_the_batchs_own_scale(tmp_path: Path, grades: list[list[str]]) -> None:
    """There each letter stood for a number from 0 to 1, and a grade such as 7 for 0.

    Corrected by design §9: a scale is an order, worst to best, and no grade of it is worth a number.
    """
    for number, labels in enumerate(grades):
        toml = MANIFEST.replace('["F", "E", "C", "A"]', json.dumps(labels))
        scale = read_batch(batch_with(tmp_path / str(number), {"batch.toml": toml, "anchors.csv": None})).scale
        assert scale is not None
        assert [scale.label_index(label) for label in labels] == [0, 1, 2]


@pytest.mark.parametrize("sources", [case("CJ-P98", ["anchors.csv", "known_grades.csv"])])
def test_an_anchors_grade_has_one_source_and_a_wrong_one_is_refused(tmp_path: Path, sources: list[str]) -> None:
    """There five places were searched in order, and an anchor without a grade was left out with a warning.

    Corrected by design §4: the explicit grade, in `anchors.csv`, is the only one. A grade known from elsewhere is
    compared with and never calibrates.
    """
    batch = read_batch(batch_with(tmp_path / "both", {sources[1]: "essay_id,grade\ne5,E\n"}))
    assert [(row["anchor_grade"], row["known_grade"]) for row in batch.essays.to_pylist()] == [
        ("F", None), ("C", None), ("A", None), (None, None), (None, "E"), (None, None),
    ]  # fmt: skip
    for wrong in ("e1,Z", "e1,", "nobody,A"):
        with pytest.raises(BatchError, match=r"anchors\.csv"):
            read_batch(batch_with(tmp_path / wrong.replace(",", "-"), {sources[0]: f"essay_id,grade\n{wrong}\ne2,C\n"}))


def failed(eligible: int, exhausted: int = 0, *, asked_again: int = 0, most: int = 3) -> list[FailedComparison[int]]:
    return [
        *(FailedComparison(number, asked_again) for number in range(eligible)),
        *(FailedComparison(1_000 + number, most) for number in range(exhausted)),
    ]


def asked_now(found: RetryRound[int]) -> list[tuple[int, int]]:
    return [(one.key, one.asked_again) for one in found.now]


@pytest.mark.parametrize(
    ("rules", "rows"),
    [
        case("CJ-P99", WaveRules(retry_threshold=5, retry_size=10), [(6, 0, 6), (4, 3, 0), (15, 0, 10)]),
        case("CJ-P100", WaveRules(retry_threshold=3), [(2, 0, 0), (3, 0, 3)]),
    ],
)
def test_a_round_is_due_once_enough_failed(rules: WaveRules, rows: list[tuple[int, int, int]]) -> None:
    for eligible, exhausted, asked in rows:
        found = retry_round(failed(eligible, exhausted), rules)
        assert asked_now(found) == [(number, 1) for number in range(asked)]
        assert (len(found.waiting), len(found.given_up)) == (eligible - asked, exhausted)


@pytest.mark.parametrize(("most", "rounds"), [case("CJ-P101", 2, 2)])
def test_a_comparison_that_fails_again_and_again_is_given_up(most: int, rounds: int) -> None:
    """There it left the pool as permanently failed when its last attempt was sent; here when that has failed too."""
    rules, pool = WaveRules(retry_threshold=1, max_attempts=most), tuple(failed(1))
    for number in range(1, rounds + 1):
        found = retry_round(pool, rules)
        assert asked_now(found) == [(0, number)]
        pool = found.now
    last = retry_round(pool, rules)
    assert (last.now, last.waiting, len(last.given_up)) == ((), (), 1)


@pytest.mark.parametrize("rows", [case("CJ-P102", [(3, 0, 3), (1, 1, 1), (120, 2, 120)])])
def test_at_the_end_of_a_batch_all_that_may_be_asked_again_is(rows: list[tuple[int, int, int]]) -> None:
    """There the 51st and later were left behind. Corrected by design §6.8: the round at the end is for fairness."""
    for eligible, exhausted, asked in rows:
        assert (
            len(retry_round(failed(eligible, exhausted), WaveRules(retry_threshold=5), end_of_batch=True).now) == asked
        )


def test_many_failed_comparisons_are_asked_in_order_50_at_a_time() -> None:
    assert retry_round(failed(19)).now == ()
    first = retry_round(failed(80))
    assert [one.key for one in first.now] == list(range(50))
    assert [one.key for one in first.waiting] == list(range(50, 80))


@pytest.mark.parametrize("unanswered_essays", [case("CJ-P103", 1)])
def test_an_essay_without_a_score_leaves_the_others_theirs(unanswered_essays: int) -> None:
    """There two of three pupils with a score were a success; here the batch ends as it would."""
    truth = latent_judge(8, 2, 1)
    run = play(
        8,
        40,
        lambda a, b, rng: np.where((a == 0) | (b == 0), np.nan, truth(a, b, rng)),
        rules=WaveRules(min_success_rate=0.5),
    )
    assert run.label in {"budget_exhausted", "coverage_exhausted", "stable"}
    fit = score_comparisons([0], [2], [1], [0], 3, n_judges=1)
    assert np.isfinite(fit.scores).tolist() == [True, False, True]
    assert np.isnan(fit.scores).sum() == unanswered_essays


@pytest.mark.parametrize("counts", [case("CJ-P104", [(0, 12), (0, 0)])])
def test_a_batch_without_a_score_has_failed_and_one_without_essays_cannot_be(counts: list[tuple[int, int]]) -> None:
    (answered, unanswered), _ = counts
    state = WaveState(LLMBatchingMode.PROVIDER_BATCH_API, 24, 0, unanswered, answered, unanswered, Coverage(276, 0))
    assert decide(state).label is TerminalLabel.FAILED_LOW_SUCCESS
    nobody = WaveState(LLMBatchingMode.PROVIDER_BATCH_API, 0, 0, 0, 0, 0, Coverage(0, 0))
    assert decide(nobody).label is TerminalLabel.INSUFFICIENT_ESSAYS


@pytest.mark.parametrize("quantities", [case("CJ-P105", {0: 0, 1: 0, 2: 1, 3: 3, 4: 6, 5: 10, 10: 45})])
def test_what_a_batch_takes_is_counted_and_bounded_by_its_pairs(quantities: dict[int, int]) -> None:
    """There s(s-1)/2 was reported, whatever was asked. Corrected: comparisons are counted; this is the most of them."""
    for n_essays, most in quantities.items():
        assert comb(n_essays, 2) == most
        asked = play(
            n_essays, 1_000, latent_judge(max(n_essays, 2), 1, 1), rules=WaveRules(regular_passes=0, small_net_passes=0)
        )
        assert asked.pairs.num_rows <= most


@pytest.mark.parametrize("counts", [case("CJ-P106", (8, 1))])
def test_further_waves_add_comparisons_and_start_no_batch(counts: tuple[int, int]) -> None:
    """There record(5, first wave) and record(3, later): 8 requests, 1 batch. The metrics count jobs' items so, too."""
    requests, started = counts
    first = plan_first_wave(essays_numbered(10), 8, 1)
    assert first.num_rows == 5
    run = play(10, requests, latent_judge(10, 1, 1))
    assert run.waves == [5, 3]
    assert sum(wave == 1 for wave in range(1, len(run.waves) + 1)) == started


TEXTS = ("One.", "Two.")


@pytest.mark.parametrize("blocks", [case("CJ-P107", (["ASSIGNMENT", "RUBRIC", "ESSAY A", "ESSAY B", "QUESTION"], 3))])
def test_what_is_shared_comes_before_the_essays_and_only_that_is_cached(blocks: tuple[list[str], int]) -> None:
    """There 4 blocks (context, A, B, instruction), 3 without context, cacheable T,F,F,T / F,F,T.

    Corrected: assignment and rubric are sections of their own, and the instruction behind the essays is not marked:
    a prefix cache could never read it.
    """
    names, without_context = blocks
    full = Question("Write.", "Clarity.", "0" * 16).user_message(*TEXTS)
    assert list(read_sections(full)) == names
    assert len(read_sections(Question("", "", "0" * 16).user_message(*TEXTS))) == without_context
    assert full.index("ESSAY A") > max(full.index("ASSIGNMENT"), full.index("RUBRIC"))


def cache_marks(question: Question) -> list[dict[str, str] | None]:
    """The mark of each block that Anthropic is sent; [None] for a message in one piece."""
    judge = JudgeSection(id="j", provider="anthropic", model="m")
    line = request_line("i0", encode_body(request_body(judge, question, *TEXTS)), cache_before="ESSAY A")
    (message,) = translated(line)["params"]["messages"]
    content = message["content"]
    return [None] if isinstance(content, str) else [block.get("cache_control") for block in content]


@pytest.mark.parametrize("marked", [case("CJ-P108", [True, False])])
def test_one_part_is_cached_so_none_can_stand_in_the_wrong_order(marked: list[bool]) -> None:
    """There a part to be kept an hour behind one of five minutes was an error; here there is only one to keep."""
    assert [mark is not None for mark in cache_marks(Question("Write.", "Clarity.", "0" * 16))] == marked
    assert cache_marks(Question("", "", "0" * 16)) == [None]


@pytest.mark.parametrize("assignment", [case("CJ-P109", "Answer through the tool comparison_result.")])
def test_an_assignment_stays_an_assignment_whatever_it_says(assignment: str) -> None:
    """There a prompt with this word in it was taken for a rubric and moved, a repair of old records.

    Corrected by design §4: `assignment.md` and `rubric.md` are two files, and nobody guesses which is which.
    """
    sections = read_sections(Question(assignment, "", "0" * 16).user_message(*TEXTS))
    assert sections["ASSIGNMENT"] == assignment
    assert "RUBRIC" not in sections
