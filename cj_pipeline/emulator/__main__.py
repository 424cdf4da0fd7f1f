"""`python -m cj_pipeline.emulator --folder FOLDER [--port PORT]`: what `start_process` starts."""

import argparse
import sys
from pathlib import Path

from cj_pipeline.emulator.server import serve
from cj_pipeline.errors import CjError


def main() -> None:
    """Serve until stopped; a mistake is told in one line."""
    parser = argparse.ArgumentParser(prog="python -m cj_pipeline.emulator", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where state is kept")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--seconds-per-phase", type=float, default=0.5, help="validating, in_progress, finalizing")
    parser.add_argument("--stop-with-parent", action="store_true", help="end when standard input ends")
    given = parser.parse_args()
    try:
        serve(
            host=given.host,
            port=given.port,
            folder=given.folder,
            seconds_per_phase=given.seconds_per_phase,
            stop_with_parent=given.stop_with_parent,
        )
    except CjError as error:
        sys.exit(f"emulator: {error}")


if __name__ == "__main__":
    main()
