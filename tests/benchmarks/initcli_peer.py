"""`initcli generate` as a library call, for the time without starting Python and importing.

Prints the seconds for reading the spec, drawing and publishing the file. Usage: python initcli_peer.py SPEC OUT
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from initcli.engine import generate_file
from initcli.formats.listing import choose_format
from initcli.resolution import load_plan
from initcli.workers import default_jobs


def main() -> None:
    """Generate, and print the time."""
    spec, out = Path(sys.argv[1]), Path(sys.argv[2])

    start = time.perf_counter()
    plan = load_plan(spec.read_bytes(), str(spec))
    generate_file(plan, choose_format(str(out), None, len(plan.tensors)), out, force=True, jobs=default_jobs())
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
