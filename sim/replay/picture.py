"""The picture of a replay: what was commanded then and now over time, and how far apart."""

from __future__ import annotations

from array import array
from io import BytesIO
from pathlib import Path
from typing import Any

from perception.files import replace_file
from sim.replay.differences import POINTS
from sim.replay.open_loop import Pair

_CHARTS = (
    ("curvature", "curvature, 1/m"), ("speed", "speed, m/s"), ("confidence", "confidence of the line"),
)  # fmt: skip


class Curves:
    """Collects ticks; a few numbers for each."""

    def __init__(self) -> None:
        self._time = array("d")
        self._then: dict[str, array[float]] = {name: array("d") for name, _ in _CHARTS}
        self._now: dict[str, array[float]] = {name: array("d") for name, _ in _CHARTS}
        self._points, self._points_at = array("d"), array("d")
        self._state = array("b")

    def add(self, pair: Pair, found: dict[str, float]) -> None:
        tick, now = pair.recorded.tick, pair.replayed
        self._time.append(tick.now_s)
        for into, verdict, estimate in (
            (self._then, tick.verdict, tick.estimate), (self._now, now.verdict, now.estimate),
        ):  # fmt: skip
            into["curvature"].append(verdict.command.curvature_1pm)
            into["speed"].append(verdict.command.speed_mps)
            into["confidence"].append(estimate.confidence)
        if POINTS in found:
            self._points.append(found[POINTS])
            self._points_at.append(tick.now_s)
        self._state.append(tick.verdict.state is not now.verdict.state)

    def save(self, path: Path, *, title: str) -> None:
        """PNG, whole or not at all. Raises InputError."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 7), layout="constrained")
        FigureCanvasAgg(figure)
        axes: Any = figure.subplots(len(_CHARTS) + 1, 1, sharex=True)
        start = self._time[0]
        time = [t - start for t in self._time]
        for chart, (name, label) in zip(axes, _CHARTS, strict=False):
            chart.plot(time, self._then[name], color="0.55", linewidth=2.2, label="recorded")
            chart.plot(time, self._now[name], color="tab:blue", linewidth=0.9, label="replayed")
            chart.set_ylabel(label, fontsize=8)
        axes[0].set_title(title, fontsize=10)
        axes[0].legend(fontsize=8, loc="upper right", ncols=2)
        axes[-1].plot([t - start for t in self._points_at], self._points, color="tab:blue", linewidth=0.9)
        axes[-1].set_ylabel("line moved, px of 224", fontsize=8)
        axes[-1].set_xlabel("time, s; red stripes: the supervisor was in another state", fontsize=8)
        for chart in axes:
            chart.tick_params(labelsize=8)
            chart.grid(alpha=0.3)
            for moment, other in zip(time, self._state, strict=True):
                if other:
                    chart.axvline(moment, color="tab:red", alpha=0.15, linewidth=1)
        png = BytesIO()
        figure.savefig(png, format="png", dpi=100)
        replace_file(path, png.getvalue())
