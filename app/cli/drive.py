"""``linepilot drive``: follow a line, show it live, end with a table and a picture."""

from __future__ import annotations

import signal
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.cli.options import add_settings, config_from, parser, write_json
from control.errors import ConfigError
from control.supervisor import SafetySupervisor
from perception.estimator import Estimator
from robot.cameras.file import FileCamera
from robot.config import RobotConfig
from robot.drive.cycle_timer import CycleTimer
from robot.drive.loop import Rig, Tick, drive
from robot.drive.pilots import make_mixer, make_pilot, open_estimator
from robot.motors.dry_run import DryRunMotors
from sim.benchmark.run import SimulatedDrive, simulate
from sim.tracks.library import find_track
from sim.world import World


def _options(arguments: list[str]) -> Namespace:
    options = parser(
        "drive",
        what="Follow a line. Without --camera a simulated JetBot drives on a track.",
        example="linepilot drive --track reInvent2019_track --laps 3 follower.speed.max_speed_mps=0.5",
    )
    add_settings(options)
    options.add_argument("--track", default="reInvent2019_track", help="a name (see linepilot tracks) or a FILE.npy")
    options.add_argument("--laps", type=int, default=1)
    options.add_argument("--look", default="white-tape", help="how floor and line look")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--camera", default="sim", help="sim, or file:PATH of a video or a folder of pictures")
    options.add_argument("--motors", default=None, help="sim, or dry-run: moves nothing")
    options.add_argument("--json", type=Path, default=None, help="write the numbers there")
    options.add_argument("--picture", type=Path, default=None, help="write the picture there (default drive.png)")
    return options.parse_args(arguments)


def run(arguments: list[str]) -> int:
    chosen = _options(arguments)
    if chosen.laps < 1:
        raise ConfigError(f"--laps: must be at least 1, got {chosen.laps}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    config = config_from(chosen.settings)
    if chosen.camera == "sim":
        return _simulated(chosen, config)
    kind, _, path = chosen.camera.partition(":")
    if kind != "file" or not path:
        raise ConfigError(f"--camera {chosen.camera}: give sim or file:PATH")
    if chosen.motors != "dry-run":
        raise ConfigError("--camera file: drives on recorded pictures, so give --motors dry-run")
    return _recorded(chosen, config, FileCamera(Path(path), fps=config.fps))


def _interrupt(number: int, _: object) -> None:
    """The loop's ``finally`` must run on a polite kill, too."""
    raise KeyboardInterrupt(signal.Signals(number).name)


def _simulated(chosen: Namespace, config: RobotConfig) -> int:
    track = find_track(chosen.track)
    estimator = open_estimator(config)
    world = World(track, look=chosen.look, calibration=config.calibration)
    world.reset(chosen.seed)
    result = SimulatedDrive(world=world)
    interrupted = False
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[now]}"), TimeRemainingColumn()
    ) as bar:
        task = bar.add_task(f"{track.name}, {chosen.look}", total=track.length_m * chosen.laps, now="")

        def watch(so_far: SimulatedDrive) -> bool:
            if len(so_far.ticks) % 15 == 0:
                truth = so_far.truths[-1]
                lap, off_cm = truth.distance_m / track.length_m, truth.lateral_error_m * 100
                now = f"lap {lap:4.2f}  {truth.speed_mps:4.2f} m/s  off {off_cm:+5.1f} cm"
                bar.update(task, completed=truth.distance_m, now=now)
            return True

        try:
            simulate(world, estimator=estimator, config=config, laps=chosen.laps, watch=watch, into=result)
        except KeyboardInterrupt:
            interrupted = True
    record = _report(result, chosen)
    write_json(chosen.json, record)
    if interrupted:
        Console(stderr=True).print("interrupted; the motors were stopped, the report was written")
        return 130
    return 0 if record["completed"] else 1


def _report(result: SimulatedDrive, chosen: Namespace) -> dict[str, Any]:
    from sim.benchmark.picture import save_picture

    metrics, timing, world = result.metrics, result.timing, result.world
    assert metrics is not None
    assert timing is not None
    picture = chosen.picture or Path("drive.png")
    save_picture(picture, result)
    record = {
        "track": world.track.name, "look": chosen.look, "seed": chosen.seed, **asdict(metrics),
        "camera_to_wheel_latency_ms": world.params.total_delay_s * 1000,
        **asdict(timing), "stopped_by": [cause.value for cause in result.causes],
    }  # fmt: skip
    table = Table(title=f"{world.track.name}, {chosen.look}")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, text in _rows(record):
        table.add_row(name, text)
    console = Console()
    console.print(table)
    console.print(f"picture: {picture}")
    return record


def _rows(r: dict[str, Any]) -> list[tuple[str, str]]:
    lap = "-" if r["lap_time_s"] is None else f"{r['lap_time_s']:.1f} s"
    rows = [
        ("laps", str(r["laps"])),
        ("completed", "yes" if r["completed"] else "no"),
        ("lap time", lap),
        ("mean speed", f"{r['mean_speed_m_s']:.2f} m/s"),
        *((f"lateral error {k}", f"{r[f'lateral_error_{k}_m'] * 100:.1f} cm") for k in ("rms", "p95", "max")),
        ("off the line", f"{r['off_line_s']:.1f} s"),
        ("camera to wheel", f"{r['camera_to_wheel_latency_ms']:.0f} ms (simulated)"),
        ("loop p50 / p99", f"{r['loop_p50_ms']:.1f} / {r['loop_p99_ms']:.1f} ms"),
        ("overruns", str(r["overruns"])),
    ]
    return [*rows, ("stopped by", ", ".join(r["stopped_by"]))] if r["stopped_by"] else rows


def _recorded(chosen: Namespace, config: RobotConfig, camera: FileCamera) -> int:
    estimator: Estimator = open_estimator(config)
    ticks: list[Tick] = []
    timer = CycleTimer(period_s=1 / config.fps)
    motors = DryRunMotors()
    supervisor = SafetySupervisor(config.supervisor)
    rig = Rig(
        camera=camera, motors=motors, clock=camera, estimator=estimator, pilot=make_pilot(config),
        supervisor=supervisor,
        mixer=make_mixer(config), camera_delay_s=0.0, period_s=1 / config.fps,
    )  # fmt: skip

    def keep(tick: Tick) -> bool:
        ticks.append(tick)
        return True

    with Console().status("driving on the recording"):
        causes = drive(rig, keep, timer=timer)
    seen = sum(tick.estimate.confidence >= config.follower.min_confidence for tick in ticks)
    record = {
        "frames": len(ticks), "line_seen": seen / len(ticks) if ticks else 0.0, **asdict(timer.summary()),
        "stopped_by": [cause.value for cause in causes],
    }  # fmt: skip
    table = Table(title=chosen.camera)
    for name in ("measure", "value"):
        table.add_column(name)
    for name, value in record.items():
        table.add_row(name, f"{value:.3g}" if isinstance(value, float) else str(value))
    Console().print(table)
    write_json(chosen.json, record)
    return 0
