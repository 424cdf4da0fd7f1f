"""The three stand-ins: winners and tokens by the rule, the same in every process, and nothing of the prompt's frame."""

import hashlib
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cj_pipeline.emulator.judges import BadParameters, Comparison, judge_named
from cj_pipeline.emulator.judges.profile import PROFILES
from cj_pipeline.judging import Winner, parse_verdict
from cj_pipeline_tests.installation import REPO

TEXTS = [f"Text {number} of a test." for number in range(40)]
PAIRS = [(a, b) for a in TEXTS for b in TEXTS if a != b]
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60)


def winner_of(name: str, a: str, b: str) -> Winner:
    return parse_verdict(judge_named(name)(Comparison(a, b)).content or "", ties=False).winner


@pytest.mark.parametrize("name", PROFILES)
@given(a=words, b=words)
def test_the_winner_is_the_digest_s_number_below_the_recorded_share(name: str, a: str, b: str) -> None:
    number = int(hashlib.sha256(f"{a}\n\n{b}".encode()).hexdigest()[:8], 16)
    first = {"cj_generic": True, "eng5_anchor": number % 66 < 35, "eng5_lower5": number % 10 < 4}[name]
    assert winner_of(name, a, b) == (Winner.ESSAY_A if first else Winner.ESSAY_B)


@pytest.mark.parametrize(("name", "share"), [("cj_generic", 1.0), ("eng5_anchor", 35 / 66), ("eng5_lower5", 0.4)])
def test_over_many_pairs_the_first_seat_wins_as_often_as_in_the_recorded_run(name: str, share: float) -> None:
    won = sum(winner_of(name, a, b) is Winner.ESSAY_A for a, b in PAIRS) / len(PAIRS)
    assert won == pytest.approx(share, abs=4 * (share * (1 - share) / len(PAIRS)) ** 0.5)


def test_it_does_not_depend_on_the_seed_of_python_s_hashes() -> None:
    script = (
        "from cj_pipeline.emulator.judges import Comparison, judge_named\n"
        f"pairs = {PAIRS[:30]!r}\n"
        f"for name in {list(PROFILES)!r}:\n"
        "    print([judge_named(name)(Comparison(a, b)) for a, b in pairs])\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script], cwd=REPO, env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1")
    }  # fmt: skip
    assert len(said) == 1


@pytest.mark.parametrize("name", PROFILES)
def test_the_second_time_the_answer_is_the_same(name: str) -> None:
    judge = judge_named(name)
    assert judge(Comparison(*PAIRS[0], replicate=1)) == judge(Comparison(*PAIRS[0]))


@pytest.mark.parametrize(
    ("name", "least"), [("cj_generic", (5, 17)), ("eng5_anchor", (1_100, 40)), ("eng5_lower5", (1_000, 30))]
)
def test_tokens_have_a_floor_and_grow_with_the_texts(name: str, least: tuple[int, int]) -> None:
    judge = judge_named(name)
    short, long = judge(Comparison("One.", "Two.")), judge(Comparison("word " * 2_000, "word " * 1_000))
    assert (short.input_tokens, short.output_tokens) == least
    assert long.input_tokens == 2_250


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_has_no_parameters(name: str) -> None:
    with pytest.raises(BadParameters, match="takes no parameters"):
        judge_named(f"{name}:seed=1")


@pytest.mark.parametrize("name", PROFILES)
def test_every_answer_is_a_short_verdict_with_confidence_four_or_five(name: str) -> None:
    for a, b in PAIRS[:300]:
        said = json.loads(judge_named(name)(Comparison(a, b)).content or "")
        assert said["confidence"] in (4, 5)
        assert 6 <= len(said["justification"].split()) <= 9
