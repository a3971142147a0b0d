"""``linepilot calibrate``: measure one robot, step by step, into one calibration.yaml."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from app.cli.calibrate_walk import walk
from control.errors import ConfigError

_ACTIONS = {
    "board": ("app.cli.calibrate_board", "print this first: a board of squares and markers, as a PDF"),
    "camera": ("app.cli.calibrate_camera", "the lens, from pictures of the board"),
    "flat-field": ("app.cli.calibrate_flat_field", "dark and pink corners, from pictures of a white sheet"),
    "ground": ("app.cli.calibrate_ground", "the camera's height and tilt, from the board or a line on the floor"),
    "motors": ("app.cli.calibrate_motors", "dead zone, speed, left and right, lag, latency; the robot moves"),
    "steering": ("app.cli.calibrate_steering", "of a car: servo centre, range, limits, throttle; the robot moves"),
    "latency": ("app.cli.calibrate_latency", "delay, jitter and lag, from recorded drives; nothing moves"),
    "relay": ("app.cli.calibrate_relay", "the quick way to a look-ahead: the robot swings along a line by a relay"),
    "gains": ("app.cli.calibrate_gains", "PID, look-ahead and speeds, searched in the simulator that carries all this"),
}
_HELP = """usage: linepilot calibrate [robot.yaml] | ACTION [options]

Measure one robot into calibration.yaml, in this order; then drive with calibration=calibration.yaml.
Without an action it walks through all of them at the terminal, with the camera and motors of robot.yaml.

actions:
{actions}

example:
  linepilot calibrate board --out board.pdf
  linepilot calibrate motors --help"""


def run(arguments: list[str]) -> int:
    own_files = [word for word in arguments if word.endswith((".yaml", ".yml"))]
    if (not arguments and sys.stdin.isatty()) or (arguments and own_files == arguments):
        return walk(run, _one(own_files))
    if not arguments or arguments[0] in ("-h", "--help"):
        actions = "\n".join(f"  {name:<11} {text}" for name, (_, text) in _ACTIONS.items())
        print(_HELP.format(actions=actions))
        raise SystemExit(0)
    action = arguments[0]
    if action not in _ACTIONS:
        near = get_close_matches(action, _ACTIONS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(_ACTIONS)}"
        raise ConfigError(f"unknown action '{action}'; {hint}")
    code: int = import_module(_ACTIONS[action][0]).run(arguments[1:])
    return code


def _one(files: list[str]) -> Path | None:
    """Raises ConfigError."""
    if len(files) > 1:
        raise ConfigError(f"one settings file is enough, got {', '.join(files)}")
    return Path(files[0]) if files else None
