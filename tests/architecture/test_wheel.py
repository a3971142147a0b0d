"""What a user installs: the wheel alone, in an environment that knows nothing of this folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from app.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def run(*command: str, cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # Built from a copy of what git knows, so that leftovers of other builds do not get in.
    listed = run("git", "ls-files", cwd=ROOT).splitlines()
    source = folder / "source"
    for name in listed:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), cwd=source)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def bin_folder(wheel: Path) -> Path:
    place = wheel.parent / "venv"
    venv.create(place, with_pip=True)
    run(str(place / "bin" / "python"), "-m", "pip", "install", "-q", str(wheel), cwd=wheel.parent)
    return place / "bin"


def test_it_holds_the_data_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "sim/tracks/layouts/reInvent2019_track.npy" in names
    assert "sim/render/textures.zip" in names
    assert "app/web/static/index.html" in names
    assert any(name.startswith("perception/models/") and name.endswith(".onnx") for name in names)
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "docs"))]


def test_it_brings_no_torch(bin_folder: Path) -> None:
    listed = json.loads(run(str(bin_folder / "python"), "-m", "pip", "list", "--format=json", cwd=bin_folder))
    assert "torch" not in {package["name"] for package in listed}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(bin_folder: Path, command: str, tmp_path: Path) -> None:
    assert f"usage: linepilot {command}" in run(str(bin_folder / "linepilot"), command, "--help", cwd=tmp_path)


def test_it_drives_with_the_shipped_model(bin_folder: Path, tmp_path: Path) -> None:
    run(str(bin_folder / "linepilot"), "drive", "--track", "s-bend", "--json", "out.json", cwd=tmp_path)
    assert json.loads((tmp_path / "out.json").read_text())["completed"]
    assert (tmp_path / "drive.png").exists()


def test_what_is_not_installed_is_named_in_one_line(bin_folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(bin_folder / "linepilot"), "train", "--minutes", "1"], cwd=tmp_path, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert "linepilot[train]" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not any(tmp_path.iterdir())
