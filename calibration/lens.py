"""A lens: rays in the camera frame (x right, y down, z along the optical axis) <-> pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.profile import CameraModel

Array = NDArray[np.float64]
_NEWTON_STEPS = 12


def rays_to_pixels(camera: CameraModel, rays: Array) -> Array:
    """(N, 3) camera rays -> (N, 2) pixels. Kannala & Brandt 2006 for fisheye; Brown-Conrady for pinhole."""
    x, y, z = rays[:, 0], rays[:, 1], rays[:, 2]
    k1, k2, k3, k4 = camera.distortion
    if camera.model == "fisheye":
        radius = np.hypot(x, y)
        theta = np.arctan2(radius, z)
        t2 = theta * theta
        bent = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
        scale = np.where(radius > 1e-12, bent / np.maximum(radius, 1e-12), 1.0)
        u, v = x * scale, y * scale
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = np.where(z > 1e-9, x / z, np.nan), np.where(z > 1e-9, y / z, np.nan)
        r2 = a * a + b * b
        radial = 1 + r2 * (k1 + r2 * k2)
        u = a * radial + 2 * k3 * a * b + k4 * (r2 + 2 * a * a)
        v = b * radial + k3 * (r2 + 2 * b * b) + 2 * k4 * a * b
    return np.stack([camera.fx * u + camera.cx, camera.fy * v + camera.cy], axis=1)


def pixels_to_rays(camera: CameraModel, pixels: Array) -> Array:
    """(N, 2) pixels -> (N, 3) unit rays; the inverse of ``rays_to_pixels`` by Newton or fixed point."""
    u = (pixels[:, 0] - camera.cx) / camera.fx
    v = (pixels[:, 1] - camera.cy) / camera.fy
    k1, k2, k3, k4 = camera.distortion
    if camera.model == "fisheye":
        bent = np.hypot(u, v)
        theta = bent.copy()
        for _ in range(_NEWTON_STEPS):
            t2 = theta * theta
            value = theta * (1 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4)))) - bent
            slope = 1 + t2 * (3 * k1 + t2 * (5 * k2 + t2 * (7 * k3 + t2 * 9 * k4)))
            theta = theta - value / np.where(np.abs(slope) > 1e-6, slope, 1.0)
        theta = np.clip(theta, 0.0, np.pi)
        scale = np.where(bent > 1e-12, np.sin(theta) / np.maximum(bent, 1e-12), 1.0)
        return np.stack([u * scale, v * scale, np.cos(theta)], axis=1)
    a, b = u.copy(), v.copy()
    for _ in range(_NEWTON_STEPS):
        r2 = a * a + b * b
        radial = 1 + r2 * (k1 + r2 * k2)
        a = (u - 2 * k3 * a * b - k4 * (r2 + 2 * a * a)) / radial
        b = (v - k3 * (r2 + 2 * b * b) - 2 * k4 * a * b) / radial
    rays = np.stack([a, b, np.ones_like(a)], axis=1)
    unit: Array = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    return unit
