"""The predecessor's profiles as batches of ours: which folder each is, and what is claimed of it.

A profile is known by its batch's id; the folders lie under data/samples/eng5, made by data/samples/make_eng5.py.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from math import comb

from cj_pipeline.errors import CjError

SERIAL = ("S1", "S2", "S3", "S4", "S5", "S6", "S7")
BATCH_API = ("B1", "B2", "B3", "B4", "B5", "B6", "B7")

GENERIC_TRACE = "cj_lps_roundtrip_mock_20251205"
ANCHOR_TRACE = "eng5_anchor_align_gpt51_low_20251201"
LOWER5_TRACE = "eng5_lower5_gpt51_low_20251202"


@dataclass(frozen=True, slots=True)
class Profile:
    """One batch and its expectations.

    Each of `repetitions` judges, all of them the model `judge`, is asked all `pairs` (ordered ones, all waves);
    `resampled` of these ask a pair again. `checks` are the parity checks that claim something of it.
    """

    batch_id: str
    alias: str  # the predecessor's name for it on the command line
    judge: str
    mode: str
    essays: int
    budget: int
    pairs: int
    waves: int
    trace: str
    own_checks: tuple[str, ...]
    repetitions: int = 1
    resampled: int = 0

    @property
    def comparisons(self) -> int:
        """What all judges are asked."""
        return self.pairs * self.repetitions

    @property
    def possible_pairs(self) -> int:
        """Different unordered pairs that there are."""
        return comb(self.essays, 2)

    @property
    def checks(self) -> frozenset[str]:
        """Parity checks that claim something of this profile."""
        transport = BATCH_API if self.mode == "provider_batch_api" else SERIAL
        return frozenset({*self.own_checks, *transport, "P7", "scale"})


_ALL = (
    Profile(
        "cj-generic", "cj-generic", "cj_generic", "serial_bundle",
        essays=8, budget=36, pairs=12, waves=3, repetitions=3, trace=GENERIC_TRACE, own_checks=("P1", "P2"),
    ),
    Profile(
        "cj-generic-batch-api", "cj-generic-batch-api", "cj_generic", "provider_batch_api",
        essays=8, budget=16, pairs=16, waves=1, trace=GENERIC_TRACE, own_checks=("P1", "P3"),
    ),
    Profile(
        "eng5-anchor", "eng5-anchor", "eng5_anchor", "serial_bundle",
        essays=12, budget=66, pairs=66, waves=11, trace=ANCHOR_TRACE, own_checks=("P4",),
    ),
    Profile(
        "eng5-lower5", "eng5-lower5", "eng5_lower5", "serial_bundle",
        essays=5, budget=30, pairs=10, waves=5, repetitions=3, trace=LOWER5_TRACE, own_checks=("P5", "P6"),
    ),
    Profile(
        "eng5-batch-api", "batch-api", "cj_generic", "provider_batch_api",
        essays=24, budget=60, pairs=60, waves=1, trace=GENERIC_TRACE, own_checks=("D1",),
    ),
    Profile(
        "eng5-regular", "regular", "cj_generic", "serial_bundle",
        essays=24, budget=288, pairs=288, waves=25, resampled=12, trace=GENERIC_TRACE, own_checks=("D2", "D3"),
    ),
    Profile(
        "eng5-resampling", "resampling", "cj_generic", "serial_bundle",
        essays=24, budget=552, pairs=552, waves=25, resampled=276, trace=GENERIC_TRACE, own_checks=("D3",),
    ),
    Profile(
        "eng5-small-net", "small-net", "eng5_lower5", "serial_bundle",
        essays=5, budget=60, pairs=40, waves=8, resampled=30, trace=LOWER5_TRACE, own_checks=("D4",),
    ),
)  # fmt: skip
PROFILES: Mapping[str, Profile] = {profile.batch_id: profile for profile in _ALL}


def profile_named(name: str) -> Profile:
    """By batch id or by the predecessor's name. Raises `CjError` naming the nearest one."""
    known = {**{profile.alias: profile for profile in _ALL}, **PROFILES}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known))}."
        raise CjError(f"profile {name!r}: there is none of that name. {hint}")
    return known[name]
