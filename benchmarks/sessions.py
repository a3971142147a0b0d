"""What recording costs, how fast sessions are written and read, and what a killed process leaves. Prints JSON lines.

    python benchmarks/sessions.py [--quick] [--kills N] [--only kills]

Pictures are 224 x 224 of the simulator's own, as JPEG of quality 90: 10 kB each.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from threading import Event

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # In place of this folder, whose control.py would hide the package of that name.
    sys.path[0] = str(ROOT)

from benchmarks.results import emit  # noqa: E402
from calibration.profile import Calibration  # noqa: E402
from perception.engines import open_engine  # noqa: E402
from robot.config import RobotConfig  # noqa: E402
from robot.drive.recorder import SessionRecorder, session_tick  # noqa: E402
from robot.drive.tick import Tick  # noqa: E402
from robot.sessions.encoding import encode_picture  # noqa: E402
from robot.sessions.header import SessionHeader  # noqa: E402
from robot.sessions.reader import SessionReader  # noqa: E402
from robot.sessions.session_copy import copy_session  # noqa: E402
from robot.sessions.session_tick import SessionTick, Truth  # noqa: E402
from robot.sessions.writer import Limits, SessionWriter  # noqa: E402
from sim.benchmark.run import make_world, simulate  # noqa: E402
from sim.tracks.library import find_track  # noqa: E402

FPS = 30.0
ROUNDS = 5
KILLS = 60
KEPT_S = 0.6
SECTIONS_S = {"see": 0.012, "decide": 0.0002, "check": 0.0001, "write": 0.0001}
_PAUSE = Event()


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        if options.only == "kills":
            _report_kills(folder, kills=options.kills or KILLS)
            return
        count = 3000 if options.quick else 10_000
        ticks, truths = _drive(180 if options.quick else 300)
        path = _report_writing(folder, ticks, truths, count=count)
        _report_reading(path, expected=count)
        _report_loop(folder, ticks, truths, seconds=3.0 if options.quick else 20.0)
        _report_kills(folder, kills=options.kills or (4 if options.quick else KILLS))


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="fewer of everything, in 30 s")
    options.add_argument("--kills", type=int, default=0, metavar="N", help=f"processes to kill; default: {KILLS}")
    options.add_argument("--only", choices=("kills",), help="one measurement instead of all")
    options.add_argument("--folder", type=Path, help="on the disk to measure; default: the temporary folder")
    options.add_argument("--child", metavar="FILE", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        _record_until_killed(Path(chosen.child))
    return chosen


def _drive(count: int) -> tuple[list[Tick], list[Truth]]:
    """Real ticks with their pictures, from the simulated robot."""
    config = RobotConfig(model="classical")
    world = make_world(find_track("oval"), look="white-tape", config=config, seed=0)
    ticks: list[Tick] = []
    truths: list[Truth] = []

    def keep(tick: Tick, _: object, truth: Truth) -> None:
        ticks.append(tick)
        truths.append(truth)

    simulate(
        world, estimator=open_engine("classical", target="line"), config=config, keep=keep,
        watch=lambda _: len(ticks) < count,
    )  # fmt: skip
    return ticks, truths


def _header() -> SessionHeader:
    return SessionHeader(started=datetime.now(tz=timezone.utc), calibration=Calibration())


def _report_writing(folder: Path, ticks: list[Tick], truths: list[Truth], *, count: int) -> Path:
    """Returns a session of all ``count`` ticks."""
    raw = [session_tick(tick, sections_s=SECTIONS_S, truth=truth) for tick, truth in zip(ticks, truths, strict=True)]
    encoded = [
        replace(tick, picture=encode_picture(tick.picture, quality=90)) for tick in raw if tick.picture is not None
    ]
    kinds = (("encoded", encoded, "pictures were JPEG before"), ("encoding", raw, "each picture is made a JPEG"))
    for name, several, how in kinds:
        paths = [folder / f"{name}{number}.mcap" for number in range(ROUNDS)]
        runs = [_write(path, several, count=count) for path in paths]
        rates, cpu_us = [count / run[0] for run in runs], [run[1] / count * 1e6 for run in runs]
        context = f"{count} ticks, {how}, {paths[0].stat().st_size / count / 1e3:.1f} kB a tick, on the disk"
        emit(
            f"sessions_write_{name}", median(rates), unit="ticks/s", target=5000, better="higher",
            context=f"{context}; {_spread(rates)}",
        )  # fmt: skip
        emit(
            f"sessions_write_{name}_cpu", median(cpu_us), unit="us/tick", target=None, better="lower",
            context=f"processor time of both threads; {context}; {_spread(cpu_us)}",
        )  # fmt: skip
    return folder / "encoded0.mcap"


def _spread(values: list[float]) -> str:
    """Others on the same computer make the numbers worse, and the reader should know."""
    low, high = min(values), max(values)
    return f"median of {len(values)}, {low:.0f} to {high:.0f}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def _write(path: Path, ticks: list[SessionTick], *, count: int) -> tuple[float, float]:
    """Seconds on the clock and of the processor."""
    writer = SessionWriter(path, header=_header(), limits=Limits(part_bytes=2**40), lossless=True)
    began_s, cpu_s = time.perf_counter(), time.process_time()
    for tick in islice(cycle(ticks), count):
        writer.write(tick)
    report = writer.close()
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    assert (report.ticks, report.dropped, report.trouble) == (count, 0, "")
    return took_s, cpu_s


def _report_reading(path: Path, *, expected: int) -> None:
    def parsed() -> int:
        return sum(1 for _ in SessionReader(path).frames())

    def decoded() -> int:
        return sum(frame.image() is not None for frame in SessionReader(path).frames())

    def records() -> int:
        return sum(frame.tick().picture is not None for frame in SessionReader(path).frames())

    def decoded_by_two() -> int:
        with ThreadPoolExecutor(2) as pool:
            return sum(
                image is not None for image in pool.map(lambda frame: frame.image(), SessionReader(path).frames())
            )

    kinds: tuple[tuple[str, Callable[[], int], float | None, str], ...] = (
        ("sessions_read", parsed, 5000, "each tick and its JPEG parsed, checksums checked"),
        ("sessions_read_decode", decoded, 5000, "and the picture decoded to pixels, one thread"),
        ("sessions_read_decode_two", decoded_by_two, None, "and the picture decoded to pixels by two threads"),
        ("sessions_read_records", records, None, "and the loop's own records made, one thread"),
    )
    for name, read, target, context in kinds:
        rates = []
        for _ in range(ROUNDS):
            began_s = time.perf_counter()
            count = read()
            rates.append(count / (time.perf_counter() - began_s))
            assert count == expected, f"{name}: {count} of {expected} frames"
        told = f"{context}; {_spread(rates)}"
        emit(name, median(rates), unit="frames/s", target=target, better="higher", context=told)


def _report_loop(folder: Path, ticks: list[Tick], truths: list[Truth], *, seconds: float) -> None:
    """What the loop pays, with the writer thread at work between the passes."""
    for fps in (FPS, 240.0):
        recorder = SessionRecorder(folder / f"loop{fps:.0f}.mcap", config=RobotConfig(), facts={})
        pairs = cycle(zip(ticks, truths, strict=True))
        cost_s: list[float] = []
        began_s = time.perf_counter()
        while (spent_s := time.perf_counter() - began_s) < seconds:
            tick, truth = next(pairs)
            before_s = time.perf_counter()
            recorder(tick, sections_s=SECTIONS_S, truth=truth)
            cost_s.append(time.perf_counter() - before_s)
            _PAUSE.wait(max(0.0, (len(cost_s)) / fps - spent_s))
        report = recorder.close()
        cost_s.sort()
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        context = f"{len(cost_s)} ticks at {fps:.0f} a second, pictures to encode, {report.dropped} dropped; {load}"
        for share, name, target in ((0.5, "p50", None), (0.99, "p99", 60.0), (1.0, "max", None)):
            value = cost_s[min(len(cost_s) - 1, int(share * len(cost_s)))] * 1e6
            emit(
                f"sessions_loop_{fps:.0f}fps_{name}", value, unit="us", target=target, better="lower", context=context
            )  # fmt: skip


def _record_until_killed(path: Path) -> None:
    """Says each tick's number as soon as it is handed over."""
    ticks, truths = _drive(60)
    recorder = SessionRecorder(path, config=RobotConfig(), facts={})
    began_s = time.monotonic()
    for number, (tick, truth) in enumerate(cycle(zip(ticks, truths, strict=True))):
        recorder(tick, sections_s=SECTIONS_S, truth=truth)
        print(number, flush=True)
        _PAUSE.wait(max(0.0, began_s + (number + 1) / FPS - time.monotonic()))


def _report_kills(folder: Path, *, kills: int) -> None:
    rng = random.Random(0)
    moments_s = [rng.uniform(1.0, 4.0) for _ in range(kills)]
    lost_s = [_kill(folder / f"kill{number}.mcap", after_s=after_s) for number, after_s in enumerate(moments_s)]
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    context = f"{kills} processes recording at {FPS:.0f} fps, kill -9 after 1 to 4 s; {load}"
    good = sum(lost <= KEPT_S for lost in lost_s)
    told = f"{context}: all but {KEPT_S} s read, and all of that in a whole file after a repair"
    emit("sessions_kill_kept", good, unit=f"of {kills}", target=kills, better="higher", context=told)
    emit("sessions_kill_lost_max", max(lost_s), unit="s", target=KEPT_S, better="lower", context=context)
    emit("sessions_kill_lost_mean", sum(lost_s) / kills, unit="s", target=None, better="lower", context=context)


def _kill(path: Path, *, after_s: float) -> float:
    """Seconds of driving that were handed over and cannot be read."""
    command = [sys.executable, __file__, "--child", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as child:
        assert child.stdout is not None
        said = int(child.stdout.readline())
        _PAUSE.wait(after_s)
        child.send_signal(signal.SIGKILL)
        # A last line may be cut in the middle.
        for line in child.stdout:
            said = int(line) if line.endswith("\n") else said
    read = [frame.number for frame in SessionReader(path).frames()]
    assert read == list(range(len(read)))
    whole = path.with_name(f"{path.stem}-whole.mcap")
    copy_session(path, whole)
    repaired = SessionReader(whole)
    assert [frame.number for frame in repaired.frames()] == read
    assert repaired.is_closed
    assert not repaired.damage
    return (said + 1 - len(read)) / FPS


if __name__ == "__main__":
    main()
