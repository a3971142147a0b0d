"""The picture at the end of a drive: the path over the track, then error, speed and steering over distance."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from perception.files import picture_format, replace_file
from sim.benchmark.run import SimulatedDrive
from sim.tracks.geometry import Track
from sim.world import Truth


def save_picture(path: Path, drive: SimulatedDrive) -> None:
    """PNG, whole or not at all. Raises InputError."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    truths = drive.truths
    distance = [t.distance_m for t in truths]
    half_width_cm = drive.world.params.width_m * 50
    figure = Figure(figsize=(11, 5), layout="constrained")
    # Not through pyplot: that would want a screen, and keep every figure.
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 2, width_ratios=(1.2, 1))
    _plan(figure.add_subplot(grid[:, 0]), drive.world.track, truths)
    error = figure.add_subplot(grid[0, 1])
    _chart(error, distance, [t.lateral_error_m * 100 for t in truths], label="lateral error, cm")
    worst_cm = max(abs(t.lateral_error_m) * 100 for t in truths)
    if worst_cm > half_width_cm / 2:
        for side in (-half_width_cm, half_width_cm):
            error.axhline(side, color="tab:red", linewidth=0.8, linestyle="--")
        error.set_title("red: half the robot's width; beyond it counts as off the line", fontsize=8)
    speed = figure.add_subplot(grid[1, 1], sharex=error)
    _chart(speed, distance, [t.speed_mps for t in truths], label="speed, m/s")
    speed.set_ylim(bottom=0)
    steering = figure.add_subplot(grid[2, 1], sharex=error)
    _chart(steering, distance, [k.verdict.command.curvature_1pm for k in drive.ticks], label="curvature, 1/m")
    steering.set_xlabel("distance along the track, m", fontsize=8)
    png = BytesIO()
    figure.savefig(png, format=picture_format(path), dpi=100)
    replace_file(path, png.getvalue())


def _plan(plan: Any, track: Track, truths: Sequence[Truth]) -> None:
    """From above; the colour of the path is its distance from the line."""
    plan.plot(*track.vertices.T, color="0.8", linewidth=7, solid_capstyle="round", zorder=1)
    off_cm = [abs(t.lateral_error_m) * 100 for t in truths]
    xy = ([t.x for t in truths], [t.y for t in truths])
    dots = plan.scatter(*xy, c=off_cm, s=3, cmap="viridis", vmin=0, vmax=max(2.0, *off_cm), zorder=2)
    plan.plot([truths[0].x], [truths[0].y], marker=">", color="tab:red", markersize=8, linestyle="", zorder=3)
    plan.set_aspect("equal")
    plan.set_title(f"{track.name}, metres; start in red", fontsize=10)
    plan.figure.colorbar(dots, ax=plan, location="bottom", shrink=0.6, label="distance from the line, cm")


def _chart(chart: Any, distance: Sequence[float], values: Sequence[float], *, label: str) -> None:
    chart.plot(distance, values, linewidth=0.9)
    chart.set_ylabel(label, fontsize=8)
    chart.tick_params(labelsize=8)
    chart.grid(alpha=0.3)
