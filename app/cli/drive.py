"""``linepilot drive``: follow a line, show it live, end with a table and a picture."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from app.cli.cockpit import add_page, watched
from app.cli.collecting import add_collecting, chosen_rule
from app.cli.options import add_settings, config_from, count, natural, parser, refuse_unwritable
from app.cli.picture_files import require_picture_name
from app.cli.recording import Recording
from control.errors import ConfigError
from robot.config import RobotConfig
from robot.drive.interrupt import stop_on_signals

_WHAT = """Follow a line.

Without --camera a simulated JetBot drives on a track, with the very loop that drives a real one. It ends with a
table of what was driven and a picture of it. ^C stops the motors; the report is still written.

While it drives any key is an emergency stop. Real motors move only after Enter, also after a stop.

With --web a page shows the picture and the numbers, arms, stops, and lends a stick: whoever touches it takes over from
the autopilot. The simulator then runs in real time, until ^C."""
_EXAMPLE = """linepilot drive --track reInvent2019_track --laps 3
  linepilot drive --track oval --look black-tape follower.speed.max_speed_mps=0.5
  linepilot drive --track oval --look edge-lines --clutter 10
  linepilot drive --web
  linepilot drive robot.yaml --camera file:clip.mp4 --motors dry-run --json report.json"""


def run(arguments: list[str]) -> int:
    options = parser("drive", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add_settings(options)
    add_world(options)
    add("--laps", type=count, default=1, metavar="N", help="default: 1")
    add("--arm", action="store_true", help="real motors: drive at once, without asking for Enter first")
    add("--record", type=Path, metavar="OUT", help="record pictures and ticks: FILE.mcap, or a folder")
    add_collecting(options)
    add("--json", type=Path, metavar="OUT", help="write the numbers to this file")
    add("--picture", type=Path, default=Path("drive.png"), metavar="OUT", help="default: drive.png")
    add_page(options)
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.json, chosen.picture, read=[chosen.track, *chosen.settings])
    require_picture_name(chosen.picture)
    config = chosen_devices(config_from(chosen.settings), chosen)
    rule = chosen_rule(chosen, autopilot=True)
    with (
        stop_on_signals() as interrupted,
        Recording(chosen.record, rule=rule) as recording,
        watched(chosen, config, recording=recording) as cockpit,
    ):
        if config.camera.source == "sim" and cockpit.page is not None:
            from app.cli.drive_live import drive_live

            code = drive_live(chosen, config, interrupted=interrupted, recording=recording, cockpit=cockpit)
        elif config.camera.source == "sim":
            from app.cli.drive_simulated import drive_simulated

            code = drive_simulated(
                chosen, config, interrupted=interrupted, recording=recording, switches=cockpit.switches
            )
        else:
            from app.cli.drive_hardware import drive_hardware

            code = drive_hardware(chosen, config, interrupted=interrupted, recording=recording, cockpit=cockpit)
    return interrupted.exit_code or code


def add_world(options: ArgumentParser) -> None:
    """Where and with what it drives, for drives by whomever."""
    add = options.add_argument
    add("--track", metavar="NAME", help="a name from `linepilot tracks`, random:SEED or FILE.npy")
    add("--look", default="white-tape", metavar="NAME", help="how floor and line look; see `linepilot tracks`")
    add("--crossing", action="store_true", help="the line in FILE.npy crosses itself on purpose")
    add("--clutter", type=natural, metavar="N", help="things beside ten metres of track; default: as the look has")
    add("--seed", type=natural, default=0, metavar="N", help="of everything random in the simulated world")
    add("--camera", metavar="WHICH", help="sim, file:PATH (video or pictures), usb:N, csi:N, gst:PIPELINE")
    add("--motors", metavar="WHICH", help="sim, dry-run (moves nothing), a name from `linepilot motors list`")


def chosen_devices(config: RobotConfig, chosen: Namespace) -> RobotConfig:
    """--camera and --motors outrank the settings. Raises ConfigError when they do not fit together."""
    camera = config.camera.model_copy(update={"source": chosen.camera} if chosen.camera is not None else {})
    motors = config.motors.model_copy(update={"driver": chosen.motors} if chosen.motors is not None else {})
    if camera.source == "sim" and motors.driver != "sim":
        raise ConfigError(f"motors {motors.driver} with a simulated camera would drive blind; give --camera too")
    if camera.source != "sim" and chosen.track:
        raise ConfigError(f"--track is for the simulator, --camera {camera.source} is not; give one of them")
    if camera.source != "sim" and motors.driver == "sim":
        raise ConfigError(f"camera {camera.source} has no simulated motors; give --motors dry-run")
    return config.model_copy(update={"camera": camera, "motors": motors})
