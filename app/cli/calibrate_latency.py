"""``linepilot calibrate latency``: the delay from exposure to wheels and the motors' lag, from recorded drives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console

from app.cli.calibration_file import read_calibration, today, write_calibration
from app.cli.options import count, parser, refuse_unwritable
from app.cli.progress import counting
from app.cli.tables import facts
from calibration.latency_fit import LatencyFit, fit_latency
from calibration.quality import LatencyQuality
from control.errors import CalibrationError, SessionError
from robot.sessions.recorded_motion import recorded_motion
from robot.sessions.session_tick import Image
from sim.replay.recorded import open_recorded
from sim.vehicle.params import VehicleParams

_WHAT = """Read the delay from exposure to wheels, its jitter and the motors' lag from sessions that were recorded in a
drive: from when the wheels were told what, and from how the floor then moved in the pictures. The robot does not move
for it. It takes curves, a floor with some texture, lens and mount as measured, and two driven wheels. Of simulated
drives the truth stands beside it. Of several sessions the mean is kept, each by how well it tells."""
_EXAMPLE = """linepilot calibrate latency drive.mcap
  linepilot calibrate latency monday.mcap tuesday.mcap --out calibration.yaml"""
_APART = 4.0
"""Deviations by which two sessions may differ before it is said."""


def run(arguments: list[str]) -> int:
    options = parser("calibrate latency", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add("sessions", nargs="+", type=Path, metavar="FILE.mcap", help="as `linepilot drive --record` writes them")
    add("--most", type=count, default=1200, metavar="N", help="passes of each that are read; default: 1200, 40 s")
    add("--out", type=Path, default=Path("calibration.yaml"), help="default: calibration.yaml; its other parts stay")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.out)
    before = read_calibration(chosen.out)
    found = [measured(path, most=chosen.most) for path in chosen.sessions]
    fit = together([one for one, _ in found])
    quality = LatencyQuality(
        date=today(), how=f"{len(found)} recorded drive{'s' if len(found) > 1 else ''}", delay_s=fit.delay_deviation_s,
        lag_s=fit.lag_deviation_s, jitter_s=fit.jitter_s,
    )  # fmt: skip
    after = fit.applied_to(before)
    for path, (one, car) in zip(chosen.sessions, found, strict=True):
        _tell(path, one, car)
    _tell_disagreement([one for one, _ in found], fit)
    write_calibration(chosen.out, replace(after, measured=replace(after.measured, latency=quality)))
    print(f"{chosen.out}: latency; next: linepilot drive calibration={chosen.out}")
    return 0


def measured(path: Path, *, most: int) -> tuple[LatencyFit, VehicleParams | None]:
    """And the vehicle behind it, of a simulated drive. Raises SessionError, CalibrationError."""
    drive = open_recorded(path)
    if drive.recorded_config.motors.vehicle != "differential":
        raise SessionError(f"{path}: is of a car, whose latency is measured with: linepilot calibrate steering")
    recorded = []
    for entry in drive.ticks():
        recorded.append(entry)
        if len(recorded) == most:
            break
    with counting(path.name, total=len(recorded)) as progress:

        def picture(number: int) -> Image | None:
            progress(number)
            return recorded[number].frame.image()

        calibration = drive.recorded_config.calibration
        try:
            motion = recorded_motion([entry.tick for entry in recorded], picture, calibration)
            fit = fit_latency(motion.orders, motion.steps, motion.waits_s, before=calibration)
        except CalibrationError as error:
            raise CalibrationError(f"{path}: {error}") from error
    return fit, None if drive.scene is None else drive.scene.vehicle


def together(fits: list[LatencyFit]) -> LatencyFit:
    """Their mean, each by how well it tells."""
    weights = np.array([1 / max(fit.delay_deviation_s, 1e-5) ** 2 for fit in fits])
    weights = weights / weights.sum()

    def mean(name: str) -> float:
        return float(weights @ [getattr(fit, name) for fit in fits])

    def deviation(name: str) -> float:
        return float(np.sqrt(np.sum((weights * [getattr(fit, name) for fit in fits]) ** 2)))

    return LatencyFit(
        delay_s=mean("delay_s"), lag_s=mean("lag_s"), waited_s=mean("waited_s"),
        jitter_s=max(fit.jitter_s for fit in fits), delay_deviation_s=deviation("delay_deviation_s"),
        lag_deviation_s=deviation("lag_deviation_s"), scatter_m=mean("scatter_m"), steps=sum(fit.steps for fit in fits),
    )  # fmt: skip


def _tell(path: Path, fit: LatencyFit, robot: VehicleParams | None) -> None:
    def row(name: str, seconds: float, deviation: float | None, true_s: float | None) -> tuple[str, str]:
        beside = "" if true_s is None else f" (truth {true_s * 1000:.1f})"
        around = "" if deviation is None else f" +- {deviation * 1000:.1f}"
        return name, f"{seconds * 1000:.1f}{around}{beside} ms"

    true = (None, None) if robot is None else (robot.total_delay_s, robot.lag_s)
    rows = [
        row("camera and motors", fit.delay_s, fit.delay_deviation_s, true[0]),
        row("motor lag", fit.lag_s, fit.lag_deviation_s, true[1]),
        row("a picture waits for its order", fit.waited_s, None, None),
        row("jitter of that, 5 to 95 %", fit.jitter_s, None, None),
        row("exposure to wheels", fit.total_s, fit.delay_deviation_s, None),
        ("scatter about the fit", f"{fit.scatter_m * 1000:.2f} mm"),
        ("pairs of pictures used", f"{fit.steps}"),
    ]
    Console().print(facts(path.name, rows))


def _tell_disagreement(fits: list[LatencyFit], mean: LatencyFit) -> None:
    apart = max(abs(fit.delay_s - mean.delay_s) for fit in fits)
    if apart > max(0.005, _APART * mean.delay_deviation_s):
        print(f"the sessions differ by {apart * 1000:.0f} ms from their mean; were they recorded with other settings?")
