"""A panel that judges essays of known quality, with whatever is put into it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from cj_pipeline.pairing import plan_single_wave
from cj_pipeline.pairing.arrays import FloatArray, IntArray
from cj_pipeline.scoring.bias import Scored
from cj_pipeline.scoring.scale import ScaleFit
from cj_pipeline.scoring.votes import Votes


@dataclass(frozen=True)
class Panel:
    """Votes, and what they were drawn from."""

    votes: Votes
    truth: FloatArray
    grade: IntArray
    word_counts: list[int]
    group: IntArray  # 0 or 1

    def schools(self) -> dict[str, list[str | None]]:
        return {"school": ["north" if group else "south" for group in self.group]}

    def scored(self, fit: ScaleFit, *, graded: bool = True) -> Scored:
        grade = self.grade if graded else np.full_like(self.grade, -1)
        return Scored(fit.unshrunk_scores, fit.unshrunk_standard_errors**2, fit.component, grade)


def simulate(
    seed: int,
    *,
    n_essays: int = 48,
    n_pairs: int = 336,
    discrimination: Sequence[float] = (1.0,),
    people: Sequence[bool] = (),
    orders: Sequence[float] = (),
    length: float = 0.0,
    group: float = 0.0,
    private_group: float = 0.0,
    within: float = 0.5,
) -> Panel:
    """`length` is put into all verdicts per doubling, `group` for group 1, `private_group` by the first judge alone.

    A discrimination of 0 tosses coins. `within` is the spread of quality inside a grade.
    """
    rng = np.random.default_rng([seed, 31])
    first, second = plan_single_wave(n_essays, 0, n_pairs, seed)
    grade = rng.integers(6, size=n_essays)
    doublings = 0.5 * rng.normal(size=n_essays) + 0.2 * grade
    member = rng.integers(2, size=n_essays)
    truth = 0.9 * (grade - 2.5) + within * rng.normal(size=n_essays) + length * doublings + group * member
    n_judges = len(discrimination)
    first, second, judge = np.tile(first, n_judges), np.tile(second, n_judges), np.repeat(range(n_judges), first.size)
    seen = np.tile(truth, (n_judges, 1))
    seen[0] += private_group * member
    margin = np.asarray(discrimination)[judge] * (seen[judge, first] - seen[judge, second])
    chance = expit(margin + np.asarray(orders or [0.3] * n_judges)[judge])
    votes = Votes(
        essay_a=first,
        essay_b=second,
        outcome=(rng.random(first.size) < chance).astype(float),
        judge=judge,
        n_essays=n_essays,
        judge_ids=tuple(f"judge-{number}" for number in range(n_judges)),
        is_person=np.array(people or [False] * n_judges),
    )
    return Panel(votes, truth, grade, np.round(200 * 2**doublings).astype(int).tolist(), member)
