"""``linepilot calibrate gains``: PID, feed-forward, look-ahead and speeds for the robot that was measured."""

from __future__ import annotations

import multiprocessing
import os
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic

import cv2
from rich.console import Console
from rich.table import Table

from app.cli.calibration_file import with_measured
from app.cli.gains_file import backup_of, undo_gains, write_gains
from app.cli.gains_picture import draw_search
from app.cli.options import add_settings, config_from, count, natural, parser, refuse_unwritable
from app.cli.picture_files import require_picture_name
from control.errors import ConfigError, InputError
from perception.worker_process import begin_worker
from robot.config import RobotConfig
from sim.tuning.courses import Course, Driven
from sim.tuning.gains import Gains
from sim.tuning.search import Run, Trial, Tuned, tune

_WHAT = """Search for better gains in a simulator that carries this robot's calibration, on several robots that the
calibration might be of. The simulator's own labels, with noise as a network's, are the eyes. The gains are written into
the settings file only when they are better on tracks that the search has not seen, not slower, and bear as much extra
delay; --undo takes them back. The top speed of the settings is never raised. Nothing moves."""
_EXAMPLE = """linepilot calibrate gains robot.yaml
  linepilot calibrate gains --trials 120 --seed 3
  linepilot calibrate gains robot.yaml --undo"""


def run(arguments: list[str]) -> int:
    options = parser("calibrate gains", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add_settings(options)
    add("--undo", action="store_true", help="take back what was written last")
    add("--out", type=Path, metavar="YAML", help="default: the settings file that is given, or robot.yaml")
    add("--calibration", type=Path, default=Path("calibration.yaml"), metavar="YAML",
        help="used when the settings name none; default: calibration.yaml, where there is one")  # fmt: skip
    add("--picture", type=Path, default=Path("gains.png"), metavar="PNG", help="default: gains.png")
    add("--trials", type=count, default=60, metavar="N", help="default: 60, a few minutes")
    add("--seed", type=natural, default=0, metavar="N")
    add("--workers", type=count, default=os.cpu_count() or 1, metavar="N", help="processes; default: one a core")
    chosen = options.parse(arguments)
    out = gains_place(chosen)
    if chosen.undo:
        before, after = undo_gains(out)
        Console().print(_changes("gains", before, after))
        print(f"{out}: as before")
        return 0
    refuse_unwritable(out, chosen.picture)
    require_picture_name(chosen.picture)
    config = gains_config(chosen, out)
    tuned = _tuned(chosen, config)
    draw_search(tuned, chosen.picture)
    print(f"{chosen.picture}: what was tried, and how much delay each bears")
    return write_if_better(tuned, out)


def write_if_better(tuned: Tuned, out: Path) -> int:
    """Tells both, too. Raises InputError, ConfigError, MissingExtraError."""
    _tell(tuned)
    if tuned.why_not:
        print(f"{out}: not changed; {tuned.why_not}")
        return 0
    new, old = tuned.after.gains, tuned.before.gains
    write_gains(out, {name: value for name, value in new.items() if value != old[name]})
    print(f"{out}: new gains; {backup_of(out).name} holds what was there, --undo takes it back")
    return 0


def gains_place(chosen: Namespace) -> Path:
    """The file to write into. Raises ConfigError."""
    if any(word.startswith("profile:") for word in chosen.settings):
        raise ConfigError("gains are written into a file of yours; first: linepilot config --profile NAME > robot.yaml")
    files = [word for word in chosen.settings if "=" not in word]
    return chosen.out or Path(files[0] if files else "robot.yaml")


def gains_config(chosen: Namespace, out: Path) -> RobotConfig:
    """Raises ConfigError, InputError, CalibrationError."""
    words = list(chosen.settings)
    if out.exists() and not any("=" not in word for word in words):
        # What is written there must be what was searched from.
        words.insert(0, str(out))
    config = config_from(words)
    if config.law != "linepilot":
        raise ConfigError(f"only law=linepilot has gains that can be searched, not law={config.law}")
    if not chosen.calibration.exists() and chosen.calibration != Path("calibration.yaml"):
        raise InputError(f"{chosen.calibration}: no such file; measure with: linepilot calibrate motors")
    config = with_measured(config, chosen.calibration)
    if not config.calibration.measured.drive.date:
        print("motors and latency were never measured: robots of the usual make are driven. Better first: "
              "linepilot calibrate motors")  # fmt: skip
    return config


def _tuned(chosen: Namespace, config: RobotConfig) -> Tuned:
    began_s, tried = monotonic(), 0

    def told(trial: Trial) -> None:
        nonlocal tried
        tried += 1
        if tried in (1, chosen.trials) or tried % 10 == 0:
            took = monotonic() - began_s
            print(f"{tried} of {chosen.trials} tried, best {trial.best_m * 1000:.2f} mm, {took:.0f} s", flush=True)

    try:
        with course_pool(chosen.workers) as run_courses:
            return tune(config, trials=chosen.trials, seed=chosen.seed, run=run_courses, told=told)
    except KeyboardInterrupt:
        print(f"after {tried} of {chosen.trials} settings: nothing was written. A search cannot go on later; "
              f"again with --seed {chosen.seed} it tries the same settings", flush=True)  # fmt: skip
        raise


@contextmanager
def course_pool(workers: int) -> Iterator[Run]:
    """Courses driven by so many processes, which end with this one."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start) as pool:
        try:
            yield partial(_map, pool)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start() -> None:
    begin_worker()
    cv2.setNumThreads(1)


def _map(pool: Executor, drive: Callable[[Course], Driven], courses: Sequence[Course]) -> list[Driven]:
    return list(pool.map(drive, courses))


def _changes(title: str, before: Gains, after: Gains) -> Table:
    table = Table(title=title)
    for name in ("setting", "before", "after"):
        table.add_column(name, justify="left" if name == "setting" else "right")
    for name, value in before.items():
        new = after[name]
        table.add_row(name, f"{value:.3g}", f"{new:.3g}" if new != value else "same")
    return table


def _tell(tuned: Tuned) -> None:
    table = _changes("gains", tuned.before.gains, tuned.after.gains)
    table.add_section()
    old, new = tuned.before, tuned.after
    share = (1 - new.drives.error_m / old.drives.error_m) * 100
    table.add_row("error on unseen tracks, rms", f"{old.drives.error_m * 1000:.2f} mm",
                  f"{new.drives.error_m * 1000:.2f} mm ({-share:+.0f} %)")  # fmt: skip
    table.add_row("worst drive", f"{max(old.errors_m) * 1000:.2f} mm", f"{max(new.errors_m) * 1000:.2f} mm")
    table.add_row("mean speed", f"{old.drives.speed_mps:.3f} m/s", f"{new.drives.speed_mps:.3f} m/s")
    margins = (f"{margin * 1000:.0f} ms" for margin in tuned.margins_s)
    table.add_row(f"extra delay borne within {tuned.limit_m * 1000:.1f} mm", *margins)
    Console().print(table)
