"""Cameras that others bring: a real distribution on the path, found by its entry point."""

from __future__ import annotations

from pathlib import Path

import pytest

from control.errors import ConfigError
from robot.cameras import CameraSettings, open_camera
from robot.cameras.kinds import names

CODE = """
import numpy as np
from robot.cameras.latest import LatestFrameCamera
from threading import Event

class Eye:
    def __init__(self, level):
        self.level = level
    def grab(self):
        Event().wait(0.01)
        return np.full((8, 8, 3), self.level, np.uint8)
    def close(self):
        pass

def open_eye(settings):
    return LatestFrameCamera(Eye(int(settings.place)), name=settings.source)
"""


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "third_eye.py").write_text(CODE)
    info = tmp_path / "third_eye-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-eye\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[linepilot.cameras]\nthird-eye = third_eye:open_eye\nblind-eye = third_eye:nothing\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_it_is_listed_after_ours() -> None:
    assert names()[:5] == ["sim", "file", "usb", "csi", "gst"]
    assert "third-eye" in names()[5:]


def test_its_name_opens_it_and_the_place_is_its_own_affair() -> None:
    with open_camera(CameraSettings(source="third-eye:77")) as camera:
        assert next(iter(camera.frames(timeout_s=20))).image.max() == 77


def test_a_factory_can_be_named_by_its_module(tmp_path: Path) -> None:
    (tmp_path / "fourth_eye.py").write_text("from third_eye import open_eye\nopen = lambda _: open_eye(_Seven)\n"
        "class _Seven:\n    place, source = '7', 'seven'\n")  # fmt: skip
    with open_camera(CameraSettings(source="fourth_eye:open")) as camera:
        assert next(iter(camera.frames(timeout_s=20))).image.max() == 7


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("blind-eye:0", "cannot be loaded"),
        ("third-eyes:0", "did you mean 'third-eye'"),
        ("cis:0", "did you mean 'csi:NUMBER'"),
        ("nowhere:open", "cannot be loaded"),
        ("webcam", "known: sim, file:PATH"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(source: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        open_camera(CameraSettings(source=source))
    assert "\n" not in str(caught.value)
