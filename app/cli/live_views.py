"""Watches a live camera and keeps what shows the board anew, until every part of the picture has seen it."""

from __future__ import annotations

from pathlib import Path

import cv2

from app.cli.options import config_from
from calibration.board import Board
from calibration.collection import ViewCollection
from calibration.detection import BoardFinder, View
from perception.files import replace_file
from robot.cameras import open_camera
from robot.drive.interrupt import stop_on_signals

_PATIENCE_S = 2.0


def live_views(source: str, board: Board, *, robot: Path | None, save: Path | None) -> list[View]:
    """Ends when all is there, with the recording, or with ^C. Raises CameraError, ConfigError."""
    config = config_from([str(robot)] if robot else [])
    settings = config.camera.model_copy(update={"source": source})
    finder, kept = BoardFinder(board), ViewCollection()
    told = ""
    print("Hold the board before the camera, near, and move it slowly; ^C ends.", flush=True)
    with stop_on_signals() as interrupted, open_camera(settings) as camera:
        for frame in camera.frames(timeout_s=_PATIENCE_S):
            if interrupted():
                break
            view = finder.find(frame.image, name=f"{frame.index:06}.png")
            if not isinstance(view, View) or not kept.offer(view):
                continue
            if save is not None:
                replace_file(save / view.name, cv2.imencode(".png", frame.image)[1].tobytes())
            if kept.advice != told:
                told = kept.advice
                print(told, flush=True)
            if kept.complete:
                break
    return kept.views
