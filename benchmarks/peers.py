"""Everything that is measured beside the peers, in one command. Prints JSON lines.

    python benchmarks/peers.py [--quick] [--only laws,simulators,inference,donkeycar] [--peer-python PYTHON]

Peers that are not installed are skipped, with a line on the error stream. Versions that were tried: donkeycar 5.4.0,
gymnasium 1.x CarRacing-v3, MuJoCo 3.x, torchvision's ResNet-18 as JetBot's notebook runs it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import emit  # noqa: E402
from robot.config import load_config  # noqa: E402
from robot.drive.pilots import open_estimator  # noqa: E402
from robot.drive.recorder import SessionRecorder  # noqa: E402
from robot.drive.tick import Tick  # noqa: E402
from sim.benchmark.run import make_world, simulate  # noqa: E402
from sim.tracks.library import find_track  # noqa: E402

HERE = Path(__file__).parent
RECORDS = 400


def other(script: str, *words: str) -> None:
    """Another benchmark of this folder, whose lines are passed on; its failure is told, not hidden."""
    command = [sys.executable, str(HERE / script), *words]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print("".join(line + "\n" for line in done.stdout.splitlines() if line.startswith("{")), end="", flush=True)
    if done.returncode:
        print(f"skipped {script}: exit code {done.returncode}", file=sys.stderr)


def donkeycar(python: Path) -> None:
    report_own()
    for what, name, unit in (("loop", "peer_donkeycar_loop", "us"), ("tub", "peer_donkeycar_tub", "records/s")):
        done = subprocess.run(
            [str(python), str(HERE / "donkey_peer.py"), what], capture_output=True, text=True, check=False
        )
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"skipped donkeycar {what}: {why}", file=sys.stderr)
            continue
        value = float(done.stdout.split()[-1])
        emit(
            name, value, unit=unit, target=None, better="lower" if unit == "us" else "higher",
            context="224x224, processor time; one empty part" if what == "loop" else "224x224, processor time",
        )  # fmt: skip


def report_own() -> None:
    """Sessions beside tubs: all that a tick holds and its picture, in processor time of both threads."""
    config = load_config(None, ["model=classical"])
    world = make_world(find_track("s-bend"), look="white-tape", config=config, seed=0)
    kept: list[Tick] = []
    simulate(
        world, estimator=open_estimator(config), config=config, keep=lambda tick, *_: kept.append(tick),
        watch=lambda so_far: len(so_far.ticks) < 60,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        recorder = SessionRecorder(Path(folder) / "a.mcap", config=config, facts={}, lossless=True)
        began_s = time.process_time()
        for number in range(RECORDS):
            recorder(kept[number % len(kept)], sections_s={"see": 0.002, "decide": 0.0001})
        recorder.close()
        rate = RECORDS / (time.process_time() - began_s)
    sizes = {tick.frame.image.shape for tick in kept if tick.frame is not None}
    emit("session_writer", rate, unit="records/s", target=None, better="higher",
         context=f"{' '.join(map(str, sizes))}, processor time, whole ticks")  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small search, few rounds")
    parser.add_argument("--only", default="laws,simulators,inference,donkeycar")
    parser.add_argument("--peer-python", type=Path, default=Path(sys.executable), help="a Python that has the peers")
    options = parser.parse_args(arguments)
    parts, python = options.only.split(","), str(options.peer_python)
    if "laws" in parts:
        other("control.py", *(["--quick"] if options.quick else []))
    if "simulators" in parts:
        rounds = ["--rounds", "1", "--steps", "150"] if options.quick else []
        other("simulator.py", "--peer-python", python, *rounds)
    if "inference" in parts:
        other("inference.py", *(["--rounds", "20"] if options.quick else []))
    if "donkeycar" in parts:
        donkeycar(options.peer_python)


if __name__ == "__main__":
    main()
