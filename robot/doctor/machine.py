"""The computer as the doctor sees it: its files under a root, and a few programs to ask; tests hand in their own."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import Any

_ASK_S = 5.0
_PROBE_S = 120.0
"""TensorRT may take a minute to read its engine on a small board."""
_SAID_LAST = 300


def _may_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)


def _ask(command: Sequence[str]) -> str | None:
    """What a program says; None when it is not there, fails or hangs."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_ASK_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _probe(words: Sequence[str]) -> Mapping[str, Any]:
    """In a child process: a library that crashes or hangs is a finding, not the end of the doctor."""
    command = [sys.executable, "-m", "robot.doctor.probe", *words]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_PROBE_S)
    except subprocess.TimeoutExpired:
        return {"error": f"hangs: said nothing for {_PROBE_S:.0f} s", "kind": "hang"}
    if done.returncode < 0:
        return {"error": f"crashes with {Signals(-done.returncode).name}", "kind": "crash"}
    try:
        told: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        said = " ".join(done.stderr.split())[-_SAID_LAST:]
        return {"error": said or f"exit code {done.returncode}", "kind": "crash"}
    return told


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    root: Path = Path("/")
    may_use: Callable[[Path], bool] = _may_use
    """Read and write, by this user."""
    ask: Callable[[Sequence[str]], str | None] = _ask
    probe: Callable[[Sequence[str]], Mapping[str, Any]] = _probe
    free_bytes: Callable[[Path], int] = _free_bytes
    architecture: str = platform.machine()
    python: tuple[int, int, int] = sys.version_info[:3]

    def path(self, place: str) -> Path:
        return self.root / place.lstrip("/")

    def text(self, place: str | Path) -> str:
        """Of a small file, without the zero bytes of a device tree; empty when it cannot be read."""
        path = self.path(place) if isinstance(place, str) else place
        try:
            return path.read_bytes().decode("utf-8", "replace").replace("\0", " ").strip()
        except OSError:
            return ""

    def found(self, pattern: str) -> list[Path]:
        """Files that are there, video2 before video10."""
        return sorted(self.root.glob(pattern.lstrip("/")), key=lambda path: _natural(str(path)))

    def shown(self, path: Path) -> str:
        """As the user knows it."""
        return f"/{path.relative_to(self.root)}"

    @property
    def is_jetson(self) -> bool:
        return "nvidia,tegra" in self.text("/proc/device-tree/compatible")

    @property
    def is_container(self) -> bool:
        return self.path("/.dockerenv").exists()

    @property
    def has_device_tree(self) -> bool:
        """A small board, whose header's buses are for what its owner wires to them."""
        return bool(self.text("/proc/device-tree/compatible"))


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", text)]
