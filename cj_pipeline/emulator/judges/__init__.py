"""The offline judges, chosen by the model name of a request. None of them reads or understands an essay.

lexical                               lexical:slope=0.5,seed=2
latent                                latent:sd=1.5,order=0.4,noise=1,tie=0.1,refusal=0.02,malformed=0.01,seed=7
latent:obeys=0.8                      follows an essay that asks to be chosen, four times out of five
replay:FILE.csv                       gives the recorded judgments of people again
cj_generic, eng5_anchor, eng5_lower5  the predecessor's mock profiles: winners and tokens by rule
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from typing import Any

from cj_pipeline.emulator.judges.comparison import Comparison, Judge, NoAnswer, Reply
from cj_pipeline.emulator.judges.latent import LatentParameters, latent, latent_quality
from cj_pipeline.emulator.judges.lexical import LexicalParameters, features, lexical
from cj_pipeline.emulator.judges.profile import PROFILES, profile

__all__ = [
    "JUDGES",
    "BadParameters",
    "Comparison",
    "Judge",
    "NoAnswer",
    "Reply",
    "UnknownJudge",
    "features",
    "judge_named",
    "latent_quality",
]


class UnknownJudge(LookupError):
    """No judge of that name."""


class BadParameters(ValueError):
    """A judge exists, but not with these parameters; the message names the known ones."""


@dataclass(frozen=True, slots=True)
class JudgeKind:
    """A row of the table: what the judge is, its parameters (a dataclass of defaults) and how it is made.

    A kind without parameters is made from the words behind the colon.
    """

    what: str
    parameters: type[Any] | None
    make: Callable[[Any], Judge]


def _replay(file: str) -> Judge:
    from cj_pipeline.emulator.judges.replay import replay  # reads tables: half of the start that other judges need

    return replay(file)


JUDGES: Mapping[str, JudgeKind] = {
    "lexical": JudgeKind("counts words; a baseline, not a judge of essays", LexicalParameters, lexical),
    "latent": JudgeKind("simulates a judge of hidden true qualities", LatentParameters, latent),
    "replay": JudgeKind("gives recorded judgments of people again", None, _replay),
    **{name: JudgeKind("has a recorded run's habits by rule", None, partial(profile, name=name)) for name in PROFILES},
}


@lru_cache(maxsize=256)
def judge_named(model: str) -> Judge:
    """The judge for a model name `kind`, `kind:key=number,...` or `replay:FILE.csv`.

    Raises `UnknownJudge` for another kind, `BadParameters` for an unknown key or a value out of range.
    """
    name, _, given = model.partition(":")
    kind = JUDGES.get(name)
    if kind is None:
        raise UnknownJudge(model)
    try:
        return kind.make(kind.parameters(**_numbers(name, kind.parameters, given)) if kind.parameters else given)
    except ValueError as error:
        raise BadParameters(f"{model}: {error}") from error


def _numbers(name: str, parameters: type[Any], given: str) -> dict[str, float]:
    known = {field.name: int if isinstance(field.default, int) else float for field in fields(parameters)}
    numbers: dict[str, float] = {}
    for setting in filter(None, given.split(",")):
        key, _, value = setting.partition("=")
        if key not in known or key in numbers:
            wrong = "given twice" if key in numbers else "not known"
            raise ValueError(f"the parameter {key!r} is {wrong}; {name} knows {', '.join(known)}")
        try:
            numbers[key] = known[key](value)
            if not math.isfinite(numbers[key]):
                raise ValueError(value)
        except ValueError:
            raise ValueError(f"{key}={value!r} is not a number it can use; {name} knows {', '.join(known)}") from None
    return numbers
