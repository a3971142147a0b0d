"""OpenCV's build, and the network: which engine really ran a frame, and how fast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from robot.config import RobotConfig
from robot.doctor.finding import Finding, ok, problem, warning
from robot.doctor.machine import Machine

_SYSTEM_OPENCV = ("/usr/lib/python3*/dist-packages/cv2*", "/usr/lib/python3*/site-packages/cv2*")
_OWN_VENV = "make the environment with: python3 -m venv --system-site-packages .venv"
_COLOUR = "classical"


def software(machine: Machine, config: RobotConfig) -> Iterator[Finding]:
    told = machine.probe(["opencv"])
    yield _opencv(machine, told)
    if "error" in told:
        # Without OpenCV there is no picture to show to the network.
        yield problem("engine", "not tried: OpenCV cannot be loaded", "first mend what OpenCV says")
    else:
        yield from _network(machine.probe(["network", config.model_dump_json()]), config)


def _opencv(machine: Machine, told: Mapping[str, Any]) -> Finding:
    """Its GStreamer is for the reader to know: our CSI cameras do without, other programs on the robot may not."""
    if "error" in told:
        return problem("OpenCV", f"cannot be loaded: {told['error']}", _loading_fix(machine, str(told["error"])))
    found = f"{told['version']}, GStreamer {'yes' if told['gstreamer'] else 'no'}, {told['place']}"
    if told["wheel"] and machine.is_jetson and _systems_own(machine):
        fix = f"pip uninstall -y {told['wheel']}"
        return warning("OpenCV", f"{found}: the wheel {told['wheel']} hides JetPack's own", fix)
    return ok("OpenCV", found)


def _systems_own(machine: Machine) -> list[Path]:
    return [path for pattern in _SYSTEM_OPENCV for path in machine.found(pattern)]


def _loading_fix(machine: Machine, error: str) -> str:
    if "numpy" in error.lower() or "_ARRAY_API" in error:
        # JetPack 6's OpenCV was built for NumPy 1.
        return "pip install 'numpy<2'"
    if "libGL" in error or "libgthread" in error:
        return "sudo apt install libgl1 libglib2.0-0"
    if "No module named" in error and _systems_own(machine):
        return _OWN_VENV
    if machine.is_jetson:
        return "sudo apt install libopencv-python (JetPack's own, with GStreamer)"
    return "pip install opencv-python"


def _network(told: Mapping[str, Any], config: RobotConfig) -> Iterator[Finding]:
    if "error" in told:
        part = "model" if told.get("kind") == "ModelError" else "engine"
        what, _, remedy = str(told["error"]).rpartition("; ")
        yield problem(part, what or remedy, remedy if what else _crash_fix(remedy))
        return
    if config.model == _COLOUR:
        yield ok("model", "none: the line is found by its colour")
    elif not told["checksum"]:
        yield warning("model", f"{told['file']}: no checksum beside it", "linepilot export writes one beside the model")
    else:
        golden = f", {told['golden']} golden frames agree" if told["golden"] else ", no golden frames"
        yield ok("model", f"{Path(told['file']).name}: checksum agrees{golden}")
    found = f"{told['runs_on']}: {told['p50_ms']:.1f} ms a frame, opened in {told['opened_s']:.1f} s"
    if told["p50_ms"] > 1000 / config.fps:
        fix = f"a smaller or faster model, or fps={max(1, int(700 / told['p50_ms']))}"
        yield warning("engine", f"{found}; too slow for {config.fps:g} frames a second", fix)
    else:
        yield ok("engine", found)


def _crash_fix(said: str) -> str:
    if "SIGILL" in said:
        # OpenBLAS takes a Cortex-A57 for a newer core.
        return "on a Jetson Nano: export OPENBLAS_CORETYPE=ARMV8"
    return "pip install --force-reinstall onnxruntime, or another engine: model=classical"
