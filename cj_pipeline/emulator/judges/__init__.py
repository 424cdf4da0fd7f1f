"""The offline judges, chosen by the model name of a request. None of them reads or understands an essay.

lexical                               lexical:slope=0.5,seed=2
latent                                latent:sd=1.5,order=0.4,noise=1,tie=0.1,refusal=0.02,malformed=0.01,seed=7
latent:obeys=0.8                      follows an essay that asks to be chosen, four times out of five
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from cj_pipeline.emulator.judges.comparison import Comparison, Judge, Reply
from cj_pipeline.emulator.judges.latent import LatentParameters, latent, latent_quality
from cj_pipeline.emulator.judges.lexical import LexicalParameters, features, lexical

__all__ = [
    "JUDGES",
    "BadParameters",
    "Comparison",
    "Judge",
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
    """A row of the table: what the judge is, its parameters (a dataclass of defaults) and how it is made."""

    what: str
    parameters: type[Any]
    make: Callable[[Any], Judge]


JUDGES: Mapping[str, JudgeKind] = {
    "lexical": JudgeKind("counts words; a baseline, not a judge of essays", LexicalParameters, lexical),
    "latent": JudgeKind("simulates a judge of hidden true qualities", LatentParameters, latent),
}


@lru_cache(maxsize=256)
def judge_named(model: str) -> Judge:
    """The judge for a model name `kind` or `kind:key=number,...`.

    Raises `UnknownJudge` for another kind, `BadParameters` for an unknown key or a value out of range.
    """
    name, _, given = model.partition(":")
    kind = JUDGES.get(name)
    if kind is None:
        raise UnknownJudge(model)
    try:
        parameters = kind.parameters(**_numbers(name, kind.parameters, given))
    except ValueError as error:
        raise BadParameters(f"{model}: {error}") from error
    return kind.make(parameters)


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
