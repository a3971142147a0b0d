"""``linepilot replay --closed-loop`` of a drive whose world is not known."""

from __future__ import annotations

from argparse import Namespace

from control.errors import SessionError
from sim.replay.recorded import RecordedDrive


def replay_views(chosen: Namespace, drive: RecordedDrive) -> int:  # noqa: ARG001
    raise SessionError(f"{drive.path}: holds no simulated world to drive in; replay it without --closed-loop")
