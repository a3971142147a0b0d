"""``linepilot config``: every setting with its value, a profile to copy, or the schema that an editor reads."""

from __future__ import annotations

import json

import yaml

from app.cli.options import add_settings, config_from, parser
from control.errors import ConfigError
from robot.cameras import kinds
from robot.config import config_schema
from robot.motors import boards
from robot.profiles import profile_names, profile_path


def run(arguments: list[str]) -> int:
    options = parser(
        "config",
        what="Print every setting as it would be used, as YAML. Keep what you change in a robot.yaml of your own.",
        example="linepilot config robot.yaml follower.speed.max_speed_mps=0.5\n"
        "  linepilot config --profile jetbot > robot.yaml\n"
        "  linepilot config --schema > robot.schema.json",
    )
    add_settings(options)
    options.add_argument("--schema", action="store_true", help="print the JSON Schema of robot.yaml instead")
    options.add_argument("--profile", metavar="NAME", help=f"print a profile to copy: {', '.join(profile_names())}")
    chosen = options.parse(arguments)
    if chosen.profile:
        if chosen.settings or chosen.schema:
            raise ConfigError("--profile prints a file to copy and change; give it alone")
        print(profile_path(chosen.profile).read_text(encoding="utf-8"), end="")
        return 0
    config = config_from(chosen.settings)
    boards.require_known(config.motors.driver)
    kinds.require_known(config.camera.source)
    if chosen.schema:
        print(json.dumps(config_schema(), indent=2))
    else:
        print(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False), end="")
    return 0
