"""Listens to all switches and stops the motors by itself: a press waits neither for the network nor for the camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Lock, Thread
from types import TracebackType

from control.errors import DeviceError, MotorError
from robot.teleop.switch import Switch, Wish
from robot.teleop.terminal import TerminalKeys

_EVERY_S = 0.01
_GONE_S = 1.0
_WRITTEN_S = 0.02
"""So long a press waits for a write that is under way. One that hangs does not hold it up."""


class EmergencyStop:
    """Latched: after a press only a wish to arm, while no switch says STOP, lets the loop go on.

    The loop tells ``driving`` and asks ``pressed`` just before each check by the supervisor, which latches it too.
    Without switches there is no thread.
    """

    def __init__(self, switches: Sequence[Switch], *, stop: Callable[[], None]) -> None:
        """``stop`` is called from the thread, and must be safe beside the loop's own writes."""
        self._switches, self._stop = tuple(switches), stop
        self.driving = False
        self._by = ""
        self._arming = False
        self._lock, self._writing = Lock(), Lock()
        self._closing = Event()
        self._opened = ExitStack()
        self._thread: Thread | None = None

    @property
    def pressed(self) -> bool:
        return self.by != ""

    @property
    def by(self) -> str:
        """Who stopped, for messages; empty when nobody did."""
        if self._thread is not None and not self._thread.is_alive() and not self._closing.is_set():
            return "the watch over the switches died"
        return self._by

    @property
    def has_keys(self) -> bool:
        """Whether there are keys to press: a page, a gamepad or a pin has no Enter."""
        return any(isinstance(switch, TerminalKeys) for switch in self._switches)

    def take_arming(self) -> bool:
        """Whether somebody asked to arm since the last call, and nobody pressed stop after."""
        with self._lock:
            asked, self._arming = self._arming, False
        return asked

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """While entered, a press waits with its stop, so that it is the last word; gives whether there was one."""
        with self._writing:
            yield self.pressed

    def look(self) -> None:
        """One round over all switches."""
        wishes = [(switch.name, *self._read(switch)) for switch in self._switches]
        stops = [f"{name}{trouble}" for name, wish, trouble in wishes if wish is Wish.STOP]
        with self._lock:
            news = bool(stops) and not self._by
            if stops:
                self._by, self._arming = self._by or stops[0], False
            elif any(wish is Wish.ARM for _, wish, _ in wishes):
                self._by, self._arming = "", True
        if news:
            self._stop_now()

    def _read(self, switch: Switch) -> tuple[Wish, str]:
        try:
            return switch.read(driving=self.driving), ""
        except (DeviceError, OSError) as error:
            return Wish.STOP, f" ({error})"

    def _stop_now(self) -> None:
        alone = self._writing.acquire(timeout=_WRITTEN_S)
        try:
            self._stop()
        except MotorError:
            # The board's process is gone, so the guard has stopped the wheels; the loop's next write says so.
            return
        finally:
            if alone:
                self._writing.release()

    def _run(self) -> None:
        while not self._closing.wait(_EVERY_S):
            self.look()

    def __enter__(self) -> EmergencyStop:
        with ExitStack() as stack:
            for switch in self._switches:
                stack.enter_context(switch)
            if self._switches:
                # A switch that is pressed at the start is known before the first pass.
                self.look()
                self._thread = Thread(target=self._run, name="emergency stop", daemon=True)
                self._thread.start()
            self._opened = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_GONE_S)
        self._opened.close()
