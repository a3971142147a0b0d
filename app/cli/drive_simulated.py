"""A simulated drive: live progress, then the table, the picture and the numbers."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.options import write_json
from app.cli.recording import Recording
from app.cli.tables import facts
from robot.config import RobotConfig
from robot.drive.interrupt import StopRequest
from robot.drive.pilots import open_estimator
from robot.teleop.switch import Switch
from sim.benchmark.run import SimulatedDrive, aimed, end_of, make_world, simulate
from sim.scene import Scene
from sim.tracks.library import find_track

_DEFAULT_TRACK = "reInvent2019_track"
_REFRESH_TICKS = 10


def drive_simulated(
    chosen: Namespace, config: RobotConfig, *, interrupted: StopRequest, recording: Recording,
    switches: Sequence[Switch],
) -> int:  # fmt: skip
    """0 when all laps were driven without leaving the line, else 1."""
    track = find_track(_DEFAULT_TRACK if chosen.track is None else chosen.track, crossing=chosen.crossing)
    config = aimed(config, look=chosen.look)
    world = make_world(track, look=chosen.look, config=config, seed=chosen.seed, clutter=chosen.clutter)
    estimator = open_estimator(config)
    result = SimulatedDrive(world=world)
    facts = {
        "camera": "sim", "track": track.name, "look": chosen.look, "seed": str(chosen.seed), "target": config.target,
        "clutter": str(world.clutter),
    }  # fmt: skip
    scene = Scene.of(world, look=chosen.look, seed=chosen.seed, laps=chosen.laps)
    recording.begin(config, facts=facts, lossless=True, scene_json=scene.to_json())
    try:
        with _bar() as bar:
            task = bar.add_task(f"{track.name}, {chosen.look}", total=end_of(track, laps=chosen.laps), now="")

            def watch(so_far: SimulatedDrive) -> bool:
                if len(so_far.ticks) % _REFRESH_TICKS == 0:
                    bar.update(task, completed=so_far.truths[-1].distance_m, now=_now(so_far))
                return True

            simulate(
                world, estimator=estimator, config=config, laps=chosen.laps, watch=watch, interrupted=interrupted,
                into=result, keep=recording, switches=switches,
            )  # fmt: skip
    finally:
        # Also after an error: what was driven until then is what one wants to look at.
        record = _record(result, chosen, config)
        _report(result, chosen, record)
    return 0 if record["completed"] else 1


def _bar() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[now]}"), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def _now(so_far: SimulatedDrive) -> str:
    truth, length_m = so_far.truths[-1], so_far.world.track.length_m
    off_cm = truth.lateral_error_m * 100
    return f"lap {truth.distance_m / length_m:4.2f}  {truth.speed_mps:4.2f} m/s  off {off_cm:+5.1f} cm"


def _record(result: SimulatedDrive, chosen: Namespace, config: RobotConfig) -> dict[str, Any]:
    return {
        "track": result.world.track.name, "look": chosen.look, "target": config.target, "clutter": result.world.clutter,
        "seed": chosen.seed, **asdict(result.metrics),
        "camera_to_wheel_latency_ms": result.latency_s * 1000, **asdict(result.timing),
        "stopped_by": result.stopped_by,
    }  # fmt: skip


def _report(result: SimulatedDrive, chosen: Namespace, record: dict[str, Any]) -> None:
    from sim.benchmark.picture import save_picture

    console = Console()
    try:
        # Files first: a pipe that is closed early ends the command while it prints.
        write_json(chosen.json, record)
        if result.ticks:
            save_picture(chosen.picture, result)
    finally:
        # Also on a disk that has filled up: then this is all that is left of the drive.
        console.print(facts(f"{record['track']}, {chosen.look}", _rows(record)))
    if result.ticks:
        console.print(f"picture: {chosen.picture}", soft_wrap=True)


def _rows(r: dict[str, Any]) -> list[tuple[str, str]]:
    lap = "-" if r["lap_time_s"] is None else f"{r['lap_time_s']:.1f} s"
    rows = [
        ("laps", f"{r['laps']}"),
        ("completed", "yes" if r["completed"] else "no"),
        ("lap time", lap),
        ("mean speed", f"{r['mean_speed_m_s']:.2f} m/s"),
        *((f"lateral error {k}", f"{r[f'lateral_error_{k}_m'] * 100:.1f} cm") for k in ("rms", "p95", "max")),
        ("off the line", f"{r['off_line_s']:.1f} s"),
        ("camera to wheel", f"{r['camera_to_wheel_latency_ms']:.0f} ms (simulated)"),
        ("loop p50 / p99", f"{r['loop_p50_ms']:.1f} / {r['loop_p99_ms']:.1f} ms"),
        ("loop without network p99", f"{r['overhead_p99_ms']:.2f} ms"),
        ("overruns", f"{r['overruns']} of {r['passes']}"),
    ]
    return [*rows, ("stopped by", ", ".join(r["stopped_by"]))] if r["stopped_by"] else rows
