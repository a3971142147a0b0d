"""A drive on a recording or on a live camera: live progress, then the table, the picture and the numbers."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column

from app.cli.cockpit import Cockpit
from app.cli.options import write_json
from app.cli.recording import Recording
from app.cli.tables import facts
from control.errors import ConfigError
from control.messages import Cause, SafetyState
from robot.cameras.file import FileCamera
from robot.config import RobotConfig
from robot.drive.cycle_timer import CycleTimer
from robot.drive.interrupt import StopRequest
from robot.drive.loop import Tick, drive
from robot.drive.pilots import open_estimator
from robot.drive.rig import open_rig
from robot.drive.service_manager import ServiceManager

_REFRESH_TICKS = 10
_CLEAR = (Cause.LIMITED, Cause.NOT_ARMED)
"""Said of a tick, but no reason to slow down or stop."""


@dataclass(slots=True, kw_only=True)
class _Driven:
    """Sums over all ticks, since a drive may last for days; ``shown`` are some ticks with their pictures."""

    min_confidence: float
    ticks: int = 0
    seen: int = 0
    speed_mps: float = 0.0
    loop_s: float = 0.0
    shown: list[Tick] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    stops: int = 0
    _stride: int = 1

    def add(self, tick: Tick) -> None:
        if self.ticks % self._stride == 0 and tick.frame is not None:
            self.shown.append(tick)
            if len(self.shown) == 24:
                # Keeps 12 to 24 pictures spread over a drive of any length.
                self.shown, self._stride = self.shown[::2], self._stride * 2
        self.ticks += 1
        self.seen += tick.estimate.confidence >= self.min_confidence
        self.speed_mps += tick.verdict.command.speed_mps
        self.loop_s += tick.now_s - tick.exposed_s
        self.causes.update(cause.value for cause in tick.verdict.causes if cause not in _CLEAR)
        self.stops += tick.verdict.state is SafetyState.STOPPED


def drive_hardware(
    chosen: Namespace, config: RobotConfig, *, interrupted: StopRequest, recording: Recording, cockpit: Cockpit
) -> int:
    """0 when the recording was driven to its end; 1 when the supervisor stopped the drive."""
    config = _played_in_real_time(config, cockpit)
    moves = config.motors.driver != "dry-run"
    ask = (moves or cockpit.helm is not None) and not chosen.arm
    if ask and not cockpit.can_arm:
        raise ConfigError(
            "there is no terminal to ask for arming; give --arm to drive as soon as the camera shows a line, "
            "or --web to arm from the page"
        )
    estimator = open_estimator(config)
    facts = {"camera": config.camera.source, "motors": config.motors.driver, "target": config.target}
    played = config.camera.source.startswith("file:") and not config.camera.realtime
    recording.begin(config, facts=facts, lossless=played)
    rig = replace(open_rig(config, estimator=estimator), helm=cockpit.helm)
    driven = _Driven(min_confidence=config.follower.min_confidence)
    timer = CycleTimer(period_s=rig.period_s)
    manager = ServiceManager.from_environment()
    causes: tuple[Cause, ...] = ()
    ended = False
    try:
        # The clock of a recording is the recording, also where its pictures are evened on their way.
        length = rig.clock.length if isinstance(rig.clock, FileCamera) else None
        with _bar(length) as bar:
            task = bar.add_task(config.camera.source, total=length, now="")

            def record(tick: Tick) -> bool:
                driven.add(tick)
                recording(tick, timer.this_pass_s)
                cockpit.show(tick, timer.this_pass_s, pilot=rig.pilot)
                if driven.ticks % _REFRESH_TICKS == 0:
                    seen = driven.ticks if tick.frame is None else tick.frame.index + 1
                    bar.update(task, completed=seen, now=_now(tick, driven.ticks))
                manager.beat(tick.verdict.state.value)
                return True

            # Motors that are not there may be armed again, so that a recording is driven to its end.
            causes = drive(
                rig, record, timer=timer, auto_arm=not ask, rearm=not moves, interrupted=interrupted,
                switches=cockpit.switches,
                tell=cockpit.telling(lambda text: bar.console.print(text, highlight=False)),
            )  # fmt: skip
            ended = True
    finally:
        manager.stopping()
        # Of a drive that could not begin there is nothing to report but why.
        if ended or driven.ticks:
            _report(driven, timer, chosen, config, causes=causes)
    return 1 if causes else 0


def _played_in_real_time(config: RobotConfig, cockpit: Cockpit) -> RobotConfig:
    """A recording, when somebody looks on."""
    if cockpit.helm is None:
        return config
    return config.model_copy(update={"camera": config.camera.model_copy(update={"realtime": True})})


def _bar(length: int | None) -> Progress:
    """``length`` in pictures, of a recording that says it; a camera has no end."""
    console = Console(stderr=True)
    # Before what may be long, so that a narrow terminal does not cut it off.
    time = (
        (BarColumn(bar_width=10), TimeRemainingColumn(table_column=Column(min_width=7)))
        if length
        else (TimeElapsedColumn(),)
    )
    columns = (*time, TextColumn("{task.fields[now]}"), TextColumn("{task.description}"))
    return Progress(*columns, console=console, disable=not console.is_terminal, transient=True)


def _now(tick: Tick, count: int) -> str:
    command = tick.verdict.command
    why = ", ".join(cause.value for cause in tick.verdict.causes)
    return f"{count} frames  {command.speed_mps:4.2f} m/s  {command.curvature_1pm:+5.1f} 1/m  {why}"


def _report(
    driven: _Driven, timer: CycleTimer, chosen: Namespace, config: RobotConfig, *, causes: tuple[Cause, ...]
) -> None:
    from app.cli.frame_sheet import save_frame_sheet

    latency = config.calibration.latency
    of_ticks = 1 / max(1, driven.ticks)
    record: dict[str, Any] = {
        "camera": config.camera.source, "frames": driven.ticks, "line_seen": driven.seen * of_ticks,
        "mean_speed_asked_m_s": driven.speed_mps * of_ticks,
        "camera_to_wheel_latency_ms": (driven.loop_s * of_ticks + latency.delay_s - latency.camera_s) * 1000,
        **asdict(timer.summary()),
        "stops": driven.stops, "causes": dict(driven.causes), "stopped_by": [cause.value for cause in causes],
    }  # fmt: skip
    console = Console()
    try:
        # Files first: a pipe that is closed early ends the command while it prints.
        write_json(chosen.json, record)
        if driven.shown and chosen.picture is not None:
            save_frame_sheet(chosen.picture, driven.shown)
    finally:
        # Also on a disk that has filled up: then this is all that is left of the drive.
        console.print(facts(config.camera.source, _rows(record)))
    if driven.shown and chosen.picture is not None:
        console.print(f"picture: {chosen.picture}", soft_wrap=True)


def _rows(r: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("frames", f"{r['frames']}"),
        ("line seen", f"{r['line_seen'] * 100:.0f} %"),
        ("mean speed asked", f"{r['mean_speed_asked_m_s']:.2f} m/s"),
        ("camera to wheel", f"{r['camera_to_wheel_latency_ms']:.0f} ms"),
        ("loop p50 / p99", f"{r['loop_p50_ms']:.1f} / {r['loop_p99_ms']:.1f} ms"),
        ("loop without network p99", f"{r['overhead_p99_ms']:.2f} ms"),
        ("overruns", f"{r['overruns']} of {r['passes']}"),
        ("stops", f"{r['stops']}"),
        *((f"frames with {name}", f"{count}") for name, count in r["causes"].items()),
    ]
