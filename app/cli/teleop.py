"""``linepilot teleop``: drive by hand, from the page, the terminal or a gamepad."""

from __future__ import annotations

import sys
from pathlib import Path

from app.cli.cockpit import add_page, steered
from app.cli.collecting import add_collecting, chosen_rule
from app.cli.drive import add_world, chosen_devices
from app.cli.options import add_settings, config_from, parser, refuse_unwritable
from app.cli.picture_files import require_picture_name
from app.cli.recording import Recording
from control.errors import DeviceError
from robot.drive.interrupt import stop_on_signals

_WHAT = """Drive by hand.

Without --camera a simulated JetBot drives in real time. The same loop and the same supervisor as in `linepilot drive`;
only the wish comes from a person: keys of this terminal (also over ssh), a gamepad, the web page with --web.
Who lets go, or loses the link, stands. `teleop.max_speed_mps` says how fast the stick may go."""
_EXAMPLE = """linepilot teleop
  linepilot teleop --web
  linepilot teleop robot.yaml --camera usb:0 --motors motorhat --record sessions"""


def run(arguments: list[str]) -> int:
    options = parser("teleop", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add_settings(options)
    add_world(options)
    add("--gamepad", type=Path, metavar="FILE", help="default: the first of /dev/input/js*")
    add("--map-gamepad", action="store_true", help="ask which stick and buttons a pad shall drive with; moves nothing")
    add("--record", type=Path, metavar="OUT", help="record pictures and ticks: FILE.mcap, or a folder")
    add_collecting(options)
    add("--json", type=Path, metavar="OUT", help="write the numbers to this file")
    add("--picture", type=Path, metavar="OUT", help="some pictures of a real camera")
    add_page(options)
    options.set_defaults(arm=False)
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.json, chosen.picture)
    require_picture_name(chosen.picture)
    config = chosen_devices(config_from(chosen.settings), chosen)
    if chosen.map_gamepad:
        return _map_gamepad(chosen.gamepad)
    rule = chosen_rule(chosen, autopilot=False)
    with (
        stop_on_signals() as interrupted,
        Recording(chosen.record, rule=rule) as recording,
        steered(chosen, config, recording=recording) as cockpit,
    ):
        if config.camera.source == "sim":
            from app.cli.drive_live import drive_live

            code = drive_live(chosen, config, interrupted=interrupted, recording=recording, cockpit=cockpit)
        else:
            from app.cli.drive_hardware import drive_hardware

            code = drive_hardware(chosen, config, interrupted=interrupted, recording=recording, cockpit=cockpit)
    return interrupted.exit_code or code


def _map_gamepad(chosen: Path | None) -> int:
    """Prints what to write into the settings file. Raises DeviceError, InputError."""
    import yaml

    from robot.teleop.gamepad import Gamepad, find_gamepad
    from robot.teleop.gamepad_map import learn_map
    from robot.teleop.helm import Helm

    path = chosen or find_gamepad()
    if path is None:
        raise DeviceError("no gamepad in /dev/input/js*; plug one in, or join the group input")
    with Gamepad(path, helm=Helm(autopilot=False)) as pad:
        learnt = learn_map(pad.every_event(), lambda text: print(f"{text} ...", file=sys.stderr, flush=True))
    print(yaml.safe_dump({"teleop": {"gamepad": learnt.model_dump()}}, sort_keys=False), end="")
    print("write this into the robot file", file=sys.stderr)
    return 0
