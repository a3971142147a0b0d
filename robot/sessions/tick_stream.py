"""Writes one tick after the other: its messages, and those that are due only now and then."""

from __future__ import annotations

from typing import Any, Protocol

from robot.sessions.encoding import (
    NANOSECONDS,
    calibration_message,
    image_message,
    line_message,
    log_message,
    pose_message,
    target_message,
    tick_message,
    verdict_message,
)
from robot.sessions.header import SessionHeader
from robot.sessions.schema import CALIBRATION, IMAGE, LINE, LOG, TARGET, TICK, TRUTH
from robot.sessions.session_tick import Jpeg, SessionTick

_CALIBRATION_EVERY_NS = NANOSECONDS


class Sink(Protocol):
    """Where the messages go: a Part of a file, or viewers."""

    def add(self, topic: str, message: Any, *, time_ns: int, published_ns: int, sequence: int) -> None: ...


class TickStream:
    def __init__(self, header: SessionHeader) -> None:
        self._camera = header.calibration.camera
        self.started_ns = int(header.started.timestamp()) * NANOSECONDS
        self.ticks = self.pictures = 0
        self._first_s: float | None = None
        self._dropped = 0
        self.begin_part()

    def begin_part(self) -> None:
        """A new file says anew what stays the same."""
        self._said: tuple[object, ...] = ()
        self._calibrated_ns: int | None = None

    def write(self, tick: SessionTick, jpeg: Jpeg | None, *, to: Sink, dropped: int) -> None:
        """``jpeg`` is the tick's picture; ``dropped``: how many ticks were lost until now. Raises OSError."""
        if self._first_s is None:
            self._first_s = tick.now_s
        instant = _Instant(to, time_ns=self._time_ns(tick.now_s), sequence=self.ticks)
        if jpeg is not None:
            self._write_picture(tick, jpeg, instant=instant)
        instant.add(TICK, tick_message(tick, dropped_before=dropped))
        target = target_message(tick, time_ns=instant.time_ns)
        if target is not None:
            instant.add(TARGET, target)
        if tick.truth is not None:
            where = tick.truth
            instant.add(
                TRUTH,
                pose_message(
                    x=where.x, y=where.y, yaw_rad=where.heading_rad, frame="track", time_ns=instant.time_ns
                ),
            )  # fmt: skip
        self._write_log(tick, dropped=dropped, instant=instant)
        self.ticks += 1

    def _time_ns(self, moment_s: float) -> int:
        """From the drive's clock to the date; a clock on the wall that is put right meanwhile does not matter."""
        return self.started_ns + round((moment_s - (self._first_s or 0.0)) * NANOSECONDS)

    def _write_picture(self, tick: SessionTick, jpeg: Jpeg, *, instant: _Instant) -> None:
        exposed_ns = max(0, self._time_ns(tick.exposed_s))
        if self._calibrated_ns is None or instant.time_ns - self._calibrated_ns >= _CALIBRATION_EVERY_NS:
            # Again and again, so that a viewer that jumps to the middle soon finds it.
            calibration = calibration_message(
                self._camera, width=jpeg.width, height=jpeg.height, time_ns=instant.time_ns
            )
            instant.add(CALIBRATION, calibration)
            self._calibrated_ns = instant.time_ns
        instant.add(IMAGE, image_message(jpeg, exposed_ns=exposed_ns), published_ns=exposed_ns)
        instant.add(LINE, line_message(tick, width=jpeg.width, height=jpeg.height, exposed_ns=exposed_ns))
        self.pictures += 1

    def _write_log(self, tick: SessionTick, *, dropped: int, instant: _Instant) -> None:
        """Only when there is news."""
        says = (tick.verdict.state, tick.verdict.causes)
        if says != self._said:
            instant.add(LOG, verdict_message(tick.verdict, time_ns=instant.time_ns))
            self._said = says
        if tick.hand_over:
            instant.add(LOG, log_message(tick.hand_over, name="helm", time_ns=instant.time_ns))
        if dropped != self._dropped:
            text = f"{dropped - self._dropped} ticks not recorded: the disk is too slow"
            instant.add(LOG, log_message(text, name="recorder", time_ns=instant.time_ns))
            self._dropped = dropped


class _Instant:
    """What all messages of one tick have in common."""

    def __init__(self, sink: Sink, *, time_ns: int, sequence: int) -> None:
        self._sink, self.time_ns, self._sequence = sink, time_ns, sequence

    def add(self, topic: str, message: Any, *, published_ns: int | None = None) -> None:
        published_ns = self.time_ns if published_ns is None else published_ns
        self._sink.add(
            topic, message, time_ns=self.time_ns, published_ns=published_ns, sequence=self._sequence
        )  # fmt: skip
