"""A simulated world as a text: all that must be known to build it again, bit for bit."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from calibration.profile import Calibration
from control.errors import LinepilotError, SessionError
from sim.looks import LOOKS
from sim.tracks.geometry import Track
from sim.vehicle.params import VehicleParams
from sim.world import World

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The calibration is not in it: it stands in the settings."""

    track: Track
    look: str
    seed: int
    clutter: int
    vehicle: VehicleParams
    laps: int
    """0 is until somebody ends the drive."""

    @classmethod
    def of(cls, world: World, *, look: str, seed: int, laps: int) -> Scene:
        return cls(track=world.track, look=look, seed=seed, clutter=world.clutter, vehicle=world.params, laps=laps)

    def world(self, calibration: Calibration) -> World:
        """At its start."""
        world = World(self.track, look=self.look, vehicle=self.vehicle, calibration=calibration, clutter=self.clutter)
        world.reset(self.seed)
        return world

    def to_json(self) -> str:
        """Numbers come back as they were, to the bit; infinity is written as null."""
        track = self.track
        vehicle = {key: None if value == float("inf") else value for key, value in asdict(self.vehicle).items()}
        return json.dumps({
            "version": _VERSION, "look": self.look, "seed": self.seed, "clutter": self.clutter, "laps": self.laps,
            "vehicle": vehicle,
            "track": {
                "name": track.name, "closed": track.closed, "crossing": track.crossing, "width_m": track.width_m,
                "center": track.center.tolist(),
            },
        })  # fmt: skip


def scene_from_json(text: bytes, *, source: str) -> Scene:
    """Raises SessionError, with ``source``, for what this version cannot build."""
    try:
        tree = json.loads(text)
        if tree["version"] != _VERSION:
            raise SessionError(f"{source}: its world is of version {tree['version']}; replay it with a newer linepilot")
        if tree["look"] not in LOOKS:
            raise SessionError(f"{source}: was driven in the look '{tree['look']}', which is no longer there")
        track = tree["track"]
        return Scene(
            track=Track(
                name=str(track["name"]), center=np.array(track["center"], np.float64), closed=bool(track["closed"]),
                crossing=bool(track["crossing"]), width_m=float(track["width_m"]),
            ),
            look=tree["look"], seed=int(tree["seed"]), clutter=int(tree["clutter"]), laps=int(tree["laps"]),
            vehicle=_vehicle(tree["vehicle"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SessionError(f"{source}: the description of its world is damaged; try sessions repair") from error
    except SessionError:
        raise
    except LinepilotError as error:
        raise SessionError(f"{source}: its world cannot be built ({error})") from error


def _vehicle(tree: dict[str, Any]) -> VehicleParams:
    known = {item.name for item in fields(VehicleParams)}
    # What a newer version added has its default there, and what it dropped is not driven any more.
    kept: dict[str, Any] = {
        key: float("inf") if value is None else value for key, value in tree.items() if key in known
    }
    return VehicleParams(**kept)
