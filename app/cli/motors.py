"""``linepilot motors``: which boards there are, and whether this one turns the right wheel the right way."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from dataclasses import asdict
from pathlib import Path
from threading import Event

from rich import box
from rich.console import Console
from rich.table import Column, Table

from app.cli.consent import ask_before_moving
from app.cli.options import add_settings, config_from, parser, refuse_unwritable, write_json
from control.errors import ConfigError
from robot.config import RobotConfig
from robot.drive.interrupt import stop_on_signals
from robot.drive.pilots import standing_command
from robot.motors import open_motors
from robot.motors.catalogue import catalogue
from robot.motors.wiggle import Step, steps, wiggle

_WHAT = """Motor boards.

list  every board that can be named as motors.driver, and what it needs
test  turn each output in turn, slowly and for a moment: with the WHEELS UP. It asks before anything moves."""
_EXAMPLE = """linepilot motors list
  linepilot motors test profile:jetbot
  linepilot motors test robot.yaml --duty 0.3
  linepilot motors test --motors dry-run"""
_MOST_DUTY, _MOST_S = 0.5, 5.0
_DUTY = {"differential": 0.2, "ackermann": 0.1}
_VEHICLES = {"differential": "two wheels", "ackermann": "servo and throttle", "": ""}
_ADVICE = """A wheel turned the wrong way: swap its motor's two wires (MotorHAT, both wheels: motors.forward_in1=true).
The wrong wheel turned: swap the two motors. Steering went the wrong way: swap the ends of motors.servo.steering_us.
Nothing turned: look at the motors' own supply, then try --duty 0.3. Wiring: docs/wiring.md"""


def run(arguments: list[str]) -> int:
    options = parser("motors", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add("action", choices=("list", "test"))
    add_settings(options)
    add("--motors", metavar="WHICH", help="test: a name from `linepilot motors list`, as motors.driver=WHICH")
    add("--yes", action="store_true", help="test: the wheels are up, do not ask")
    add("--duty", type=_number, metavar="SHARE", help="test: of full power; default: 0.2, with a throttle 0.1")
    add("--seconds", type=_number, default=0.5, metavar="S", help="test: of each step; default: 0.5")
    add("--json", type=Path, metavar="OUT", help="list: write it to this file")
    chosen = options.parse(arguments)
    if chosen.action == "list":
        return _list(chosen.json)
    named = [f"motors.driver={chosen.motors}"] if chosen.motors is not None else []
    return _test(chosen, config_from([*chosen.settings, *named]))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is no number") from None


def _list(out: Path | None) -> int:
    refuse_unwritable(out)
    entries = catalogue()
    table = Table(
        Column("motors.driver", no_wrap=True), Column("board", min_width=13), "drives", "wire",
        Column("library", no_wrap=True), "stops by itself", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for entry in entries:
        table.add_row(
            entry.name, entry.what, _VEHICLES[entry.vehicle], entry.wire, entry.library, entry.stops_itself
        )  # fmt: skip
    console = Console()
    console.print(table)
    # Below the table, where it is not cut off and can be copied.
    for library, remedy in sorted({(entry.library, entry.missing) for entry in entries if entry.missing}):
        console.print(f"{library} is not installed: {remedy}", soft_wrap=True, markup=False, highlight=False)
    write_json(out, [asdict(entry) for entry in entries])
    return 0


def _test(chosen: Namespace, config: RobotConfig) -> int:
    if config.motors.driver == "sim":
        raise ConfigError("there is no board to test; give robot.yaml, profile:NAME or --motors NAME")
    standing = standing_command(config)
    duty = _DUTY[config.motors.vehicle] if chosen.duty is None else chosen.duty
    _require("--duty", duty, most=_MOST_DUTY)
    _require("--seconds", chosen.seconds, most=_MOST_S)
    motors = open_motors(config.motors, standing=standing)
    if config.motors.driver != "dry-run" and not chosen.yes:
        ask_before_moving(
            f"The motors of '{config.motors.driver}' will turn. Lift the wheels off the ground and keep fingers and "
            "cables away.",
            words="wheels up", unsaid="the wheels are up",
        )  # fmt: skip

    def tell(step: Step) -> None:
        print(step.says, flush=True)

    with stop_on_signals() as interrupted:
        sequence = steps(type(standing), duty=duty)
        wiggle(motors, sequence, seconds=chosen.seconds, wait=Event().wait, tell=tell, interrupted=interrupted)
    print("stopped")
    if interrupted():
        return interrupted.exit_code
    print(_ADVICE if config.motors.driver != "dry-run" else "dry-run: nothing moved")
    return 0


def _require(name: str, value: float, *, most: float) -> None:
    if not 0 < value <= most:
        raise ConfigError(f"{name} is {value!r}; it must be above 0 and at most {most}")
