"""Where a recorded drive went, from the commands that its wheels were given and the calibrated motors."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from robot.config import RobotConfig
from robot.sessions.session_tick import SessionTick
from sim.benchmark.run import usual_vehicle
from sim.vehicle.measured import measured_vehicle
from sim.vehicle.vehicle import Vehicle

Array = NDArray[np.float64]
_STEP_S = 0.01


def poses_at_exposure(ticks: Iterable[SessionTick], config: RobotConfig) -> Array:
    """(N, 3) x, y, heading of the vehicle's origin when each picture was taken; the first pose is the origin.

    Dead reckoning drifts; view synthesis needs only how neighbouring pictures lie to each other.
    """
    known = list(ticks)
    vehicle = Vehicle(measured_vehicle(config.calibration, usual_vehicle(config)))
    start_s = known[0].exposed_s
    trail = [(0.0, 0.0, 0.0, 0.0)]

    def advance(until_s: float) -> None:
        while vehicle.now_s < until_s - 1e-12:
            vehicle.advance_to(min(until_s, vehicle.now_s + _STEP_S))
            pose = vehicle.pose
            trail.append((vehicle.now_s, pose.x, pose.y, pose.heading))

    for tick in known:
        advance(tick.now_s - start_s)
        vehicle.command(tick.wheels)
    times, x, y, heading = np.array(trail).T
    exposed = np.array([tick.exposed_s for tick in known]) - start_s
    return np.stack([np.interp(exposed, times, values) for values in (x, y, heading)], axis=1)
