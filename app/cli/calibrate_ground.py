"""``linepilot calibrate ground``: how the camera sits above the floor, from a board or a line on it."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass, replace
from itertools import islice
from math import degrees
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from app.cli.board_options import add_board, board_from, millimetres
from app.cli.calibration_file import read_calibration, today, write_calibration
from app.cli.options import config_from, natural, parser, refuse_unwritable
from app.cli.picture_files import read_picture, require_picture_name, save_picture
from app.cli.tables import facts
from calibration.board import Board
from calibration.detection import BoardFinder, View
from calibration.floor_line import fit_line
from calibration.grid import draw_grid
from calibration.ground import MountFit, fit_mount
from calibration.profile import Calibration, CameraMount
from calibration.quality import MountQuality
from control.errors import CalibrationError, InputError
from robot.cameras import open_camera

_WHAT = """Measure the camera's height and tilt. Lay the board flat on the floor before the robot, its lower edge
towards the robot, all of it in the picture; several pictures with the board in other places are better. Without a
board, lay a straight tape ahead and say how wide it is with --line; that is rougher, and the numbers say how much.
Look at the picture of --grid: its lines must lie on the floor, 0.1 m apart. --sim compares with the truth."""
_EXAMPLE = """linepilot calibrate ground floor.png
  linepilot calibrate ground --camera csi:0 --straight --ahead 210
  linepilot calibrate ground tape.png --line 25
  linepilot calibrate ground --sim"""
_PICTURES, _PATIENCE_S = 8, 2.0
_FEWEST = 6
"""Corners: the lens is known, so that fewer are needed than to find it."""
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    mount: CameraMount
    how: str
    error_px: float
    error_at_half_m: float
    error_at_1_m: float


def run(arguments: list[str]) -> int:
    options = parser("calibrate ground", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add("pictures", nargs="*", type=Path, metavar="PICTURE", help="of the floor, all without moving the camera")
    add("--camera", metavar="WHICH", help="take the pictures now, as from csi:0 or usb:0")
    add("--robot", type=Path, metavar="YAML", help="with --camera: its camera settings")
    add("--sim", action="store_true", help="a made-up camera instead")
    add("--seed", type=natural, default=0, metavar="N", help="of the made-up camera")
    add("--line", type=millimetres, metavar="MM", help="a straight line of this width instead of a board")
    add("--straight", action="store_true", help="board or line point exactly ahead: measures yaw, too")
    add("--ahead", type=millimetres, metavar="MM",
        help="with --straight: from the driven axle to the board's near edge; tells where the camera sits")  # fmt: skip
    add("--out", type=Path, default=Path("calibration.yaml"), help="default: calibration.yaml; its other parts stay")
    add("--grid", type=Path, default=Path("ground.png"), metavar="PNG", help="default: ground.png")
    add_board(options, printed=True)
    chosen = options.parse(arguments)
    if sum((bool(chosen.pictures), chosen.camera is not None, chosen.sim)) != 1:
        raise InputError("give one of: pictures of the floor, --camera WHICH, --sim")
    if chosen.ahead is not None and (not chosen.straight or chosen.line):
        raise InputError("--ahead needs a board that is laid --straight before the robot")
    refuse_unwritable(chosen.out, chosen.grid)
    require_picture_name(chosen.grid)
    before = read_calibration(chosen.out)
    pictures, truth = _pictures(chosen, before)
    found = _from_line(chosen, before, pictures) if chosen.line else _from_board(chosen, before, pictures)
    quality = MountQuality(
        date=today(), how=found.how, error_at_half_m=found.error_at_half_m, error_at_1_m=found.error_at_1_m
    )
    write_calibration(chosen.out, replace(before, mount=found.mount, measured=replace(before.measured, mount=quality)))
    save_picture(chosen.grid, draw_grid(pictures[0][1], before.camera, found.mount))
    _tell(found, truth)
    print(f"{chosen.out}: mount; look at {chosen.grid}; next: {_next(chosen)}")
    return 0


def _next(chosen: Namespace) -> str:
    """The motors' step needs the robot's settings; the made-up robot none."""
    return "linepilot calibrate motors" if chosen.sim else f"linepilot calibrate motors {chosen.robot or 'robot.yaml'}"


def _pictures(chosen: Namespace, before: Calibration) -> tuple[list[tuple[str, Image]], CameraMount | None]:
    """Names and pictures, and the mount behind them, where it is known."""
    if chosen.sim:
        from app.cli.calibrate_simulated import simulated_floor

        return simulated_floor(before, board_from(chosen), seed=chosen.seed, line_mm=chosen.line)
    if chosen.camera is not None:
        config = config_from([str(chosen.robot)] if chosen.robot else [])
        with open_camera(config.camera.model_copy(update={"source": chosen.camera})) as camera:
            frames = islice(camera.frames(timeout_s=_PATIENCE_S), _PICTURES)
            return [(f"picture {frame.index}", frame.image) for frame in frames], None
    return [(path.name, read_picture(path)) for path in chosen.pictures], None


def _from_board(chosen: Namespace, before: Calibration, pictures: list[tuple[str, Image]]) -> _Found:
    board = board_from(chosen)
    views = _views(before, board, pictures, tell=not chosen.sim)
    if chosen.sim and not views:
        raise CalibrationError(
            f"the lens in {chosen.out} does not show the made-up board; first: linepilot calibrate camera --sim"
        )
    fit = fit_mount(before.camera, views, board=board, before=before.mount)
    mount = _placed(fit, chosen) if chosen.straight else fit.mount
    return _Found(
        mount=mount, how=_how("board", chosen), error_px=fit.error_px, error_at_half_m=fit.error_at_half_m,
        error_at_1_m=fit.error_at_1_m,
    )  # fmt: skip


def _views(before: Calibration, board: Board, pictures: list[tuple[str, Image]], *, tell: bool) -> list[View]:
    """Raises CalibrationError."""
    finder, camera = BoardFinder(board, fewest=_FEWEST), before.camera
    found = [finder.find(picture, name=name) for name, picture in pictures]
    views = [view for view in found if isinstance(view, View)]
    for view in found:
        if tell and not isinstance(view, View):
            print(f"left out: {view.name}: {view.reason}")
    for view in views:
        if view.size != (camera.width, camera.height):
            raise CalibrationError(
                f"{view.name}: {view.size[0]}x{view.size[1]} pixels, but the lens was measured at "
                f"{camera.width}x{camera.height}; take it with the same settings"
            )
    return views


def _placed(fit: MountFit, chosen: Namespace) -> CameraMount:
    """The board points ahead: its heading is what the camera is turned by."""
    turned = float(np.median(fit.headings_rad))
    mount = replace(fit.mount, yaw_rad=-turned)
    if chosen.ahead is None:
        return mount
    return replace(mount, forward_m=chosen.ahead / 1000 - float(np.median(fit.near_edges_m)))


def _from_line(chosen: Namespace, before: Calibration, pictures: list[tuple[str, Image]]) -> _Found:
    fit = fit_line(before.camera, pictures[0][1], width_m=chosen.line / 1000, before=before.mount)
    mount = replace(fit.mount, yaw_rad=-fit.heading_rad) if chosen.straight else fit.mount
    return _Found(
        mount=mount, how=_how(f"a line of {chosen.line:g} mm", chosen), error_px=fit.error_px,
        error_at_half_m=fit.error_at_half_m, error_at_1_m=fit.error_at_1_m,
    )  # fmt: skip


def _how(by: str, chosen: Namespace) -> str:
    return f"{by}, simulated" if chosen.sim else by


def _tell(found: _Found, truth: CameraMount | None) -> None:
    def beside(name: str, scale: float, unit: str) -> str:
        true = "" if truth is None else f" (truth {getattr(truth, name) * scale:.2f})"
        return f"{getattr(found.mount, name) * scale:.2f}{true} {unit}"

    rows = [
        ("measured with", found.how),
        ("height", beside("height_m", 100.0, "cm")),
        ("pitch, down", beside("pitch_rad", degrees(1), "degrees")),
        ("roll, to the right", beside("roll_rad", degrees(1), "degrees")),
        ("yaw, to the left", beside("yaw_rad", degrees(1), "degrees")),
        ("before the axle", beside("forward_m", 100.0, "cm")),
        ("error in the picture", f"{found.error_px:.2f} px"),
        ("floor point 0.5 m ahead +-", f"{found.error_at_half_m * 100:.1f} cm"),
        ("floor point 1 m ahead +-", f"{found.error_at_1_m * 100:.1f} cm"),
    ]
    Console().print(facts("mount", rows))
