"""Whether a long drive with its page and a recording grows: memory of the drive and of the page's server. JSON lines.

    python benchmarks/soak.py [--minutes 30]

A simulated drive in real time, recorded, with two pages that look on; a stretch at the start, while caches fill, does
not count.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # In place of this folder, whose control.py would hide the package of that name.
    sys.path[0] = str(ROOT)

from benchmarks.results import emit  # noqa: E402

_EVERY_S = 10.0
_SETTLES = 0.2
"""Share of the time that does not count."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=30.0)
    minutes = options.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "app.cli.main", "drive", "--track", "oval", "--laps", "100000", "--web"]
        command += ["--web-port", "8499", "--record", f"{folder}/soak.mcap", "--picture", f"{folder}/drive.png"]
        drive = subprocess.Popen([*command, "model=classical"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert drive.stdout is not None
            url = next(found.group() for line in drive.stdout if (found := re.search(r"http://\S+", line)))
            looks = [sys.executable, str(ROOT / "benchmarks" / "web.py"), "--seconds", str(minutes * 60)]
            pages = subprocess.Popen(["nice", "-n", "19", *looks, "--clients", url, "2"], stdout=subprocess.DEVNULL)
            seen = _watch(drive.pid, seconds=minutes * 60)
            pages.wait(60)
            recorded = sum(path.stat().st_size for path in Path(folder).glob("*.mcap")) / 1e6
        finally:
            drive.terminate()
            drive.wait(60)
    _report(seen, minutes=minutes, recorded_mb=recorded)


def _watch(pid: int, *, seconds: float) -> dict[str, list[tuple[float, float]]]:
    """Minutes and MB, of the drive and of its first child, the page's server."""
    began_s = time.monotonic()
    seen: dict[str, list[tuple[float, float]]] = {"drive": [], "server": []}
    while (now_s := time.monotonic() - began_s) < seconds:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for name, one in zip(seen, [str(pid), *children[:1]], strict=False):
            seen[name].append((now_s / 60, _memory_mb(one)))
        Event().wait(_EVERY_S)
    return seen


def _memory_mb(pid: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _report(seen: dict[str, list[tuple[float, float]]], *, minutes: float, recorded_mb: float) -> None:
    for name, values in seen.items():
        settled = np.array([pair for pair in values if pair[0] >= _SETTLES * minutes])
        slope = float(np.polyfit(settled[:, 0], settled[:, 1], 1)[0])
        context = (
            f"{minutes:g} minutes in real time, {settled[0, 1]:.0f} MB after {settled[0, 0]:.0f} minutes, "
            f"{settled[-1, 1]:.0f} MB at the end, {recorded_mb:.0f} MB recorded"
        )
        emit(f"soak_{name}_growth", slope, unit="MB/min", target=None, better="lower", context=context)


if __name__ == "__main__":
    main()
