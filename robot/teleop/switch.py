"""What a person stops the robot with: a key, a switch on a pin; a gamepad or a web page would be one more of these."""

from __future__ import annotations

from enum import Enum
from types import TracebackType
from typing import Protocol


class Wish(Enum):
    NOTHING = "nothing"
    STOP = "stop"
    ARM = "arm"


class Switch(Protocol):
    """A context manager; entering raises DeviceError or InputError, leaving works twice."""

    name: str
    """For messages: what was pressed."""

    def read(self, *, driving: bool) -> Wish:
        """What is wished now, or was since the last call. Called every 10 ms from a thread; must not wait.

        A switch that can tell no more what is wished raises DeviceError or OSError, which counts as STOP.
        """
        ...

    def __enter__(self) -> Switch: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
