"""Maps and strip charts as SVG that stands in a page."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]
_MAP_PX = 300
_CHART_WIDTH, _CHART_HEIGHT = 460, 84
_LEFT, _BOTTOM = 44, 14
_COLOURS = ("#2a9d5c", "#b8a21f", "#e07b1f", "#c62f2f")
"""Of the path, by quarters of the worst error that is drawn."""


def track_map(track: Numbers, path: Numbers, error_m: Numbers, *, worst_m: float, mark: int) -> str:
    """Seen from above: the track grey, the path coloured by its distance from the line; ``mark`` is circled."""
    low, high = track.min(axis=0) - 0.4, track.max(axis=0) + 0.4
    scale = _MAP_PX / float(max(high - low))
    size = (high - low) * scale

    def pixels(points: Numbers) -> Numbers:
        moved: Numbers = np.stack([(points[:, 0] - low[0]) * scale, (high[1] - points[:, 1]) * scale], axis=1)
        return moved

    parts = [
        f'<svg viewBox="0 0 {size[0]:.0f} {size[1]:.0f}" width="{size[0]:.0f}" role="img" aria-label="map">',
        f'<polyline points="{_points(pixels(track))}" fill="none" stroke="#ccc" stroke-width="7"/>',
    ]
    places = pixels(path)
    level = np.minimum((np.abs(error_m) / max(worst_m, 1e-6) * 4).astype(int), 3)
    cuts = [0, *(np.flatnonzero(np.diff(level)) + 1).tolist(), len(level)]
    for begin, end in pairwise(cuts):
        piece = places[begin : end + 1]
        parts.append(
            f'<polyline points="{_points(piece)}" fill="none" stroke="{_COLOURS[level[begin]]}" stroke-width="2"/>'
        )
    x, y = places[mark]
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="#c62f2f" stroke-width="2"/></svg>')
    return "".join(parts)


def strip_chart(distance: Numbers, values: Numbers, *, label: str, bound: float | None = None) -> str:
    """Over the distance driven; ``bound`` draws a dashed line on both sides of zero."""
    low, high = float(values.min()), float(values.max())
    room = max((high - low) * 0.08, 1e-3)
    low, high = low - room, high + room
    width, height = _CHART_WIDTH - _LEFT - 4, _CHART_HEIGHT - _BOTTOM - 4
    span = max(float(distance[-1] - distance[0]), 1e-6)
    x = _LEFT + (distance - distance[0]) / span * width
    y = 4 + (high - values) / (high - low) * height
    lines = "".join(
        f'<line x1="{_LEFT}" x2="{_CHART_WIDTH - 4}" y1="{at:.1f}" y2="{at:.1f}" stroke="#c62f2f" '
        'stroke-dasharray="4"/>'
        for side in (() if bound is None else (bound, -bound))
        if 4 <= (at := 4 + (high - side) / (high - low) * height) <= 4 + height
    )
    return (
        f'<svg viewBox="0 0 {_CHART_WIDTH} {_CHART_HEIGHT}" width="{_CHART_WIDTH}" role="img" aria-label="{label}">'
        f'<rect x="{_LEFT}" y="4" width="{width}" height="{height}" fill="none" stroke="#ddd"/>{lines}'
        f'<polyline points="{_points(np.stack([x, y], axis=1))}" fill="none" stroke="#2463a8" stroke-width="1.2"/>'
        f'<text x="{_LEFT + 4}" y="14">{label}</text>'
        f'<text x="{_LEFT - 4}" y="13" text-anchor="end">{high:.3g}</text>'
        f'<text x="{_LEFT - 4}" y="{4 + height}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{_CHART_WIDTH - 4}" y="{_CHART_HEIGHT - 2}" text-anchor="end">{distance[-1]:.1f} m</text></svg>'
    )


def _points(points: Numbers) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points.tolist())
