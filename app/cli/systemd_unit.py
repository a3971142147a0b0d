"""The text of a systemd unit that drives at boot, is watched, and stops the motors whatever ended it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NAME = "linepilot"
WATCHDOG_S = 2
"""Without a pass of the loop. The motors' own processes stop the wheels after 0.15 s already."""

_UNIT = """# Written by `linepilot service install`.
[Unit]
Description=linepilot follows a line
# The camera server of a Jetson; elsewhere this line means nothing.
After=nvargus-daemon.service
StartLimitIntervalSec=60
StartLimitBurst=3

[Service]
Type=notify
NotifyAccess=main
User={user}
{groups}WorkingDirectory={folder}
StateDirectory={name}
Environment=PYTHONUNBUFFERED=1 PYTHONFAULTHANDLER=1
{waits}ExecStart={program} drive --arm {settings} --json %S/{name}/drive.json --picture %S/{name}/drive.png
# Runs whenever the drive has ended: after a crash, a hang, a kill, a failed start.
ExecStopPost={program} stop {settings}
TimeoutStartSec=180
# The loop itself sends the beats: when it hangs, its stack goes to the journal, and it is killed.
WatchdogSec={watchdog_s}
TimeoutAbortSec=2
TimeoutStopSec=15
# A signal is for the drive alone: the processes that guard the motors outlive it.
KillMode=mixed
# A stop by the supervisor, exit code 1, is latched: someone must look, then start it again.
Restart={restart}
RestartSec=2
SuccessExitStatus=129 130 143
NoNewPrivileges=yes
ProtectSystem=full
Nice=-5
# For the processes that own and guard the motor board.
LimitRTPRIO=1
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
"""
_WAIT = "ExecStartPre=/usr/bin/timeout 20 /bin/sh -c 'until test -e \"$$0\"; do sleep 0.2; done' {device}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    program: tuple[str, ...]
    """The linepilot command of this environment, from the root."""
    settings: tuple[str, ...]
    """robot.yaml from the root, then key=value."""
    folder: str
    """Relative paths in the settings are seen from here."""
    user: str
    groups: tuple[str, ...] = ()
    """Only those that this machine has: systemd refuses to start with an unknown one."""
    devices: tuple[str, ...] = ()
    """Files in /dev that may come late at boot."""
    restart: str = "no"

    def text(self) -> str:
        groups = f"SupplementaryGroups={' '.join(self.groups)}\n" if self.groups else ""
        return _UNIT.format(
            name=NAME, user=self.user, groups=groups, folder=_percent(self.folder), program=_words(self.program),
            settings=_words(self.settings), watchdog_s=WATCHDOG_S, restart=self.restart,
            waits="".join(_WAIT.format(device=_words([device])) for device in self.devices),
        )  # fmt: skip


def _words(words: Sequence[str]) -> str:
    """As systemd reads a command line: quoted, with its specifiers and variables taken for themselves."""
    return " ".join(_word(word) for word in words)


def _word(word: str) -> str:
    plain = _percent(word).replace("$", "$$")
    if not any(mark in plain for mark in " \t'\"\\;") and plain:
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _percent(text: str) -> str:
    return text.replace("%", "%%")
