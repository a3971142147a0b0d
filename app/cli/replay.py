"""``linepilot replay``: a recorded drive again, through today's code."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from math import isfinite
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console

from app.cli.options import add_settings, count, parser, refuse_unwritable, write_json
from app.cli.progress import counting
from control.errors import ConfigError
from robot.profiles import settings_path
from robot.sessions.summary import outline
from sim.replay.recorded import RecordedDrive, open_recorded

if TYPE_CHECKING:
    from sim.replay.open_loop import Pair

_WHAT = """Run a recorded drive again through today's code, another model or other gains, and say what changed.

Open loop: the pictures are the recorded ones, whatever is commanded. Of a simulated drive they are painted again from
the world that its file holds, so that nothing changed means identical to the bit.

With --closed-loop the robot is put back on that drive in the simulator, and the controller steers; a simulated drive
runs in its own world, a real one in pictures made from the recorded ones, near where it drove. --pictures stored
treats a simulated drive as a real one.

Exit code 0: within the tolerances. 1: changed. 2: cannot be replayed."""
_EXAMPLE = """linepilot replay drive.mcap
  linepilot replay drive.mcap model=models/new.int8.onnx follower.steering.kp=1.2 --video changed.mp4
  linepilot replay drive.mcap --stride 5 --json changed.json --tolerance points=2
  linepilot replay drive.mcap --closed-loop follower.speed.max_speed_mps=0.9
  linepilot replay golden.mcap --update"""
_REFRESH_TICKS = 50


def run(arguments: list[str]) -> int:
    options = parser("replay", what=_WHAT, example=_EXAMPLE)
    add = options.add_argument
    add("session", type=Path, metavar="SESSION.mcap", help="a file that `linepilot drive --record` wrote")
    add_settings(options)
    add("--closed-loop", action="store_true", help="let the controller steer, in the simulator")
    add("--stride", type=count, default=1, metavar="N", help="look only at every N-th picture, which is faster")
    add(
        "--pictures",
        choices=("auto", "stored", "painted"),
        default="auto",
        help="stored: the file's JPEGs; painted: the simulated world's, anew; default: painted where possible",
    )
    add("--threads", type=count, default=2, metavar="N", help="pictures looked at side by side; default: 2")
    add("--real-time", action="store_true", help="as slowly as it was driven")
    add("--tolerance", action="append", default=[], metavar="FIELD=X", help="another tolerance for a line of the table")
    add(
        "--allow",
        type=_share,
        default=0.01,
        metavar="SHARE",
        help="of the ticks that may lie beyond a tolerance; default: 0.01",
    )
    add(
        "--offset",
        type=_metres,
        default=0.0,
        metavar="M",
        help="--closed-loop: start so many metres to the left of the recorded drive",
    )
    add("--update", action="store_true", help="make today's answers the session's own: a new reference")
    add("--json", type=Path, metavar="OUT", help="write the numbers to this file")
    add("--picture", type=Path, default=Path("replay.png"), metavar="OUT", help="default: replay.png")
    add("--video", type=Path, metavar="OUT.mp4", help="every picture with the lines of then and now")  # fmt: skip
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.json, chosen.picture, chosen.video, read=[chosen.session, *chosen.settings])
    drive = _opened(chosen)
    if chosen.closed_loop:
        from app.cli.replay_closed_loop import replay_closed_loop

        return replay_closed_loop(chosen, drive)
    if chosen.offset:
        raise ConfigError("--offset: is for --closed-loop, the recorded pictures are where they are")
    return _open_loop(chosen, drive)


def _opened(chosen: Namespace) -> RecordedDrive:
    files = [word for word in chosen.settings if "=" not in word]
    if len(files) > 1:
        raise ConfigError(f"one settings file is enough, got {', '.join(files)}")
    overrides = [word for word in chosen.settings if "=" in word]
    return open_recorded(chosen.session, overrides, settings=settings_path(files[0]) if files else None)


def _share(text: str) -> float:
    """Type of an option: 0 to 1."""
    value = _metres(text)
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"'{text}' is not between 0 and 1")
    return value


def _metres(text: str) -> float:
    """Type of an option: a finite number."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ArgumentTypeError(f"'{text}' is no number")
    return value


def _open_loop(chosen: Namespace, drive: RecordedDrive) -> int:
    from app.cli.replay_report import report
    from sim.replay.differences import Differences, tolerances
    from sim.replay.open_loop import Eyes, replay_open_loop, source_of
    from sim.replay.picture import Curves
    from sim.replay.recorded import starts_midway

    if chosen.update and chosen.stride != 1:
        raise ConfigError("--update: looks at every picture; leave --stride away")
    allowed = tolerances(chosen.tolerance)
    first = next(drive.ticks())
    source = "stored" if chosen.update else source_of(drive, chosen.pictures)
    differences, curves = Differences(allowed, midway=starts_midway(first.tick)), Curves()
    began_s = monotonic()
    with ExitStack() as stack:
        eyes = stack.enter_context(Eyes(drive.config, threads=chosen.threads))
        keep = _keeper(chosen, drive, stack)
        told = stack.enter_context(counting("replaying, ticks", total=outline(drive.path).ticks))
        # A new reference must hold together: its own commands are what moved it.
        pairs = replay_open_loop(
            drive, eyes=eyes, stride=chosen.stride, pictures=source, own_motion=chosen.update
        )  # fmt: skip
        for pair in _paced(pairs) if chosen.real_time else pairs:
            curves.add(pair, differences.add(pair))
            keep(pair)
            if pair.number % _REFRESH_TICKS == 0:
                told(pair.number)
    took_s = monotonic() - began_s
    curves.save(chosen.picture, title=f"{chosen.session.name}, replayed on {source} pictures")
    record = report(drive, differences, took_s=took_s, pictures=source, allow=chosen.allow)
    write_json(chosen.json, record)
    console = Console()
    console.print(f"picture: {chosen.picture}", soft_wrap=True, markup=False)
    if chosen.video is not None:
        console.print(f"video: {chosen.video}", soft_wrap=True, markup=False)
    if chosen.update:
        console.print(f"{chosen.session}: holds today's answers now", soft_wrap=True, markup=False)
        return 0
    return 0 if record["within"] else 1


def _keeper(chosen: Namespace, drive: RecordedDrive, stack: ExitStack) -> Callable[[Pair], None]:
    """What becomes of each pair beside the numbers."""
    sinks: list[Callable[[Pair], None]] = []
    if chosen.video is not None:
        from robot.sessions.video import VideoWriter
        from sim.replay.film import drawn

        film = stack.enter_context(VideoWriter(chosen.video, source=drive.path))

        def show(pair: Pair) -> None:
            image = pair.recorded.frame.image()
            if image is not None:
                film.show(drawn(pair, image), time_s=pair.recorded.tick.now_s)

        sinks.append(show)
    if chosen.update:
        from sim.replay.reference import Reference

        sinks.append(stack.enter_context(Reference(drive)).add)

    def keep(pair: Pair) -> None:
        for sink in sinks:
            sink(pair)

    return keep


def _paced(pairs: Iterator[Pair]) -> Iterator[Pair]:
    """Each not before its time."""
    ahead_s: float | None = None
    for pair in pairs:
        when_s = pair.recorded.tick.now_s
        ahead_s = monotonic() - when_s if ahead_s is None else ahead_s
        early_s = when_s + ahead_s - monotonic()
        if early_s > 0:
            Event().wait(early_s)
        yield pair
