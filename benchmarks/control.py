"""How well it drives, and how fast at equal error beside JetBot's and JetRacer's own laws. Prints JSON lines.

    python benchmarks/control.py [--quick] [--only laps jetbot jetbot_fast jetracer] [--tracks all] [--model FILE]

Laps: the robot as shipped on every track, in three looks, both ways. Laws: each law's gains are tuned by the same
seeded search with the same budget on three tracks and driven on eight others (docs/benchmarks.md).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # In place of this folder, whose control.py would hide the package of that name.
    sys.path[0] = str(ROOT)

from benchmarks.closed_loop import drive_laps, report_laps  # noqa: E402
from benchmarks.paired import compare  # noqa: E402
from benchmarks.results import emit  # noqa: E402
from benchmarks.stretches import DrivePool  # noqa: E402
from benchmarks.tuned_laws import (  # noqa: E402
    FAST_JETBOT,
    JETBOT,
    JETRACER,
    OURS_ON_FAST_JETBOT,
    OURS_ON_JETBOT,
    OURS_ON_JETRACER,
    TunedLaw,
)
from benchmarks.tuning import QUICK, DrivenLaw, Plan, tune_and_test  # noqa: E402
from control.errors import LinepilotError  # noqa: E402
from perception.engines import open_engine  # noqa: E402
from robot.drive.pilots import SHIPPED_MODEL  # noqa: E402
from sim.tracks.library import shipped_names  # noqa: E402

BARS_M = (0.003, 0.005, 0.01, 0.02, 0.03)
SPEEDS_MPS = (0.4, 0.6, 0.8, 1.2)
PAIRS: dict[str, tuple[TunedLaw, TunedLaw]] = {
    "jetbot": (OURS_ON_JETBOT, JETBOT),
    "jetbot_fast": (OURS_ON_FAST_JETBOT, FAST_JETBOT),
    "jetracer": (OURS_ON_JETRACER, JETRACER),
}
QUICK_TRACKS = "Bowtie_track"


def main() -> None:
    options = _options()
    began_s = time.monotonic()

    def told(text: str) -> None:
        print(f"{time.monotonic() - began_s:6.0f} s  {text}", file=sys.stderr, flush=True)

    context = _context(options)
    if "laps" in options.only:
        names = [name.strip() for name in options.tracks.split(",")]
        tracks = shipped_names() if names == ["all"] else names
        records = drive_laps(
            tracks, model=options.model, engine=options.engine, seed=options.seed, workers=options.workers,
            told=_counter("laps driven", told),
        )  # fmt: skip
        report_laps(records, context=context)
    plan = replace(QUICK if options.quick else Plan(), seed=options.seed)
    details: dict[str, Any] = {}
    with (
        DrivePool(workers=options.workers, engine="truth") as truth,
        DrivePool(workers=options.workers, engine=options.engine, model=options.model) as eyes,
    ):
        for peer in [name for name in PAIRS if name in options.only]:
            ours, theirs = (tune_and_test(law, plan, truth=truth, eyes=eyes, told=told) for law in PAIRS[peer])
            report_pair(peer, ours, theirs, plan=plan, context=context)
            details[peer] = [_details(law, plan) for law in (ours, theirs)]
    if options.details is not None:
        options.details.write_text(json.dumps(details, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--only", nargs="+", choices=("laps", *PAIRS), default=("laps", *PAIRS), help="default: all of them")
    add("--tracks", help="for the laps: NAME,NAME,... or all; default: all, or one when quick")
    add("--quick", action="store_true", help="a look: few tracks, short stretches, a small budget")
    add("--engine", choices=("model", "truth"), default="model", help="truth: the simulator's labels are the eyes")
    add("--model", default=str(SHIPPED_MODEL), metavar="FILE")
    add("--seed", type=int, default=0)
    add("--workers", type=int, default=os.cpu_count() or 1)
    add("--details", type=Path, metavar="FILE", help="write all settings tried and all test drives to this file")
    options = parser.parse_args()
    options.tracks = options.tracks or (QUICK_TRACKS if options.quick else "all")
    return options


def _context(options: argparse.Namespace) -> str:
    if options.engine == "truth":
        eyes = "simulator's labels instead of a model"
    else:
        # Says what is wrong with the model once, not once a process.
        open_engine(options.model).close()
        eyes = Path(options.model).name
    quick = ", quick look" if options.quick else ""
    return f"{eyes}, 120 ms camera to wheel, 30 fps, seed {options.seed}{quick}"


def _counter(what: str, told: Callable[[str], None], *, every: int = 8) -> Callable[[], None]:
    count = 0

    def step() -> None:
        nonlocal count
        count += 1
        if count % every == 0:
            told(f"{count} {what}")

    return step


def report_pair(peer: str, ours: DrivenLaw, theirs: DrivenLaw, *, plan: Plan, context: str) -> None:
    tuned = f"{plan.by_truth} settings tried by the truth, then {plan.by_engine}; {context}"
    for bar_m in BARS_M:
        _report_speeds(peer, ours.speeds_at(bar_m), theirs.speeds_at(bar_m), bar_m=bar_m, seed=plan.seed, tuned=tuned)
    for speed_mps in SPEEDS_MPS:
        pairs = zip(ours.errors_at(speed_mps), theirs.errors_at(speed_mps), strict=True)
        both = [pair for pair in pairs if max(pair) < inf]
        if not both:
            continue
        note = f"rms, median of the {len(both)} of {len(plan.tests)} test tracks where both are that fast; {tuned}"
        for name, errors in zip(_names(peer), zip(*both, strict=True), strict=True):
            title = f"control_{name}_error_at_{speed_mps:g}mps"
            emit(title, median(errors), unit="m", target=None, better="lower", context=note)


def _report_speeds(peer: str, ours: list[float], theirs: list[float], *, bar_m: float, seed: int, tuned: str) -> None:
    at = f"at_{bar_m * 100:g}cm"
    for name, speeds in zip(_names(peer), (ours, theirs), strict=True):
        reached = sum(speed > 0 for speed in speeds)
        note = f"median of {len(speeds)} test tracks, {reached} driven that exactly; {tuned}"
        emit(f"control_{name}_speed_{at}", median(speeds), unit="m/s", target=None, better="higher", context=note)
    found = compare(ours, theirs, seed=seed)
    if found is None:
        print(f"{at}: no test track on which {peer} is that exact, so no ratio", file=sys.stderr)
        return
    note = f"95 % interval {found.low:.2f} to {found.high:.2f}, {found.tracks} test tracks"
    note += f", {found.peer_missed} more that only linepilot drove so exactly"
    title, target = f"control_speed_ratio_over_{peer}_{at}", 2.0 if peer.startswith("jetbot") else None
    emit(title, found.ratio, unit="x", target=target, better="higher", context=f"{note}; {tuned}")


def _names(peer: str) -> tuple[str, str]:
    return f"linepilot_beside_{peer}", peer


def _details(tested: DrivenLaw, plan: Plan) -> dict[str, Any]:
    return {
        "law": tested.law.name, "fixed": tested.law.fixed,
        "tried": [asdict(t) for t in tested.tried], "rungs": [asdict(t) for t in tested.rungs],
        "tests": {name: [asdict(o) for o in d] for name, d in zip(plan.tests, tested.driven, strict=True)},
    }  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except LinepilotError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
