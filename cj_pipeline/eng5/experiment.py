"""Experiments: one set of anchors, several ways of asking about them. A variant is a batch of its own.

A folder holds what all variants share, `variants/NAME/` what differs. Laid out, each is the batch folder
`EXPERIMENT-NAME`, planned, bought, scored and checked like any other.
"""

import codecs
import csv
import difflib
import io
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cj_pipeline.batch import Batch
from cj_pipeline.batch.batch import BATCH_ID
from cj_pipeline.batch.manifest import MANIFEST
from cj_pipeline.errors import BatchError
from cj_pipeline.settings import Settings

ABOUT, VARIANTS = "experiment.toml", "variants"
DIFFERENT = (MANIFEST, "assignment.md", "rubric.md")  # what a variant may have of its own; the anchors are shared
LAID_OUT = "# Laid out by `cj eng5 anchor-align`: edit the experiment, not this folder.\n"


class _About(BaseModel):
    """experiment.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    title: str = ""
    language: str = Field("en", pattern="^(en|sv)$")
    anchors_from: str | None = Field(None, pattern=r"^[a-z0-9-]{1,64}$")


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment's folder as read. `anchors_from` is a batch whose anchors are taken; else they lie in the folder.

    `variants` are the names in order; the batch of each is `EXPERIMENT-VARIANT`.
    """

    name: str
    folder: Path
    title: str
    language: str
    anchors_from: str | None
    variants: tuple[str, ...]

    @property
    def batch_ids(self) -> dict[str, str]:
        """Each variant's batch."""
        return {variant: f"{self.name}-{variant}" for variant in self.variants}


def experiment_roots(settings: Settings) -> list[Path]:
    """Where experiments are looked for: one's own, then those that ship with the project."""
    return [settings.experiments, settings.samples / "experiments"]


def experiments_in(roots: Sequence[Path]) -> dict[str, Path]:
    """All experiments by name; of two with one name the first root's."""
    found = [path.parent for root in reversed(roots) for path in sorted(root.glob(f"*/{ABOUT}"))]
    return {folder.name: folder for folder in found}


def read_experiment(name: str, roots: Sequence[Path]) -> Experiment:
    """Read and check an experiment's folder. Raises `BatchError`."""
    known = experiments_in(roots)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Make {roots[0] / name / ABOUT}."
        raise BatchError(f"experiment {name!r}: there is none of that name. {hint}")
    folder = known[name]
    about = _about(folder / ABOUT)
    variants = tuple(sorted(path.name for path in (folder / VARIANTS).glob("*") if path.is_dir()))
    if not variants:
        raise BatchError(f"{folder / VARIANTS}: no variant. Make a folder there with a rubric.md of its own, say.")
    for variant in variants:
        _refuse_odd_variant(name, folder / VARIANTS / variant)
    return Experiment(name, folder, about.title or name, about.language, about.anchors_from, variants)


def experiment_of(batch_id: str, roots: Sequence[Path]) -> str | None:
    """The experiment that a batch is a variant of."""
    for name, folder in experiments_in(roots).items():
        variant = batch_id.removeprefix(f"{name}-")
        if variant != batch_id and (folder / VARIANTS / variant).is_dir():
            return name
    return None


def lay_out(experiment: Experiment, batches: Path, batch_named: Callable[[str], Batch]) -> dict[str, str]:
    """Write each variant's batch folder; returns the batch of each variant. Safe to repeat.

    Raises `BatchError` where a folder of that name is somebody's own, and what `batch_named` raises.
    """
    shared = _shared(experiment, batch_named)
    for variant, batch_id in experiment.batch_ids.items():
        own = _files(experiment.folder / VARIANTS / variant)
        _write(batches / batch_id, {**shared, **own}, experiment.folder)
    return experiment.batch_ids


def _about(path: Path) -> _About:
    try:
        return _About.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        said = error.errors()[0] if isinstance(error, ValidationError) else None
        where = ".".join(str(part) for part in said["loc"]) + ": " + said["msg"] if said else str(error)
        keys = ", ".join(_About.model_fields)
        raise BatchError(f"{path}: {where}. Its keys are {keys}.") from None


def _refuse_odd_variant(name: str, folder: Path) -> None:
    if not BATCH_ID.fullmatch(f"{name}-{folder.name}"):
        raise BatchError(f"{folder}: {name}-{folder.name} is no batch id. Use a-z, 0-9 and - , 64 at most in all.")
    odd = sorted(path.name for path in folder.iterdir() if path.name not in DIFFERENT)
    if odd:
        raise BatchError(
            f"{folder / odd[0]}: a variant has only {', '.join(DIFFERENT)} of its own. Put what all share, anchors "
            "above all, into the experiment's folder."
        )


def _shared(experiment: Experiment, batch_named: Callable[[str], Batch]) -> dict[str, bytes]:
    own = _files(experiment.folder)
    if experiment.anchors_from is None:
        return own
    source = batch_named(experiment.anchors_from)
    anchors = [row for row in source.essays.to_pylist() if row["is_anchor"]]
    if not anchors:
        raise BatchError(f"{experiment.folder / ABOUT}: batch {source.batch_id} has no anchors. Name another one.")
    taken = {
        "essays.csv": _as_csv(("essay_id", "text"), ((row["essay_id"], row["text"]) for row in anchors)),
        "anchors.csv": _as_csv(("essay_id", "grade"), ((row["essay_id"], row["anchor_grade"]) for row in anchors)),
        "assignment.md": source.assignment.encode(),
        "rubric.md": source.rubric.encode(),
    }
    return {**taken, **own}


def _as_csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    lines = io.StringIO(newline="")
    csv.writer(lines, lineterminator="\n").writerows([header, *rows])
    return lines.getvalue().encode()


def _files(folder: Path) -> dict[str, bytes]:
    """Contents by path below the folder, without the variants and what describes the experiment."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    inside = {path.relative_to(folder): path for path in paths}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in inside.items()
        if name.parts[0] != VARIANTS and name.as_posix() != ABOUT
    }


def _write(folder: Path, contents: Mapping[str, bytes], source: Path) -> None:
    if MANIFEST not in contents:
        raise BatchError(f"{source}: no {MANIFEST}, neither shared nor in the variant. It says which judges are asked.")
    if folder.exists() and not _is_laid_out(folder):
        raise BatchError(f"{folder}: a batch of your own has this name. Rename it, or the variant in {source}.")
    wanted = {**contents, MANIFEST: LAID_OUT.encode() + contents[MANIFEST].removeprefix(codecs.BOM_UTF8)}
    for name, content in wanted.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _is_laid_out(folder: Path) -> bool:
    manifest = folder / MANIFEST
    return manifest.exists() and manifest.read_bytes().startswith(LAID_OUT.encode())
