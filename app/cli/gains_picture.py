"""A search for gains as a picture: its costs, and how much extra delay the old and the new gains bear."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from perception.files import replace_file
from sim.tuning.search import Judged, Tuned


def draw_search(tuned: Tuned, path: Path) -> None:
    """Whole or not at all. Raises InputError."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    costs, margins = figure.subplots(1, 2)
    numbers = range(1, len(tuned.trials) + 1)
    ceiling = 4 * tuned.trials[0].cost_m
    costs.plot(numbers, [min(t.cost_m, ceiling) * 1000 for t in tuned.trials], "o", ms=3, color="0.6", label="tried")
    costs.plot(numbers, [t.best_m * 1000 for t in tuned.trials], color="tab:green", label="best so far")
    costs.axhline(tuned.trials[0].cost_m * 1000, ls="--", color="tab:red", label="as in the settings")
    costs.set(xlabel="trial", ylabel="cost, mm", title="Search: error on its own tracks", ylim=(0, None))
    costs.legend()
    both = zip((tuned.before, tuned.after), tuned.margins_s, ("before", "after"), ("tab:red", "tab:green"), strict=True)
    for judged, margin_s, name, color in both:
        extra = [seconds * 1000 for seconds, _ in judged.by_delay_m]
        margins.plot(extra, _millimetres(judged), "o-", color=color, label=f"{name}: {margin_s * 1000:.0f} ms")
    margins.axhline(tuned.limit_m * 1000, ls=":", color="0.4", label="the margin ends here")
    margins.set(
        xlabel="extra delay that nobody knows of, ms", ylabel="error, mm (worse of two unseen tracks)",
        title="Stability margin", yscale="log",
    )  # fmt: skip
    margins.legend()
    png = BytesIO()
    figure.savefig(png, format=path.suffix.lower().lstrip("."), dpi=110)
    replace_file(path, png.getvalue())


def _millimetres(judged: Judged) -> list[float]:
    return [error * 1000 for _, error in judged.by_delay_m]
