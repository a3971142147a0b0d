"""The named appearances to drive in, and the floor bitmap of a track in one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches

import cv2
import numpy as np

from control.errors import InputError
from sim.render.appearance import LineStyle, TrackStyle
from sim.render.ground import Ground, Points
from sim.render.sensor import SensorSettings
from sim.render.textures import tile

_RESOLUTION_M = 0.005
_MARGIN_M = 1.0
_TILE_M = 0.6
_IMX219 = SensorSettings(corner_cast=(0.85, 0.7, 1.0), noise=3.0, blur_px=0.6, flicker=0.03, jpeg_quality=85)
"""The pink corners of a wide IMX219 lens, a little noise and lamp flicker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    floor: str
    """Name of a shipped tile."""
    wall: str = "Plaster_001"
    brightness: float = 1.0
    style: TrackStyle
    sensor: SensorSettings = field(default_factory=SensorSettings)


_WHITE, _BLACK, _YELLOW, _ORANGE = (235.0, 238.0, 240.0), (28.0, 28.0, 30.0), (40.0, 200.0, 235.0), (30.0, 110.0, 235.0)
LOOKS: dict[str, Look] = {
    "white-tape": Look(
        floor="Wood_010",
        style=TrackStyle(lines=(LineStyle(color=_WHITE, width_m=0.025),), has_line=True),
        sensor=_IMX219,
    ),
    "yellow-dashes": Look(
        floor="Asphalt_010",
        style=TrackStyle(lines=(LineStyle(color=_YELLOW, width_m=0.03, dash_m=0.12, gap_m=0.06),), has_line=True),
        sensor=_IMX219,
    ),
    "black-tape": Look(
        floor="Tiles_010",
        brightness=1.3,
        style=TrackStyle(lines=(LineStyle(color=_BLACK, width_m=0.035),), has_line=True),
        sensor=_IMX219,
    ),
    "hazard-tape": Look(
        floor="Concrete_010",
        style=TrackStyle(lines=(LineStyle(color=_YELLOW, second=_BLACK, width_m=0.05, dash_m=0.05),), has_line=True),
        sensor=_IMX219,
    ),
    "orange-dashes": Look(
        floor="Rubber_001",
        style=TrackStyle(lines=(LineStyle(color=_ORANGE, width_m=0.03, dash_m=0.1, gap_m=0.04),), has_line=True),
        sensor=_IMX219,
    ),
}


def find_look(name: str) -> Look:
    """Raises InputError with the nearest known name."""
    if name in LOOKS:
        return LOOKS[name]
    near = get_close_matches(name, LOOKS, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise InputError(f"unknown look '{name}'{hint} (known: {', '.join(LOOKS)})")


def paint_floor(path: Points, look: Look, *, rng: np.random.Generator) -> Ground:
    """The floor under a whole track. ``path`` is (N, 2) world metres, repeated first point included when closed."""
    low, high = path.min(axis=0) - _MARGIN_M, path.max(axis=0) + _MARGIN_M
    width, height = (np.ceil((high - low) / _RESOLUTION_M).astype(int) + 1).tolist()
    side = round(_TILE_M / _RESOLUTION_M)
    piece = cv2.convertScaleAbs(cv2.resize(tile(look.floor), (side, side)), alpha=look.brightness)
    floor = np.tile(piece, (height // side + 1, width // side + 1, 1))[:height, :width].copy()
    ground = Ground(
        image=np.asarray(floor, np.uint8), metres_per_pixel=_RESOLUTION_M, origin_xy=(float(low[0]), float(low[1]))
    )
    for mark in look.style.marks(path):
        ground.paint(mark, rng=rng)
    return ground
