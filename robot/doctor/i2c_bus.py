"""The I2C bus that a drive would use, and who answers on it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from robot.doctor.finding import Finding, needs_group, ok, problem, warning
from robot.doctor.i2c_scan import KNOWN, Scan, scan
from robot.doctor.machine import Machine

LOOK_AGAIN = "check the motors' switch, battery and cable, then: linepilot doctor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    finding: Finding
    scan: Scan | None = None
    """None when there was none to be made."""


def look(machine: Machine, *, number: int | None, header: int, gauge: int) -> Bus:
    """At the bus that is needed, else at the header's if this is a board with one.

    All others belong to the computer's own chips, and nobody asks there. ``gauge`` is the address of a battery gauge.
    """
    there = [path.name.removeprefix("i2c-") for path in machine.found("/dev/i2c-*")]
    buses = f"buses {', '.join(there)}" if there else "no bus"
    if number is None and (not machine.has_device_tree or str(header) not in there):
        return Bus(finding=ok("I2C", f"{buses}; none needed"))
    bad = warning if number is None else problem
    number = header if number is None else number
    if str(number) not in there:
        fix = f"is it another one? motors.i2c.bus={there[0]}" if there else "sudo modprobe i2c-dev"
        return Bus(finding=bad("I2C", f"{buses}; bus {number} is not there", fix))
    device = machine.path(f"/dev/i2c-{number}")
    if not machine.may_use(device):
        return Bus(finding=bad("I2C", f"{buses}; bus {number} may not be used by you", needs_group("i2c")))
    if find_spec("smbus2") is None:
        return Bus(finding=bad("I2C", f"{buses}; smbus2 is not installed", "pip install 'linepilot[jetson]'"))
    done = scan(device, gauge=gauge)
    if done.trouble:
        return Bus(finding=bad("I2C", f"bus {number}: {done.trouble}", LOOK_AGAIN), scan=done)
    return Bus(finding=ok("I2C", f"{buses}; on bus {number}: {_answers(done)}"), scan=done)


def _answers(done: Scan) -> str:
    named = [f"0x{address:02x}{_known(address)}" for address in done.answers]
    named += [f"0x{address:02x} (kernel's)" for address in done.held]
    volts = f"; {done.gauge_v:.2f} V" if done.gauge_v else ""
    return f"{', '.join(named) or 'nobody answers'}{volts}"


def _known(address: int) -> str:
    return f" {KNOWN[address]}" if address in KNOWN else ""
