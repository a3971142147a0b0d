"""What a cheap camera does to a clean picture: cast, vignette, glare, exposure, blur, noise, JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSettings:
    """Neutral by default. Casts are gains in B, G, R order; the corner's cast is relative to the centre's."""

    exposure: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    saturation: float = 1.0
    center_cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    corner_cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    veil: float = 0.0
    """Stray light: share of the picture replaced by its haze, in [0, 1)."""
    glare: tuple[tuple[float, float, float, float, float], ...] = ()
    """Bright spots: x, y in [-1, 1], half width, half height, strength in grey levels."""
    blur_px: float = 0.0
    motion_px: float = 0.0
    motion_angle_rad: float = 0.0
    noise: float = 0.0
    """Standard deviation in grey levels."""
    chroma_noise: float = 0.0
    flicker: float = 0.0
    """Amplitude of the frame-to-frame exposure, and of the bands that a rolling shutter makes of lamps."""
    jpeg_quality: int = 100


def random_settings(rng: np.random.Generator) -> SensorSettings:
    """Ranges measured on ten sets of JetBot and JetRacer pictures, and widened."""
    pink = float(rng.uniform(1.0, 2.2)) if rng.random() < 0.6 else float(rng.uniform(0.85, 1.15))
    blue = 1.0 + (pink - 1.0) * float(rng.uniform(0.2, 0.9))
    corner = float(rng.uniform(0.5, 1.05)) / pink**0.5
    tint = rng.uniform(0.82, 1.18, 3) ** (1.7 if rng.random() < 0.25 else 1.0)
    spots = tuple(_random_spot(rng) for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.4 else 0))
    blurred = rng.random() < 0.5
    return SensorSettings(
        exposure=float(np.exp(rng.normal(0, 0.28))),
        contrast=float(rng.uniform(0.6, 1.3)),
        gamma=float(np.exp(rng.normal(0, 0.25))),
        saturation=float(rng.uniform(0.35, 1.5)),
        center_cast=(float(tint[0]), float(tint[1]), float(tint[2])),
        corner_cast=(corner * blue, corner, corner * pink),
        veil=float(rng.uniform(0, 0.4)) if rng.random() < 0.3 else 0.0,
        glare=spots,
        blur_px=float(rng.uniform(0.3, 2.4)) if blurred else 0.0,
        motion_px=float(rng.uniform(2, 9)) if rng.random() < 0.2 else 0.0,
        motion_angle_rad=float(rng.uniform(-0.5, 0.5)) if rng.random() < 0.7 else float(rng.uniform(0, np.pi)),
        noise=float(rng.exponential(4.0)) if rng.random() < 0.8 else 0.0,
        chroma_noise=float(rng.exponential(3.0)) if rng.random() < 0.3 else 0.0,
        jpeg_quality=int(rng.integers(25, 98)),
    )


def _random_spot(rng: np.random.Generator) -> tuple[float, float, float, float, float]:
    wide, tall = rng.uniform(0.03, 0.35), rng.uniform(0.05, 0.7)
    return (
        float(rng.uniform(-1, 1)),
        float(rng.uniform(-0.9, 0.9)),
        float(wide),
        float(tall),
        float(rng.uniform(40, 260)),
    )


class Sensor:
    """Applies one camera's settings; what does not change from frame to frame is prepared once."""

    def __init__(self, settings: SensorSettings, *, width: int, height: int, rng: np.random.Generator) -> None:
        self.settings = settings
        self.gain = _gain_map(settings, width, height)
        """(H, W, 3) factors on B, G, R: exposure, cast and falloff."""
        self._glare = _glare_map(settings, width, height)
        self._curve = _tone_curve(settings)
        self._noise = _noise_bank(settings, width, height, rng)
        self._kernel = _motion_kernel(settings)

    def apply(self, image: Image, rng: np.random.Generator) -> Image:
        """(H, W, 3) uint8 in and out; the input is left as it was."""
        settings = self.settings
        out = image
        if settings.motion_px > 1:
            out = np.asarray(cv2.filter2D(out, -1, self._kernel), np.uint8)
        if settings.blur_px > 0:
            out = np.asarray(cv2.GaussianBlur(out, (0, 0), settings.blur_px), np.uint8)
        if self._glare is not None:
            out = np.asarray(cv2.add(out, self._glare), np.uint8)
        out = self._expose(out, rng)
        if self._noise:
            out = self._add_noise(out, rng)
        if settings.jpeg_quality < 100:
            _, coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality])
            out = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        return out

    def _expose(self, image: Image, rng: np.random.Generator) -> Image:
        settings = self.settings
        if settings.saturation != 1.0:
            grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            image = np.asarray(cv2.addWeighted(image, settings.saturation, grey, 1 - settings.saturation, 0), np.uint8)
        gain = 1.0 + settings.flicker * float(rng.uniform(-1, 1)) if settings.flicker else 1.0
        lit = cv2.multiply(image, self.gain, scale=gain, dtype=cv2.CV_8U)
        if settings.flicker:
            rows = np.linspace(0, 4 * np.pi, image.shape[0], dtype=np.float32) + float(rng.uniform(0, 6.3))
            bands = np.repeat((1 + 0.3 * settings.flicker * np.sin(rows))[:, None], image.shape[1], axis=1)
            lit = cv2.multiply(lit, cv2.merge([bands, bands, bands]), dtype=cv2.CV_8U)
        return np.asarray(cv2.LUT(lit, self._curve), np.uint8)

    def _add_noise(self, image: Image, rng: np.random.Generator) -> Image:
        bank = self._noise[int(rng.integers(len(self._noise)))]
        rolled = bank[
            int(rng.integers(0, bank.shape[0] - image.shape[0])) :,
            int(rng.integers(0, bank.shape[1] - image.shape[1])) :,
        ]
        part = rolled[: image.shape[0], : image.shape[1]]
        return np.asarray(cv2.add(image, part, dtype=cv2.CV_8U), np.uint8)


def _gain_map(settings: SensorSettings, width: int, height: int) -> NDArray[np.float32]:
    radius = _radius(width, height)
    center, corner = np.asarray(settings.center_cast), np.asarray(settings.corner_cast)
    slope = (settings.exposure * center * (corner - 1)).astype(np.float32)
    gain: NDArray[np.float32] = radius * slope + (settings.exposure * center).astype(np.float32)
    return gain


@lru_cache(maxsize=8)
def _radius(width: int, height: int) -> NDArray[np.float32]:
    """(H, W, 1): 0 in the centre, 1 in the corners, a little flatter than the square of the distance."""
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    return (((x * x + y * y) / 2)[..., None] ** 0.9).astype(np.float32)


def _glare_map(settings: SensorSettings, width: int, height: int) -> Image | None:
    if not settings.glare:
        return None
    x, y = np.meshgrid(np.linspace(-1, 1, width // 4), np.linspace(-1, 1, height // 4))
    light = np.zeros_like(x)
    for cx, cy, wide, tall, strength in settings.glare:
        light += strength * np.exp(-(((x - cx) / wide) ** 2 + ((y - cy) / tall) ** 2))
    small = np.clip(light, 0, 255).astype(np.uint8)
    return np.asarray(cv2.merge([cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)] * 3), np.uint8)


def _tone_curve(settings: SensorSettings) -> Image:
    level = np.linspace(0, 1, 256) ** settings.gamma
    level = (level - 0.45) * settings.contrast + 0.45
    level = level * (1 - settings.veil) + 0.75 * settings.veil
    return np.clip(level * 255, 0, 255).astype(np.uint8)


def _noise_bank(settings: SensorSettings, width: int, height: int, rng: np.random.Generator) -> list[NDArray[np.int16]]:
    if settings.noise <= 0 and settings.chroma_noise <= 0:
        return []
    grey, color = _unit_noise(width + 64, height + 64)
    # Normal numbers are dear; another sensor's noise is the same field mirrored another way.
    mirror = tuple(slice(None, None, int(step)) for step in rng.choice([-1, 1], 2))
    total = grey[mirror] * settings.noise
    if settings.chroma_noise > 0:
        total = total + color[mirror] * settings.chroma_noise
    return [np.round(np.broadcast_to(total, color.shape)).astype(np.int16)]


@lru_cache(maxsize=4)
def _unit_noise(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Grey (H, W, 1) and coloured (H, W, 3) noise of standard deviation 1, the colour in coarser grains."""
    rng = np.random.default_rng(0)
    grey = rng.standard_normal((height, width, 1), dtype=np.float32)
    small = rng.standard_normal((height // 2, width // 2, 3), dtype=np.float32)
    return grey, np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _motion_kernel(settings: SensorSettings) -> NDArray[np.float32]:
    size = max(int(settings.motion_px) | 1, 3)
    kernel = np.zeros((size, size), np.float32)
    half = size // 2
    dx, dy = np.cos(settings.motion_angle_rad) * half, np.sin(settings.motion_angle_rad) * half
    start, end = (round(half - dx), round(half - dy)), (round(half + dx), round(half + dy))
    cv2.line(kernel, start, end, (1.0,), 1, cv2.LINE_AA)
    return kernel / max(float(kernel.sum()), 1e-6)
