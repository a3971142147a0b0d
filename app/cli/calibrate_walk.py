"""``linepilot calibrate`` at a terminal: all steps in their order, each asked for, done again or skipped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.cli.options import config_from
from control.errors import LinepilotError
from robot.config import RobotConfig

Call = Callable[[list[str]], int]
_QUESTION = "Enter: do it, s: skip, q: end > "


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    arguments: list[str]
    """As after ``linepilot calibrate``."""
    told: str
    """What a person does for it."""


def steps_for(config: RobotConfig, robot: Path | None) -> list[Step]:
    """For the camera and motors that the settings name; simulated ones where they name none."""
    simulated = config.camera.source == "sim"
    live = ["--camera", config.camera.source, *(["--robot", str(robot)] if robot else [])]
    source, file = (["--sim"] if simulated else live), ([str(robot)] if robot else [])
    moving = "steering" if config.motors.vehicle == "ackermann" else "motors"
    return [
        Step(arguments=["board"], told="print board.pdf at 100 %, measure its bar, glue it on something flat"),
        Step(arguments=["camera", *source, "--map", "coverage.png"],
             told="hold the board near, in all parts of the picture, and tilt it to all sides"),
        Step(arguments=["flat-field", *source],
             told="hold plain white paper close before the lens, and turn it a little further each time"),
        Step(arguments=["ground", *source], told="lay the board flat before the robot, its lower edge towards it"),
        Step(arguments=[moving, *file], told="set the robot on a floor with texture, a square metre of it free"),
        Step(arguments=["gains", *file], told="nothing to do: a few minutes in the simulator"),
    ]  # fmt: skip


def walk(call: Call, robot: Path | None, *, ask: Callable[[str], str] = input) -> int:
    """The exit code is that of the worst step. A step that failed may be done again; what was measured stays."""
    config = config_from([str(robot)] if robot else [])
    steps = steps_for(config, robot)
    worst = 0
    for number, step in enumerate(steps, 1):
        print(f"\n{number} of {len(steps)}, linepilot calibrate {' '.join(step.arguments)}\n  {step.told}", flush=True)
        code = 1
        while code:
            answer = _answer(ask)
            if answer == "q":
                return worst
            if answer == "s":
                break
            code = _done(call, step)
            if code == 130:
                return code
        worst = max(worst, code if answer != "s" else 0)
    named = f"{robot} " if robot else ""
    print(f"\nDrive with it: linepilot drive {named}calibration=calibration.yaml")
    return worst


def _answer(ask: Callable[[str], str]) -> str:
    while True:
        try:
            answer = ask(_QUESTION).strip().lower()
        except EOFError:
            return "q"
        if answer in ("", "s", "q"):
            return answer


def _done(call: Call, step: Step) -> int:
    try:
        return call(step.arguments)
    except LinepilotError as error:
        # The step stays open: a person mends it and tries again.
        print(f"linepilot calibrate: {error}", flush=True)
        return error.exit_code
    except SystemExit as ended:
        return int(ended.code or 0)
