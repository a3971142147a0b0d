"""What every motor driver is: it applies a command on every tick and always ends stopped."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from control.messages import WheelCommand


class Motors(Protocol):
    """A context manager; entering writes zero before anything else, leaving stops; ``close`` works twice."""

    def apply(self, command: WheelCommand) -> None:
        """Write the command, even if unchanged. Raises MotorError."""
        ...

    def stop(self) -> None:
        """Zero now. Never raises on a closed device."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Motors: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
