"""The doctor over the files of an Orin, with one thing at a time out of order."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from robot.config import RobotConfig, load_config
from robot.doctor import examine
from robot.doctor.finding import Finding, Level
from robot.doctor.machine import Machine
from robot.doctor.wire import Wire, wire_of
from robot.motors.boards import BOARDS, make_board
from robot.motors.settings import MotorSettings
from tests.robot.fake_machine import NETWORK, OPENCV, SAID, orin
from tests.robot.i2c_model import I2cModel, install

HAT = ("camera.source=usb:0", "motors.driver=motorhat")
SERIAL = ("camera.source=usb:0", "motors.driver=esp32-json", "motors.serial.port=/dev/ttyUSB0")
GPIO = ("camera.source=usb:0", "motors.driver=gpio")


@pytest.fixture(autouse=True)
def bus(monkeypatch: pytest.MonkeyPatch) -> I2cModel:
    model = I2cModel(0x41, 0x60)
    install(model, monkeypatch.setattr)
    return model


def looked(machine: Machine, *settings: str) -> dict[str, Finding]:
    return {finding.part: finding for finding in examine(machine, config(*settings))}


def config(*settings: str) -> RobotConfig:
    return load_config(None, settings)


def not_ok(found: dict[str, Finding]) -> dict[str, Level]:
    return {part: finding.level for part, finding in found.items() if finding.level is not Level.OK}


def test_a_healthy_robot_has_nothing_to_mend(tmp_path: Path) -> None:
    found = looked(orin(tmp_path), *HAT)
    assert not_ok(found) == {}
    assert found["board"].found == "NVIDIA Jetson Orin Nano Developer Kit"
    assert found["system"].found == "JetPack 6.2, L4T 36.4.3"
    assert found["Python"].found == "3.10.12, aarch64"
    assert found["power"].found == "mode 15W"
    assert found["temperature"].found == "48 C (cpu-thermal)"
    assert found["camera"].found == "/dev/video0 HD Webcam"
    assert "on bus 7: 0x41 INA219, 0x60 motor chip" in found["I2C"].found
    assert found["serial"].found == "ttyUSB0, ttyTHS1"
    assert found["motors"].found == "MotorHAT at 0x60 on I2C bus 7: answers"
    assert found["OpenCV"].found.startswith("4.8.0, GStreamer yes")
    assert "3 golden frames agree" in found["model"].found
    assert found["engine"].found == "ONNX Runtime 1.23.2 on the CPU: 9.0 ms a frame, opened in 0.2 s"


def test_looking_writes_nothing_on_the_bus(tmp_path: Path, bus: I2cModel) -> None:
    looked(orin(tmp_path), *HAT)
    assert bus.written == []


def test_without_settings_only_the_header_s_bus_is_looked_at(tmp_path: Path) -> None:
    found = looked(orin(tmp_path))
    assert not_ok(found) == {}
    assert "bus 7" in found["I2C"].found
    assert found["camera"].found.startswith("simulated; here: /dev/video0 HD Webcam, ")


def test_a_desktop_s_buses_belong_to_its_memory_and_screens(tmp_path: Path, bus: I2cModel) -> None:
    bus.fail = lambda: pytest.fail("asked on a bus that nobody named")
    found = looked(orin(tmp_path, without=["proc/", "etc/"]))
    assert not_ok(found) == {}
    assert found["I2C"].found == "buses 0, 1, 7; none needed"


MISSING_THING = [
    (HAT, {"without": ["dev/video0"]}, "camera", "plug it in"),
    (("camera.source=usb:1", "motors.driver=motorhat"), {}, "camera", "camera.source=usb:0"),
    (("camera.source=usb:2", "motors.driver=motorhat"), {}, "camera", "camera.source=csi:0"),
    (("camera.source=usb:7", "motors.driver=motorhat"), {}, "camera", "camera.source=usb:0"),
    (("camera.source=file:/none.mp4", "motors.driver=motorhat"), {}, "camera", "file:PATH"),
    (HAT, {"forbidden": lambda name: name == "video0"}, "camera", "usermod -aG video"),
    (HAT, {"forbidden": lambda name: name == "i2c-7"}, "I2C", "usermod -aG i2c"),
    (HAT, {"without": ["dev/i2c"]}, "I2C", "modprobe i2c-dev"),
    (HAT, {"without": ["dev/i2c-7"]}, "I2C", "motors.i2c.bus=0"),
    ((*HAT, "motors.i2c.address=97"), {}, "motors", "switch, battery and cable"),
    ((*HAT, "motors.vehicle=ackermann"), {}, "motors", "set motors.vehicle=differential"),
    ((*HAT[:1], "motors.driver=motorhut"), {}, "motors", "did you mean 'motorhat'?"),
    (SERIAL, {"without": ["dev/ttyUSB0"]}, "motors", "plug the board in"),
    (SERIAL, {"without": ["dev/ttyUSB0"], "more": {"dev/ttyACM0": ""}}, "motors", "serial.port=/dev/ttyACM0"),
    (
        SERIAL, {"without": ["dev/ttyUSB0"], "more": {"usr/lib/udev/rules.d/85-brltty.rules": ""}}, "motors",
        "apt remove brltty",
    ),
    (SERIAL, {"forbidden": lambda name: name == "ttyUSB0"}, "motors", "usermod -aG dialout"),
    (
        (*SERIAL[:2], "motors.serial.port=/dev/ttyTHS1"), {"said": {**SAID, "systemctl": "active"}}, "motors",
        "disable --now nvgetty",
    ),
    (GPIO, {"forbidden": lambda name: name == "gpiochip0"}, "GPIO", "usermod -aG gpio"),
    (GPIO, {"without": ["sys/class/pwm"]}, "GPIO", "jetson-io"),
    (GPIO, {"without": ["proc/", "dev/gpiochip"]}, "GPIO", "another motors.driver"),
    ((*HAT, "emergency_stop.pin=7"), {"forbidden": lambda name: name == "gpiochip0"}, "GPIO", "usermod -aG gpio"),
    (HAT, {"more": {"sys/class/thermal/thermal_zone0/temp": "97000"}}, "temperature", "cool down"),
    (HAT, {"free_bytes": 1024}, "disk", "apt clean"),
    (HAT, {"opencv": {"error": "No module named 'cv2'"}}, "OpenCV", "--system-site-packages"),
    (
        HAT, {"opencv": {"error": "No module named 'cv2'"}, "without": ["usr/lib/python3"]}, "OpenCV",
        "apt install libopencv-python",
    ),
    (HAT, {"opencv": {"error": "numpy.core.multiarray failed to import"}}, "OpenCV", "numpy<2"),
    (HAT, {"opencv": {"error": "libGL.so.1: cannot open shared object file"}}, "OpenCV", "libgl1"),
    (HAT, {"network": {"error": "x.onnx: truncated; copy it again", "kind": "ModelError"}}, "model", "copy it again"),
    (HAT, {"network": {"error": "crashes with SIGILL", "kind": "crash"}}, "engine", "OPENBLAS_CORETYPE"),
    (HAT, {"network": {"error": "hangs: said nothing", "kind": "hang"}}, "engine", "another engine"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "how", "part", "fix"), MISSING_THING)
def test_what_stands_in_the_way_is_a_problem_with_its_remedy(
    settings: tuple[str, ...], how: dict[str, Any], part: str, fix: str, tmp_path: Path
) -> None:
    found = looked(orin(tmp_path, **how), *settings)
    assert found[part].level is Level.PROBLEM
    assert fix in found[part].fix
    consequences = {"I2C": {"motors"}, "OpenCV": {"engine"}}.get(part, set())
    assert set(not_ok(found)) == {part, *consequences}


CSI = ("camera.source=csi:0", "motors.driver=dry-run")
CSI_THINGS = [
    ({"without": ["sys/class/video4linux/video2", "dev/video2"]}, "camera", "jetson-io"),
    ({"without": ["usr/lib/aarch64-linux-gnu"]}, "camera", "nvidia-l4t-gstreamer"),
    ({"without": ["tmp/argus_socket"]}, "camera", "nvargus-daemon"),
    ({"without": ["usr/bin/gst-launch"]}, "camera", "gstreamer1.0-tools"),
]


@pytest.mark.parametrize(("how", "part", "fix"), CSI_THINGS)
def test_a_csi_camera_needs_sensor_plugin_and_server(how: dict[str, Any], part: str, fix: str, tmp_path: Path) -> None:
    assert not_ok(looked(orin(tmp_path / "whole"), *CSI)) == {}
    found = looked(orin(tmp_path / "broken", **how), *CSI)
    assert not_ok(found) == {part: Level.PROBLEM}
    assert fix in found[part].fix


def test_a_csi_camera_on_a_laptop_is_not_looked_for_in_its_ribbon(tmp_path: Path) -> None:
    found = looked(orin(tmp_path, without=["proc/", "sys/class/video4linux"]), *CSI)["camera"]
    assert found.level is Level.PROBLEM
    assert "camera.source=usb:N" in found.fix
    assert "ribbon" not in found.fix


def test_a_pipeline_needs_the_tool_that_runs_it(tmp_path: Path) -> None:
    settings = ("camera.source=gst:videotestsrc", "motors.driver=dry-run")
    assert not_ok(looked(orin(tmp_path / "whole"), *settings)) == {}
    found = looked(orin(tmp_path / "broken", without=["usr/bin/gst-launch"]), *settings)
    assert not_ok(found) == {"camera": Level.PROBLEM}


def test_a_camera_that_others_made_is_not_looked_at(tmp_path: Path) -> None:
    found = looked(orin(tmp_path), "camera.source=mine:camera", "motors.driver=dry-run")
    assert not_ok(found) == {}
    assert "not looked at" in found["camera"].found


WHEEL = {**OPENCV, "wheel": "opencv-python", "gstreamer": False, "place": "/home/me/.venv/lib/cv2/__init__.py"}
WEAKER = [
    (HAT, {"opencv": WHEEL}, "OpenCV", "pip uninstall -y opencv-python"),
    (("model=classical",), {"without": ["proc/"], "more": {".dockerenv": ""}}, "board", "systempaths=unconfined"),
    (HAT, {"said": {**SAID, "timedatectl": "no"}, "without": ["run/"]}, "clock", "set-ntp"),
    (HAT, {"more": {"sys/class/hwmon/hwmon3/oc1_event_cnt": "3"}}, "power", "stronger"),
    (HAT, {"more": {"sys/class/thermal/thermal_zone0/temp": "92000"}}, "temperature", "jetson_clocks"),
    (HAT, {"free_bytes": 500 * 1024**2}, "disk", "apt clean"),
    (HAT, {"network": {**NETWORK, "p50_ms": 50.0}}, "engine", "fps=14"),
    (HAT, {"network": {**NETWORK, "checksum": False}}, "model", "linepilot export"),
    (("camera.source=usb:0", "motors.driver=dry-run"), {"forbidden": lambda n: n == "i2c-7"}, "I2C", "-aG i2c"),
]


@pytest.mark.parametrize(("settings", "how", "part", "fix"), WEAKER)
def test_what_only_makes_it_worse_is_a_warning(
    settings: tuple[str, ...], how: dict[str, Any], part: str, fix: str, tmp_path: Path
) -> None:
    found = looked(orin(tmp_path, **how), *settings)
    assert not_ok(found) == {part: Level.WARNING}
    assert fix in found[part].fix


def test_a_wheel_s_opencv_is_fine_where_there_is_no_jetpack(tmp_path: Path) -> None:
    machine = orin(tmp_path, without=["proc/", "etc/", "usr/lib/python3"], opencv=WHEEL)
    assert not_ok(looked(machine)) == {}


def test_a_bus_that_is_held_low_is_given_up_after_three_waits(tmp_path: Path, bus: I2cModel) -> None:
    asked: list[int] = []

    def fail() -> int:
        asked.append(1)
        return errno.ETIMEDOUT

    bus.fail = fail
    found = looked(orin(tmp_path), *HAT)
    assert len(asked) == 3
    assert not_ok(found) == {"I2C": Level.PROBLEM, "motors": Level.PROBLEM}
    assert "stuck" in found["I2C"].found


def test_a_chip_that_the_kernel_has_taken_is_not_ours(tmp_path: Path, bus: I2cModel) -> None:
    bus.fail = lambda: errno.EBUSY
    found = looked(orin(tmp_path), *HAT)
    assert "0x60 (kernel's)" in found["I2C"].found
    assert found["motors"].level is Level.PROBLEM


def test_a_gauge_on_the_bus_tells_its_voltage(tmp_path: Path, bus: I2cModel) -> None:
    bus.chips[0x41][2:4] = bytes.fromhex("5dc0")
    assert looked(orin(tmp_path), *HAT)["I2C"].found.endswith("; 12.00 V")


@pytest.mark.parametrize(
    ("raw", "level", "said"),
    [
        ("5dc0", Level.OK, "12.00 V, 3 cells of 4.00 V"),
        ("4e20", Level.WARNING, "slows down"),
        ("4a38", Level.PROBLEM, "stops at 3.2 V"),
        ("7d00", Level.PROBLEM, "4.2 V is full"),
    ],
)
@pytest.mark.parametrize("motors", [HAT, SERIAL])
def test_the_battery_is_judged_by_the_supervisor_s_limits(
    raw: str, level: Level, said: str, motors: tuple[str, ...], tmp_path: Path, bus: I2cModel
) -> None:
    bus.chips[0x41][2:4] = bytes.fromhex(raw)
    battery = looked(orin(tmp_path), *motors, "battery.sensor=ina219")["battery"]
    assert battery.level is level
    assert said in battery.found


def test_a_battery_gauge_on_a_bus_of_its_own_is_looked_at_there(tmp_path: Path) -> None:
    found = looked(orin(tmp_path, forbidden=lambda n: n == "i2c-1"), *HAT, "battery.sensor=ina219", "battery.bus=1")
    assert not_ok(found) == {"battery": Level.PROBLEM}
    assert "bus 1 may not be used" in found["battery"].found


@pytest.mark.parametrize(("board", "level"), [("roboclaw", Level.OK), ("sabertooth", Level.PROBLEM)])
def test_a_board_that_shall_tell_its_battery_must_be_able_to(tmp_path: Path, board: str, level: Level) -> None:
    found = looked(orin(tmp_path), f"motors.driver={board}", "camera.source=usb:0", "battery.sensor=board")["battery"]
    assert found.level is level
    assert "the motor board" in found.found
    assert ("battery.sensor=none" in found.fix) == (level is Level.PROBLEM)


def test_a_battery_gauge_that_is_silent_is_a_problem(tmp_path: Path) -> None:
    found = looked(orin(tmp_path), *HAT, "battery.sensor=ina219", "battery.address=66")
    assert not_ok(found) == {"battery": Level.PROBLEM}
    assert "battery.sensor=none" in found["battery"].fix


def test_a_battery_that_the_kernel_knows_is_told(tmp_path: Path) -> None:
    supply = "sys/class/power_supply/BAT0/"
    more = {f"{supply}type": "Battery", f"{supply}capacity": "83", f"{supply}voltage_now": "11900000"}
    assert looked(orin(tmp_path, more=more))["supply"].found == "83 %, 11.90 V"


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("# R32 (release), REVISION: 7.1, GCID: 1", "JetPack 4, L4T 32.7.1"),
        ("# R35 (release), REVISION: 4.1, GCID: 1", "JetPack 5, L4T 35.4.1"),
        ("# R38 (release), REVISION: 2.0, GCID: 1", "JetPack 7, L4T 38.2.0"),
    ],
)
def test_jetpack_follows_from_l4t_where_its_package_is_not_installed(
    release: str, expected: str, tmp_path: Path
) -> None:
    machine = orin(tmp_path, without=["var/"], more={"etc/nv_tegra_release": release})
    assert looked(machine)["system"].found == expected


def settings_of(driver: str) -> MotorSettings:
    for vehicle in ("differential", "ackermann"):
        settings = MotorSettings(driver=driver, vehicle=vehicle, i2c={"bus": 3}, serial={"port": "/dev/ttyX"})
        takes = BOARDS[driver](settings).takes.__name__
        if takes.lower().startswith(vehicle):
            return settings
    raise AssertionError(driver)


@pytest.mark.parametrize("driver", BOARDS)
def test_the_wire_is_the_one_that_the_board_really_opens(driver: str) -> None:
    settings = settings_of(driver)
    wire, name = wire_of(settings), make_board(settings).name
    if wire.port:
        assert wire.port in name
    elif wire.gpio:
        assert "pins" in name
    else:
        assert wire.bus == 3
        assert wire.addresses
        assert any(f"0x{address:02x} on I2C bus 3" in name for address in wire.addresses)


def test_a_board_that_others_made_hangs_on_a_wire_that_nobody_knows() -> None:
    assert wire_of(MotorSettings(driver="mine:board")) == Wire()


def test_the_real_probes_run_in_children_of_their_own(tmp_path: Path) -> None:
    machine = Machine(root=tmp_path)
    opencv: Mapping[str, Any] = machine.probe(["opencv"])
    assert opencv["version"][0].isdigit()
    network = machine.probe(["network", config().model_dump_json()])
    assert network["runs_on"].startswith("ONNX Runtime")
    assert network["p50_ms"] > 0
    assert network["checksum"]
    assert network["golden"] == 3


def test_a_broken_model_is_told_by_the_probe(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no network")
    told = Machine().probe(["network", config(f"model={tmp_path / 'x.onnx'}").model_dump_json()])
    assert told["kind"] == "ModelError"
    assert "x.onnx" in told["error"]


def test_a_probe_that_crashes_is_a_finding(tmp_path: Path) -> None:
    assert Machine().probe(["network", "{"])["kind"] == "crash"


def test_the_board_s_files_are_read_as_they_are(tmp_path: Path) -> None:
    machine = orin(tmp_path, more={"dev/video10": ""})
    assert [path.name for path in machine.found("/dev/video*")] == ["video0", "video1", "video2", "video10"]
    assert machine.text("/nowhere") == ""
    assert machine.shown(tmp_path / "dev" / "x") == "/dev/x"
    assert machine.is_jetson
