"""``examine``: all that stands between this machine and a drive with these settings."""

from __future__ import annotations

from collections.abc import Iterator

from robot.config import RobotConfig
from robot.doctor.camera import camera
from robot.doctor.computer import computer
from robot.doctor.devices import devices
from robot.doctor.finding import Finding
from robot.doctor.machine import Machine
from robot.doctor.software import software

__all__ = ["examine"]


def examine(machine: Machine, config: RobotConfig) -> Iterator[Finding]:
    """Reads only; moves nothing. Takes a few seconds, most of them for the network."""
    yield from computer(machine, config.supervisor)
    yield camera(machine, config.camera.source)
    yield from devices(machine, config)
    yield from software(machine, config)
