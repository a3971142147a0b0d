"""The simulator as a Gymnasium environment: pictures in, wheel duties out. Needs the extra ``gym``."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from calibration.profile import Calibration
from control.errors import ConfigError, MissingExtraError
from control.messages import AckermannCommand, DifferentialCommand, WheelCommand
from sim.looks import Look
from sim.render.ground import Image
from sim.rig import SimCamera
from sim.tracks.library import find_track
from sim.vehicle.params import VEHICLES, VehicleParams
from sim.world import Truth, World

try:
    import gymnasium
except ModuleNotFoundError:
    raise MissingExtraError("gymnasium", extra="gym", purpose="the simulator as a Gymnasium environment") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSettings:
    """Reward a step: metres of progress along the line less ``error_weight`` x |lateral error| x dt."""

    track: str = "reInvent2019_track"
    """A name, ``random:SEED`` or a .npy file."""
    crossing: bool = False
    """The line in the .npy file crosses itself on purpose."""
    look: str | Look = "white-tape"
    clutter: int | None = None
    """Things that stand beside ten metres of track; None is as many as the look says."""
    vehicle: Literal["jetbot", "jetracer"] = "jetbot"
    fps: float = 30.0
    laps: int = 1
    """The episode ends well after so many."""
    error_weight: float = 1.0
    off_line_penalty: float = 1.0
    randomise: bool = True
    """Each episode is another robot of the same make, at another place, a little beside the line."""
    effects: bool = True
    """Lens and sensor faults: cast, blur, noise, JPEG."""

    def __post_init__(self) -> None:
        if self.vehicle not in VEHICLES:
            raise ConfigError(f"env: unknown vehicle {self.vehicle!r}; known are {', '.join(VEHICLES)}")
        if not (0 < self.fps <= 1000 and self.laps >= 1):
            raise ConfigError("env: fps must be in (0, 1000] and laps 1 or more")
        if not (isfinite(self.error_weight) and isfinite(self.off_line_penalty)):
            raise ConfigError("env: weights must be finite")


ENV_ID = "linepilot/LineFollowing-v0"
"""``gymnasium.make("sim.env:linepilot/LineFollowing-v0", settings=EnvSettings(...))``."""

_START_OFFSET_M, _START_TURN_RAD = 0.02, 0.1


class LineFollowingEnv(gymnasium.Env[Image, NDArray[np.float32]]):
    """Observation: the newest frame, (H, W, 3) uint8 BGR, as late as the camera delivers it.

    Action: (2,) float32 in [-1, 1]: left and right duty, or steering (left is positive) and throttle for a
    vehicle that steers. Terminated when the robot leaves the line or has driven its laps; never truncated:
    wrap it in ``gymnasium.wrappers.TimeLimit`` for that.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012 - Gymnasium's own form

    def __init__(
        self, settings: EnvSettings | None = None, *, calibration: Calibration | None = None,
        vehicle: VehicleParams | None = None, render_mode: str | None = None,
    ) -> None:  # fmt: skip
        self.settings = settings or EnvSettings()
        self.render_mode = render_mode
        self.world = World(
            find_track(self.settings.track, crossing=self.settings.crossing), look=self.settings.look,
            calibration=calibration, clutter=self.settings.clutter,
            vehicle=vehicle or VEHICLES[self.settings.vehicle], effects=self.settings.effects,
            randomise=self.settings.randomise,
        )  # fmt: skip
        camera = self.world.calibration.camera
        self.observation_space = gymnasium.spaces.Box(0, 255, (camera.height, camera.width, 3), np.uint8)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
        self._period_s = 1.0 / self.settings.fps

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Image, dict[str, Any]]:
        """Options: ``start_m``, ``lateral_m``, ``turn_rad`` place the robot; what is left out is drawn."""
        super().reset(seed=seed)
        world_seed = int(self.np_random.integers(2**31))
        self.world.reset(world_seed, **self._start(options or {}))
        self._frames = SimCamera(self.world, fps=self.settings.fps).frames(timeout_s=10 * self._period_s + 2.0)
        self._observation = next(self._frames).image
        self._distance_m = self.world.truth.distance_m
        return self._observation, self._info(self.world.truth)

    def step(self, action: NDArray[np.float32]) -> tuple[Image, float, bool, bool, dict[str, Any]]:
        self.world.command(self._command(action))
        self._observation = next(self._frames).image
        truth, settings = self.world.truth, self.settings
        progress_m, self._distance_m = truth.distance_m - self._distance_m, truth.distance_m
        reward = progress_m - settings.error_weight * abs(truth.lateral_error_m) * self._period_s
        if truth.off_line:
            reward -= settings.off_line_penalty
        done = truth.off_line or truth.laps >= settings.laps
        return self._observation, float(reward), done, False, self._info(truth)

    def render(self) -> Image | None:
        """The newest frame in R, G, B order."""
        return np.ascontiguousarray(self._observation[..., ::-1]) if self.render_mode == "rgb_array" else None

    def _start(self, options: dict[str, Any]) -> dict[str, float]:
        unknown = sorted(set(options) - {"start_m", "lateral_m", "turn_rad"})
        if unknown:
            raise ConfigError(f"env: unknown reset option {unknown[0]!r}; known are start_m, lateral_m, turn_rad")
        start = {"start_m": 0.0, "lateral_m": 0.0, "turn_rad": 0.0}
        if self.settings.randomise:
            if self.world.track.closed:
                start["start_m"] = float(self.np_random.uniform(0, self.world.track.length_m))
            start["lateral_m"] = float(self.np_random.uniform(-_START_OFFSET_M, _START_OFFSET_M))
            start["turn_rad"] = float(self.np_random.uniform(-_START_TURN_RAD, _START_TURN_RAD))
        return start | {name: float(value) for name, value in options.items()}

    def _command(self, action: NDArray[np.float32]) -> WheelCommand:
        first, second = float(action[0]), float(action[1])
        if self.world.params.drive == "differential":
            return DifferentialCommand(left=first, right=second)
        return AckermannCommand(steering=first, throttle=second)

    def _info(self, truth: Truth) -> dict[str, Any]:
        return {
            "time_s": truth.time_s,
            "lateral_error_m": truth.lateral_error_m,
            "heading_error_rad": truth.heading_error_rad,
            "speed_mps": truth.speed_mps,
            "distance_m": truth.distance_m,
            "laps": truth.laps,
            "off_line": truth.off_line,
        }


if ENV_ID not in gymnasium.registry:
    gymnasium.register(id=ENV_ID, entry_point="sim.env:LineFollowingEnv")
