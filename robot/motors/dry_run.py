"""Motors that are not there: they keep the last command, so that a drive can be tried on a table or on a recording."""

from __future__ import annotations

from types import TracebackType

from control.errors import MotorError
from control.messages import DifferentialCommand, WheelCommand


class DryRunMotors:
    """``standing`` is the command at which this drive stands still."""

    def __init__(self, standing: WheelCommand | None = None) -> None:
        self._standing = standing or DifferentialCommand()
        self._open = True
        self.last = self._standing
        self.applied = 0
        """Commands so far."""

    def apply(self, command: WheelCommand) -> None:
        if not self._open:
            raise MotorError("dry-run motors: closed; open them again before driving")
        if type(command) is not type(self._standing):
            wanted, got = type(self._standing).__name__, type(command).__name__
            raise MotorError(f"dry-run motors: {got} given to a drive that takes {wanted}; set vehicle")
        self.last = command
        self.applied += 1

    def stop(self) -> None:
        self.last = self._standing

    def close(self) -> None:
        self.stop()
        self._open = False

    def __enter__(self) -> DryRunMotors:
        self.stop()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
