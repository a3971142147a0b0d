from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.perception.hub_stand import HubStand, hub_stand

pytest.importorskip("huggingface_hub", reason="pip install 'linepilot[hub]'")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def hub() -> Iterator[HubStand]:
    with hub_stand() as stand:
        yield stand


def linepilot(*arguments: str, hub: HubStand, cwd: Path, token: str | None = None) -> tuple[int, str, str]:
    environment = {
        **os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(cwd / "home"), "HF_TOKEN": token or hub.token,
        "HF_HUB_DISABLE_XET": "1", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-m", "app.cli.main", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_model_goes_up_and_comes_back_whole_without_what_nobody_needs(
    hub: HubStand, model_folder: Path, tmp_path: Path
) -> None:
    (model_folder / "state.pt").write_bytes(b"a pickle")
    (model_folder / "red.pth").write_bytes(b"a pickle")
    code, out, err = linepilot("push", str(model_folder), "amira/track", hub=hub, cwd=tmp_path)
    assert (code, err) == (0, ""), err
    assert f"{hub.url}/amira/track" in out
    assert "red.onnx" in hub.files
    assert not {"state.pt", "red.pth"} & set(hub.files)
    code, out, err = linepilot("pull", "amira/track", "--out", "models/room", hub=hub, cwd=tmp_path)
    assert (code, err) == (0, ""), err
    assert "model=models/room/red.int8.onnx" in out
    assert {path.name for path in (tmp_path / "models" / "room").iterdir()} == set(hub.files)
    assert (tmp_path / "models" / "room" / "red.onnx").read_bytes() == (model_folder / "red.onnx").read_bytes()
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["room"]


def test_a_network_that_is_not_what_its_checksum_says_is_refused(
    hub: HubStand, model_folder: Path, tmp_path: Path
) -> None:
    hub.files = {path.name: path.read_bytes() for path in model_folder.iterdir()}
    hub.files["red.onnx"] += b"x"
    code, _, err = linepilot("pull", "amira/track", hub=hub, cwd=tmp_path)
    assert code == 2
    assert "red.onnx" in err
    assert not (tmp_path / "track").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["push", "nothing", "amira/track"], "nothing: holds nothing of a model"),
        (["push", "MODEL", "amira/a track"], "takes OWNER/NAME"),
        (["pull", "amira/gone"], "amira/gone: not found"),
        (["pull", "amira/track", "--out", "MODEL"], "is there already"),
        (["pull", "amira/track"], "amira/track: holds nothing of a model"),
    ],
)
def test_bad_input_is_one_line(
    hub: HubStand, model_folder: Path, tmp_path: Path, arguments: list[str], told: str
) -> None:
    given = [str(model_folder) if one == "MODEL" else one for one in arguments]
    code, out, err = linepilot(*given, hub=hub, cwd=tmp_path)
    assert code in (1, 2)
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


def test_a_token_that_is_refused_says_how_to_log_in(hub: HubStand, model_folder: Path, tmp_path: Path) -> None:
    code, _, err = linepilot("push", str(model_folder), "amira/track", hub=hub, cwd=tmp_path, token="wrong")
    assert code == 1
    assert "hf auth login" in err
    assert hub.files == {}


def test_a_hub_that_is_not_there_is_one_line(model_folder: Path, tmp_path: Path) -> None:
    away = HubStand(url="http://127.0.0.1:9")
    for arguments in (["push", str(model_folder), "amira/track"], ["pull", "amira/track"]):
        code, _, err = linepilot(*arguments, hub=away, cwd=tmp_path)
        assert code == 1
        assert "network" in err
        assert err.count("\n") == 1
