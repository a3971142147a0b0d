from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic

import numpy as np
import pytest

from control.errors import CameraError, CameraLost, CameraStalled, ConfigError
from robot.cameras import CameraSettings, open_camera
from robot.cameras.gst_launch import GstLaunch, patience_with
from robot.cameras.gstreamer import opencv_has_gstreamer
from robot.cameras.latest import LatestFrameCamera
from robot.cameras.source import Camera, Device, Frame
from tests.robot.gst_tool import needs_gst_launch, stand_in, without_a_jetson

pytestmark = needs_gst_launch

ROOT = Path(__file__).resolve().parents[2]
BGR = "videoconvert ! video/x-raw,format=BGR"
LIVE = f"videotestsrc is-live=true pattern=smpte ! video/x-raw,width=64,height=48,framerate=30/1 ! {BGR}"
PATIENCE_S = 20.0
"""Nothing here takes so long, unless the machine is busy with other things."""


def soon(met: Callable[[], bool]) -> bool:
    until_s = monotonic() + PATIENCE_S
    while not met() and monotonic() < until_s:
        Event().wait(0.005)
    return met()


def frame_of(camera: Camera) -> Frame:
    """The next one, whatever stalls come before it."""
    until_s = monotonic() + PATIENCE_S
    while True:
        try:
            return next(iter(camera.frames(timeout_s=1.0)))
        except CameraStalled:
            assert monotonic() < until_s


@pytest.mark.parametrize(("fps", "patience_s"), [(60, 0.15), (30, 0.15), (12.5, 0.16), (10, 0.2), (5, 0.2), (0, 0.2)])
def test_a_slow_camera_has_more_time(fps: float, patience_s: float) -> None:
    assert patience_with(fps) == pytest.approx(patience_s)


def loss_of(camera: Camera) -> CameraLost:
    with pytest.raises(CameraLost) as caught:
        for _ in camera.frames(timeout_s=PATIENCE_S):
            pass
    assert "\n" not in str(caught.value)
    return caught.value


def is_gone(pid: int) -> bool:
    """Ended, and waited for or a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


class Watched:
    """A camera of which all children are known."""

    def __init__(self, pipeline: str = LIVE, *, stall_s: float = 0.2) -> None:
        self.children: list[GstLaunch] = []

        def opened(given_up: Callable[[], bool]) -> Device:
            child = GstLaunch(pipeline, name="test", stall_s=stall_s, given_up=given_up)
            self.children.append(child)
            return child

        self.camera = LatestFrameCamera(opened(lambda: False), name="test", reopen=opened, back_off_s=(0.0, 0.1))


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    with made.camera:
        yield made


@pytest.mark.parametrize(("colour", "bgr"), [("blue", (255, 0, 0)), ("green", (0, 255, 0)), ("red", (0, 0, 255))])
def test_pixels_are_blue_green_red(colour: str, bgr: tuple[int, int, int]) -> None:
    child = GstLaunch(f"videotestsrc pattern={colour} num-buffers=1 ! {BGR}", name="test")
    image = child.grab()
    child.close()
    assert (np.abs(image.astype(int) - bgr) < 4).all()


def test_rows_that_are_filled_up_do_not_skew_the_picture() -> None:
    # 66 x 3 bytes are no whole number of words.
    bars = f"videotestsrc num-buffers=1 pattern=smpte75 ! video/x-raw,width=66,height=20 ! {BGR}"
    child = GstLaunch(bars, name="test")
    image = child.grab()
    child.close()
    assert image.shape == (20, 66, 3)
    assert (image[:10] == image[0]).all()


def test_size_and_rate_are_read_back() -> None:
    pipeline = f"videotestsrc num-buffers=1 ! video/x-raw,width=320,height=240,framerate=30000/1001 ! {BGR}"
    child = GstLaunch(pipeline, name="test")
    child.close()
    assert child.size == (320, 240)
    assert child.fps == pytest.approx(29.97, abs=0.01)


@pytest.mark.parametrize(
    ("pipeline", "reason"),
    [
        ("nosuchelement", 'no element "nosuchelement"'),
        ("videotestsrc !", "syntax error"),
        (f"filesrc location=/not/here ! decodebin ! {BGR}", "No such file"),
        (f"videotestsrc num-buffers=0 ! {BGR}", "came to its end"),
        (f"videotestsrc ! video/x-raw,format=I420 ! {BGR},width=0", "."),
    ],
)
def test_a_pipeline_that_cannot_be_is_refused_in_one_line(pipeline: str, reason: str) -> None:
    with pytest.raises(CameraError, match=reason) as caught:
        GstLaunch(pipeline, name="gst:test")
    assert str(caught.value).startswith("gst:test: ")
    assert "\n" not in str(caught.value)


def test_a_killed_child_is_noticed_and_another_takes_its_place(watched: Watched) -> None:
    before = frame_of(watched.camera)
    watched.children[0].process.kill()
    assert "SIGKILL" in str(loss_of(watched.camera))
    after = frame_of(watched.camera)
    assert after.index > before.index
    assert after.stamp_s > before.stamp_s
    assert len(watched.children) >= 2


def test_a_frozen_child_is_noticed_ended_and_replaced(watched: Watched) -> None:
    frame_of(watched.camera)
    frozen = watched.children[0].process
    frozen.send_signal(signal.SIGSTOP)
    assert "200 ms" in str(loss_of(watched.camera))
    frame_of(watched.camera)
    assert len(watched.children) >= 2
    assert is_gone(frozen.pid)


def test_while_it_is_lost_every_wait_says_so_and_none_hurries(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame_of(watched.camera)
    monkeypatch.setenv("PATH", str(tmp_path))
    watched.children[0].process.kill()
    loss_of(watched.camera)
    began_s = monotonic()
    for _ in range(3):
        with pytest.raises(CameraLost):
            next(watched.camera.frames(timeout_s=0.03))
    assert monotonic() - began_s >= 0.09


def test_closing_ends_the_child() -> None:
    watched = Watched()
    with watched.camera:
        frame_of(watched.camera)
    assert all(is_gone(child.process.pid) for child in watched.children)


def test_a_child_that_does_not_want_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "trap '' INT TERM HUP; say_size; picture; while :; do sleep 0.1; done", monkeypatch)
    child = GstLaunch(LIVE, name="test")
    child.close()
    assert child.process.returncode == -signal.SIGKILL


def test_closing_while_it_is_opened_again_does_not_wait_for_a_camera_that_never_comes(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    stand_in(tmp_path, f"touch '{started}'; exec sleep 60", monkeypatch)
    watched.children[0].process.kill()
    loss_of(watched.camera)
    assert soon(started.exists)
    began_s = monotonic()
    watched.camera.close()
    assert monotonic() - began_s < 5.0  # It would be given 10 s for its first picture.


def test_the_child_does_not_outlive_us_even_if_we_are_killed(tmp_path: Path) -> None:
    script = f"""
from robot.cameras.gst_launch import GstLaunch, patience_with
from threading import Event
print(GstLaunch({LIVE!r}, name="test").process.pid, flush=True)
Event().wait()
"""
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.communicate()
    assert soon(lambda: is_gone(pid))


def test_an_interrupt_from_the_terminal_is_not_for_the_child() -> None:
    child = GstLaunch(LIVE, name="test")
    assert os.getpgid(child.process.pid) != os.getpgid(0)
    child.close()


def grab_two() -> None:
    child = GstLaunch("videotestsrc", name="test", stall_s=0.3, first_s=1.0)
    try:
        child.grab()
        child.grab()
    finally:
        child.close()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("say_size; picture; part; exec sleep 60", "no whole picture for 300 ms|of 100 bytes instead of 9216"),
        ("say_size; picture; sleep 0.1; part; sleep 0.02; picture; exec sleep 60", "of 100 bytes instead of 9216"),
        ("say_size; picture; exec sleep 60", "no whole picture for 300 ms"),
        ("say_size; picture; part; exit 3", "code 3|of 100 bytes"),
        ("say_size; picture; echo 'ERROR: from element /a/b:c: It broke.'; exit 1", "It broke"),
        ("say_size; part; exec sleep 60", "no whole picture for 1 s|of 100 bytes"),
        ("say_size; exit 0", "came to its end"),
        ("exec sleep 60", "no whole picture for 1 s"),
        ("head -c 3000 /dev/urandom; exit 1", "code 1"),
    ],
)
def test_a_short_or_missing_picture_is_an_error_in_time(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, script, monkeypatch)
    with pytest.raises(CameraError, match=reason) as caught:
        grab_two()
    assert "\n" not in str(caught.value)


def test_what_the_child_says_is_never_taken_for_pictures_nor_blocks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = "head -c 300000 /dev/urandom; echo"
    stand_in(tmp_path, f"{noise}; say_size; picture; {noise}; picture; {noise}; exec sleep 60", monkeypatch)
    child = GstLaunch("videotestsrc", name="test", stall_s=PATIENCE_S)
    assert not child.grab().any()
    assert not child.grab().any()
    child.close()


def test_a_missing_tool_is_named_with_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CameraError, match=r"apt-get install gstreamer1\.0-tools") as caught:
        GstLaunch(LIVE, name="csi:0")
    assert "\n" not in str(caught.value)


def test_a_tool_that_cannot_be_started_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "", monkeypatch)
    (tmp_path / "gst-launch-1.0").write_bytes(b"\x7fELF")
    with pytest.raises(CameraError, match="cannot be started"):
        GstLaunch(LIVE, name="csi:0")


SOURCE = "gst:videotestsrc is-live=true ! video/x-raw,width=64,height=48,framerate=30/1"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"width": 640, "height": 480}, "gives 64x48, not 640x480; set camera.width=64 camera.height=48"),
        ({"height": 50}, "gives 64x48, not anyx50"),
        ({"fps": 60}, "gives 30 pictures a second, not 60; set camera.fps=30"),
    ],
)
def test_another_size_or_rate_than_asked_for_is_refused(asked: dict[str, int], reason: str) -> None:
    with pytest.raises(CameraError, match=reason) as caught:
        open_camera(CameraSettings(source=SOURCE, **asked))
    assert "\n" not in str(caught.value)


def test_a_pipeline_is_opened_from_the_settings_and_turned() -> None:
    plain = CameraSettings(source=f"{SOURCE} ! identity", width=64, height=48, fps=30)
    with open_camera(plain) as camera, open_camera(plain.model_copy(update={"upside_down": True})) as turned:
        upright, hanging = frame_of(camera).image, frame_of(turned).image
    # The noise of the test picture lies in its lower right corner.
    assert np.array_equal(hanging[-20:, -20:], upright[:20, :20][::-1, ::-1])


def test_an_open_quotation_mark_is_refused() -> None:
    with pytest.raises(ConfigError, match="quotation"):
        open_camera(CameraSettings(source="gst:filesrc location='a"))


@pytest.mark.parametrize("through", ["gst-launch", *(["opencv"] if opencv_has_gstreamer() else [])])
def test_both_ways_to_run_gstreamer_give_the_same_pictures(through: str) -> None:
    settings = CameraSettings.model_validate({"source": SOURCE.replace("videotestsrc", "videotestsrc pattern=red"),
                                              "width": 64, "height": 48, "fps": 30, "through": through})  # fmt: skip
    with open_camera(settings) as camera:
        image = frame_of(camera).image
    assert image.shape == (48, 64, 3)
    assert (np.abs(image.astype(int) - (0, 0, 255)) < 4).all()


@pytest.mark.skipif(opencv_has_gstreamer(), reason="this OpenCV can do what it is here refused for")
def test_an_opencv_that_cannot_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"camera\.through"):
        open_camera(CameraSettings(source=SOURCE, through="opencv"))


def test_a_csi_camera_has_jetbots_size_and_the_argus_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = without_a_jetson(tmp_path, monkeypatch)
    settings = CameraSettings(source="csi:1", sensor_mode=3, upside_down=True, through="gst-launch")
    with open_camera(settings, fps=30) as camera:
        assert frame_of(camera).image.shape == (616, 816, 3)
    asked = words.read_text()
    assert "nvarguscamerasrc sensor-id=1 sensor-mode=3 !" in asked
    assert "video/x-raw(memory:NVMM),width=816,height=616,format=(string)NV12,framerate=30/1" in asked
    assert "nvvidconv flip-method=2" in asked
    assert "leaky=downstream" in asked


def test_a_csi_width_that_would_skew_is_refused() -> None:
    with pytest.raises(ConfigError, match="multiple of 4"):
        open_camera(CameraSettings(source="csi:0", width=225, height=224))
