"""What hangs on the computer: camera, I2C buses, serial ports, header pins, and the motor board on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from control.errors import LinepilotError
from control.faults import SupervisorSettings
from robot.config import RobotConfig
from robot.doctor.finding import Finding, needs_group, ok, problem, problem_of, warning
from robot.doctor.i2c_bus import LOOK_AGAIN, Bus, look
from robot.doctor.i2c_scan import Scan
from robot.doctor.machine import Machine
from robot.doctor.wire import Wire, wire_of
from robot.drive.battery import FULLEST_CELL_V
from robot.motors.board import Voltmeter
from robot.motors.boards import make_board
from robot.motors.i2c import header_bus
from robot.motors.settings import BatterySettings

_PINS = "sudo /opt/nvidia/jetson-io/jetson-io.py"
_NO_MOTORS = {"sim": "simulated", "dry-run": "dry-run: nothing moves"}


def devices(machine: Machine, config: RobotConfig) -> Iterator[Finding]:
    wire = wire_of(config.motors, root=machine.root)
    header = header_bus(machine.path("/proc/device-tree/compatible"))
    gauge = config.battery if config.battery.sensor == "ina219" else None
    gauge_bus = (header if gauge.bus is None else gauge.bus) if gauge else None
    needed = wire.bus if wire.bus is not None else gauge_bus
    bus = look(machine, number=needed, header=header, gauge=config.battery.address)
    yield bus.finding
    yield _ports(machine)
    yield _pins(machine, needed=wire.gpio or config.emergency_stop.pin is not None, pulses=wire.gpio)
    yield _motors(machine, config, wire, bus.scan)
    if gauge:
        if gauge_bus != needed:
            bus = look(machine, number=gauge_bus, header=header, gauge=gauge.address)
        yield _battery(gauge, bus, config.supervisor)
    elif config.battery.sensor == "board" and config.motors.driver not in _NO_MOTORS:
        yield _told_by_board(config)


def _battery(gauge: BatterySettings, bus: Bus, supervisor: SupervisorSettings) -> Finding:
    name = f"INA219 at 0x{gauge.address:02x}"
    if bus.scan is None or bus.scan.gauge_v is None:
        fix = "check the cable, or drive without it: battery.sensor=none"
        return problem("battery", f"{name}: {bus.finding.found}", fix)
    cell_v = bus.scan.gauge_v / gauge.cells
    found = f"{bus.scan.gauge_v:.2f} V, {gauge.cells} cells of {cell_v:.2f} V"
    if cell_v > FULLEST_CELL_V:
        return problem("battery", f"{found}: 4.2 V is full", "count the cells in series and set battery.cells")
    if cell_v < supervisor.cell_empty_v:
        return problem("battery", f"{found}: the supervisor stops at {supervisor.cell_empty_v:g} V", "charge it")
    if cell_v < supervisor.cell_low_v:
        return warning("battery", f"{found}: the supervisor slows down", "charge it")
    return ok("battery", found)


def _told_by_board(config: RobotConfig) -> Finding:
    """It cannot be asked without writing to it."""
    try:
        tells = isinstance(make_board(config.motors), Voltmeter)
    except LinepilotError as error:
        return problem_of("battery", error)
    if not tells:
        fix = "set battery.sensor=ina219 where there is one, else battery.sensor=none"
        return problem("battery", f"the motor board '{config.motors.driver}' tells no voltage", fix)
    return ok("battery", "told by the motor board while it drives; not asked")


def _ports(machine: Machine) -> Finding:
    ports = [path.name for kind in ("ttyUSB", "ttyACM", "ttyTHS") for path in machine.found(f"/dev/{kind}*")]
    return ok("serial", ", ".join(ports) or "no port")


def _pins(machine: Machine, *, needed: bool, pulses: bool) -> Finding:
    """``needed`` by an H-bridge or an emergency stop; ``pulses`` by the first alone."""
    chips = machine.found("/dev/gpiochip*")
    library = "Jetson.GPIO is " + ("installed" if _has_gpio() else "not installed")
    found = f"{len(chips)} chips; {library}"
    if not needed:
        return ok("GPIO", f"{found}; none needed")
    if not machine.is_jetson or not chips:
        return problem(
            "GPIO", f"{found}; no header of a Jetson here", "set another motors.driver, or no emergency_stop.pin"
        )
    if not _has_gpio():
        return problem("GPIO", found, "pip install 'linepilot[jetson]'")
    if not machine.may_use(chips[0]):
        return problem("GPIO", f"{machine.shown(chips[0])} may not be used by you", needs_group("gpio"))
    if pulses and not machine.found("/sys/class/pwm/pwmchip*"):
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
        return problem("motors", f"{name}: nobody answers at {', '.join(silent)} on bus {wire.bus}", LOOK_AGAIN)
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
