"""The shipped floor and wall tiles (CC0, ambientCG): one zip of small JPEGs, decoded once a process."""

from __future__ import annotations

import zipfile
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
_ZIP = Path(__file__).with_name("textures.zip")


@lru_cache(maxsize=1)
def tile_names() -> tuple[str, ...]:
    """Names without suffix, as ``WoodFloor_012``."""
    with zipfile.ZipFile(_ZIP) as archive:
        return tuple(sorted(Path(name).stem for name in archive.namelist()))


@lru_cache(maxsize=1)
def _archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(_ZIP)


@lru_cache(maxsize=2048)
def tile(name: str) -> Image:
    """(h, w, 3) uint8 BGR, at most 128 px a side."""
    image = cv2.imdecode(np.frombuffer(_archive().read(f"{name}.jpg"), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{_ZIP}: {name}.jpg cannot be decoded")
    return np.asarray(image, dtype=np.uint8)


def random_tile(rng: np.random.Generator) -> Image:
    names = tile_names()
    return tile(names[int(rng.integers(len(names)))])
