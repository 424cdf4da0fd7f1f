"""The `cj` command as people start it."""

import os
import subprocess
import sys
from pathlib import Path

from cj_pipeline_tests.installation import Installation

CJ = str(Path(sys.executable).with_name("cj"))


def cj(installation: Installation, *words: str, code: int = 0) -> str:
    """Run `cj`; its words on both streams. Fails when it ends with another code."""
    environment = {**os.environ, **installation.environment, "COLUMNS": "160"}
    child = subprocess.run(
        [CJ, *words], cwd=installation.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert child.returncode == code, child.stdout + child.stderr
    assert "Traceback" not in child.stderr
    return child.stdout + child.stderr
