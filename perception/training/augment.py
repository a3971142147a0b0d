"""Other views and other light of one photograph; labels move with the picture, mirror only if the task allows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.network import TARGETS
from perception.training.photo_labels import PreparedPhoto, at_rows, moved

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Largest changes; 0 switches one off. Lengths in image units."""

    aside: float = 0.35
    """Sideways move of the robot, at the bottom edge; rows higher up move less, the horizon not at all."""
    yaw: float = 0.2
    """Turn of the robot: the whole picture moves sideways."""
    pitch: float = 0.06
    roll_deg: float = 4.0
    zoom: float = 0.08
    horizon: float = -0.6
    """Image y; where a sideways move of the robot moves nothing."""
    mirror: bool = True
    """A left bend becomes a right one. Not for a task that treats the sides differently."""
    light: float = 0.35
    cast: float = 0.12
    blur: float = 0.25
    noise: float = 0.3
    erase: float = 0.2
    """Shares of pictures that get these three."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhotoSample:
    """As ``pool.Sample``, with weights of rows."""

    image: Image
    x: NDArray[np.float32]
    visible: NDArray[np.float32]
    defined: NDArray[np.float32]
    weight: NDArray[np.float32]
    """(T, K)."""
    point: tuple[float, float] | None
    """The labelled point where it is now."""


class PhotoStream:
    """Endless: every photograph once, in random order, then again. It can be stopped and gone on with."""

    def __init__(
        self,
        photos: Sequence[PreparedPhoto],
        *,
        size: int,
        target: str,
        rng: np.random.Generator,
        change: Augmentation,
    ) -> None:
        self._photos, self._size, self._target, self._rng, self._change = photos, size, target, rng, change
        self._waiting: list[int] = []

    def __next__(self) -> PhotoSample:
        if not self._waiting:
            self._waiting = self._rng.permutation(len(self._photos)).tolist()
        photo = self._photos[self._waiting.pop(0)]
        matrix = view(self._change, self._rng)
        return sample(photo, size=self._size, target=self._target, matrix=matrix, rng=self._rng, change=self._change)

    def state(self) -> str:
        """JSON: whose turn it is, and where chance is."""
        return json.dumps({"waiting": self._waiting, "chance": self._rng.bit_generator.state})

    def restore(self, state: str) -> None:
        """Raises ValueError, LookupError or TypeError on what is no ``state``."""
        found = json.loads(state)
        self._waiting, self._rng.bit_generator.state = list(found["waiting"]), found["chance"]


def sample(
    photo: PreparedPhoto, *, size: int, target: str, matrix: NDArray[np.float64],
    rng: np.random.Generator | None = None, change: Augmentation | None = None,
) -> PhotoSample:  # fmt: skip
    """``matrix`` (2, 3), image units; without ``rng`` the light stays as it is."""
    image = moved(photo.image, matrix, size=size)
    if rng is not None and change is not None:
        image = _other_light(image, change, rng)
    labels = photo.labels
    places = np.stack([labels.x, labels.y, np.ones_like(labels.x)])
    x, y = (matrix @ places).astype(np.float32)
    # A network of x, y may have other categories; their rows are not asked for.
    number = TARGETS.index(target) if target in TARGETS else 0
    rows = at_rows(labels, x=x, y=y)
    found = [np.zeros((len(TARGETS), len(rows[0])), np.float32) for _ in rows]
    for table, values in zip(found, rows, strict=True):
        table[number] = values
    point = None if labels.point is None else matrix @ np.array([labels.point.x, labels.point.y, 1.0])
    defined = np.eye(len(TARGETS), dtype=np.float32)[number]
    return PhotoSample(
        image=image, x=found[0], visible=found[1], weight=found[2], defined=defined,
        point=None if point is None else (float(point[0]), float(point[1])),
    )  # fmt: skip


STILL = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def view(change: Augmentation, rng: np.random.Generator) -> NDArray[np.float64]:
    """How the floor would look from beside, turned, tilted: to first order all of these are affine."""
    aside, yaw, pitch = (float(rng.normal(0, a / 2)) if a else 0.0 for a in (change.aside, change.yaw, change.pitch))
    roll = np.radians(float(rng.uniform(-change.roll_deg, change.roll_deg)))
    zoom = float(np.exp(rng.uniform(-change.zoom, change.zoom)))
    per_y = aside / (1 - change.horizon)
    shear = np.array([[1, per_y, yaw - per_y * change.horizon], [0, 1, pitch], [0, 0, 1]])
    turn = zoom * np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1 / zoom]])
    flip = np.diag([-1.0 if change.mirror and rng.random() < 0.5 else 1.0, 1, 1])
    return np.asarray((flip @ shear @ turn)[:2], np.float64)


def _other_light(image: Image, change: Augmentation, rng: np.random.Generator) -> Image:
    gain = np.exp(rng.normal(0, change.light / 2)) * np.exp(rng.normal(0, change.cast / 2, 3))
    gamma = float(np.exp(rng.normal(0, change.light / 2)))
    levels = np.arange(256) / 255.0
    table = np.clip(255 * gain[None, :] * levels[:, None] ** gamma, 0, 255).astype(np.uint8)
    picture = np.asarray(cv2.LUT(image, table[:, None, :]), np.uint8)
    if rng.random() < change.blur:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.2))), np.uint8)
    if rng.random() < change.noise:
        grain = rng.normal(0, rng.uniform(2, 9), picture.shape).astype(np.float32)
        picture = np.clip(picture + grain, 0, 255).astype(np.uint8)
    if rng.random() < change.erase:
        side = picture.shape[0]
        wide, high = (int(rng.uniform(0.05, 0.3) * side) for _ in range(2))
        left, top = int(rng.uniform(0, side - wide)), int(rng.uniform(0, side - high))
        picture = picture.copy()
        picture[top : top + high, left : left + wide] = rng.integers(0, 256, 3)
    return picture
