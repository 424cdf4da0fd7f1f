"""`batch.toml`: what a person decides about a batch, checked key by key, with messages that name the remedy."""

import difflib
import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from cj_pipeline.errors import BatchError

MANIFEST = "batch.toml"
MAX_COMPARISONS = 1_000_000_000
MAX_USD = 1_000_000.0  # `inf` is a number in TOML, and a cap that is no cap
ITERATIVE = frozenset({"per_request", "serial_bundle"})
UNPAID = frozenset({"emulator", "vllm"})  # they run on machines of one's own
AUDIT_SHARE = 0.06  # 5-10 % mirrored pairs measure a judge's noise at little cost in precision

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Logits = Annotated[float, Field(gt=0, le=100)]
Mode = Literal["provider_batch_api", "per_request", "serial_bundle"]


class _Section(BaseModel):
    # strict: TOML has types of its own, and max_usd = true must not mean one dollar
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BatchSection(_Section):
    """`[batch]`: what it is called and how much is asked."""

    title: str = Field("", description="shown on the report; default: the batch id")
    tops_up: str | None = Field(
        None, pattern=r"^[a-z0-9-]{1,64}$", description="id of a judged batch that these essays join"
    )
    mode: Mode | None = Field(None, description="default: CJ_LLM_BATCHING_MODE")
    max_comparisons: int | None = Field(
        None, ge=1, le=MAX_COMPARISONS, description="cap on comparisons; default 7 per essay and judge"
    )
    seed: int | None = Field(None, ge=0, lt=2**63, description="default: derived from the batch id")
    retain_days: int | None = Field(
        None, ge=0, le=36_500, description="days after the last answer until the texts are erased; default: never"
    )
    language: Literal["en", "sv"] = Field("en", description="of the report")


class ScaleSection(_Section):
    """`[scale]`: a built-in scale by name, or one's own grades from worst to best."""

    name: str | None = None
    grades: list[str] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "ScaleSection":
        if (self.name is None) == (self.grades is None):
            raise ValueError("give either name (a built-in scale) or grades (your own, worst to best)")
        return self


class JudgeSection(_Section):
    """`[[judges]]`: who judges. Several make a panel, and every judge answers every pair unless `share` is given."""

    id: Name
    provider: Literal["openai", "anthropic", "vllm", "emulator"]
    model: str = Field(min_length=1)
    max_output_tokens: int = Field(600, ge=50, le=100_000)
    ties: bool = False
    base_url: str = ""
    account: Name = "default"
    share: float = Field(1.0, gt=0, le=1)


class PairingSection(_Section):
    """`[pairing]`."""

    audit_share: Share | None = Field(None, le=0.5, description="default .06 when there are grades, else 0")


class ScoringSection(_Section):
    """`[scoring]`."""

    discrimination: bool = Field(False, description="judges of a panel weigh by how sharply they tell essays apart")
    estimator: Literal["newton", "choix_map", "choix_ilsr"] = Field("newton", description="whose scores are shown")


class StoppingSection(_Section):
    """`[stopping]`: iterative modes only."""

    rule: Literal["mean_se", "reliability", "max_delta", "none"] = "mean_se"
    target_mean_se: Logits = Field(0.7, description="rule mean_se: logits")
    target_reliability: Share = Field(0.85, description="rule reliability")
    max_delta: Logits = Field(0.025, description="rule max_delta: largest change of a score in a wave, in logits")
    min_comparisons: int = Field(12, ge=1, le=MAX_COMPARISONS, description="answered in all before a rule may stop")
    min_degree: int = Field(6, ge=1, le=MAX_COMPARISONS, description="the same for every single essay")
    signal_floor: Share = Field(0.3, description="least reliability of a stop that is no_signal otherwise")
    at_random_share: float = Field(0.2, gt=0, le=1, description="of every wave, drawn without looking at scores")
    small_net: int = Field(3, ge=2, le=1_000, description="most essays of a small net")
    small_net_passes: int = Field(4, ge=0, le=1_000, description="resampling waves of a small net")
    regular_passes: int = Field(1, ge=0, le=1_000, description="resampling waves of a larger batch")
    retry_threshold: int = Field(20, ge=1, le=MAX_COMPARISONS, description="failed comparisons that start a round")
    retry_size: int = Field(50, ge=1, le=MAX_COMPARISONS, description="most of them that a round asks again")


class SpendingSection(_Section):
    """`[spending]`: how much a batch may cost and who says so."""

    max_usd: float | None = Field(None, gt=0, le=MAX_USD, description="required for a paid provider")
    approval: Literal["manual", "auto"] = "manual"
    on_unknown: Literal["hold", "resubmit"] = "hold"


class ChecksSection(_Section):
    """`[checks]`: thresholds a person may set. `override` names a red gate and gives the written reason."""

    max_words: int = Field(10_000, ge=1, description="longest essay that is accepted")
    min_success_rate: Share = 0.8
    min_answered: int | None = Field(None, ge=1, description="default: the smaller of 8 and half of the plan")
    max_ungraded_share: Share = 0.2
    max_invalid_share: Share = 0.05
    min_reliability: Share = 0.7
    drift_from: str | None = Field(None, pattern=r"^[a-z0-9-]{1,64}$", description="a batch with the same anchors")
    min_tau: float = Field(0.9, ge=-1, le=1, description="batches of anchors only: Kendall's tau of scores and grades")
    max_inversions: int = Field(1, ge=0, description="likewise: pairs in which the worse grade won")
    max_zero_wins: int = Field(0, ge=0, description="likewise: anchors that never won")
    max_tau_drop: float = Field(0.05, ge=0, le=2, description="likewise: by how much tau may fall since the last run")
    regression_from: str | None = Field(
        None, pattern=r"^[a-z0-9-]{1,64}$", description="the last run; default: the batch's own earlier revision"
    )
    override: dict[str, str] = Field(default_factory=dict)


class Manifest(_Section):
    """The whole file."""

    batch: BatchSection = BatchSection()
    scale: ScaleSection | None = None
    judges: list[JudgeSection] = Field(min_length=1)
    pairing: PairingSection = PairingSection()
    scoring: ScoringSection = ScoringSection()
    stopping: StoppingSection = StoppingSection()
    spending: SpendingSection = SpendingSection()
    checks: ChecksSection = ChecksSection()

    @model_validator(mode="after")
    def _judges_are_told_apart(self) -> "Manifest":
        ids = [judge.id for judge in self.judges]
        repeated = sorted({judge for judge in ids if ids.count(judge) > 1})
        if repeated:
            raise ValueError(f"judges: the id {repeated[0]!r} stands twice; give each judge its own")
        return self

    @property
    def paid(self) -> bool:
        """Whether any judge costs money."""
        return any(judge.provider not in UNPAID for judge in self.judges)

    @property
    def offline(self) -> bool:
        """Whether all judges are of the local emulator, whose jobs take seconds, not hours."""
        return all(judge.provider == "emulator" for judge in self.judges)


def read_manifest(folder: Path) -> Manifest:
    """Read and check a batch's manifest. Raises `BatchError`."""
    path = folder / MANIFEST
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise BatchError(f"{path}: there is no manifest. `cj new` writes one.") from None
    except OSError as error:
        raise BatchError(f"{path}: cannot be read ({error.strerror}). Correct the path or its permissions.") from None
    except UnicodeDecodeError:
        raise BatchError(f"{path}: not UTF-8. Save it again as UTF-8.") from None
    return checked_manifest(text, path)


def checked_manifest(text: str, path: Path) -> Manifest:
    """The manifest a text spells; `path` is where it stands, for the messages. Raises `BatchError`."""
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is no TOMLDecodeError
        raise BatchError(f"{path}: not valid TOML: {error}. Correct that line.") from None
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        raise BatchError(f"{path}: {_first_mistake(error)}") from None
    _refuse_what_is_not_served(path, manifest)
    return manifest


def seed_of(batch_id: str, manifest: Manifest) -> int:
    """The seed of the pair plan: the manifest's, or 62 bits of the batch id's SHA-256."""
    if manifest.batch.seed is not None:
        return manifest.batch.seed
    return int.from_bytes(hashlib.sha256(batch_id.encode()).digest()[:8], "big") >> 2


def mode_of(manifest: Manifest) -> Mode:
    """How its comparisons travel; where neither the manifest nor the installation says so: in a single wave."""
    return manifest.batch.mode or "provider_batch_api"


def needs_single_wave(manifest: Manifest) -> str | None:
    """Why a batch can only be asked in a single wave; None when any mode will do."""
    if manifest.batch.tops_up:
        return "tops_up plans all its pairs at once"
    if manifest.pairing.audit_share:
        return "audit_share is a share of a single wave (resampling waves ask pairs again by themselves)"
    if any(judge.provider == "vllm" and not judge.base_url for judge in manifest.judges):
        return "a vllm judge without base_url is handed its requests as files"
    return None


def audit_share_of(manifest: Manifest) -> float:
    """Share of the budget that asks pairs again with the seats exchanged.

    None in the iterative modes, whose resampling waves ask pairs again.
    """
    if mode_of(manifest) in ITERATIVE:
        return 0.0
    if manifest.pairing.audit_share is not None:
        return manifest.pairing.audit_share
    return AUDIT_SHARE if manifest.scale is not None else 0.0


def _refuse_what_is_not_served(path: Path, manifest: Manifest) -> None:
    if manifest.batch.mode in ITERATIVE and (why := needs_single_wave(manifest)):
        raise BatchError(
            f"{path}: mode {manifest.batch.mode!r} asks wave by wave, and {why}. "
            'Use mode = "provider_batch_api", or leave that out.'
        )
    if manifest.paid and manifest.spending.max_usd is None:
        raise BatchError(f"{path}: a paid judge needs a cap. Add:  [spending]  max_usd = 5.00")


def _first_mistake(error: ValidationError) -> str:
    mistake = error.errors()[0]
    place = _place(mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        allowed = _keys_beside(mistake["loc"])
        near = difflib.get_close_matches(str(mistake["loc"][-1]), allowed, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known keys there: {', '.join(allowed)}."
        return f"unknown key {place}. {hint}"
    if mistake["type"] in {"missing", "too_short"} and mistake["loc"] == ("judges",):
        return "no judge. Add a [[judges]] section with id, provider and model."
    if mistake["type"] == "missing":
        return f"{place} is missing. Add it."
    if mistake["type"] == "model_type" or mistake["loc"] == ("judges",):
        section = "[[judges]]" if mistake["loc"][0] == "judges" else f"[{mistake['loc'][0]}]"
        return f"{place} is not written as a section. Put its keys under a line that says {section}."
    found = f" (found {mistake['input']!r})" if not isinstance(mistake["input"], dict | list) else ""
    message = mistake["msg"].removeprefix("Value error, ")
    return f"{place + ': ' if place else ''}{message}{found}. Correct it."


def _place(location: tuple[int | str, ...]) -> str:
    place = ""
    for part in location:
        place += f"[{part + 1}]" if isinstance(part, int) else f"{'.' if place else ''}{part}"
    return place


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    sections: dict[str, type[BaseModel]] = {
        "batch": BatchSection,
        "scale": ScaleSection,
        "judges": JudgeSection,
        "pairing": PairingSection,
        "scoring": ScoringSection,
        "stopping": StoppingSection,
        "spending": SpendingSection,
        "checks": ChecksSection,
    }
    section = sections.get(str(location[0])) if len(location) > 1 else None
    return list((section or Manifest).model_fields)
