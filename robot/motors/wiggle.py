"""Each output of a motor board in turn, gently and for a moment: does the right wheel turn the right way?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from control.messages import AckermannCommand, DifferentialCommand, WheelCommand
from robot.motors.driver import Motors

_AGAIN_S = 0.05
"""Commands are sent again and again, as in a drive: boards and processes on the way stop without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    says: str
    """What should be seen."""
    command: WheelCommand


def steps(takes: type[WheelCommand], *, duty: float) -> tuple[Step, ...]:
    if takes is DifferentialCommand:
        return (
            Step(says="left wheel forward", command=DifferentialCommand(left=duty)),
            Step(says="left wheel backward", command=DifferentialCommand(left=-duty)),
            Step(says="right wheel forward", command=DifferentialCommand(right=duty)),
            Step(says="right wheel backward", command=DifferentialCommand(right=-duty)),
            Step(says="both wheels forward", command=DifferentialCommand(left=duty, right=duty)),
        )
    return (
        Step(says="steering to the left", command=AckermannCommand(steering=0.5)),
        Step(says="steering to the right", command=AckermannCommand(steering=-0.5)),
        Step(says="wheels forward", command=AckermannCommand(throttle=duty)),
        Step(says="wheels backward (many speed controllers brake instead)", command=AckermannCommand(throttle=-duty)),
    )


def wiggle(
    motors: Motors,
    sequence: Sequence[Step],
    *,
    seconds: float,
    wait: Callable[[float], object],
    tell: Callable[[Step], None],
    interrupted: Callable[[], bool],
) -> None:
    """Each step for ``seconds`` with as much rest after it. Always ends with the motors stopped. Raises MotorError."""
    times = max(1, round(seconds / _AGAIN_S))
    with motors:
        try:
            for step in sequence:
                tell(step)
                for command in (step.command, type(step.command)()):
                    for _ in range(times):
                        if interrupted():
                            return
                        motors.apply(command)
                        wait(_AGAIN_S)
        finally:
            motors.stop()
