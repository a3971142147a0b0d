"""One simulated drive with the robot's own loop, measured against the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from control.messages import Cause
from control.supervisor import SafetySupervisor
from perception.estimator import Estimator
from robot.config import RobotConfig
from robot.drive.cycle_timer import CycleSummary, CycleTimer
from robot.drive.loop import Rig, Tick, drive
from robot.drive.pilots import make_mixer, make_pilot
from sim.benchmark.metrics import DriveMetrics, measure
from sim.rig import SimCamera, SimClock, SimMotors
from sim.tracks.geometry import Track
from sim.world import Truth, World

_OPEN_END_M = 0.35
"""On an open track the drive is complete this far before the end: there the camera sees no more line."""
_LOST_M = 0.5
_SLOWEST_MPS = 0.1


@dataclass(slots=True, kw_only=True)
class SimulatedDrive:
    """All that one drive left behind."""

    world: World
    ticks: list[Tick] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    causes: tuple[Cause, ...] = ()
    timing: CycleSummary | None = None
    metrics: DriveMetrics | None = None


def simulate(
    world: World, *, estimator: Estimator, config: RobotConfig, laps: int = 1,
    watch: Callable[[SimulatedDrive], bool] = lambda _: True, into: SimulatedDrive | None = None,
) -> SimulatedDrive:  # fmt: skip
    """Drive ``laps`` laps. ``watch`` is called after each tick and may end the drive with False."""
    track: Track = world.track
    end_m = track.length_m * laps if track.closed else track.length_m - _OPEN_END_M
    result = into if into is not None else SimulatedDrive(world=world)
    longest_s = end_m / _SLOWEST_MPS
    timer = CycleTimer(period_s=1 / config.fps)

    def record(tick: Tick) -> bool:
        truth = world.truth
        result.ticks.append(tick.without_picture())
        result.truths.append(truth)
        lost = abs(truth.lateral_error_m) > _LOST_M or truth.time_s > longest_s
        return watch(result) and truth.distance_m < end_m and not lost

    rig = Rig(
        camera=SimCamera(world, fps=config.fps), motors=SimMotors(world), clock=SimClock(world), estimator=estimator,
        pilot=make_pilot(config), supervisor=SafetySupervisor(config.supervisor), mixer=make_mixer(config),
        camera_delay_s=world.params.camera_delay_s, period_s=1 / config.fps,
    )  # fmt: skip
    try:
        result.causes = drive(rig, record, timer=timer)
    finally:
        result.timing = timer.summary()
        result.metrics = measure(result.truths, lap_m=track.length_m, laps=laps, end_m=end_m)
    return result
