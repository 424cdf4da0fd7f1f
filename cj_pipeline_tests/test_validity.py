"""`make validity`: what its page says of promises, from cells made by hand. What is simulated is tested heavily."""

import re
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.validity import __main__ as command
from benchmarks.validity.batches import Ask, Design, draw, single_wave
from benchmarks.validity.figures import Rate, ranked_probability_score
from benchmarks.validity.judges import COIN, ORDINARY, PERFECT, SHARP, Judge, at_random
from benchmarks.validity.page import Simulated, gate_promises, page
from benchmarks.validity.product import judged_by_the_product
from benchmarks.validity.runs import EXAM, SCRAMBLED, Gates, Quality, Reliability, side_by_side

EQUAL = Quality("equal", 0.85, 0.005, 2.9, 0.7, 0.55, 0.52, 1.01, 0.4, 0.38, Rate(0, 9), ((9.0, 8.0, 5.0, 4.5),) * 4)


def cells(judge: Judge, happened: int, batches: int, design: Design = EXAM) -> Gates:
    return Gates(judge, design, Rate(happened, batches), {"anchors_in_order": happened})


def test_an_interval_is_the_exact_one() -> None:
    """Clopper & Pearson (1934): 0 of 20 has the upper bound 1 - .025^(1/20); 1 of 10 is .0025 to .4450."""
    assert Rate(0, 20).high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert (Rate(1, 10).low, Rate(1, 10).high) == pytest.approx((0.002529, 0.445016), abs=1e-6)
    assert (Rate(20, 20).high, Rate(0, 20).low) == (1.0, 0.0)


def test_a_promise_is_kept_open_or_broken() -> None:
    promises = {
        one.what: one.cells()[-1]
        for one in gate_promises(
            [cells(PERFECT, 0, 300), cells(SHARP, 4, 300), cells(ORDINARY, 30, 300), cells(COIN, 290, 300)], []
        )
    }
    assert list(promises.values()) == ["kept", "open", "**broken**", "kept"]


def test_scrambled_anchors_are_worthless_whoever_judges() -> None:
    (promise,) = gate_promises([cells(SHARP, 150, 300, SCRAMBLED)], [])
    assert "scrambled anchors" in promise.what
    assert promise.cells()[-1] == "**broken**"


def test_the_page_holds_every_table_and_the_command_that_made_it() -> None:
    found = Simulated(
        gates=[cells(PERFECT, 0, 9)],
        by_size=[cells(COIN, 9, 9, Design(essays=20, anchors=6))],
        qualities=[EQUAL],
        reliabilities=[Reliability(37, COIN, 0.03, 0.15, 0.02)],
        drift=[("nothing", Rate(0, 9))],
    )
    text = page(found, batches=9, minutes=1.0)
    assert re.findall(r"^## (.+)$", text, re.M) == [
        "Promises",
        "Every gate, on an exam's batch",
        "The anchor gate, by size",
        "Grades of pupils",
        "Re-reading",
        "Reliability",
        "Drift",
    ]
    assert "python -m benchmarks.validity --batches 9" in " ".join(text.split())
    assert "| 80 % ranges cover, equal | 85.0% | 80 to 90 % | kept |" in text


def test_a_few_batches_are_shown_and_not_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "simulated", lambda batches, processes: (batches, processes))
    monkeypatch.setattr(command, "page", lambda found, **_: f"simulated {found}")
    command.main(["--batches", "5", "--processes", "1"])
    assert capsys.readouterr().out == "simulated (5, 1)\n"


def test_a_wave_plan_may_look_at_the_answers_before_it_asks_again() -> None:
    """What the iterative modes need: two waves, the second of what the first one left open."""

    def twice(design: Design, seed: int, ask: Ask) -> None:
        won = ask(np.array([12, 13]), np.array([14, 15]))
        ask(np.array([14, 15]), np.where(won == 1, [12, 13], [16, 17]))

    drawn = draw(EXAM, PERFECT, 1, twice)
    assert drawn.first.tolist() == [12, 13, 14, 15]
    assert (drawn.won == (drawn.quality[drawn.first] > drawn.quality[drawn.second])).all()


def test_one_number_is_one_batch_whoever_judges() -> None:
    assert np.array_equal(draw(EXAM, PERFECT, 4).quality, draw(EXAM, COIN, 4).quality)
    assert np.array_equal(draw(EXAM, ORDINARY, 4).won, draw(EXAM, ORDINARY, 4, single_wave).won)


def test_a_batch_goes_through_the_products_own_gates() -> None:
    good, refusing = (
        judged_by_the_product(draw(EXAM, judge, 1)) for judge in (SHARP, replace(SHARP, refuses=at_random(0.4)))
    )
    assert good.passes
    assert good.graded == 25
    assert not refusing.gates["success_rate"]
    assert refusing.graded == 0


def test_the_ranked_probability_score_of_a_sure_grade_is_its_distance() -> None:
    sure = np.eye(4)[[0, 2]]
    assert ranked_probability_score(sure, np.array([0, 2])) == 0
    assert ranked_probability_score(sure, np.array([3, 2])) == 1.5


def test_processes_change_nothing() -> None:
    assert list(side_by_side(str, [1, 2, 3], 1)) == list(side_by_side(str, [1, 2, 3], 2)) == ["1", "2", "3"]
