from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import session_ticks as made
from mcap.reader import make_reader
from mcap_protobuf.decoder import DecoderFactory

from control.errors import InputError
from control.messages import AckermannCommand, Cause, DriveCommand
from robot.sessions.reader import SessionReader
from robot.sessions.session_tick import Jpeg, SessionTick
from robot.sessions.writer import Limits, SessionWriter

ROOT = Path(__file__).resolve().parents[2]
FOXGLOVE = {
    "/camera/image": "foxglove.CompressedImage", "/camera/calibration": "foxglove.CameraCalibration",
    "/camera/line": "foxglove.ImageAnnotations", "/target": "foxglove.PoseInFrame", "/truth": "foxglove.PoseInFrame",
    "/log": "foxglove.Log", "/tick": "linepilot.Tick",
}  # fmt: skip


def test_what_a_tick_held_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER)
    first = made.session_tick(0, image=made.picture(0), truth=made.TRUTH, causes=(Cause.LIMITED, Cause.FRAME_STALE))
    by_hand = DriveCommand(curvature_1pm=-1.5, speed_mps=0.25)
    second = replace(made.session_tick(1), wheels=AckermannCommand(steering=-0.3, throttle=0.2), by_hand=by_hand)
    for tick in (first, second):
        writer.write(tick)
    writer.close()
    read = [frame.tick() for frame in made.frames(tmp_path / "a.mcap")]
    assert len(read) == 2
    for one, other in zip(read, (first, second), strict=True):
        for name in type(one).__slots__:
            if name != "picture":
                assert getattr(one, name) == getattr(other, name), name
    assert read[1].picture is None
    assert isinstance(read[0].picture, np.ndarray)
    assert isinstance(first.picture, np.ndarray)
    assert np.abs(read[0].picture.astype(int) - first.picture).max() <= 4


def test_other_programs_read_it_with_foxglove_s_schemas_and_none_of_our_code(tmp_path: Path) -> None:
    path = made.write_session(tmp_path / "a.mcap", 40, truth=made.TRUTH)  # type: ignore[arg-type]
    with path.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        names = {channel.topic: summary.schemas[channel.schema_id].name for channel in summary.channels.values()}
        assert names == FOXGLOVE
        attached = {attachment.name: attachment.data for attachment in reader.iter_attachments()}
        assert attached == {"robot.yaml": b"fps: 30\n", "calibration.yaml": b"version: 1\n"}
        last = {channel.topic: message for _, channel, _, message in reader.iter_decoded_messages()}
    assert last["/camera/image"].format == "jpeg"
    assert last["/camera/image"].data.startswith(b"\xff\xd8")
    assert last["/camera/calibration"].distortion_model == "kannala_brandt"
    assert (last["/camera/calibration"].width, len(last["/camera/calibration"].K)) == (64, 9)
    # Six of the ten points are seen, the first at the middle of a picture that is 64 wide and 48 high.
    (line,) = last["/camera/line"].points
    assert len(line.points) == 6
    assert (line.points[0].x, line.points[0].y) == pytest.approx((32, 45.6))
    assert (last["/camera/line"].circles[0].position.x, last["/camera/line"].circles[0].position.y) == (40, 36)
    assert last["/tick"].verdict.state == "ARMED"
    assert last["/truth"].frame_id == "track"
    assert last["/target"].pose.position.x == 0.3
    assert last["/log"].message == "armed"


def test_stamps_count_from_the_start_of_the_session(tmp_path: Path) -> None:
    path = made.write_session(tmp_path / "a.mcap", 31)
    times_ns = [frame.time_ns for frame in made.frames(path)]
    assert times_ns[0] == int(made.HEADER.started.timestamp()) * 10**9
    assert times_ns[-1] - times_ns[0] == pytest.approx(10**9, abs=10)


def test_a_picture_that_is_encoded_already_is_stored_as_it_is(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER)
    jpeg = Jpeg(data=b"\xff\xd8 not looked at", width=10, height=10)
    writer.write(made.session_tick(0, image=jpeg))
    writer.close()
    assert next(made.frames(tmp_path / "a.mcap")).jpeg == jpeg.data


def test_the_log_tells_each_change_of_the_verdict_once(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER)
    for number, state in enumerate(("DISARMED", "ARMED", "ARMED", "RAMPING", "STOPPED")):
        causes = (Cause.LINE_LOST,) if state in ("RAMPING", "STOPPED") else ()
        writer.write(made.session_tick(number, state=state, causes=causes))
    writer.close()
    with (tmp_path / "a.mcap").open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        said = [(m.level, m.message) for *_, m in reader.iter_decoded_messages(topics=["/log"])]
    assert said == [(2, "disarmed"), (2, "armed"), (3, "ramping: line lost"), (4, "stopped: line lost")]


def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    # Nobody can encode and write as fast as this loop hands over.
    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER, limits=Limits(queue_ticks=5))
    tick = made.session_tick(0, image=made.picture(0))
    for _ in range(5000):
        writer.write(tick)
    while writer._queue:
        writer._ended.wait(0.001)
    writer.write(tick)
    report = writer.close()
    assert report.dropped > 1000
    assert report.ticks + report.dropped == 5001
    reader = SessionReader(tmp_path / "a.mcap")
    dropped = [frame.message.dropped_before for frame in reader.frames()]
    assert len(dropped) == report.ticks
    assert dropped == sorted(dropped)
    assert dropped[-1] == report.dropped
    assert reader.end["dropped"] == str(report.dropped)
    assert reader.topics["/log"] >= 2


def test_pictures_that_wait_are_bounded_by_their_bytes(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER, limits=Limits(queue_bytes=0))
    for number in range(10):
        writer.write(made.session_tick(number, image=made.picture(number)))
    report = writer.close()
    assert (report.ticks, report.dropped, report.files) == (0, 10, ())


def test_lossless_waits_for_the_disk_instead(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER, limits=Limits(queue_ticks=2), lossless=True)
    for number in range(200):
        writer.write(made.session_tick(number))
    report = writer.close()
    assert (report.ticks, report.dropped) == (200, 0)


def test_a_file_that_grew_is_followed_by_the_next_and_each_is_whole(tmp_path: Path) -> None:
    limits = Limits(part_bytes=40_000, flush_every_s=0.0)
    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER, limits=limits, lossless=True)
    for number in range(120):
        writer.write(made.session_tick(number, image=made.picture(number)))
    report = writer.close()
    assert [path.name for path in report.files[:3]] == ["a.mcap", "a-part2.mcap", "a-part3.mcap"]
    numbers = []
    for number, path in enumerate(report.files, start=1):
        reader = SessionReader(path)
        numbers += [frame.number for frame in reader.frames()]
        assert reader.is_closed
        assert reader.damage == []
        assert reader.facts["part"] == str(number)
        assert set(reader.attachments) == {"robot.yaml", "calibration.yaml"}
        assert reader.topics["/camera/calibration"] >= 1
        assert path.stat().st_size < 120_000
    assert numbers == list(range(120))


def test_a_folder_gets_files_named_after_the_time(tmp_path: Path) -> None:
    names = [made.write_session(tmp_path / "new", 2).name for _ in range(2)]
    assert names == ["2026-05-04_12-00-00.mcap", "2026-05-04_12-00-00_2.mcap"]


def test_a_drive_without_a_tick_leaves_no_file(tmp_path: Path) -> None:
    report = SessionWriter(tmp_path / "a.mcap", header=made.HEADER).close()
    assert report.files == ()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_told_before_the_drive(tmp_path: Path) -> None:
    (tmp_path / "there.mcap").write_bytes(b"precious")
    (tmp_path / "file").write_bytes(b"")
    for place, said in (("there.mcap", "is there already"), ("file", "is a file"), ("file/below", "cannot be made")):
        with pytest.raises(InputError, match=said):
            SessionWriter(tmp_path / place, header=made.HEADER)
    assert (tmp_path / "there.mcap").read_bytes() == b"precious"


def child(code: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    path = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
    return subprocess.Popen(
        [sys.executable, *([] if code.endswith(".py") else ["-c"]), code, *arguments],
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        **options,  # type: ignore[call-overload]
    )  # fmt: skip


def test_a_killed_process_leaves_a_file_of_which_all_but_the_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    with child(str(Path(made.__file__)), str(path), "60") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 80:
                break
        process.send_signal(signal.SIGKILL)
    reader = SessionReader(path)
    read = list(reader.frames())
    assert not reader.is_closed
    assert [frame.number for frame in read] == list(range(len(read)))
    # All of it is less than a chunk: without a flush nothing but the first tick would be there.
    assert path.stat().st_size < 250_000
    # The exact share is a matter of the clock, and of benchmarks/sessions.py.
    assert len(read) >= 25
    assert read[-1].tick().picture is not None


FULL_DISK = """
import json, sys
from pathlib import Path
import session_ticks as made
from robot.sessions.writer import SessionWriter
said = []
writer = SessionWriter(Path(sys.argv[1]), header=made.HEADER, notice=said.append)
for number in range(4000):
    writer.write(made.session_tick(number, image=made.picture(number)))
    if writer._ended.is_set():
        break
    if number % 20 == 0:
        writer._ended.wait(0.002)
report = writer.close()
print(json.dumps([report.ticks, report.trouble, said, number]))
"""


def test_a_full_disk_ends_the_recording_with_a_notice_and_not_the_drive(tmp_path: Path) -> None:
    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    with child(FULL_DISK, str(tmp_path / "a.mcap"), preexec_fn=small) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    ticks, trouble, said, number = json.loads(out)
    assert trouble == "File too large"
    assert said == ["recording ended: File too large; the drive goes on"]
    assert 0 < ticks < number + 1 <= 4000
    reader = SessionReader(tmp_path / "a.mcap")
    read = [frame.number for frame in reader.frames()]
    assert reader.damage == []
    assert len(read) > 50
    assert read == list(range(len(read)))


def test_the_recording_ends_before_the_disk_is_full_for_everybody(tmp_path: Path) -> None:
    said: list[str] = []
    writer = SessionWriter(
        tmp_path / "a.mcap", header=made.HEADER, limits=Limits(keep_free_bytes=2**60), notice=said.append
    )
    writer.write(made.session_tick(0, image=made.picture(0)))
    writer._ended.wait(10)
    # Later ticks are neither kept nor a trouble.
    writer.write(made.session_tick(1))
    report = writer.close()
    assert report.ticks == 1
    assert "free on the disk" in report.trouble
    assert len(said) == 1
    reader = SessionReader(tmp_path / "a.mcap")
    assert len(list(reader.frames())) == 1
    # There was room to end it properly.
    assert reader.is_closed
    assert reader.end["ended"] == report.trouble


def test_a_picture_of_an_impossible_shape_ends_the_recording_with_its_reason(tmp_path: Path) -> None:
    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER)
    writer.write(made.session_tick(0))
    writer.write(made.session_tick(1, image=np.zeros((4, 4, 7), np.uint8)))
    writer._ended.wait(10)
    assert "cannot be encoded" in writer.close().trouble


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_nobody_thought_of_is_no_good_end(tmp_path: Path) -> None:
    def broken() -> SessionTick:
        raise KeyError("no such thing")

    writer = SessionWriter(tmp_path / "a.mcap", header=made.HEADER)
    writer.write(made.session_tick(0))
    writer.write_later(broken, weight_bytes=0)
    writer._ended.wait(10)
    assert writer.trouble == "a mistake in linepilot, printed above"
    assert writer.close().trouble == writer.trouble


NO_ROOM = """
import sys
from pathlib import Path
import session_ticks as made
from robot.sessions.writer import SessionWriter
SessionWriter(Path(sys.argv[1]), header=made.HEADER)
"""


def test_a_disk_without_any_room_is_told_and_leaves_no_empty_file(tmp_path: Path) -> None:
    def none() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    with child(NO_ROOM, str(tmp_path / "a.mcap"), preexec_fn=none) as process:
        _, err = process.communicate(timeout=60)
    assert "cannot be written (File too large); choose another place" in err
    assert list(tmp_path.iterdir()) == []
