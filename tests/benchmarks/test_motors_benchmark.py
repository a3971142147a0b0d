from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from robot.motors.boards import BOARDS

ROOT = Path(__file__).resolve().parents[2]


def test_every_board_is_measured() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/motors.py", "--ticks", "5"],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["name"] for record in records] == [f"motor_driver_{name}" for name in BOARDS]
    assert all(record["value"] > 0 for record in records)
