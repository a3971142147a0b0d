"""Pictures in files, for the commands that measure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from control.errors import CalibrationError, InputError
from perception.files import is_device, replace_file
from perception.picture_file import read_whole

Image = NDArray[np.uint8]
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
_WRITTEN = (".jpg", ".jpeg", ".png")


def pictures_in(folder: Path) -> Iterator[tuple[str, Image | None]]:
    """Names and pictures, None for one that cannot be read. Raises CalibrationError when there are none."""
    if not folder.is_dir():
        raise CalibrationError(f"{folder}: no such folder of pictures")
    names = sorted(p for p in folder.iterdir() if p.suffix.lower() in _PICTURES and not p.name.startswith("."))
    if not names:
        raise CalibrationError(f"{folder}: no pictures ({', '.join(_PICTURES)}) in this folder")
    for path in names:
        yield path.name, _readable(path)


def read_picture(path: Path) -> Image:
    """(H, W, 3) BGR. Raises CalibrationError."""
    if not path.is_file():
        raise CalibrationError(f"{path}: no such picture")
    picture = _readable(path)
    if picture is None:
        raise CalibrationError(f"{path}: cut off, too large or not a picture; copy it again")
    return picture


def _readable(path: Path) -> Image | None:
    try:
        return read_whole(path)
    except cv2.error:  # more pixels than OpenCV reads
        return None


def require_picture_name(path: Path | None) -> None:
    """Before the work. Raises InputError."""
    if path is not None and path.suffix.lower() not in _WRITTEN and not is_device(path):
        raise InputError(f"{path}: give a name that ends in .png or .jpg")


def save_picture(path: Path, picture: Image) -> None:
    """Whole or not at all. Raises InputError."""
    replace_file(path, cv2.imencode(path.suffix if path.suffix.lower() in _WRITTEN else ".png", picture)[1].tobytes())
