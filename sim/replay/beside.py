"""A recorded drive again in closed loop on pictures made from its own, and how it went beside the recorded path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from calibration.profile import Calibration
from calibration.projection import GroundProjection
from control.errors import SessionError
from control.supervisor import SafetySupervisor
from perception.estimator import Estimator
from robot.config import RobotConfig
from robot.drive.cycle_timer import CycleTimer
from robot.drive.loop import Rig, Tick, drive
from robot.drive.pilots import make_mixer, make_pilot, open_estimator
from robot.sessions.hindsight import driven
from robot.sessions.session_tick import Image
from sim.benchmark.run import usual_vehicle
from sim.replay.closed_loop import Profile
from sim.replay.recorded import RecordedDrive, RecordedTick
from sim.replay.views import Array, Place, RecordedWorld, fitted
from sim.rig import SimCamera, SimClock, SimMotors
from sim.vehicle.measured import measured_vehicle

_LONGEST = 3.0
"""Times as long as the recorded drive: then the robot does not get there."""


@dataclass(slots=True, kw_only=True)
class Beside:
    """One entry a tick."""

    places: list[Place] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    speeds_mps: list[float] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    ended: str = ""
    """Why it ended before the recorded drive's end; empty when it came to it."""

    @property
    def valid_share(self) -> float:
        """Of the ticks in which the pictures are to be trusted."""
        return float(np.mean([place.is_valid for place in self.places])) if self.places else 0.0


def drive_beside(
    recorded: RecordedDrive, *, offset_m: float = 0.0, told: Callable[[int], None] = lambda _: None
) -> Beside:
    """Raises SessionError, ModelError, CameraError, MotorError."""
    ticks = [tick for tick in recorded.ticks() if tick.has_picture]
    if len(ticks) < 2:
        raise SessionError(f"{recorded.path}: holds no pictures to make views of")
    config = recorded.config
    calibration = config.calibration
    poses = _poses(ticks, calibration)
    world = RecordedWorld(
        ticks, poses, projection=GroundProjection(calibration.camera, calibration.mount),
        vehicle=measured_vehicle(calibration, usual_vehicle(config)), offset_m=offset_m,
    )  # fmt: skip
    longest_s = _LONGEST * (ticks[-1].tick.now_s - ticks[0].tick.now_s) + 1.0
    found, timer = Beside(), CycleTimer(period_s=1 / config.fps)

    def record(tick: Tick) -> bool:
        place = world.place()
        found.places.append(place)
        found.times_s.append(world.now_s)
        found.speeds_mps.append(world.speed_mps)
        found.ticks.append(tick.without_picture())
        told(len(found.ticks))
        if place.is_lost:
            found.ended = "so far from the recorded drive that its pictures tell nothing"
        elif world.now_s > longest_s:
            found.ended = f"not there after {longest_s:.0f} s"
        return not (world.is_at_end or found.ended)

    estimator = open_estimator(config)
    try:
        causes = drive(_rig(world, config, estimator), record, timer=timer)
    finally:
        estimator.close()
    found.ended = found.ended or ", ".join(cause.value for cause in causes)
    return found


def _poses(ticks: Sequence[RecordedTick], calibration: Calibration) -> Array:
    """(N, 3): as the wheels were told, corrected by the floor's own motion where it has texture."""

    def picture(number: int) -> Image | None:
        frame = ticks[number].frame
        image = frame.image()
        return None if image is None else fitted(image, calibration.camera, source=str(frame.path))

    found = driven([tick.tick for tick in ticks], calibration, pictures=picture)
    return np.array([(pose.x, pose.y, pose.heading) for pose in found.poses])


def _rig(world: RecordedWorld, config: RobotConfig, estimator: Estimator) -> Rig:
    return Rig(
        camera=SimCamera(world, fps=config.fps), motors=SimMotors(world), clock=SimClock(world), estimator=estimator,
        pilot=make_pilot(config), supervisor=SafetySupervisor(config.supervisor), mixer=make_mixer(config),
        camera_delay_s=world.params.camera_delay_s, period_s=1 / config.fps,
    )  # fmt: skip


def true_profile(found: Beside, ticks: Sequence[RecordedTick]) -> Profile | None:
    """Distance and lateral error on the track, for a simulated drive treated as a real one: None without its truth.

    The recorded robot's own error when the picture was taken, and how far beside it the robot of today is.
    """
    known = [(item.tick, item.tick.truth) for item in ticks if item.has_picture]
    truths = [truth for _, truth in known if truth is not None]
    if len(truths) < len(known) or not known:
        return None
    now = np.array([tick.now_s for tick, _ in known])
    exposed = np.array([tick.exposed_s for tick, _ in known])
    error = np.interp(exposed, now, [truth.lateral_error_m for truth in truths])
    heading = np.interp(exposed, now, [truth.heading_error_rad for truth in truths])
    distance = np.interp(exposed, now, [truth.distance_m for truth in truths])
    index = np.array([place.index for place in found.places])
    forward, left = (np.array([getattr(p, name) for p in found.places]) for name in ("forward_m", "left_m"))
    c, s = np.cos(heading[index]), np.sin(heading[index])
    along = distance[index] + c * forward - s * left
    return np.maximum.accumulate(along), error[index] + s * forward + c * left
