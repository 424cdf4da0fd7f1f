import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cj_pipeline.batch import JudgeSection, read_batch
from cj_pipeline.judging import CONSEQUENCES, Answer, ErrorCode, Outcome, Question, Verdict, Winner
from cj_pipeline.judging.questions import fingerprint, fingerprint_stem, instruction_digest, questions_of
from cj_pipeline_tests.installation import small_batch

JUDGE = JudgeSection(id="luna", provider="openai", model="gpt-6-luna")
QUESTION = Question("Write.", "Clarity.", "0" * 16)
A, B = (hashlib.sha256(text.encode()).hexdigest() for text in ("One.", "Two."))
ASK_AGAIN = {
    ErrorCode.EXPIRED: 2,
    ErrorCode.RATE_LIMITED: 2,
    ErrorCode.SERVER_ERROR: 2,
    ErrorCode.MISSING_RESULT: 2,
    ErrorCode.ENQUEUED_LIMIT: 8,
    ErrorCode.CREDIT_EXHAUSTED: 2,
    ErrorCode.UNCERTAIN: 2,
    ErrorCode.TRUNCATED: 1,
    ErrorCode.EMPTY: 1,
}


def test_every_way_to_fail_has_one_consequence() -> None:
    assert set(CONSEQUENCES) == set(ErrorCode)
    assert all(rule.meaning and rule.outcome is not Outcome.SUCCESS for rule in CONSEQUENCES.values())


@pytest.mark.parametrize("code", ErrorCode)
def test_only_what_was_no_answer_is_asked_again_and_not_for_ever(code: ErrorCode) -> None:
    answer = Answer(error_code=code)
    asked = [attempt for attempt in range(1, 10) if answer.may_be_asked_again(attempt)]
    assert asked == list(range(1, ASK_AGAIN.get(code, 0) + 1))
    assert answer.outcome is (Outcome.EXPIRED if code is ErrorCode.EXPIRED else Outcome.FAILURE)


@pytest.mark.parametrize("code", [ErrorCode.REFUSED, ErrorCode.FILTERED, ErrorCode.INVALID_VERDICT])
def test_an_answer_nobody_likes_is_never_asked_again(code: ErrorCode) -> None:
    assert not Answer(error_code=code).may_be_asked_again(1)


def test_a_verdict_is_a_success_and_never_asked_again() -> None:
    answer = Answer(verdict=Verdict(Winner.TIE, "", 1))
    assert answer.outcome is Outcome.SUCCESS
    assert not answer.may_be_asked_again(1)


def stem(question: Question = QUESTION, **changed: Any) -> str:
    return fingerprint_stem(JUDGE.model_copy(update=changed), question)


SAME = fingerprint(stem(), A, B)


@pytest.mark.parametrize(
    "other",
    [
        fingerprint(stem(), B, A),
        fingerprint(stem(), A, A),
        fingerprint(stem(model="gpt-6.1-sol"), A, B),
        fingerprint(stem(provider="emulator"), A, B),
        fingerprint(stem(max_output_tokens=601), A, B),
        fingerprint(stem(Question("Write.", "Clarity.", "0" * 16, ties=True), ties=True), A, B),
        fingerprint(stem(Question("Write.", "Brevity.", "0" * 16)), A, B),
        fingerprint(stem(Question("Speak.", "Clarity.", "0" * 16)), A, B),
    ],
)
def test_another_text_seat_model_length_or_rubric_is_another_comparison(other: str) -> None:
    assert other != SAME


@pytest.mark.parametrize(
    "same",
    [
        fingerprint(stem(id="sol"), A, B),
        fingerprint(stem(account="school"), A, B),
        fingerprint(stem(base_url="http://127.0.0.1:1/v1"), A, B),
        fingerprint(stem(share=0.5), A, B),
        fingerprint(stem(Question("Write.", "Clarity.", "f" * 16)), A, B),
    ],
)
def test_who_pays_where_and_under_which_name_does_not_change_the_answer(same: str) -> None:
    assert same == SAME


def test_all_judges_of_a_batch_share_one_boundary_and_differ_only_in_ties(tmp_path: Path) -> None:
    second = '[[judges]]\nid = "sol"\nprovider = "emulator"\nmodel = "latent"\nties = true\n'
    batch = read_batch(small_batch(tmp_path / "six", extra=second))
    questions = questions_of(batch)
    assert list(questions) == ["judge", "sol"]
    assert questions["judge"].boundary == questions["sol"].boundary
    assert (questions["judge"].ties, questions["sol"].ties) == (False, True)
    assert questions["judge"].rubric == "Say it well."


def test_the_digest_of_the_instructions_follows_their_wording_and_not_the_material(tmp_path: Path) -> None:
    batch = read_batch(small_batch(tmp_path / "six"))
    other = read_batch(small_batch(tmp_path / "eight", essays=8))
    assert instruction_digest(replace(batch, rubric="x", assignment="y")) == instruction_digest(batch)
    assert instruction_digest(other) == instruction_digest(batch)
    tied = read_batch(small_batch(tmp_path / "tied", extra="ties = true\n"))
    assert instruction_digest(tied) != instruction_digest(batch)


def test_an_id_of_an_essay_is_never_shown_to_a_judge(tmp_path: Path) -> None:
    batch = read_batch(small_batch(tmp_path / "six"))
    question = questions_of(batch)["judge"]
    shown = question.system_message() + question.user_message(*batch.essays["text"].to_pylist()[:2])
    assert "anchor" not in shown.lower()
    assert not any(essay_id in shown for essay_id in batch.essays["essay_id"].to_pylist())
