"""``linepilot calibrate flat-field``: dark and pink corners, from pictures of a white sheet."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from app.cli.calibrate_simulated import SIMULATED
from app.cli.calibration_file import next_source, read_calibration, today, write_calibration
from app.cli.options import config_from, count, natural, parser, refuse_unwritable
from app.cli.picture_files import pictures_in, require_picture_name, save_picture
from app.cli.tables import facts
from calibration.flat_field import Evening, FlatFieldFit, fit_flat_field, gains
from calibration.profile import Calibration
from calibration.quality import FlatFieldQuality
from control.errors import CalibrationError, InputError
from robot.cameras import open_camera
from robot.drive.interrupt import stop_on_signals
from sim.white_sheet import WhiteSheetCamera

_WHAT = """Measure how a camera darkens and tints the edges of its pictures (a pink cast is usual for wide CSI cameras),
from about 12 pictures of plain white paper, close before the lens and out of focus. Turn the paper, or the robot, a
little further for each, so that light from one side averages out. A drive then evens every live picture before anything
else sees it. --sim compares with the truth of a made-up camera."""
_EXAMPLE = """linepilot calibrate flat-field --camera csi:0
  linepilot calibrate flat-field sheets/ --picture even.png
  linepilot calibrate flat-field --sim --seed 3"""
_PATIENCE_S, _EVERY_S = 2.0, 0.7
Image = NDArray[np.uint8]
Named = list[tuple[str, Image]]


def run(arguments: list[str]) -> int:
    options = parser("calibrate flat-field", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add("source", nargs="?", type=Path, metavar="FOLDER", help="pictures of the sheet")
    add("--camera", metavar="WHICH", help="take the pictures now, as from csi:0 or usb:0")
    add("--robot", type=Path, metavar="YAML", help="with --camera: its camera settings")
    add("--sim", action="store_true", help="a made-up camera instead")
    add("--seed", type=natural, default=0, metavar="N", help="of the made-up camera")
    add("--count", type=count, default=12, metavar="N", help="--camera, --sim: pictures; default: 12")
    add("--out", type=Path, default=Path("calibration.yaml"), help="default: calibration.yaml; its other parts stay")
    add("--picture", type=Path, default=Path("flat-field.png"), metavar="PNG",
        help="the sheet before and after; default: flat-field.png")  # fmt: skip
    chosen = options.parse(arguments)
    if sum((chosen.source is not None, chosen.camera is not None, chosen.sim)) != 1:
        raise InputError("give one of: a folder of pictures, --camera WHICH, --sim")
    refuse_unwritable(chosen.out, chosen.picture)
    require_picture_name(chosen.picture)
    before = read_calibration(chosen.out)
    made_up = None
    if chosen.sim:
        made_up = WhiteSheetCamera(width=before.camera.width, height=before.camera.height, seed=chosen.seed)
        pictures = [(f"picture {i}", picture) for i, picture in enumerate(made_up.look(chosen.count), 1)]
    elif chosen.camera is not None:
        pictures = _live(chosen)
    else:
        pictures = _from_folder(chosen.source)
    fit = fit_flat_field(pictures)
    _write(chosen, before, fit)
    save_picture(chosen.picture, _beside(pictures[0][1], fit))
    _tell(fit, made_up)
    print(f"{chosen.out}: flat_field; look at {chosen.picture}; next: linepilot calibrate ground {next_source(chosen)}")
    return 0


def _from_folder(folder: Path) -> Named:
    """Raises CalibrationError."""
    found = list(pictures_in(folder))
    for name, picture in found:
        if picture is None:
            raise CalibrationError(f"{folder / name}: not a readable picture; remove it")
    return [(name, picture) for name, picture in found if picture is not None]


def _live(chosen: Namespace) -> Named:
    """Raises CameraError, ConfigError, KeyboardInterrupt."""
    config = config_from([str(chosen.robot)] if chosen.robot else [])
    settings = config.camera.model_copy(update={"source": chosen.camera})
    print("Hold plain white paper close before the lens, and turn it a little further each time.", flush=True)
    taken: Named = []
    next_s = 0.0
    with stop_on_signals() as interrupted, open_camera(settings) as camera:
        for frame in camera.frames(timeout_s=_PATIENCE_S):
            if interrupted():
                raise KeyboardInterrupt
            if frame.stamp_s < next_s:
                continue
            next_s = frame.stamp_s + _EVERY_S
            taken.append((f"picture {len(taken) + 1}", frame.image))
            print(f"{len(taken)} of {chosen.count}", flush=True)
            if len(taken) == chosen.count:
                break
    return taken


def _write(chosen: Namespace, before: Calibration, fit: FlatFieldFit) -> None:
    how = SIMULATED if chosen.sim else f"sheet seen by {chosen.camera}" if chosen.camera else "pictures of a sheet"
    quality = FlatFieldQuality(
        date=today(), how=how, pictures=fit.pictures, before=fit.before, after=fit.after, disagreement=fit.disagreement
    )
    measured = replace(before.measured, flat_field=quality)
    write_calibration(chosen.out, replace(before, flat_field=fit.field, measured=measured))


def _beside(picture: Image, fit: FlatFieldFit) -> Image:
    """The sheet as it was seen and as it is evened."""
    both = [picture, Evening(fit.field).apply(picture)]
    for image, text in zip(both, ("before", "after"), strict=True):
        cv2.putText(image, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    return np.asarray(np.hstack(both), np.uint8)


def _tell(fit: FlatFieldFit, made_up: WhiteSheetCamera | None) -> None:
    rows = [
        ("pictures", f"{fit.pictures}"),
        ("unevenness before", f"{fit.before * 100:.1f} %"),
        ("unevenness after", f"{fit.after * 100:.1f} %"),
        ("pictures disagree by", f"{fit.disagreement * 100:.1f} %" if fit.pictures > 1 else "unknown, one picture"),
    ]
    if made_up is not None:
        rms, most = falloff_error(fit, made_up)
        rows += [("error against the truth, rms", f"{rms * 100:.2f} %"), ("at most", f"{most * 100:.2f} %")]
    console = Console()
    console.print(facts("flat field", rows))
    if fit.disagreement > 0.05 * fit.pictures**0.5 or fit.pictures < 4:
        console.print("The light was uneven, or there are few pictures: turn the sheet a little further for each.")


def falloff_error(fit: FlatFieldFit, made_up: WhiteSheetCamera) -> tuple[float, float]:
    """Share that an evened picture is off a truly even one: root mean square and largest."""
    truth = made_up.truth()
    height, width = truth.shape[:2]
    off = gains(fit.field, width=width, height=height) * truth - 1
    return float(np.sqrt(np.mean(off**2))), float(np.abs(off).max())
