"""Labelled pictures made up for training: floor, marks, walls, clutter, light and sensor, through a random lens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.projection import GroundProjection
from sim.labels import row_crossings
from sim.render.appearance import (
    TrackStyle,
    contrast,
    crossing_path,
    distractor,
    own_distractor,
    random_lane_style,
    random_line_style,
    random_paint,
)
from sim.render.ground import Color, Image, Mark, Points, blend, corners, fill_mask, offset_path, strip, wear_out
from sim.render.sensor import Sensor, random_settings
from sim.render.textures import random_tile
from sim.synthetic_path import SIZE, jetbot_camera, random_camera, random_path

_NODES = 57
_FRAMES_A_CAMERA = 4
_FAR_M = 12.0
_NO_MAP: Any = None
"""``where`` holds both coordinates. OpenCV's types ask for a second map; an empty array would be read as one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelledFrame:
    """``x`` and ``visible`` are (targets, K); ``defined`` (targets,) says which answers the scene has."""

    image: Image
    x: NDArray[np.float32]
    visible: NDArray[np.float32]
    defined: NDArray[np.float32]


class _View:
    """A lens on its mount: where each pixel's ray meets the floor, metres; infinitely far at and above the horizon."""

    def __init__(self, rng: np.random.Generator, *, jetbots: float) -> None:
        camera, mount = jetbot_camera(rng) if rng.random() < jetbots else random_camera(rng)
        self.projection = GroundProjection(camera, mount)
        self.scale = mount.height_m / 0.11
        axis = np.linspace(-1, 1, _NODES)
        nodes = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        rays = self.projection.rays(nodes).reshape(_NODES, _NODES, 3).astype(np.float32)
        rays = np.asarray(cv2.resize(rays, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))
        reach = mount.height_m / np.maximum(-rays[..., 2], 1e-3)
        self.above = rays[..., 2] > -1e-3
        self.floor = (rays[..., :2] * reach[..., None]).astype(np.float32)
        self.floor[..., 0] += mount.forward_m
        self.near_m = mount.forward_m + 0.01

    def to_pixels(self, floor: Points) -> Points:
        """Points behind the lens are moved to just in front of it: a mark may pass under the robot."""
        ahead = np.column_stack([np.maximum(floor[:, 0], self.near_m), floor[:, 1]])
        return self.projection.points_to_pixels(self.projection.to_image(ahead))


def _tint(tile: Image, rng: np.random.Generator) -> Image:
    """Another brightness and colour, less contrast or more."""
    gain = float(np.exp(rng.normal(0, 0.45))) * rng.uniform(0.85, 1.15, 3)
    mean = np.asarray(cv2.mean(tile)[:3])
    flat, pale = float(rng.uniform(0.15, 1.1)), float(rng.uniform(0.2, 1.1))
    # One matrix: colours towards grey, then contrast about the mean, then the gain.
    grey = np.tile([0.114, 0.587, 0.299], (3, 1)) * (1 - pale) + np.eye(3) * pale
    turn = grey * flat * gain[:, None]
    shift = (grey @ mean) * (1 - flat) * gain
    return np.asarray(cv2.transform(tile, np.column_stack([turn, shift])), np.uint8)


def _mat(rng: np.random.Generator) -> Color:
    """A printed mat, card or paint: mostly grey, from black to white."""
    if rng.random() < 0.35:
        return random_paint(rng)
    blue, green, red = float(rng.uniform(15, 250)) * rng.uniform(0.92, 1.08, 3)
    return (float(blue), float(green), float(red))


def _floor(view: _View, rng: np.random.Generator) -> tuple[Image, Color]:
    tile = _tint(random_tile(rng), rng)
    if rng.random() < 0.3:
        mat = np.full_like(tile, np.clip(_mat(rng), 0, 255))
        tile = np.asarray(cv2.addWeighted(mat, 0.9, tile, 0.1, 0), np.uint8)
    mean = cv2.mean(tile)
    angle, size = float(rng.uniform(0, 6.3)), float(np.exp(rng.uniform(np.log(0.25), np.log(1.6)))) * view.scale
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * tile.shape[0] / size
    matrix = np.column_stack([turn, rng.uniform(0, 100, 2)])
    where = np.asarray(cv2.transform(np.clip(view.floor, -_FAR_M, _FAR_M), matrix), np.float32)
    picture = cv2.remap(tile, where, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(picture, np.uint8), (float(mean[0]), float(mean[1]), float(mean[2]))


def _before(view: _View, polygons: tuple[Points, ...]) -> list[Points]:
    """Those of the polygons that reach before the lens."""
    if not polygons:
        return []
    starts = np.cumsum([0, *(len(p) for p in polygons[:-1])])
    reach = np.maximum.reduceat(np.concatenate([p[:, 0] for p in polygons]), starts)
    return [polygons[i] for i in np.flatnonzero(reach > view.near_m)]


def _paint(picture: Image, view: _View, marks: list[Mark], rng: np.random.Generator) -> None:
    for mark in marks:
        mask = np.zeros((SIZE, SIZE), np.uint8)
        fill_mask(mask, _before(view, mark.polygons), view.to_pixels)
        if mark.wear > 0:
            wear_out(mask, mark.wear, rng)
        blend(picture, mask, mark.color)


def _paint_track(picture: Image, view: _View, style: TrackStyle, path: Points, rng: np.random.Generator) -> None:
    """The followed track, sometimes crossed by another of its kind; then no border lies across either way."""
    paths = [path]
    if style.has_lane and rng.random() < 0.1:
        paths.append(crossing_path(rng, path, view.scale))
    phase_m = float(rng.uniform(0, 1))
    _paint(picture, view, [m for band in style.bands for p in paths for m in band.marks(p)], rng)
    half_m = style.half_way_m
    if half_m > 0 and (len(paths) > 1 or len(corners(path)) > 0):
        before = picture.copy()
        _paint(picture, view, [m for line in style.edges for p in paths for m in line.marks(p, phase_m=phase_m)], rng)
        way = np.zeros((SIZE, SIZE), np.uint8)
        ways = [w for p in paths for w in strip(p, width_m=2 * half_m, offset_m=style.lane_offset_m)]
        fill_mask(way, _before(view, tuple(ways)), view.to_pixels)
        np.copyto(picture, before, where=way[..., None] > 127)
        rest = [line for line in style.lines if line not in style.edges]
    else:
        rest = list(style.lines)
    _paint(picture, view, [m for line in rest for m in line.marks(path, phase_m=phase_m)], rng)


def _backdrop(rng: np.random.Generator) -> Image:
    """Walls, furniture and windows: rectangles and bars of tiles and flat colours."""
    tile = _tint(random_tile(rng), rng)
    picture = np.asarray(cv2.resize(np.tile(tile, (2, 2, 1)), (SIZE, SIZE)), np.uint8)
    if rng.random() < 0.4:
        picture[:] = np.clip(_mat(rng), 0, 255)
    for _ in range(int(rng.integers(0, 14))):
        wide = int(np.exp(rng.uniform(np.log(2), np.log(90))))
        tall = int(np.exp(rng.uniform(np.log(8), np.log(200))))
        x, y = int(rng.integers(-10, SIZE)), int(rng.integers(-40, SIZE))
        cv2.rectangle(picture, (x, y), (x + wide, y + tall), _mat(rng), -1)
    if rng.random() < 0.4:
        _furniture(picture, rng)
    blur = float(rng.uniform(0.4, 1.2) if rng.random() < 0.5 else rng.uniform(1.0, 3.0))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.uint8)


def _furniture(picture: Image, rng: np.random.Generator) -> None:
    """In place: a room behind the floor, with the legs of chairs and tables, people, lamps and windows."""
    bottom = int(rng.integers(SIZE // 5, SIZE))
    for _ in range(int(rng.integers(0, 8))):  # lamps and windows
        x, y = int(rng.integers(0, SIZE)), int(rng.integers(0, bottom))
        wide, tall = int(rng.integers(2, 40)), int(rng.integers(2, 30))
        cv2.rectangle(picture, (x, y), (x + wide, y + tall), (float(rng.uniform(200, 255)),) * 3, -1)
    dark = float(rng.uniform(5, 80))
    for _ in range(int(rng.integers(6, 36))):
        x, top = int(rng.integers(0, SIZE)), int(rng.integers(0, bottom))
        lean, thick = int(rng.normal(0, 10)), int(rng.integers(1, 5))
        color = (dark,) * 3 if rng.random() < 0.7 else _mat(rng)
        cv2.line(picture, (x, top), (x + lean, top + int(rng.integers(4, 80))), color, thick, cv2.LINE_AA)


def _wall(view: _View, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Pixels that show a wall, not floor: beyond one or two straight lines, or above the horizon."""
    hidden = view.above | (view.floor[..., 0] > _FAR_M * 0.8)
    for _ in range(int(rng.integers(0, 3))):
        angle, away = float(rng.normal(0, 0.7)), float(np.exp(rng.uniform(np.log(0.9), np.log(5.0)))) * view.scale
        hidden = hidden | (np.cos(angle) * view.floor[..., 0] + np.sin(angle) * view.floor[..., 1] > away)
    return np.asarray(hidden, np.bool_)


def _shade(picture: Image, view: _View, rng: np.random.Generator) -> Image:
    """Soft shadows on the floor."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        center = np.array([rng.uniform(0.1, 1.8), rng.uniform(-0.9, 0.9)]) * view.scale
        angles = np.sort(rng.uniform(0, 2 * np.pi, 6))
        blob = center + np.stack([np.cos(angles), np.sin(angles)], 1) * rng.uniform(0.08, 0.7, (6, 1)) * view.scale
        fill_mask(mask, [blob], view.to_pixels)
    soft = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(1, 9))).astype(np.float32) * (
        float(rng.uniform(0.15, 0.7)) / 255
    )
    return np.asarray(picture * (1 - soft[..., None]), np.uint8)


def _gloss(picture: Image, view: _View, backdrop: Image, rng: np.random.Generator) -> Image:
    """A shiny floor mirrors what stands behind it, lamps and windows most of all, and a wrinkled sheet glints."""
    kind = rng.random()
    if kind < 0.35:
        return _glints(picture, view, rng)
    blur = float(rng.uniform(0.5, 3.0)), float(rng.uniform(2, 20))
    mirrored = np.asarray(cv2.GaussianBlur(backdrop[::-1], (0, 0), sigmaX=blur[0], sigmaY=blur[1]), np.uint8)
    if kind < 0.65:
        # Only what is bright: the rest of the room is too dark to be seen in the floor.
        least = float(rng.uniform(90, 170))
        gain = float(rng.uniform(0.8, 2.5))
        bright = np.clip((mirrored.astype(np.float32) - least) * gain, 0, 255).astype(np.uint8)
        return np.asarray(cv2.add(picture, bright), np.uint8)
    return np.asarray(cv2.addWeighted(picture, 1.0, mirrored, float(rng.uniform(0.05, 0.3)), 0), np.uint8)


def _glints(picture: Image, view: _View, rng: np.random.Generator) -> Image:
    """Wrinkles and folds that catch a lamp, in a stretch of the floor."""
    coarse = rng.random((int(rng.integers(6, 24)), int(rng.integers(6, 24))), dtype=np.float32)
    noise = np.asarray(cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC), np.float32)
    ridges = np.maximum(1.0 - np.abs(noise - 0.5) * float(rng.uniform(6, 16)), 0.0)
    where = np.clip(view.floor, -_FAR_M, _FAR_M) * np.float32(rng.uniform(60, 250) / view.scale)
    shine = cv2.remap(ridges, where, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    x, y = rng.uniform(0, SIZE, 2)
    wide, tall = np.exp(rng.uniform(np.log(0.1), np.log(0.6), 2)) * SIZE
    across = np.exp(-np.square((np.arange(SIZE) - x) / wide)).astype(np.float32)
    down = np.exp(-np.square((np.arange(SIZE) - y) / tall)).astype(np.float32)
    light = shine * across * down[:, None] * np.float32(rng.uniform(60, 260))
    return np.asarray(cv2.add(picture, cv2.merge([light, light, light]), dtype=cv2.CV_8U), np.uint8)


def _stand(picture: Image, view: _View, foot: Points, wide: float, rng: np.random.Generator) -> None:
    """In place: the dark patch under what stands on the floor, drawn out away from the lamp."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    angle, far = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.5, 4.0)) * wide
    away = np.array([np.cos(angle), np.sin(angle)]) * far
    across = np.array([-np.sin(angle), np.cos(angle)]) * wide / 2
    fill_mask(mask, [np.array([foot - across, foot + across, foot + away + across, foot + away - across])],
              view.to_pixels)  # fmt: skip
    soft = np.asarray(cv2.blur(mask, (5, 5)), np.uint8)
    soft = np.asarray(cv2.convertScaleAbs(soft, alpha=float(rng.uniform(0.2, 0.7))), np.uint8)
    blend(picture, soft, (10.0, 10.0, 10.0))


def _bumper(picture: Image, rng: np.random.Generator) -> Image:
    """In place: the robot's own nose at the bottom edge. Gives the mask of what it hides."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    top = SIZE * (1 - float(rng.uniform(0.02, 0.16)))
    slope, bulge = float(rng.normal(0, 3)), float(rng.uniform(0, 12))
    x = np.linspace(0, SIZE, 9)
    edge = top + slope * (x / SIZE - 0.5) + bulge * np.square(x / SIZE * 2 - 1)
    outline = np.concatenate([np.stack([x, edge], axis=1), [[SIZE, SIZE + 9], [0, SIZE + 9]]])
    fill_mask(mask, [outline], lambda pixels: pixels)
    grey = float(rng.uniform(5, 120))
    blend(picture, mask, (grey, grey, grey))
    return mask


def _clutter(picture: Image, view: _View, rng: np.random.Generator) -> Image:
    """Things that stand on the floor: legs, boxes, shoes. Gives the mask of what they hide."""
    hidden = np.zeros((SIZE, SIZE), np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        foot = np.array([rng.uniform(0.35, 2.6), rng.uniform(-1.2, 1.2)]) * view.scale
        wide = float(np.exp(rng.uniform(np.log(0.01), np.log(0.25)))) * view.scale
        tall = float(rng.uniform(0.03, 1.2)) * view.scale
        lean = float(rng.normal(0, 0.1))
        up = np.linspace(0, 1, 6)[:, None]
        left = np.hstack([foot + np.array([0, wide / 2]) + np.array([0, lean]) * up, up * tall])
        right = left - np.array([0, wide, 0])
        outline = view.projection.points_to_pixels(view.projection.world_to_image(np.concatenate([left, right[::-1]])))
        mask = np.zeros((SIZE, SIZE), np.uint8)
        fill_mask(mask, [outline], lambda pixels: pixels)
        _stand(picture, view, foot, wide, rng)
        blend(picture, mask, _mat(rng))
        hidden = np.maximum(hidden, mask)
    return hidden


def _label(
    view: _View, path: Points, rows: NDArray[np.float64], hidden: Image
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    # A row may be crossed twice: what counts is the way on from where the path is nearest to the robot.
    nearest = int(np.hypot(path[:, 0] - view.near_m - 0.1, path[:, 1]).argmin())
    onward = path[max(nearest - 8, 0) :]
    ahead = onward[onward[:, 0] > view.near_m]
    x, seen = row_crossings(view.projection.to_image(ahead), rows)
    columns = np.clip((x + 1) / 2 * SIZE, 0, SIZE - 1).astype(int)
    lines = np.clip((rows + 1) / 2 * SIZE, 0, SIZE - 1).astype(int)
    seen = seen & (hidden[lines, columns] < 128)
    return x.astype(np.float32), seen.astype(np.float32)


def _style(rng: np.random.Generator, floor: Color, scale: float) -> TrackStyle:
    kind = rng.random()
    if kind < 0.5:
        return random_line_style(rng, floor, scale)
    return random_lane_style(rng, floor, scale) if kind < 0.89 else TrackStyle()


def make_frame(view: _View, rows: NDArray[np.float64], rng: np.random.Generator, *, size: int) -> LabelledFrame:
    """One picture and its labels at ``rows``."""
    picture, floor = _floor(view, rng)
    path = random_path(rng, scale=view.scale)
    style = _style(rng, floor, view.scale)
    several = range(int(rng.integers(0, 3)))
    marks = [m for _ in several if rng.random() < 0.5 for m in distractor(rng, path, floor, view.scale)]
    weak = [m for m in marks if contrast(m.color, floor) > 10]
    if style.has_line and rng.random() < 0.3:
        weak += own_distractor(rng, path, style.lines[-1], view.scale)
    _paint(picture, view, weak, rng)
    _paint_track(picture, view, style, path, rng)
    if rng.random() < 0.4:
        picture = _shade(picture, view, rng)
    backdrop = _backdrop(rng)
    if rng.random() < 0.4:
        picture = _gloss(picture, view, backdrop, rng)
    wall = _wall(view, rng)
    picture[wall] = backdrop[wall]
    hidden = wall.astype(np.uint8) * 255
    if rng.random() < 0.5:
        hidden = np.maximum(hidden, _clutter(picture, view, rng))
    if rng.random() < 0.1:
        hidden = np.maximum(hidden, _bumper(picture, rng))
    x, seen = _label(view, path, rows, hidden)
    lane_x, lane_seen = x, seen
    if style.lane_offset_m:
        lane_x, lane_seen = _label(view, offset_path(path, style.lane_offset_m), rows, hidden)
    empty = not (style.has_line or style.has_lane)
    is_there = np.array([[style.has_line], [style.has_lane]], np.float32)
    defined = np.ones(2, np.float32) if empty else is_there[:, 0]
    picture = Sensor(random_settings(rng), width=SIZE, height=SIZE, rng=rng).apply(picture, rng)
    if size != SIZE:
        picture = np.asarray(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    return LabelledFrame(
        image=picture, x=np.stack([x, lane_x]), visible=np.stack([seen, lane_seen]) * is_there, defined=defined
    )


def frames(rows: tuple[float, ...], *, seed: int, size: int, jetbots: float = 0.2) -> Iterator[LabelledFrame]:
    """Endless labelled pictures; the same seed gives the same pictures. ``jetbots`` is the share of JetBot cameras."""
    rng = np.random.default_rng(seed)
    heights = np.asarray(rows, dtype=np.float64)
    while True:
        view = _View(rng, jetbots=jetbots)
        for _ in range(_FRAMES_A_CAMERA):
            yield make_frame(view, heights, rng, size=size)
