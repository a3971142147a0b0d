from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from app.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "sim", "robot", "perception", "calibration", "control")


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running ``code``."""
    script = f"import sys\n{code}\nprint('|'.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
        capture_output=True, text=True,
    )  # fmt: skip
    return set(done.stdout.strip().splitlines()[-1].split("|"))


def test_every_import_contract_holds() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"], cwd=ROOT, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_the_imported_folders_are_ours(package: str) -> None:
    # `robot` and `control` are also the names of other people's distributions.
    place = import_module(package).__file__
    assert place is not None
    assert Path(place).resolve().parent == ROOT / package


def test_help_imports_no_heavy_library() -> None:
    loaded = loaded_by("from app.cli.main import main; main(['--help'])")
    assert not loaded & {"torch", "cv2", "numpy", "pydantic", "rich", "yaml", "matplotlib", "onnxruntime"}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_help_of_a_command_imports_torch(command: str) -> None:
    code = f"from app.cli.main import main\ntry: main(['{command}', '--help'])\nexcept SystemExit: pass"
    assert "torch" not in loaded_by(code)


def test_driving_imports_neither_torch_nor_onnx() -> None:
    parts = "app.cli.drive, app.cli.drive_simulated, app.cli.drive_hardware, app.cli.bench, perception.engines.onnx"
    code = f"import {parts}"
    assert not loaded_by(code) & {"torch", "torchvision", "onnx"}


def test_control_needs_nothing_but_the_standard_library_and_simple_pid() -> None:
    loaded = loaded_by("import control.follower, control.supervisor, control.laws, control.mixing")
    assert not loaded & {"numpy", "cv2", "yaml", "pydantic"}
