"""Motors that move nothing: for driving on recorded pictures."""

from __future__ import annotations

from types import TracebackType

from control.messages import DifferentialCommand, WheelCommand


class DryRunMotors:
    """Keeps the last command and counts."""

    def __init__(self) -> None:
        self.last: WheelCommand = DifferentialCommand()
        self.applied = 0

    def apply(self, command: WheelCommand) -> None:
        self.last = command
        self.applied += 1

    def stop(self) -> None:
        self.last = DifferentialCommand()

    def close(self) -> None:
        self.stop()

    def __enter__(self) -> DryRunMotors:
        self.stop()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
