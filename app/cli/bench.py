"""``linepilot bench``: is it better? Many tracks, looks, directions, delays, robots and seeds."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from app.cli.bench_runs import Runs, drive_all
from app.cli.options import add_settings, config_from, count, natural, parser, refuse_unwritable
from control.errors import ConfigError
from robot.config import RobotConfig
from robot.drive.pilots import open_estimator
from sim.benchmark.run import aimed
from sim.benchmark.scenarios import DIRECTIONS, Scenario, scenarios_of
from sim.looks import LOOKS, find_look
from sim.tracks.geometry import Track
from sim.tracks.library import find_tracks

_WHAT = """Drive one lap of every track in every look and direction, in as many processes as there are cores.

A run is completed when the lap was driven without leaving the line by more than half the robot's width.

--against drives other settings on the same scenarios, --compare takes an earlier --json: paired differences with their
95 % intervals. Exit code 1 with --compare: worse, or fewer completed."""
_EXAMPLE = """linepilot bench --tracks reInvent2019_track,Monaco --looks 2 --directions both --json bench.json
  linepilot bench --tracks my_tracks/ --looks 1 law=jetbot
  linepilot bench --tracks oval --looks edge-lines,street --clutter 10
  linepilot bench --tracks oval,Monaco --delays 120,200 --robots 5 --seeds 3 --html bench.html
  linepilot bench --tracks all --against follower.steering.kp=3
  linepilot bench --tracks all --compare bench.json
  linepilot bench --robots 20 --results results --shard 1/8        # one job of a batch system; the folders merge
  linepilot bench --robots 20 --results results --cluster tcp://192.168.1.5:8786"""

_MANY_DIGITS = 9
"""Python refuses to read a number of thousands of them."""
_MAX_SCENARIOS = 1_000_000
"""Weeks of driving, and a list that still fits into memory."""


def run(arguments: list[str]) -> int:
    chosen = _parsed(arguments)
    looks = _looks(chosen.looks)
    refuse_unwritable(chosen.json, chosen.html, read=[*chosen.tracks.split(","), *chosen.settings])
    config = config_from(chosen.settings)
    other = config_from([*chosen.settings, *chosen.against]) if chosen.against else None
    baseline = None
    if chosen.compare is not None:
        from app.cli.bench_report import read_baseline

        baseline = read_baseline(chosen.compare)
    scenarios = _scenarios(chosen, looks)
    for settings in (config, *(() if other is None else (other,))):
        _try_models(settings, looks)
    runs = _driven(chosen, scenarios, config=config, other=other)
    from app.cli.bench_report import report

    return report(chosen, runs, baseline=baseline)


def _parsed(arguments: Sequence[str]) -> Namespace:
    options = parser("bench", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add_settings(options)
    add("--tracks", default="all", metavar="WHICH", help="NAME,NAME,..., a folder of .npy or FILE.npy; default: all")
    add("--crossing", action="store_true", help="lines in .npy files may cross themselves on purpose")
    add("--looks", default="3", metavar="N", help=f"NAME,NAME,... or the first N of: {', '.join(LOOKS)}; default: 3")
    add("--clutter", type=natural, default=0, metavar="N", help="things beside ten metres of track; default: 0")
    add("--directions", choices=(*DIRECTIONS, "both"), default="both")
    add(
        "--delays",
        type=_delays,
        default=[None],
        metavar="MS,MS,...",
        help="from exposure to wheels, known to the controller; default: as calibrated",
    )
    add(
        "--robots",
        type=count,
        default=1,
        metavar="N",
        help="the calibrated one and N - 1 that the calibration might be of; default: 1",
    )
    add("--seed", type=natural, default=0, metavar="N", help="of everything random")
    add("--seeds", type=count, default=1, metavar="N", help="worlds for each combination; default: 1")
    add("--workers", type=count, default=os.cpu_count() or 1, metavar="N", help="processes; default: one a core")
    add("--cluster", metavar="ADDRESS", help="a Dask scheduler, as tcp://HOST:8786, in place of own processes")
    add("--shard", type=_shard, default=(1, 1), metavar="I/N", help="only the I-th of N parts of all scenarios")
    add("--results", type=Path, metavar="FOLDER", help="keep results as Parquet; what is in there is not driven again")
    add("--against", action="append", default=[], metavar="KEY=VALUE", help="drive these settings too, and compare")
    add("--compare", type=Path, metavar="JSON", help="an earlier --json, to compare with")
    add("--json", type=Path, metavar="OUT", help="write one record a run to this file")
    add("--html", type=Path, metavar="OUT", help="write a page with maps, curves and worst moments")  # fmt: skip
    return options.parse(arguments)


def _driven(chosen: Namespace, scenarios: list[Scenario], *, config: RobotConfig, other: RobotConfig | None) -> Runs:
    folder = None
    if chosen.results is not None:
        from sim.benchmark.results_folder import ResultsFolder

        folder = ResultsFolder(chosen.results)
    configs = [config] if other is None else [config, other]
    with _executor(chosen, len(scenarios) * len(configs)) as executor, _bar() as bar:
        task = bar.add_task("driving", total=len(scenarios) * len(configs))
        return drive_all(
            scenarios, configs=configs, executor=executor, folder=folder, detailed=chosen.html is not None,
            told=lambda: bar.advance(task),
        )  # fmt: skip


@contextmanager
def _executor(chosen: Namespace, jobs: int) -> Iterator[Executor | None]:
    if chosen.cluster is not None:
        from sim.benchmark.cluster import cluster_executor

        with cluster_executor(chosen.cluster) as executor:
            yield executor
        return
    if min(chosen.workers, jobs) <= 1:
        yield None
        return
    from sim.benchmark.work import worker_pool

    with worker_pool(min(chosen.workers, jobs)) as pool:
        yield pool


def _scenarios(chosen: Namespace, looks: list[str]) -> list[Scenario]:
    ways = DIRECTIONS if chosen.directions == "both" else tuple(w for w in DIRECTIONS if w == chosen.directions)
    tracks = _tracks(chosen.tracks, crossing=chosen.crossing)
    count = len(tracks) * len(looks) * len(ways) * len(chosen.delays) * chosen.seeds * chosen.robots
    if count > _MAX_SCENARIOS:
        raise ConfigError(f"{count} scenarios, at most {_MAX_SCENARIOS}; give fewer --seeds or --robots")
    every = list(scenarios_of(
        tracks, looks=looks, directions=ways, clutter=chosen.clutter,
        seeds=[chosen.seed + k for k in range(chosen.seeds)], robots=chosen.robots, delays_s=chosen.delays,
    ))  # fmt: skip
    part, parts = chosen.shard
    mine = every[part - 1 :: parts]
    if not mine:
        raise ConfigError(f"--shard {part}/{parts}: there are only {len(every)} scenarios")
    return mine


def _try_models(config: RobotConfig, looks: list[str]) -> None:
    """Says what is wrong with the model once, not once a process."""
    by_target = {settings.target: settings for settings in (aimed(config, look=look) for look in looks)}
    for settings in by_target.values():
        open_estimator(settings).close()


def _delays(text: str) -> list[float | None]:
    """Type of an option: milliseconds, as seconds."""
    try:
        values = [float(word) / 1000 for word in text.split(",")]
    except ValueError:
        values = [-1.0]
    if not all(0 <= value < 2 for value in values):
        raise ArgumentTypeError(f"'{text}' is no list of milliseconds from 0 to 2000")
    return list(values)


def _shard(text: str) -> tuple[int, int]:
    """Type of an option: I/N."""
    part, slash, parts = text.partition("/")
    if not (slash and part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise ArgumentTypeError(f"'{text}' is not I/N, as 1/8 up to 8/8")
    return int(part), int(parts)


def _tracks(wanted: str, *, crossing: bool) -> list[Track]:
    """Names, files and folders may be mixed."""
    return [track for name in wanted.split(",") for track in find_tracks(name.strip(), crossing=crossing)]


def _looks(wanted: str) -> list[str]:
    """Names, or how many of all. Raises InputError."""
    if not (wanted.isascii() and wanted.isdigit()):
        names = [name.strip() for name in wanted.split(",")]
        for name in names:
            find_look(name)
        return names
    if len(wanted) > _MANY_DIGITS or not 1 <= int(wanted) <= len(LOOKS):
        raise ConfigError(f"--looks: from 1 to {len(LOOKS)}, got {wanted}")
    return list(LOOKS)[: int(wanted)]


@contextmanager
def _bar() -> Iterator[Progress]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True)
    with bar:
        yield bar
