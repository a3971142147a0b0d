"""What hangs on the computer: camera, I2C buses, serial ports, header pins, and the motor board on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from control.errors import LinepilotError
from robot.config import RobotConfig
from robot.doctor.finding import Finding, ok, problem, problem_of, warning
from robot.doctor.i2c_scan import KNOWN, Scan, scan
from robot.doctor.machine import Machine
from robot.doctor.wire import Wire, wire_of
from robot.motors.boards import make_board
from robot.motors.i2c import header_bus

_LOOK_AGAIN = "check the motors' switch, battery and cable, then: linepilot doctor"
_PINS = "sudo /opt/nvidia/jetson-io/jetson-io.py"
_NO_MOTORS = {"sim": "simulated", "dry-run": "dry-run: nothing moves"}


def devices(machine: Machine, config: RobotConfig) -> Iterator[Finding]:
    wire = wire_of(config.motors, root=machine.root)
    bus = _Bus.of(machine, wire)
    yield bus.finding
    yield _ports(machine)
    yield _pins(machine, wire)
    yield _motors(machine, config, wire, bus.scan)


def needs_group(group: str) -> str:
    return f"sudo usermod -aG {group} $USER, then log in again"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bus:
    finding: Finding
    scan: Scan | None = None

    @classmethod
    def of(cls, machine: Machine, wire: Wire) -> _Bus:
        """Only the header's bus, or the one that the settings name: the others belong to the board's own chips."""
        there = [path.name.removeprefix("i2c-") for path in machine.found("/dev/i2c-*")]
        buses = f"buses {', '.join(there)}" if there else "no bus"
        number = wire.bus
        if number is None and machine.has_device_tree:
            number = header_bus(machine.path("/proc/device-tree/compatible"))
        if number is None or (str(number) not in there and wire.bus is None):
            return cls(finding=ok("I2C", f"{buses}; none needed"))
        device = machine.path(f"/dev/i2c-{number}")
        bad = problem if wire.bus is not None else warning
        if str(number) not in there:
            fix = f"is it another one? motors.i2c.bus={there[0]}" if there else "sudo modprobe i2c-dev"
            return cls(finding=bad("I2C", f"{buses}; bus {number} is not there", fix))
        if not machine.may_use(device):
            return cls(finding=bad("I2C", f"{buses}; bus {number} may not be used by you", needs_group("i2c")))
        if find_spec("smbus2") is None:
            return cls(finding=bad("I2C", f"{buses}; smbus2 is not installed", "pip install 'linepilot[jetson]'"))
        done = scan(device)
        if done.trouble:
            return cls(finding=bad("I2C", f"bus {number}: {done.trouble}", _LOOK_AGAIN), scan=done)
        return cls(finding=ok("I2C", f"{buses}; on bus {number}: {_answers(done)}"), scan=done)


def _answers(done: Scan) -> str:
    named = [f"0x{address:02x}{_known(address)}" for address in done.answers]
    named += [f"0x{address:02x} (kernel's)" for address in done.held]
    volts = f"; battery {done.battery_v:.2f} V" if done.battery_v else ""
    return f"{', '.join(named) or 'nobody answers'}{volts}"


def _known(address: int) -> str:
    return f" {KNOWN[address]}" if address in KNOWN else ""


def _ports(machine: Machine) -> Finding:
    ports = [path.name for kind in ("ttyUSB", "ttyACM", "ttyTHS") for path in machine.found(f"/dev/{kind}*")]
    return ok("serial", ", ".join(ports) or "no port")


def _pins(machine: Machine, wire: Wire) -> Finding:
    chips = machine.found("/dev/gpiochip*")
    library = "Jetson.GPIO is " + ("installed" if _has_gpio() else "not installed")
    found = f"{len(chips)} chips; {library}"
    if not wire.gpio:
        return ok("GPIO", f"{found}; none needed")
    if not machine.is_jetson or not chips:
        return problem("GPIO", f"{found}; no header of a Jetson here", "use another board: motors.driver=motorhat")
    if not _has_gpio():
        return problem("GPIO", found, "pip install 'linepilot[jetson]'")
    if not machine.may_use(chips[0]):
        return problem("GPIO", f"{machine.shown(chips[0])} may not be used by you", needs_group("gpio"))
    if not machine.found("/sys/class/pwm/pwmchip*"):
        return problem("GPIO", f"{found}; no PWM is enabled on the header", _PINS)
    return ok("GPIO", found)


def _has_gpio() -> bool:
    return find_spec("Jetson") is not None


def _motors(machine: Machine, config: RobotConfig, wire: Wire, done: Scan | None) -> Finding:
    motors = config.motors
    if motors.driver in _NO_MOTORS:
        return ok("motors", _NO_MOTORS[motors.driver])
    try:
        # The very bus that was looked at.
        name = make_board(motors.model_copy(update={"i2c": motors.i2c.model_copy(update={"bus": wire.bus})})).name
    except LinepilotError as error:
        return problem_of("motors", error)
    if wire.port:
        return _on_port(machine, wire, name)
    if wire.bus is None:
        return ok("motors", name)
    if done is None or done.trouble:
        return problem("motors", f"{name}: its bus cannot be used", "first mend what I2C says")
    silent = [f"0x{address:02x}" for address in wire.addresses if address not in done.answers]
    if silent:
        return problem("motors", f"{name}: nobody answers at {', '.join(silent)} on bus {wire.bus}", _LOOK_AGAIN)
    return ok("motors", f"{name}: answers")


def _on_port(machine: Machine, wire: Wire, name: str) -> Finding:
    port = machine.path(wire.port)
    if find_spec("serial") is None:
        return problem("motors", f"{name}: pyserial is not installed", "pip install 'linepilot[serial]'")
    if not port.exists():
        return problem("motors", f"{name}: {wire.port} is not there", _missing_port(machine))
    if _console_on(machine, port):
        return problem(
            "motors", f"{name}: the login console sits on {wire.port}", "sudo systemctl disable --now nvgetty"
        )
    if not machine.may_use(port):
        return problem("motors", f"{name}: {wire.port} may not be used by you", needs_group("dialout"))
    # Most boards say nothing until they are told to drive.
    return ok("motors", f"{name}: the port is there; the board was not asked")


def _missing_port(machine: Machine) -> str:
    others = [machine.shown(path) for kind in ("USB", "ACM") for path in machine.found(f"/dev/tty{kind}*")]
    if others:
        return f"is it another one? motors.serial.port={others[0]}"
    if machine.found("/usr/lib/udev/rules.d/85-brltty.rules"):
        # Ubuntu 22.04 takes the CH340 of many boards for a braille display.
        return "plug it in; if it is, a braille driver took it: sudo apt remove brltty"
    return "plug the board in, then: linepilot doctor"


def _console_on(machine: Machine, port: Path) -> bool:
    return port.name.startswith("ttyTHS") and machine.ask(["systemctl", "is-active", "nvgetty"]) == "active"
