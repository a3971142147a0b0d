"""How fast and how exactly drives are replayed, and what a benchmark of thousands costs. Prints JSON lines.

    python benchmarks/replay.py [--only replay,views,bench] [--robots 3] [--scenarios 8]

Times are of the clock on the wall and, since a machine is seldom idle, also of the processor: how fast it would be if
both of two cores were free.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import emit  # noqa: E402
from robot.config import RobotConfig, load_config  # noqa: E402
from robot.drive.pilots import open_estimator  # noqa: E402
from robot.drive.recorder import SessionRecorder  # noqa: E402
from sim.benchmark.run import make_world, simulate  # noqa: E402
from sim.benchmark.scenarios import Direction, scenarios_of  # noqa: E402
from sim.benchmark.work import Job, run_jobs, work, worker_pool  # noqa: E402
from sim.replay.beside import drive_beside, true_profile  # noqa: E402
from sim.replay.closed_loop import lateral_difference, profile_of, rerun  # noqa: E402
from sim.replay.open_loop import Eyes, replay_open_loop  # noqa: E402
from sim.replay.recorded import RecordedDrive, open_recorded  # noqa: E402
from sim.scene import Scene  # noqa: E402
from sim.tracks.library import find_track, find_tracks  # noqa: E402
from sim.vehicle.params import JETBOT  # noqa: E402
from sim.world import World  # noqa: E402

CORES = 2
OFFSETS_M = (-0.08, -0.04, 0.04, 0.08)
LOOKS = ("white-tape", "black-tape", "hazard-tape")
PLANNED = 10_000


def load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def record(path: Path, *, track: str, look: str, robot: int, config: RobotConfig) -> RecordedDrive:
    """A simulated drive to its end; ``robot`` 0 is the calibrated one, others are drawn, unknown to the controller."""
    world = make_world(find_track(track), look=look, config=config, seed=robot)
    if robot:
        drawn = JETBOT.randomised(np.random.default_rng(robot))
        world = World(find_track(track), look=look, vehicle=drawn, calibration=config.calibration)
        world.reset(robot)
    scene = Scene.of(world, look=look, seed=robot, laps=1)
    recorder = SessionRecorder(path, config=config, facts={}, lossless=True, scene_json=scene.to_json())
    estimator = open_estimator(config)
    simulate(
        world, estimator=estimator, config=config,
        keep=lambda tick, sections, truth: recorder(tick, sections_s=sections, truth=truth),
    )  # fmt: skip
    estimator.close()
    recorder.close()
    return open_recorded(path)


def report_replay(folder: Path, config: RobotConfig) -> None:
    drive = record(folder / "lap.mcap", track="oval", look="white-tape", robot=0, config=config)
    ticks = [item.tick for item in drive.ticks()]
    length_s = ticks[-1].now_s - ticks[0].now_s
    for name, stride, pictures, target in (
        ("replay_open_loop", 1, "stored", 20.0), ("replay_open_loop_stride_5", 5, "stored", 60.0),
        ("replay_open_loop_painted", 1, "painted", None),
    ):  # fmt: skip
        with Eyes(drive.config, threads=CORES) as eyes:
            began_s, spent_s = time.monotonic(), time.process_time()
            pairs = list(replay_open_loop(drive, eyes=eyes, stride=stride, pictures=pictures))  # type: ignore[arg-type]
            took_s, cpu_s = time.monotonic() - began_s, time.process_time() - spent_s
        note = f"{len(pairs)} ticks of 224x224, int8, {CORES} threads, {load()}"
        emit(f"{name}_times_real_time", length_s / took_s, unit="x", target=target, better="higher", context=note)
        emit(
            f"{name}_times_real_time_by_processor", length_s / (cpu_s / CORES), unit="x", target=target,
            better="higher", context=f"{note}; {cpu_s / len(pairs) * 1000:.2f} ms of processor a tick",
        )  # fmt: skip
        if pictures == "painted":
            same = np.mean([p.recorded.tick.verdict == p.replayed.verdict for p in pairs])
            emit("replay_identical_commands", float(same), unit="share", target=1.0, better="higher", context=note)
    assert drive.scene is not None
    found = rerun(drive, drive.scene, told=lambda _: None)
    emit(
        "replay_closed_loop_identical", float(found.first_other_s is None), unit="share", target=1.0, better="higher",
        context=f"{len(found.recorded)} ticks, from the file alone",
    )  # fmt: skip


def report_views(folder: Path, config: RobotConfig, *, robots: int) -> None:
    """The same controller from the same offset: in pictures made from a recorded drive, and in the true simulator."""
    apart: dict[bool, list[float]] = {True: [], False: []}
    largest: dict[bool, list[float]] = {True: [], False: []}
    lost = 0
    for robot in range(robots):
        look = LOOKS[robot % len(LOOKS)]
        drive = record(folder / f"{robot}.mcap", track="s-bend", look=look, robot=robot, config=config)
        ticks = list(drive.ticks())
        assert drive.scene is not None
        for offset_m in OFFSETS_M:
            beside = drive_beside(drive, offset_m=offset_m)
            made = true_profile(beside, ticks)
            # What drives beside is the calibrated robot: so is the one it is compared with.
            scene = replace(drive.scene, vehicle=JETBOT)
            true = profile_of(rerun(drive, scene, offset_m=offset_m, told=lambda _: None).drive.truths)
            assert made is not None
            lost += bool(beside.ended)
            rms, most = lateral_difference(made, true)
            apart[robot == 0].append(rms)
            largest[robot == 0].append(most)
    for exact, name in ((True, "calibrated"), (False, "other_robot")):
        if not apart[exact]:
            continue
        values = np.array(apart[exact])
        what = "the recorded robot is the calibrated one" if exact else "recorded robots differ from the calibration"
        note = (
            f"{len(values)} drives, offsets {', '.join(f'{o * 100:+.0f}' for o in OFFSETS_M)} cm, {what}; {lost} lost"
        )
        rms = float(np.sqrt(np.mean(values**2)))
        emit(f"view_synthesis_{name}_rms", rms, unit="m", target=0.01, better="lower", context=note)
        emit(
            f"view_synthesis_{name}_worst_rms", float(values.max()), unit="m", target=None, better="lower", context=note
        )
        emit(f"view_synthesis_{name}_largest", max(largest[exact]), unit="m", target=None, better="lower", context=note)


def report_bench(config: RobotConfig, *, count: int) -> None:
    ways: tuple[Direction, ...] = ("forward", "reverse")
    every = list(scenarios_of(
        list(find_tracks("all")), looks=["white-tape", "yellow-dashes", "black-tape", "hazard-tape"], directions=ways,
        clutter=0, seeds=[0], robots=1, delays_s=[None],
    ))  # fmt: skip
    # Spread over all, so that long and short tracks count as they are.
    chosen = [every[round(k)] for k in np.linspace(0, len(every) - 1, count)]
    jobs = [Job(scenario=scenario, config=config) for scenario in chosen]
    work(jobs[0])
    spent_s = time.process_time()
    alone = [work(job).record for job in jobs]
    cpu_s = (time.process_time() - spent_s) / len(jobs)
    rates, records = {}, {}
    for workers in (1, 2):
        with worker_pool(workers) as pool:
            # Each has loaded its model before the clock runs.
            list(pool.map(work, jobs[:1] * workers))
            began_s = time.monotonic()
            records[workers] = dict(run_jobs(pool, jobs))
            rates[workers] = len(jobs) / (time.monotonic() - began_s)
    same = all([records[w][k].record for k in range(len(jobs))] == alone for w in (1, 2))
    note = f"{len(jobs)} of {len(every)} scenarios, {load()}; the same numbers: {'yes' if same else 'NO'}"
    emit(
        "bench_two_workers_efficiency",
        rates[2] / rates[1] / 2,
        unit="share",
        target=0.85,
        better="higher",
        context=note,
    )
    emit("bench_128_scenarios", len(every) / rates[2] / 60, unit="min", target=15.0, better="lower",
         context=f"projected from {note}")  # fmt: skip
    emit("bench_128_scenarios_by_processor", len(every) * cpu_s / CORES / 60, unit="min", target=15.0, better="lower",
         context=f"projected from {cpu_s:.1f} s of processor a scenario, two free cores")  # fmt: skip
    memory_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    emit("bench_memory_a_worker", memory_mb, unit="MB", target=None, better="lower", context=note)
    emit(f"bench_{PLANNED}_scenarios_planned", PLANNED * cpu_s / 3600, unit="core hours", target=None, better="lower",
         context=f"on paper, from {note}")  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="replay,views,bench")
    parser.add_argument("--robots", type=int, default=4, help="recorded for the views; the first is the calibrated one")
    parser.add_argument("--scenarios", type=int, default=8, help="driven for the benchmark's cost")
    options = parser.parse_args(arguments)
    config = load_config(None, ["threads=1"])
    with tempfile.TemporaryDirectory() as folder:
        parts = options.only.split(",")
        if "replay" in parts:
            report_replay(Path(folder), config)
        if "views" in parts:
            report_views(Path(folder), config, robots=options.robots)
        if "bench" in parts:
            report_bench(config, count=options.scenarios)


if __name__ == "__main__":
    main()
