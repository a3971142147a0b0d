"""The picture at the end of a drive: the path over the track, then error, speed and steering over distance."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from perception.files import replace_file
from sim.benchmark.run import SimulatedDrive


def save_picture(path: Path, drive: SimulatedDrive) -> None:
    """PNG, whole or not at all."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    track, truths = drive.world.track, drive.truths
    distance = [t.distance_m for t in truths]
    series = (
        ("lateral error, cm", [t.lateral_error_m * 100 for t in truths]),
        ("speed, m/s", [t.speed_mps for t in truths]),
        ("curvature, 1/m", [tick.verdict.command.curvature_1pm for tick in drive.ticks]),
    )
    figure = plt.figure(figsize=(11, 5), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(1.2, 1))
    plan = figure.add_subplot(grid[:, 0])
    plan.plot(*track.vertices.T, color="0.75", linewidth=5, label="line", solid_capstyle="round")
    plan.plot([t.x for t in truths], [t.y for t in truths], color="tab:red", linewidth=1, label="driven")
    plan.set_aspect("equal")
    plan.legend(loc="best", frameon=False)
    plan.set_title(f"{track.name} (metres)")
    for index, (label, values) in enumerate(series):
        chart = figure.add_subplot(grid[index, 1])
        chart.plot(distance, values, linewidth=0.9)
        chart.set_ylabel(label, fontsize=8)
        chart.grid(alpha=0.3)
    chart.set_xlabel("distance along the track, m", fontsize=8)
    png = BytesIO()
    figure.savefig(png, format="png", dpi=100)
    plt.close(figure)
    replace_file(path, png.getvalue())
