"""A session as a video: each picture with the line that was seen, the point that was followed and the command."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from control.errors import InputError
from robot.sessions.encoding import NANOSECONDS
from robot.sessions.overlay import SEEN
from robot.sessions.reader import SessionFrame, SessionReader
from robot.sessions.session_tick import Image

_SMALLEST_HEIGHT = 448
"""Smaller pictures are enlarged, so that the text can be read."""
_LONGEST_PAUSE_S = 5.0
_TARGET, _POINT, _UNSEEN = (40, 40, 255), (40, 220, 40), (150, 150, 150)


def export_video(
    reader: SessionReader, path: Path, *, fps: float = 30.0, progress: Callable[[int], None] = lambda _: None
) -> int:
    """An .mp4 at the drive's own speed: a picture stands still until the next one. Returns how many pictures it shows.

    The file appears whole or not at all. Raises SessionError, InputError.
    """

    def drawn() -> Iterator[tuple[Image, float]]:
        for count, frame in enumerate(frame for frame in reader.frames() if frame.jpeg):
            progress(count)
            yield _drawn(frame), frame.time_ns / NANOSECONDS

    return write_video(path, drawn(), fps=fps, source=reader.path)


def write_video(path: Path, pictures: Iterable[tuple[Image, float]], *, fps: float = 30.0, source: Path) -> int:
    """Pictures with the second at which each shall be seen, as an .mp4, whole or not at all; returns how many.

    Raises InputError, also when there is no picture: then it names ``source``.
    """
    with VideoWriter(path, fps=fps, source=source) as film:
        for image, time_s in pictures:
            film.show(image, time_s=time_s)
    return film.pictures


class VideoWriter:
    """A context manager; the file appears when it ends well. Raises InputError, also when there was no picture."""

    def __init__(self, path: Path, *, fps: float = 30.0, source: Path) -> None:
        if path.suffix.lower() != ".mp4":
            raise InputError(f"{path}: a video is an .mp4 file")
        self._path, self._source = path, source
        self._temporary = path.with_name(f".{path.stem}.{os.getpid()}.part.mp4")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
        self._film = _Film(self._temporary, fps=fps, told=path)

    @property
    def pictures(self) -> int:
        return self._film.pictures

    def show(self, image: Image, *, time_s: float) -> None:
        """At that second of any clock that goes forward."""
        self._film.show(image, time_s=time_s)

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._film.close()
        try:
            if kind is None:
                if not self.pictures:
                    raise InputError(f"{self._source}: holds no picture to make a video of")
                self._film.require_whole()
                self._temporary.replace(self._path)
        except OSError as trouble:
            raise InputError(f"{self._path}: cannot be written ({trouble.strerror}); choose another place") from trouble
        finally:
            self._temporary.unlink(missing_ok=True)


class _Film:
    """Pictures at any time become pictures at a steady rate."""

    def __init__(self, path: Path, *, fps: float, told: Path) -> None:
        self._path, self._fps, self._told = path, fps, told
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._last: Image | None = None
        self._shown_s = 0.0
        self._written = 0
        self.pictures = 0

    def show(self, image: Image, *, time_s: float) -> None:
        if self._writer is None:
            self._size = (image.shape[1] // 2 * 2, image.shape[0] // 2 * 2)
            self._writer = cv2.VideoWriter(str(self._path), cv2.VideoWriter.fourcc(*"mp4v"), self._fps, self._size)
            if not self._writer.isOpened():
                raise InputError(f"{self._told}: OpenCV cannot write this video; choose another place")
            self._shown_s = time_s
        if time_s - self._shown_s > _LONGEST_PAUSE_S:
            self._shown_s = time_s - _LONGEST_PAUSE_S
        # Half a frame early is as near as a frame can be.
        while self._last is not None and self._shown_s < time_s - 0.5 / self._fps:
            self._writer.write(self._last)
            self._written += 1
            self._shown_s += 1.0 / self._fps
        self._last = np.asarray(cv2.resize(image, self._size), dtype=np.uint8)
        self.pictures += 1

    def close(self) -> None:
        if self._writer is not None:
            if self._last is not None:
                self._writer.write(self._last)
                self._written += 1
            self._writer.release()
            self._writer = None

    def require_whole(self) -> None:
        """OpenCV says nothing of a disk that was full. Raises InputError."""
        film = cv2.VideoCapture(str(self._path))
        there = int(film.get(cv2.CAP_PROP_FRAME_COUNT)) if film.isOpened() else 0
        film.release()
        if there < self._written:
            raise InputError(f"{self._told}: cut short, as by a full disk; make room or choose another place")


def _drawn(frame: SessionFrame) -> Image:
    image = frame.image()
    assert image is not None
    times = max(1, -(-_SMALLEST_HEIGHT // image.shape[0]))
    canvas = np.asarray(cv2.resize(image, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    height, width = canvas.shape[:2]

    def pixel(point: Any) -> tuple[int, int]:
        return round((point.x + 1.0) * width / 2.0 - 0.5), round((point.y + 1.0) * height / 2.0 - 0.5)

    size = max(3, width // 100)
    for point in frame.message.estimate.points:
        cv2.circle(canvas, pixel(point), size, _POINT if point.visible >= SEEN else _UNSEEN, -1, cv2.LINE_AA)
    if frame.target is not None:
        cv2.circle(canvas, pixel(frame.target), 2 * size, _TARGET, max(2, size // 2), cv2.LINE_AA)
    _write(canvas, _texts(frame.message))
    return canvas


def _texts(tick: Any) -> list[str]:
    command, verdict = tick.verdict.command, tick.verdict
    truth = f"  off {tick.truth.lateral_error_m * 100:+.1f} cm" if tick.HasField("truth") else ""
    causes = ", ".join(name.lower().replace("_", " ") for name in verdict.causes)
    return [
        f"{tick.now_s:7.2f} s  {command.speed_mps:.2f} m/s  {command.curvature_1pm:+.1f} 1/m{truth}",
        f"{verdict.state.lower()}{': ' if causes else ''}{causes}",
    ]


def _write(canvas: Image, texts: list[str]) -> None:
    """On a dark bar."""
    line = 22
    canvas[: line * len(texts) + 6] //= 3
    for number, text in enumerate(texts):
        place = (6, 18 + line * number)
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA)
