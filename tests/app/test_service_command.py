"""The unit that systemd gets, checked by systemd's own reader, and the calls that install it, taken by a script."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.main import main
from app.cli.systemd_unit import Unit

_SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$LINEPILOT_CALLS"
test "$1" = show && cat "$LINEPILOT_ANSWER"
test ! -e "$LINEPILOT_CALLS.fail" || { echo "Access denied" >&2; exit 4; }
"""


@pytest.fixture(autouse=True)
def robot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file, and a systemctl that keeps what it is told."""
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "bin" / "systemctl"
    script.parent.mkdir()
    script.write_text(_SYSTEMCTL)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("LINEPILOT_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("LINEPILOT_ANSWER", str(tmp_path / "answer"))
    (tmp_path / "answer").touch()
    settings = tmp_path / "my robot.yaml"
    settings.write_text("camera: {source: 'usb:2'}\nmotors: {driver: esp32-json, serial: {port: /dev/ttyACM0}}\n")
    return settings


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, list[str]]:
    assert main(["service", "show", *words]) == 0
    found: dict[str, list[str]] = {}
    for line in capsys.readouterr().out.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_the_unit_is_watched_and_always_ends_with_the_motors_stopped(
    robot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = shown(capsys, str(robot), "fps=20")
    assert unit["Type"] == ["notify"]
    assert unit["WatchdogSec"] == ["2"]
    assert unit["KillMode"] == ["mixed"]
    assert unit["Restart"] == ["no"]
    (start,), (stop,) = unit["ExecStart"], unit["ExecStopPost"]
    assert f' drive --arm "{robot}" fps=20 ' in start
    assert stop.endswith(f' stop "{robot}" fps=20')
    assert start.startswith("/")
    assert unit["WorkingDirectory"] == [str(robot.parent)]


def test_it_waits_for_what_comes_late_on_usb(robot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waits = shown(capsys, str(robot))["ExecStartPre"]
    assert [wait.split()[-1] for wait in waits] == ["/dev/video2", "/dev/ttyACM0"]


def test_its_user_is_who_called_sudo(
    robot: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "maker")
    assert shown(capsys, str(robot))["User"] == ["maker"]
    assert shown(capsys, str(robot), "--user", "other")["User"] == ["other"]


def test_groups_that_this_machine_does_not_have_are_left_out(robot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (groups,) = shown(capsys, str(robot))["SupplementaryGroups"]
    assert {"video", "dialout"} <= set(groups.split())
    assert all(grp.getgrnam(name) for name in groups.split())


def test_a_restart_must_be_asked_for(robot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, str(robot), "--restart", "on-abnormal")["Restart"] == ["on-abnormal"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("settings", ["/home/me/robot.yaml", "/a b/100% $HOME \"q\" 'r' \\t;.yaml"])
def test_systemd_finds_nothing_wrong_with_it(tmp_path: Path, settings: str) -> None:
    unit = Unit(
        program=(sys.executable, "-m", "app.cli.main"), settings=(settings, "model=my model.onnx"), folder="/tmp",
        user="root", groups=("video",), devices=("/dev/video0",),
    )  # fmt: skip
    place = tmp_path / "linepilot.service"
    place.write_text(unit.text())
    done = subprocess.run(["systemd-analyze", "verify", str(place)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Complaints about other units of the machine are no concern of ours.
    assert "linepilot" not in done.stderr


def test_what_systemd_would_expand_is_taken_for_itself() -> None:
    text = Unit(program=("x",), settings=("100% $HOME",), folder="/50%", user="root").text()
    assert 'ExecStopPost=x stop "100%% $$HOME"' in text
    assert "WorkingDirectory=/50%%" in text


def test_an_end_by_a_signal_of_systemctl_is_a_success(robot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # 128 and the number of SIGHUP, SIGINT and SIGTERM, as `linepilot drive` ends then.
    assert shown(capsys, str(robot))["SuccessExitStatus"] == ["129 130 143"]


def test_the_wait_for_a_device_ends_when_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    text = Unit(program=("x",), settings=(), folder="/", user="root", devices=(str(tmp_path / "video0"),)).text()
    line = next(line for line in text.splitlines() if line.startswith("ExecStartPre="))
    # What systemd makes of it: $$ is one dollar.
    command = line.removeprefix("ExecStartPre=").replace("$$", "$")
    assert subprocess.run(command, shell=True, check=False, timeout=10).returncode == 0


def test_install_writes_it_and_enables_it_but_does_not_start_it(
    robot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "units").mkdir()
    assert main(["service", "install", str(robot), "--folder", "units"]) == 0
    assert "systemctl start linepilot" in capsys.readouterr().out
    written = (tmp_path / "units" / "linepilot.service").read_text()
    assert main(["service", "show", str(robot)]) == 0
    assert written == capsys.readouterr().out
    assert calls(tmp_path) == ["daemon-reload", "enable linepilot"]


def test_uninstall_stops_it_and_takes_it_away(robot: Path, tmp_path: Path) -> None:
    (tmp_path / "units").mkdir()
    main(["service", "install", str(robot), "--folder", "units"])
    assert main(["service", "uninstall", "--folder", "units"]) == 0
    assert not any((tmp_path / "units").iterdir())
    assert calls(tmp_path)[2:] == ["disable --now linepilot", "daemon-reload"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["install"], "a service drives hardware"),
        (["install", "{robot}", "--folder", "/nowhere"], "sudo"),
        (["uninstall", "--folder", "/nowhere"], "nothing to uninstall"),
        (["instal"], "instal"),
        (["install", "none.yaml"], "none.yaml"),
        (["install", "profile:jetbot"], "a file that stays"),
        (["install", "{robot}", "--restart", "always"], "--restart"),
    ],
)
def test_bad_input_changes_nothing(
    arguments: list[str], said: str, robot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["service", *(word.format(robot=robot) for word in arguments)]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert len(complaint.splitlines()) == 1
    assert not (tmp_path / "calls").exists()


def test_what_systemctl_refuses_is_told_in_its_words(
    robot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "calls.fail").touch()
    assert main(["service", "install", str(robot), "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "linepilot service: systemctl daemon-reload: Access denied\n"


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ("LoadState=loaded\nActiveState=active\nSubState=running\nStatusText=armed\nNRestarts=0\n", 0, "armed"),
        ("LoadState=loaded\nActiveState=failed\nResult=watchdog\nNRestarts=3\n", 1, "watchdog"),
        ("LoadState=not-found\nActiveState=inactive\n", 1, "not installed"),
    ],
)
def test_status_says_what_it_is_doing(
    answer: str, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "answer").write_text(answer)
    assert main(["service", "status"]) == code
    assert said in capsys.readouterr().out


def test_a_machine_without_systemd_is_told_without_its_own_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "bin" / "systemctl"
    script.write_text("#!/bin/sh\necho 'System has not been booted with systemd as init system (PID 1).' >&2\nexit 1\n")
    assert main(["service", "status"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("linepilot service: this machine, or this container, does not run systemd")
    assert told.count("\n") == 1
    assert "LoadState" not in told
