"""The predecessor's scores and standard errors, case by case as measured on it."""

import pytest

from cj_pipeline.scoring import fit_choix_ilsr

CASES: dict[
    str, tuple[str, list[float], list[float]]
] = {  # wins as "winner loser"; scores; standard errors against the last essay
    "one win": ("01", [1.965913, -1.965913], [2.0, 0]),
    "one each": ("01 10", [0, 0], [1.414214, 0]),
    "two to one": ("01 01 10", [0.341647, -0.341647], [1.222749, 0]),
    "three to one": ("01 01 01 10", [0.542727, -0.542727], [1.150927, 0]),
    "a circle": ("01 12 20", [0, 0, 0], [1.632993, 1.632993, 0]),
    "full order of three": ("01 02 12", [3.096052, 0.221449, -3.317501], [2, 2, 0]),
    "chain of ties": ("01 10 12 21", [0, 0, 0], [2.0, 1.414214, 0]),
    "full order of four": ("01 02 03 12 13 23", [3.808503, 1.562342, -1.054058, -4.316787], [2, 2, 2, 0]),
    "four with one upset": (
        "01 02 30 12 13 23",
        [0.523984, 0.523984, -0.523984, -0.523984],
        [1.559261, 1.559261, 1.503776, 0],
    ),
    "four with the upset twice": (
        "01 02 03 12 13 23 30",
        [0.749088, 0.5466, -0.541181, -0.754507],
        [1.411772, 1.56117, 1.495679, 0],
    ),
    "two groups": ("01 23", [1.629048, -1.629048, 1.629048, -1.629048], [2, 2, 2, 0]),
}


@pytest.mark.parametrize("name", CASES)
def test_scores_and_errors_are_the_predecessors(name: str) -> None:
    wins, scores, errors = CASES[name]
    winner, loser = [int(pair[0]) for pair in wins.split()], [int(pair[1]) for pair in wins.split()]
    fit = fit_choix_ilsr(winner, loser, [1] * len(winner), len(scores))
    assert fit.scores == pytest.approx(scores, abs=1e-5)
    assert fit.standard_errors == pytest.approx(errors, abs=1e-5)


def test_the_reference_essay_can_be_named_and_has_no_error() -> None:
    fit = fit_choix_ilsr([0, 1, 2], [1, 2, 0], [1, 1, 1], 3, reference=0)
    assert fit.standard_errors == pytest.approx([0, 1.632993, 1.632993], abs=1e-6)


def test_ties_are_left_out_and_ties_alone_are_refused() -> None:
    assert fit_choix_ilsr([0, 0], [1, 1], [1, 0.5], 2).scores == pytest.approx([1.965913, -1.965913], abs=1e-6)
    with pytest.raises(ValueError, match="decided"):
        fit_choix_ilsr([0], [1], [0.5], 2)
