"""The look-ahead rows that the network answers for; apart from the network, so that nobody needs torch to know them."""

from __future__ import annotations

GRID = 14
"""Rows and half-columns of the feature map that the head reads (112 px / 8)."""
ROWS: tuple[float, ...] = tuple((2 * i + 1) / GRID - 1 for i in range(GRID - 1, 1, -1))
"""Image y of the K rows, near to far: centres of the map's rows from the bottom edge up to y = -0.64."""
