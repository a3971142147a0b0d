"""What the loop costs beside the network: p99 over all passes of a lap, the median of several laps. Prints JSON lines.

    python benchmarks/loop.py [--laps 5]

Each lap is a process of its own, as a drive is. The time of the simulated camera and vehicle does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # In place of this folder, whose control.py would hide the package of that name.
    sys.path[0] = str(ROOT)

from benchmarks.results import emit  # noqa: E402

_FIGURES = (
    ("loop_overhead_p99", "overhead_p99_ms", 1.0, "all but the network"),
    ("loop_p50", "loop_p50_ms", None, "whole pass"),
    ("loop_p99", "loop_p99_ms", None, "whole pass"),
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--laps", type=int, default=5)
    laps = [_lap() for _ in range(options.parse_args().laps)]
    for name, key, target, what in _FIGURES:
        values = sorted(lap[key] for lap in laps)
        context = (
            f"{what}; median of {len(laps)} laps of {laps[0]['passes']} passes, {values[0]:.2f} to {values[-1]:.2f}, "
            f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
        emit(name, median(values), unit="ms", target=target, better="lower", context=context)


def _lap() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "drive.json"
        command = [sys.executable, "-m", "app.cli.main", "drive", "--track", "reInvent2019_track"]
        command += ["--json", str(told), "--picture", f"{folder}/drive.png"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        report: dict[str, Any] = json.loads(told.read_text())
    return report


if __name__ == "__main__":
    main()
