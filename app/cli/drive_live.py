"""A simulated drive in real time, for people: it goes on, armed and stopped as they like, until ^C."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict, dataclass, replace
from typing import Any

from rich.console import Console

from app.cli.cockpit import Cockpit
from app.cli.options import write_json
from app.cli.recording import Recording
from app.cli.tables import facts
from control.messages import Cause
from robot.config import RobotConfig
from robot.drive.cycle_timer import CycleTimer
from robot.drive.interrupt import StopRequest
from robot.drive.loop import Tick, drive
from robot.drive.pilots import open_estimator
from sim.benchmark.run import aimed, make_rig, make_world
from sim.real_time import RealTimeCamera
from sim.scene import Scene
from sim.tracks.library import find_track
from sim.world import World

DEFAULT_TRACK = "reInvent2019_track"


@dataclass(slots=True, kw_only=True)
class _Driven:
    """Sums, since such a drive may last for hours."""

    world: World
    ticks: int = 0
    by_hand: int = 0
    off_line: int = 0

    def add(self, tick: Tick) -> None:
        self.ticks += 1
        self.by_hand += tick.by_hand is not None
        self.off_line += self.world.truth.off_line


def drive_live(
    chosen: Namespace, config: RobotConfig, *, interrupted: StopRequest, recording: Recording, cockpit: Cockpit
) -> int:
    """0 unless the loop ended by itself."""
    track = find_track(DEFAULT_TRACK if chosen.track is None else chosen.track, crossing=chosen.crossing)
    config = aimed(config, look=chosen.look)
    world = make_world(track, look=chosen.look, config=config, seed=chosen.seed, clutter=chosen.clutter)
    what = {"camera": "sim", "track": track.name, "look": chosen.look, "target": config.target}
    scene = Scene.of(world, look=chosen.look, seed=chosen.seed, laps=0)
    recording.begin(config, facts=what, lossless=False, scene_json=scene.to_json())
    rig = make_rig(world, estimator=open_estimator(config), config=config)
    rig = replace(rig, camera=RealTimeCamera(rig.camera), helm=cockpit.helm)
    driven, timer, console = _Driven(world=world), CycleTimer(period_s=rig.period_s), Console(stderr=True)
    for line in cockpit.help:
        console.print(line, highlight=False, soft_wrap=True)

    def record(tick: Tick) -> bool:
        driven.add(tick)
        recording(tick, timer.this_pass_s, world.truth)
        cockpit.show(tick, timer.this_pass_s, pilot=rig.pilot)
        return True

    causes: tuple[Cause, ...] = ()
    try:
        causes = drive(
            rig, record, timer=timer, auto_arm=False, interrupted=interrupted, switches=cockpit.switches,
            tell=cockpit.telling(lambda text: console.print(text, highlight=False, soft_wrap=True)),
        )  # fmt: skip
    finally:
        _report(driven, timer, chosen, config)
    return 1 if causes else 0


def _report(driven: _Driven, timer: CycleTimer, chosen: Namespace, config: RobotConfig) -> None:
    world, of_ticks = driven.world, 1 / max(1, driven.ticks)
    record: dict[str, Any] = {
        "track": world.track.name, "look": chosen.look, "target": config.target, "seed": chosen.seed,
        "frames": driven.ticks, "driven_m": world.vehicle.travelled_m, "by_hand": driven.by_hand * of_ticks,
        "off_line": driven.off_line * of_ticks, **asdict(timer.summary()),
    }  # fmt: skip
    rows = [
        ("frames", f"{record['frames']}"),
        ("driven", f"{record['driven_m']:.1f} m"),
        ("by hand", f"{record['by_hand'] * 100:.0f} % of the frames"),
        ("off the line", f"{record['off_line'] * 100:.0f} %"),
        ("loop p50 / p99", f"{record['loop_p50_ms']:.1f} / {record['loop_p99_ms']:.1f} ms"),
        ("overruns", f"{record['overruns']} of {record['passes']}"),
    ]
    try:
        write_json(chosen.json, record)
    finally:
        # Also on a disk that has filled up: then this is all that is left of the drive.
        Console().print(facts(f"{world.track.name}, {chosen.look}", rows))
