"""A GStreamer pipeline in a child process that pipes raw pictures to us: it may crash or hang without us.

The pictures have a pipe of their own, since elements such as nvarguscamerasrc write text to standard output. What the
child says tells the size of the pictures when all is well, and the reason when it is not.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import termios
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

import numpy as np

from control.errors import CameraError
from robot.cameras.source import Image

TOOL = "gst-launch-1.0"
STALL_S = 0.2
"""Without a whole picture for so long the child is taken for frozen: the wheels must have stopped 0.25 s after the
fault, and the fault may lie right behind a picture."""
_QUICK_S = 0.15
_PERIODS = 2.0
"""A camera of 14 pictures a second or more is known to be frozen earlier: what is left is for a busy processor."""
FIRST_S = 10.0
"""nvarguscamerasrc takes seconds to start."""
_SLICE_S = 0.05
"""How often a wait looks whether it is still wanted."""
_GRACE_S = 0.5
_PIPE_BYTES = 1 << 20
"""The most that a user may ask for: most pictures then pass in one piece."""
_SINK = "linepilot"
_CAPS = re.compile(rf":{_SINK}\w*\.GstPad:\w+: caps = (.*)")
"""Of the last queue's or the sink's pads: once in some hundred starts GStreamer tells one twice and another never."""
_REASON = re.compile(r"(?:ERROR|WARNING): (?:from element \S*?:(?=\s)|erroneous pipeline:)?\s*(.+)")
_DETAIL = "Additional debug info:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """What the child says that it sends."""

    width: int
    height: int
    fps: float

    @property
    def row_bytes(self) -> int:
        """GStreamer fills rows up to whole words."""
        return (self.width * 3 + 3) // 4 * 4


def patience_with(fps: float) -> float:
    """Seconds without a picture after which a camera of this rate is frozen; 0 is a rate that nobody knows."""
    return min(STALL_S, max(_QUICK_S, _PERIODS / fps)) if fps > 0 else STALL_S


class GstLaunch:
    """A Device. ``pipeline`` ends before its sink, with pictures of any size in B, G, R order."""

    def __init__(
        self,
        pipeline: str,
        *,
        name: str,
        stall_s: float | None = None,
        first_s: float = FIRST_S,
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Returns with the first picture at hand. ``stall_s``: patience with a silent child. Raises CameraError."""
        self._name, self._given_up = name, given_up
        self._said = Said()
        self._speaks = True
        """It has not closed its text."""
        self._first: Image | None = None
        self._pictures, self.process = self._start(pipeline)
        assert self.process.stdout is not None
        self._text = self.process.stdout.fileno()
        os.set_blocking(self._text, False)
        self._poller = select.poll()
        self._poller.register(self._text, select.POLLIN)
        opened = False
        try:
            deadline_s, patience = monotonic() + first_s, f"{first_s:g} s"
            self._format = self._learn_format(deadline_s, patience)
            self.size, self.fps = (self._format.width, self._format.height), self._format.fps
            self._stall_s = patience_with(self.fps) if stall_s is None else stall_s
            self._poller.register(self._pictures, select.POLLIN)
            self._first = self._read(deadline_s, patience)
            opened = True
        finally:
            if not opened:
                self.close()

    def _start(self, pipeline: str) -> tuple[int, subprocess.Popen[bytes]]:
        """The reading end of the pipe for pictures, and the child."""
        tool = shutil.which(TOOL)
        if tool is None:
            raise CameraError(
                f"{self._name}: needs {TOOL}, which is not installed; "
                "apt-get install gstreamer1.0-tools gstreamer1.0-plugins-base"
            )
        reading, writing = os.pipe()
        with suppress(OSError):
            # Less is slower, but works.
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._pipe_bytes = fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)
        # A crash shall end the child, not park it; one picture waits, the newest; ^C is for us alone.
        words = [tool, "--no-fault", "--verbose", *shlex.split(pipeline)]
        newest = ["max-size-buffers=1", "max-size-bytes=0", "max-size-time=0", "leaky=downstream"]
        words += ["!", "queue", f"name={_SINK}_newest", *newest]
        words += ["!", "fdsink", f"name={_SINK}", f"fd={writing}", "sync=false"]
        try:
            return reading, subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
                pass_fds=[writing], start_new_session=True, env={**os.environ, "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
        except OSError as error:
            os.close(reading)
            raise CameraError(f"{self._name}: {tool} cannot be started ({error.strerror})") from error
        finally:
            os.close(writing)

    def grab(self) -> Image:
        first, self._first = self._first, None
        if first is not None:
            return first
        return self._read(monotonic() + self._stall_s, f"{self._stall_s * 1000:.0f} ms")

    def _learn_format(self, deadline_s: float, patience: str) -> Format:
        while self._said.format is None:
            self._wait(deadline_s, patience)
            if not self._speaks:
                raise CameraError(f"{self._name}: {self._why_it_ended()}")
        return self._said.format

    def _read(self, deadline_s: float, patience: str) -> Image:
        """One whole picture."""
        width, height = self._format.width, self._format.height
        rows = np.empty((height, self._format.row_bytes), dtype=np.uint8)
        rest = rows.data.cast("B")
        was_empty = self._waiting_bytes() == 0
        while rest:
            if not self._wait(deadline_s, patience):
                continue
            if was_empty and len(rest) == rows.nbytes:
                self._require_whole(rows.nbytes)
            count = os.readv(self._pictures, [rest])
            if count == 0:
                raise CameraError(f"{self._name}: {self._why_it_ended()}")
            rest = rest[count:]
        return np.ascontiguousarray(rows[:, : width * 3]).reshape(height, width, 3)

    def _require_whole(self, picture_bytes: int) -> None:
        """A short picture would shift all that follow. The kernel shows a write into an empty pipe whole or not at all,
        so where a picture fits, at least one is there. Raises CameraError.
        """
        there = self._waiting_bytes()
        if picture_bytes <= self._pipe_bytes and 0 < there < picture_bytes:
            raise CameraError(f"{self._name}: a picture of {there} bytes instead of {picture_bytes}")

    def _waiting_bytes(self) -> int:
        return int.from_bytes(fcntl.ioctl(self._pictures, termios.FIONREAD, bytes(4)), sys.byteorder)

    def _wait(self, deadline_s: float, patience: str) -> bool:
        """True when there is something to read from the pipe for pictures; hears the text meanwhile."""
        left_s = deadline_s - monotonic()
        if left_s <= 0:
            reason = f" ({self._said.reason})" if self._said.reason else ""
            raise CameraError(f"{self._name}: no whole picture for {patience}{reason}; check cable and power")
        if self._given_up():
            raise CameraError(f"{self._name}: closed while it was opened")
        ready = {fd for fd, _ in self._poller.poll(min(left_s, _SLICE_S) * 1000)}
        if self._text in ready and not self._said.hear(self._text):
            self._speaks = False
            self._poller.unregister(self._text)
        return self._pictures in ready

    def _why_it_ended(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_GRACE_S)
        while select.select([self._text], [], [], 0)[0] and self._said.hear(self._text):
            pass
        code = self.process.returncode
        if self._said.reason:
            return self._said.reason
        if code is not None and code < 0:
            return f"{TOOL} was ended by {signal.Signals(-code).name}"
        return "the pipeline came to its end" if code == 0 else f"{TOOL} ended with code {code}"

    def close(self) -> None:
        """Asks first: a camera server that loses its client without a word may need a restart."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            # One that was stopped cannot hear it otherwise.
            self.process.send_signal(signal.SIGCONT)
            try:
                self.process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.process.stdout.close()
            os.close(self._pictures)


class Said:
    """The child's text: the size of its pictures, and the first reason that it gave for an end."""

    def __init__(self) -> None:
        self.format: Format | None = None
        self.reason = ""
        self._rest = b""
        self._last: deque[str] = deque(maxlen=3)

    def hear(self, text: int) -> bool:
        """False at its end."""
        try:
            data = os.read(text, 65536)
        except BlockingIOError:
            return True
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines if data else [*lines, self._rest]:
            self._take(line.decode(errors="replace").strip())
        return bool(data)

    def _take(self, line: str) -> None:
        caps, reason = _CAPS.search(line), _REASON.match(line)
        if caps is not None:
            self.format = _format(caps.group(1))
        elif reason is not None and not self.reason:
            self.reason = reason.group(1).rstrip(".")
        elif len(self._last) == 3 and self._last[1] == _DETAIL and self._last[0].endswith(f"{self.reason}."):
            # The place in the source, then in words what the matter is.
            self.reason = f"{self.reason}: {line}"
        self._last.append(line)


def _format(caps: str) -> Format | None:
    # Older versions quote what newer ones do not.
    plain = caps.replace("\\", "")
    size = [re.search(rf"\b{name}=\(int\)(\d+)", plain) for name in ("width", "height")]
    rate = re.search(r"\bframerate=\(fraction\)(\d+)/(\d+)", plain)
    if size[0] is None or size[1] is None or "format=(string)BGR," not in f"{plain},":
        return None
    fps = int(rate.group(1)) / int(rate.group(2)) if rate is not None and int(rate.group(2)) else 0.0
    return Format(width=int(size[0].group(1)), height=int(size[1].group(1)), fps=fps)
