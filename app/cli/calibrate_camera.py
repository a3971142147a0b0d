"""``linepilot calibrate camera``: the lens, from pictures of the board, another program's file or a live camera."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from app.cli.board_options import add_board, board_from
from app.cli.calibrate_simulated import SIMULATED, simulated_pictures
from app.cli.calibration_file import next_source, read_calibration, today, write_calibration
from app.cli.options import count, natural, parser, refuse_unwritable
from app.cli.picture_files import pictures_in, require_picture_name, save_picture
from app.cli.tables import facts
from calibration.board import Board
from calibration.camera import CameraFit, fit_camera
from calibration.camera_files import camera_info_text, read_camera
from calibration.coverage import draw_coverage
from calibration.detection import BoardFinder, NoView, View
from calibration.profile import CameraModel
from calibration.quality import CameraQuality
from control.errors import InputError
from perception.files import replace_file

_WHAT = """Measure the lens from pictures of the printed board: about 20, near, in all parts of the picture, tilted
to all sides. The model is fitted to some pictures and judged by the others. Also reads the lens from a ROS camera_info
YAML or an OpenCV file. --sim shows it with a made-up lens, and compares with the truth."""
_EXAMPLE = """linepilot calibrate camera --camera csi:0 --save pictures
  linepilot calibrate camera pictures/ --map coverage.png
  linepilot calibrate camera ost.yaml
  linepilot calibrate camera --sim"""


def run(arguments: list[str]) -> int:
    options = parser("calibrate camera", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add("source", nargs="?", type=Path, metavar="FOLDER | FILE.yaml", help="pictures, or a lens from elsewhere")
    add("--camera", metavar="WHICH", help="a live camera, as csi:0 or usb:0; keeps the views that show something new")
    add("--robot", type=Path, metavar="YAML", help="with --camera: its camera settings")
    add("--sim", action="store_true", help="a made-up lens instead of a camera")
    add("--seed", type=natural, default=0, metavar="N", help="of the made-up lens")
    add("--views", type=count, default=27, metavar="N", help="--sim: pictures; default: 27")
    add("--lens", choices=("auto", "pinhole", "fisheye"), default="auto", help="default: what predicts better")
    add("--out", type=Path, default=Path("calibration.yaml"), help="default: calibration.yaml; its other parts stay")
    add("--camera-info", type=Path, metavar="YAML", help="write the lens for ROS, too")
    add("--map", type=Path, metavar="PNG", help="draw where in the picture the board was seen")
    add("--save", type=Path, metavar="FOLDER", help="--camera, --sim: keep the pictures")
    add_board(options, printed=True)
    chosen = options.parse(arguments)
    if sum((chosen.source is not None, chosen.camera is not None, chosen.sim)) != 1:
        raise InputError("give one of: a folder of pictures, a lens file, --camera WHICH, --sim")
    refuse_unwritable(chosen.out, chosen.camera_info, chosen.map)
    if chosen.map is not None:
        require_picture_name(chosen.map)
    board = board_from(chosen)
    before = read_calibration(chosen.out)
    if chosen.source is not None and not chosen.source.is_dir() and chosen.source.suffix in (".yaml", ".yml", ".xml"):
        camera = read_camera(chosen.source, lens=chosen.lens)
        quality = CameraQuality(date=today(), how=f"read from {chosen.source.name}")
        print(f"{chosen.source}: a {camera.model} lens for {camera.width}x{camera.height}")
    else:
        seen, truth = _views(chosen, board)
        fit = fit_camera(seen, lens=chosen.lens)
        camera, quality = fit.camera, _quality(fit, chosen)
        _tell(fit, truth, seen)
        if chosen.map is not None:
            save_picture(chosen.map, draw_coverage(fit.views))
    write_calibration(chosen.out, replace(before, camera=camera, measured=replace(before.measured, camera=quality)))
    if chosen.camera_info is not None:
        replace_file(chosen.camera_info, camera_info_text(camera).encode())
    print(f"{chosen.out}: camera; next: linepilot calibrate ground {next_source(chosen)}")
    return 0


def _views(chosen: Namespace, board: Board) -> tuple[Sequence[View | NoView], CameraModel | None]:
    """And the lens behind them, where it is known."""
    if chosen.sim:
        pictures, truth = simulated_pictures(board, seed=chosen.seed, count=chosen.views)
        for name, picture in pictures if chosen.save else ():
            save_picture(chosen.save / name, picture)
        finder = BoardFinder(board)
        return [finder.find(picture, name=name) for name, picture in pictures], truth
    if chosen.camera is not None:
        from app.cli.live_views import live_views

        return live_views(chosen.camera, board, robot=chosen.robot, save=chosen.save), None
    return _from_folder(chosen.source, board), None


def _from_folder(folder: Path, board: Board) -> list[View | NoView]:
    """Raises CalibrationError."""
    finder = BoardFinder(board)
    return [
        finder.find(picture, name=name) if picture is not None else NoView(name=name, reason="not a readable picture")
        for name, picture in pictures_in(folder)
    ]


def _quality(fit: CameraFit, chosen: Namespace) -> CameraQuality:
    how = SIMULATED if chosen.sim else f"board seen by {chosen.camera}" if chosen.camera else "pictures of a board"
    return CameraQuality(
        date=today(), how=how, views=len(fit.views), held_out_px=fit.held_out_px, focal_deviation=fit.focal_deviation,
        covered=fit.coverage.share,
    )  # fmt: skip


def _tell(fit: CameraFit, truth: CameraModel | None, seen: Sequence[View | NoView]) -> None:
    camera = fit.camera

    def beside(value: float, true: float | None) -> str:
        return f"{value:.2f}" + (f" (truth {true:.2f})" if true is not None else "")

    rows = [
        ("lens", camera.model),
        ("picture", f"{camera.width} x {camera.height}"),
        *((name, beside(getattr(camera, name), getattr(truth, name, None))) for name in ("fx", "fy", "cx", "cy")),
        ("distortion", ", ".join(f"{value:.4f}" for value in camera.distortion)),
        ("views used", f"{len(fit.views)} of {len(seen)}"),
        ("error in the fit", f"{fit.fit_px:.3f} px"),
        ("error in views not fitted", f"{fit.held_out_px:.3f} px"),
        ("focal length +-", f"{fit.focal_deviation * 100:.2f} %"),
        ("centre +-", f"{fit.center_deviation_px:.2f} px"),
        ("regions seen", f"{round(fit.coverage.share * 9)} of 9"),
    ]
    console = Console()
    console.print(facts("camera", rows))
    for view in fit.left_out:
        console.print(f"left out: {view.name}: {view.reason}", soft_wrap=True, highlight=False)
    if fit.coverage.missing:
        console.print(f"not seen in: {', '.join(fit.coverage.missing)}; pictures there would help", soft_wrap=True)
