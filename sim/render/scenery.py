"""Upright things seen through a lens: each face's outline is projected and filled, far things first."""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.projection import GroundProjection, rotation_vehicle_from_camera
from sim.render.ground import Image
from sim.render.solids import OUTLINE, Solid
from sim.vehicle.kinematics import Pose

Points = NDArray[np.float64]
_FAR_M = 6.0
"""Further away things are behind the wall."""
_SHIFT = 4
_LIMIT_PX = 4000.0
_BEYOND_RAD = 0.1
"""A little further than the corners of the picture see: what lies beyond is brought in to there."""
_PINHOLE_MOST_RAD, _FISHEYE_MOST_RAD = pi / 2 - 0.1, pi - 0.2
_THIN_PX, _TURNED = 1.5, 0.7
"""Faces thinner than this are drawn only when turned to the camera by less than the arc cosine of that."""
_AWAY, _TOWARDS, _TOP, _UNDERSIDE = 0.55, 1.0, 1.08, 0.4
"""Brightness of sides that turn their back or their front to the lamp, and of faces that lie."""


class Scenery:
    """For one lens on its mount and what stands in one world."""

    def __init__(self, projection: GroundProjection, solids: tuple[Solid, ...], *, lamp: Points) -> None:
        """``lamp`` (2,) is the horizontal direction that the light comes from, a unit vector."""
        self._projection = projection
        self._axis = rotation_vehicle_from_camera(projection.mount)[:, 2]
        self._position = np.array([projection.mount.forward_m, 0.0, projection.mount.height_m])
        self._pixel_rad = _THIN_PX / projection.camera.fx
        self._least_cos = cos(_widest_angle(projection, self._axis))
        faces = [solid.faces() for solid in solids]
        self._outlines = np.concatenate([np.empty((0, OUTLINE, 3)), *faces])
        self._normals = _normals(self._outlines)
        # A face is seen from where its plane lies behind one.
        self._offsets = np.einsum("ij,ij->i", self._normals, self._outlines[:, 0])
        self._widths = _widths(self._outlines)
        self._colors = _shaded(self._normals, lamp, solids, faces)
        owners = np.repeat(np.arange(len(solids)), [len(f) for f in faces])
        middles = np.array([f.reshape(-1, 3).mean(axis=0) for f in faces]).reshape(-1, 3)
        reaches = [float(np.linalg.norm(f - m, axis=-1).max()) for f, m in zip(faces, middles, strict=True)]
        self._middles, self._reaches = middles[owners], np.array(reaches)[owners]

    def draw(self, image: Image, pose: Pose) -> None:
        """In place: what stands before the camera of a vehicle at ``pose``."""
        for outline, color in self._seen(pose):
            cv2.fillPoly(image, [outline], color, cv2.LINE_AA, _SHIFT)

    def hides(self, points: Points, pose: Pose) -> NDArray[np.bool_]:
        """(N,) whether something stands before the floor at image points (N, 2); False outside the picture."""
        if not len(self._outlines):
            return np.zeros(len(points), np.bool_)
        camera = self._projection.camera
        mask = np.zeros((camera.height, camera.width), np.uint8)
        for outline, _ in self._seen(pose):
            cv2.fillPoly(mask, [outline], (255.0,), cv2.LINE_AA, _SHIFT)
        inside = np.asarray((np.abs(points) <= 1).all(axis=1))
        pixels = self._projection.points_to_pixels(np.where(inside[:, None], points, 0.0)).round().astype(int)
        column, row = np.clip(pixels, 0, (camera.width - 1, camera.height - 1)).T
        return np.asarray(inside & (mask[row, column] > 127))

    def _seen(self, pose: Pose) -> Iterator[tuple[NDArray[np.int32], tuple[float, ...]]]:
        """Outlines in pixels with their colours, far ones first."""
        if not len(self._outlines):
            return
        c, s = cos(pose.heading), sin(pose.heading)
        turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
        origin = np.array([pose.x, pose.y, 0.0])
        eye = turn @ self._position + origin
        gap = self._middles - eye
        away = np.sqrt(np.einsum("ij,ij->i", gap, gap))
        # A face may reach into view by its solid's size.
        before = gap @ (turn @ self._axis) > self._least_cos * away - 1.5 * self._reaches
        # Of a far leg's two sides, both thinner than the pixels, the one that turns to the camera is enough.
        least = np.where(self._widths < self._pixel_rad * away, _TURNED * away, 0.0)
        facing = self._normals @ eye - self._offsets > least
        chosen = np.flatnonzero(facing & before & (away < _FAR_M))
        chosen = chosen[np.argsort(-away[chosen], kind="stable")]
        outlines = (self._outlines[chosen] - origin) @ turn
        inside = self._bring_within_view(outlines)
        seen = np.flatnonzero(inside.any(axis=1))
        pixels = self._projection.points_to_pixels(self._projection.world_to_image(outlines[seen].reshape(-1, 3)))
        fixed = np.round(np.clip(pixels, -_LIMIT_PX, _LIMIT_PX) * (1 << _SHIFT)).astype(np.int32)
        yield from zip(fixed.reshape(-1, OUTLINE, 2), (self._colors[i] for i in chosen[seen]), strict=True)

    def _bring_within_view(self, outlines: Points) -> NDArray[np.bool_]:
        """Which points of (F, P, 3) outlines in the vehicle frame the lens sees; in place, the others are moved.

        The formula of a lens holds as far as the lens sees; beyond, it may fold a point back into the picture.
        """
        away = outlines - self._position
        depth = away @ self._axis
        cosine = depth / np.sqrt(np.einsum("ijk,ijk->ij", away, away))
        inside: NDArray[np.bool_] = cosine > self._least_cos
        if inside.all():
            return inside
        face, at = np.nonzero(~inside)
        side = away[face, at] - depth[face, at, None] * self._axis
        side /= np.maximum(np.sqrt(np.einsum("ij,ij->i", side, side)), 1e-9)[:, None]
        rim = self._least_cos * self._axis + np.sqrt(1.0 - self._least_cos**2) * side
        # An edge that leaves the view ends about where it leaves; what lies wholly beyond goes to the rim.
        for beside in ((at - 1) % OUTLINE, (at + 1) % OUTLINE):
            leaves = np.flatnonzero(inside[face, beside])
            f, near, far = face[leaves], beside[leaves], at[leaves]
            share = (cosine[f, near] - self._least_cos) / (cosine[f, near] - cosine[f, far])
            rim[leaves] = away[f, near] + share[:, None] * (away[f, far] - away[f, near])
        outlines[face, at] = self._position + rim
        return inside


def _widest_angle(projection: GroundProjection, axis: Points) -> float:
    """From the optical axis to just beyond the corners of the picture, rad."""
    edge = np.linspace(-1, 1, 9)
    ones = np.ones_like(edge)
    border = np.concatenate([np.stack(pair, axis=1) for a in (-ones, ones) for pair in ((edge, a), (a, edge))])
    widest = float(np.arccos(np.clip(projection.rays(border) @ axis, -1, 1)).max()) + _BEYOND_RAD
    return min(widest, _PINHOLE_MOST_RAD if projection.camera.model == "pinhole" else _FISHEYE_MOST_RAD)


def _normals(outlines: Points) -> Points:
    """(F, 3) unit vectors that point out, of flat outlines."""
    areas = _fan(outlines).sum(axis=1)
    unit: Points = areas / np.maximum(np.linalg.norm(areas, axis=1), 1e-12)[:, None]
    return unit


def _fan(outlines: Points) -> Points:
    """(F, P, 3) twice the area, as a vector, of each triangle between the middle and two neighbours."""
    spokes = outlines - outlines.mean(axis=1, keepdims=True)
    fan: Points = np.cross(spokes, np.roll(spokes, -1, axis=1))
    return fan


def _widths(outlines: Points) -> Points:
    """(F,) metres across the narrow way: the area by the long way."""
    areas = np.linalg.norm(_fan(outlines).sum(axis=1), axis=1) / 2
    spokes = outlines - outlines.mean(axis=1, keepdims=True)
    narrow: Points = areas / (2 * np.linalg.norm(spokes, axis=-1).max(axis=1, initial=1e-9))
    return narrow


def _shaded(normals: Points, lamp: Points, solids: tuple[Solid, ...], faces: list[Points]) -> list[tuple[float, ...]]:
    colors = np.array([solid.color for solid in solids]).reshape(-1, 3)
    own = np.repeat(colors, [len(f) for f in faces], axis=0)
    sides = _AWAY + (_TOWARDS - _AWAY) * (1.0 + normals[:, :2] @ lamp) / 2
    light = np.where(normals[:, 2] > 0.9, _TOP, np.where(normals[:, 2] < -0.9, _UNDERSIDE, sides))
    return [(float(b), float(g), float(r)) for b, g, r in np.clip(own * light[:, None], 0, 255)]
