"""One simulated drive with the robot's own loop, measured against the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from control.messages import Cause
from control.supervisor import SafetySupervisor
from perception.estimator import Estimator
from robot.config import RobotConfig
from robot.drive.cycle_timer import CycleSummary, CycleTimer
from robot.drive.loop import Rig, Tick, drive
from robot.drive.pilots import make_mixer, make_pilot
from robot.teleop.switch import Switch
from sim.benchmark.metrics import DriveMetrics, measure
from sim.looks import find_look
from sim.rig import SimCamera, SimClock, SimMotors
from sim.tracks.geometry import Track
from sim.vehicle.measured import measured_vehicle
from sim.vehicle.params import JETBOT, JETRACER, VehicleParams
from sim.world import Truth, World

_OPEN_END_M = 0.35
"""On an open track the drive is complete this far before the end: there the camera sees no more line."""
_LOST_M = 0.5
_SLOWEST_MPS = 0.1


@dataclass(slots=True, kw_only=True)
class SimulatedDrive:
    """All that one drive left behind; whole also when it ended with an error."""

    world: World
    ticks: list[Tick] = field(default_factory=list)
    """Without their pictures."""
    truths: list[Truth] = field(default_factory=list)
    causes: tuple[Cause, ...] = ()
    given_up: str = ""
    """Why the simulator ended the drive before its end."""
    timing: CycleSummary = field(default_factory=lambda: CycleTimer(period_s=1.0).summary())
    metrics: DriveMetrics = field(default_factory=lambda: measure([], lap_m=1.0, laps=1, end_m=1.0))

    @property
    def stopped_by(self) -> list[str]:
        """For people; empty when nothing but the end of the track, or ^C, ended the drive."""
        return [cause.value for cause in self.causes] or ([self.given_up] if self.given_up else [])

    @property
    def latency_s(self) -> float:
        """From the exposure until the wheels answer, mean over the drive, as the simulated clock saw it."""
        if not self.ticks:
            return 0.0
        seen = sum(tick.now_s - tick.exposed_s for tick in self.ticks) / len(self.ticks)
        return seen + self.world.params.motor_delay_s


def aimed(config: RobotConfig, *, look: str) -> RobotConfig:
    """The settings with the target that the look is meant for, unless they name one. Raises InputError."""
    target = find_look(look).target
    return config if "target" in config.model_fields_set else config.model_copy(update={"target": target})


def usual_vehicle(config: RobotConfig) -> VehicleParams:
    """As far as nothing was measured."""
    return JETRACER if config.motors.vehicle == "ackermann" else JETBOT


def make_world(track: Track, *, look: str, config: RobotConfig, seed: int, clutter: int | None = None) -> World:
    """The vehicle that the settings speak of, standing at the start; ``clutter`` as for a World."""
    vehicle = measured_vehicle(config.calibration, usual_vehicle(config))
    world = World(track, look=look, vehicle=vehicle, calibration=config.calibration, clutter=clutter)
    world.reset(seed)
    return world


def make_rig(world: World, *, estimator: Estimator, config: RobotConfig) -> Rig:
    """The robot's own parts over a simulated clock, camera and motors."""
    return Rig(
        camera=SimCamera(world, fps=config.fps), motors=SimMotors(world), clock=SimClock(world), estimator=estimator,
        pilot=make_pilot(config), supervisor=SafetySupervisor(config.supervisor), mixer=make_mixer(config),
        camera_delay_s=world.params.camera_delay_s, period_s=1 / config.fps,
    )  # fmt: skip


def end_of(track: Track, *, laps: int) -> float:
    """The distance at which the drive is complete, metres."""
    return track.length_m * laps if track.closed else track.length_m - _OPEN_END_M


def simulate(
    world: World,
    *,
    estimator: Estimator,
    config: RobotConfig,
    laps: int = 1,
    watch: Callable[[SimulatedDrive], bool] = lambda _: True,
    interrupted: Callable[[], bool] = lambda: False,
    into: SimulatedDrive | None = None,
    switches: Sequence[Switch] = (),
    keep: Callable[[Tick, Mapping[str, float], Truth], None] = lambda *_: None,
) -> SimulatedDrive:
    """Drive ``laps`` laps, of an open track one. ``watch`` is called after each tick and may end the drive with False.

    ``keep`` is given each tick with its picture, the time its sections took, and the truth.
    Raises CameraError, MotorError; ``into`` then holds what was driven.
    """
    laps = laps if world.track.closed else 1
    end_m = end_of(world.track, laps=laps)
    result = into if into is not None else SimulatedDrive(world=world)
    longest_s = end_m / _SLOWEST_MPS
    timer = CycleTimer(period_s=1 / config.fps)

    def record(tick: Tick) -> bool:
        truth = world.truth
        keep(tick, timer.this_pass_s, truth)
        result.ticks.append(tick.without_picture())
        result.truths.append(truth)
        if abs(truth.lateral_error_m) > _LOST_M:
            result.given_up = f"more than {_LOST_M:g} m from the line"
        elif truth.time_s > longest_s:
            result.given_up = f"not there after {longest_s:.0f} s"
        return watch(result) and truth.distance_m < end_m and not result.given_up

    rig = make_rig(world, estimator=estimator, config=config)
    try:
        result.causes = drive(rig, record, timer=timer, interrupted=interrupted, switches=switches)
    finally:
        result.timing = timer.summary()
        result.metrics = measure(result.truths, lap_m=world.track.length_m, laps=laps, end_m=end_m)
    return result
