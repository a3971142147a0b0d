"""Random paths and cameras for training pictures, drawn as widely as people place robots and lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.profile import CameraModel, CameraMount

Points = NDArray[np.float64]
STEP_M = 0.02
SIZE = 160
"""Pixels a side while painting: over 112, so that shrinking smooths the edges."""


def _curvature(rng: np.random.Generator, count: int, scale: float) -> Points:
    """Piecewise constant curvature with softened changes, 1/m."""
    profile = np.zeros(count)
    at, turned = 0, 0.0
    while at < count:
        length = int(rng.uniform(0.15, 1.4) * scale / STEP_M) + 1
        bend = 0.0 if rng.random() < 0.3 else float(np.exp(rng.uniform(np.log(0.25), np.log(5.0)))) / scale
        bend *= 1.0 if rng.random() < 0.5 else -1.0
        turn = bend * min(length, count - at) * STEP_M
        if abs(turned + turn) > 2.4:
            bend = -bend * min(1.0, 2.4 / max(abs(turn), 1e-6))
        profile[at : at + length] = bend
        turned += bend * length * STEP_M
        at += length
    width = int(rng.integers(1, 9))
    return np.convolve(profile, np.ones(width) / width, mode="same")


def _walk(heading: Points, start: tuple[float, float], direction: float) -> Points:
    steps = np.stack([np.cos(heading), np.sin(heading)], axis=1) * STEP_M * direction
    walked: Points = np.asarray(start) + np.cumsum(steps, axis=0)
    return walked


def random_path(rng: np.random.Generator, *, scale: float, length_m: float = 4.5, back_m: float = 1.2) -> Points:
    """(N, 2) floor points in the vehicle frame, ordered along travel.

    Mostly the robot stands near the path and along it; often enough far to one side, or crosswise.
    """
    wide = rng.random() < 0.35
    lateral = float(rng.uniform(-0.55, 0.55) if wide else rng.normal(0, 0.09)) * scale
    heading = float(rng.uniform(-1.45, 1.45) if rng.random() < 0.25 else rng.normal(0, 0.3))
    ahead = _curvature(rng, int(length_m / STEP_M), scale)
    if rng.random() < 0.14:  # a corner of tape
        ahead[int(rng.uniform(0.1, 1.2) * scale / STEP_M)] += (
            float(rng.choice([-1, 1]) * rng.uniform(0.8, 2.0)) / STEP_M
        )
    behind = _curvature(rng, int(back_m / STEP_M), scale)
    start = (float(rng.uniform(0.0, 0.3)) * scale, lateral)
    forward = _walk(heading + np.cumsum(ahead) * STEP_M, start, 1.0)
    backward = _walk(heading - np.cumsum(behind) * STEP_M, start, -1.0)
    return np.concatenate([backward[::-1], [start], forward])


def jetbot_camera(rng: np.random.Generator) -> tuple[CameraModel, CameraMount]:
    """A JetBot as people build it: the default lens and mount, a little off in everything."""
    usual, mount = CameraModel(), CameraMount()
    scale = rng.uniform(0.92, 1.08, 2)
    center = rng.normal(SIZE / 2 - 0.5, 2.0, 2)
    camera = CameraModel(
        width=SIZE,
        height=SIZE,
        fx=usual.fx * SIZE / usual.width * float(scale[0]),
        fy=usual.fy * SIZE / usual.height * float(scale[1]),
        cx=float(center[0]),
        cy=float(center[1]),
        distortion=usual.distortion,
    )
    return camera, CameraMount(
        height_m=mount.height_m * float(rng.uniform(0.85, 1.2)),
        forward_m=mount.forward_m,
        pitch_rad=mount.pitch_rad + float(rng.normal(0, 0.06)),
        roll_rad=float(rng.normal(0, 0.015)),
        yaw_rad=float(rng.normal(0, 0.02)),
    )


def random_camera(rng: np.random.Generator) -> tuple[CameraModel, CameraMount]:
    """A lens and a mount whose horizon lies in the upper half of the picture, or above it."""
    fisheye = rng.random() < 0.6
    half = float(np.radians(rng.uniform(38, 82) if fisheye else rng.uniform(24, 52)))
    bend = (float(rng.uniform(-0.08, 0.05)), float(rng.uniform(-0.02, 0.02)), 0.0, 0.0)
    if fisheye:
        fx = SIZE / 2 / (half * (1 + bend[0] * half**2 + bend[1] * half**4))
    else:
        bend = (float(rng.uniform(-0.25, 0.02)) if half > 0.7 else 0.0, 0.0, 0.0, 0.0)
        fx = SIZE / 2 / np.tan(half)
    fy = fx * float(rng.choice([1.0, 4 / 3, 16 / 9], p=[0.3, 0.5, 0.2])) * float(rng.uniform(0.95, 1.05))
    center = rng.normal(SIZE / 2 - 0.5, 4.0, 2)
    camera = CameraModel(
        width=SIZE, height=SIZE, model="fisheye" if fisheye else "pinhole",
        fx=fx, fy=fy, cx=float(center[0]), cy=float(center[1]), distortion=bend,
    )  # fmt: skip
    horizon = float(rng.uniform(-1.1, 0.05)) * SIZE / 2 / fy
    pitch = -horizon if fisheye else float(np.arctan(-horizon))
    mount = CameraMount(
        height_m=float(np.exp(rng.uniform(np.log(0.06), np.log(0.24)))),
        forward_m=float(rng.uniform(0, 0.12)),
        pitch_rad=min(pitch, 1.1),
        roll_rad=float(rng.normal(0, 0.025)),
        yaw_rad=float(rng.normal(0, 0.03)),
    )
    return camera, mount
