"""Whether this installation can do its work: what is looked at, what was found, and what to do about it.

Nothing is bought, and nothing stays changed but the ledger's schema, which every command brings up to date. No key is
shown, not in part.
"""

import importlib
import os
import shutil
import stat
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from cj_pipeline import emulator
from cj_pipeline.batch import JudgeSection, batch_folder, batch_ids, read_batch, read_manifest
from cj_pipeline.errors import CjError
from cj_pipeline.jobs.ledger import Ledger, file_system_of, ledger_time, refuse_network_file_system
from cj_pipeline.jobs.schema import bookings
from cj_pipeline.providers import provider_for
from cj_pipeline.settings import Settings, api_key, key_variable
from cj_pipeline.store import Store

LEAST_PYTHON = (3, 11)
LITTLE_SPACE, NO_SPACE = 2 * 10**9, 2 * 10**8  # bytes free; a study of 14,000 comparisons takes some 200 MB
CLOCK_TOLERANCE = timedelta(minutes=5)
LOOK_SECONDS = 15.0  # longest wait for a provider
NAMED = 5  # faults of a kind that are named one by one


class Verdict(StrEnum):
    """What a look came to."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Look:
    """One line of `cj doctor`: what was looked at, what was found there, and what to do ("" when nothing)."""

    what: str
    verdict: Verdict
    found: str
    advice: str = ""


def look_around(settings: Settings, *, offline: bool) -> Iterator[Look]:
    """Every look but those at Dagster, in the order a person would put things right; `offline` asks no provider."""
    yield from _python()
    yield from _batches(settings)
    yield from _store(settings)
    yield from _space(settings)
    yield from _ledger(settings)
    yield from _accounts(settings, offline=offline)
    yield from _emulator(settings)
    yield _webhook(settings)


def _python() -> Iterator[Look]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < LEAST_PYTHON:
        yield Look("python", Verdict.WRONG, f"Python {version}", "install Python 3.11 or newer, then `make clean demo`")
    else:
        yield Look("python", Verdict.OK, f"Python {version}")
    faults = list(_package_faults())
    asked = len(list(_requirements()))
    if faults:
        yield Look("packages", Verdict.WRONG, "; ".join(faults[:NAMED]), "`make clean`, then `make demo` installs anew")
    else:
        yield Look("packages", Verdict.OK, f"{asked} packages in the versions that were asked for")


def _requirements() -> Iterator[tuple[str, str]]:
    """Name and version range of what the project itself asks for."""
    from packaging.requirements import Requirement

    for line in metadata.requires("cj-pipeline") or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name, str(requirement.specifier)


def _package_faults() -> Iterator[str]:
    from packaging.specifiers import SpecifierSet

    for name, wanted in _requirements():
        try:
            installed = metadata.version(name)
            importlib.import_module(name.replace("-", "_"))  # true of every package that the project names
        except (metadata.PackageNotFoundError, ImportError) as error:
            yield f"{name}: {type(error).__name__}"
            continue
        if not SpecifierSet(wanted).contains(installed, prereleases=True):
            yield f"{name} {installed}, but {wanted} is needed"


def _batches(settings: Settings) -> Iterator[Look]:
    roots = [root for root in (settings.batches, settings.samples) if root.is_dir()]
    if not roots:
        yield Look(
            "batches", Verdict.WARNING, f"neither {settings.batches} nor {settings.samples} is there",
            "run this in the project's folder, or set CJ_BATCHES",
        )  # fmt: skip
        return
    names, faults = batch_ids(roots), []
    for name in names:
        try:
            folder = batch_folder(name, roots)
            if read_manifest(folder).batch.tops_up is None:  # else it is read beside the batch it tops up
                read_batch(folder)
        except (CjError, OSError) as error:
            faults.append(str(error))
    if faults:
        yield Look("batches", Verdict.WARNING, "; ".join(faults[:NAMED]), "correct the files; `cj status` lists all")
    else:
        yield Look("batches", Verdict.OK, f"{len(names)} batch folders, all can be read")


def _store(settings: Settings) -> Iterator[Look]:
    path = f"probe-{uuid.uuid4().hex[:8]}"
    try:
        store = Store(settings.store)
        store.write(path, [b"probe"])
        whole = store.read(path) == b"probe"
        store.remove(path)
    except Exception as error:
        yield Look(
            "store", Verdict.WRONG, f"{settings.store}: {type(error).__name__} on writing a file",
            "correct CJ_STORE, or the rights to write there",
        )  # fmt: skip
        return
    if whole:
        yield Look("store", Verdict.OK, f"{settings.store}: a file was written, read back and removed")
    else:
        yield Look("store", Verdict.WRONG, f"{settings.store}: gave back other bytes than were written", "use another")


def _space(settings: Settings) -> Iterator[Look]:
    places = {"ledger": settings.ledger.parent, "Dagster": Path("data/dagster")}
    if "://" not in settings.store:
        places["store"] = Path(settings.store)
    free = {name: shutil.disk_usage(_existing(folder)).free for name, folder in places.items()}
    name, least = min(free.items(), key=lambda item: item[1])
    said = f"{least / 1e9:.1f} GB free where {name} lies"
    if least < LITTLE_SPACE:
        verdict = Verdict.WRONG if least < NO_SPACE else Verdict.WARNING
        yield Look("disk", verdict, said, "make room before buying: an answer that cannot be stored waits")
    else:
        yield Look("disk", Verdict.OK, said)


def _ledger(settings: Settings) -> Iterator[Look]:
    if settings.postgres_url is None and not settings.ledger.exists():
        yield from _place_of_ledger(settings.ledger.parent)
        return
    name = "PostgreSQL" if settings.postgres_url else str(settings.ledger)
    if settings.postgres_url is None:
        yield from _place_of_ledger(settings.ledger.parent)
        yield _permissions(settings.ledger)
    try:
        ledger = Ledger(settings.ledger_url)
        with ledger.reading() as connection:
            schema = str(connection.execute(sa.text("select version_num from alembic_version")).scalar_one())
            newest = ledger_time(connection.execute(sa.select(sa.func.max(bookings.c.booked_at))).scalar_one())
            sound = ledger.engine.dialect.name != "sqlite" or (
                connection.exec_driver_sql("PRAGMA quick_check").scalar_one() == "ok"
            )
    except Exception as error:
        # the driver's own words can hold the address and the password
        yield Look(
            "ledger", Verdict.WRONG, f"{name} cannot be opened ({type(error).__name__})",
            "check CJ_POSTGRES_URL or CJ_LEDGER, and that no newer version of the project wrote it",
        )  # fmt: skip
        return
    if sound:
        yield Look("ledger", Verdict.OK, f"{name} opens, its schema is the newest ({schema})")
    else:
        yield Look("ledger", Verdict.WRONG, f"{name} is damaged", "stop everything and restore it: docs/operations.md")
    yield _clock(newest)


def _place_of_ledger(folder: Path) -> Iterator[Look]:
    there = _existing(folder)
    try:
        refuse_network_file_system(folder, file_system_of(there))
    except CjError as error:
        yield Look("ledger's disk", Verdict.WRONG, str(error), "move it to a disk of this machine")
        return
    if not os.access(there, os.W_OK):
        yield Look(
            "ledger's disk", Verdict.WRONG, f"{there} cannot be written", "give yourself the right, or CJ_LEDGER"
        )
    else:
        yield Look("ledger's disk", Verdict.OK, f"{folder}: a disk of this machine, and writable")


def _permissions(ledger: Path) -> Look:
    mode = stat.S_IMODE(ledger.stat().st_mode)
    if not os.access(ledger, os.R_OK | os.W_OK):
        return Look("ledger's rights", Verdict.WRONG, f"{ledger} cannot be read and written", f"chmod u+rw {ledger}")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Look(
            "ledger's rights", Verdict.WARNING, f"{ledger} may be written by others on this machine ({mode:o})",
            f"chmod go-w {ledger}",
        )  # fmt: skip
    return Look("ledger's rights", Verdict.OK, f"only its owner may write it ({mode:o})")


def _clock(newest: datetime | None) -> Look:
    now = datetime.now(UTC)
    if newest is not None and newest > now + CLOCK_TOLERANCE:
        return Look(
            "clock", Verdict.WRONG,
            f"it is {now:%Y-%m-%d %H:%M} UTC here, and the ledger was written {newest:%Y-%m-%d %H:%M}",
            "set this machine's clock: waits and daily caps go by it",
        )  # fmt: skip
    return Look("clock", Verdict.OK, f"{now:%Y-%m-%d %H:%M} UTC, not before what the ledger knows")


def _accounts(settings: Settings, *, offline: bool) -> Iterator[Look]:
    """Every account that a batch names: its key, and one authenticated list."""
    quick = settings.model_copy(update={"request_timeout_seconds": LOOK_SECONDS})
    for judge, users in _accounts_in_use(settings):
        name = f"{judge.provider}/{judge.account}"
        used = f"used by {users[0]}" + (f" and {len(users) - 1} more" if len(users) > 1 else "")
        try:
            api_key(judge.provider, judge.account)
        except CjError as error:
            yield Look(name, Verdict.WRONG, f"{used}: no key", str(error))
            continue
        has_key = f"{used}: {key_variable(judge.provider, judge.account)} is set"
        if offline:
            yield Look(name, Verdict.OK, f"{has_key}; not asked")
            continue
        try:
            provider_for(judge, quick).poll(set(), datetime.now(UTC))
        except CjError as error:
            yield Look(name, Verdict.WRONG, str(error), "check the network, the key and base_url in batch.toml")
        else:
            yield Look(name, Verdict.OK, f"{has_key}, and {judge.base_url or 'the provider'} lists jobs")


def _accounts_in_use(settings: Settings) -> list[tuple[JudgeSection, list[str]]]:
    roots = [settings.batches, settings.samples]
    used: dict[tuple[str, str, str], tuple[JudgeSection, list[str]]] = {}
    for name in batch_ids([root for root in roots if root.is_dir()]):
        try:
            judges = read_manifest(batch_folder(name, roots)).judges
        except (CjError, OSError):
            continue  # named among the batches
        for judge in judges:
            if judge.provider != "emulator":
                users = used.setdefault((judge.provider, judge.account, judge.base_url), (judge, []))[1]
                users.append(name)
    return [used[place] for place in sorted(used)]


def _emulator(settings: Settings) -> Iterator[Look]:
    url = settings.emulator_url
    if emulator.answers(url):
        yield Look("emulator", Verdict.OK, f"answers at {url}")
    elif urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}:
        yield Look("emulator", Verdict.OK, f"does not run at {url}; it is started when a batch needs it")
    else:
        yield Look(
            "emulator", Verdict.WARNING, f"does not answer at {url}",
            "start one there, or unset CJ_EMULATOR_URL; only offline judges need it",
        )  # fmt: skip


def _webhook(settings: Settings) -> Look:
    if settings.notify_url is None:
        return Look("notices", Verdict.OK, "go to the log; set CJ_NOTIFY_URL to send them to a chat as well")
    if urlsplit(settings.notify_url.get_secret_value()).scheme not in {"http", "https"}:
        return Look("notices", Verdict.WRONG, "CJ_NOTIFY_URL is no address of the web", "begin it with https://")
    return Look("notices", Verdict.OK, "go to the log and to the webhook CJ_NOTIFY_URL")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    folder = folder.resolve()
    return next(place for place in (folder, *folder.parents) if place.exists())
