"""How many environment steps a CPU-second buys, beside peers, in one interleaved run. Prints JSON lines.

    python benchmarks/simulator.py [--rounds 5] [--steps 600] [--peer-python /path/to/venv/bin/python]

A step moves the vehicle by one frame of 1/30 s and renders one frame. Peers run where that Python has them:
CarRacing-v3 (gymnasium[box2d]) and a MuJoCo differential drive; one that is missing is told on stderr.
Times are CPU times of the process, all threads, set-up left out; each number is the median over the rounds.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import emit  # noqa: E402
from calibration.profile import Calibration, CameraModel  # noqa: E402
from sim.env import EnvSettings, LineFollowingEnv  # noqa: E402
from sim.looks import find_look  # noqa: E402
from sim.render.sensor import SensorSettings  # noqa: E402

PEERS = ROOT / "benchmarks" / "simulator_peers.py"
SEED = 1
TRACK = "reInvent2019_track"
CLUTTER = 8
"""Things beside ten metres of track, as the fullest looks have."""
EVERY_EFFECT = SensorSettings(
    exposure=1.1, contrast=0.9, gamma=1.1, saturation=0.8, center_cast=(0.95, 1.0, 1.1), corner_cast=(0.85, 0.7, 1.0),
    veil=0.1, glare=((0.2, -0.3, 0.2, 0.3, 120.0),), blur_px=0.8, motion_px=5.0, motion_angle_rad=0.2, noise=4.0,
    chroma_noise=3.0, flicker=0.03, jpeg_quality=80,
)  # fmt: skip
"""No field of the sensor is neutral."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``rate`` runs so many steps and gives steps per CPU-second, or None when it cannot run here."""

    name: str
    context: str
    rate: Callable[[int], float | None]
    target: float | None = None


def calibration_of(width: int, height: int) -> Calibration:
    """The default 160 degree fisheye on a sensor of another size."""
    lens = CameraModel()
    across, down = width / lens.width, height / lens.height
    camera = replace(
        lens, width=width, height=height, fx=lens.fx * across, fy=lens.fy * down,
        cx=(lens.cx + 0.5) * across - 0.5, cy=(lens.cy + 0.5) * down - 0.5,
    )  # fmt: skip
    return Calibration(camera=camera)


def own_rate(width: int, height: int, *, effects: bool) -> Callable[[int], float]:
    look = replace(find_look("white-tape"), sensor=EVERY_EFFECT)
    clutter = CLUTTER if effects else 0
    settings = EnvSettings(track=TRACK, look=look, effects=effects, clutter=clutter, randomise=False, laps=1000)
    env = LineFollowingEnv(settings, calibration=calibration_of(width, height))
    env.reset(seed=SEED)

    def rate(steps: int) -> float:
        """Steered along the line by the truth: off the floor there would be less to render."""
        _, info = env.reset(seed=SEED)
        start = time.process_time()
        for _ in range(steps):
            turn = 2.0 * info["lateral_error_m"] + 0.4 * info["heading_error_rad"]
            _, _, done, _, info = env.step(np.array([0.3 + turn, 0.3 - turn], np.float32))
            if done:
                raise SystemExit(f"the benchmark left the line after {info['distance_m']:.1f} m")
        return steps / (time.process_time() - start)

    return rate


def peer_rate(python: Path, peer: str) -> Callable[[int], float | None]:
    missing = False

    def rate(steps: int) -> float | None:
        nonlocal missing
        if missing:
            return None
        command = [str(python), str(PEERS), peer, str(steps)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode == 0:
            return float(run.stdout.split()[-1])
        missing = True
        why = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"skipped {peer}: {why}", file=sys.stderr)
        return None

    return rate


def cases(python: Path) -> list[Case]:
    lens = "160 degree fisheye, Gymnasium step"
    return [
        Case(name="sim_env_steps_224_plain", context=f"224x224, {lens}", target=2000.0,
             rate=own_rate(224, 224, effects=False)),
        Case(name="sim_env_steps_224_all_effects", target=400.0,
             context=f"224x224, {lens}, "
             "every effect: clutter, tone, cast, veil, glare, both blurs, noise, flicker, JPEG",
             rate=own_rate(224, 224, effects=True)),
        Case(name="sim_env_steps_640x480_plain", context=f"640x480, {lens}", rate=own_rate(640, 480, effects=False)),
        Case(name="sim_env_steps_640x480_all_effects", context=f"640x480, {lens}, every effect",
             rate=own_rate(640, 480, effects=True)),
        Case(name="peer_car_racing_v3", context="CarRacing-v3, 96x96", rate=peer_rate(python, "car_racing")),
        Case(name="peer_mujoco_differential_drive",
             context="MuJoCo, two wheels on a plane, 224x224, no lens distortion, no shadows",
             rate=peer_rate(python, "mujoco")),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=600, help="steps a round and case; a third of it for peers")
    parser.add_argument("--peer-python", type=Path, default=Path(sys.executable), help="a Python that has the peers")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    todo = cases(options.peer_python)
    rates: dict[str, list[float]] = {case.name: [] for case in todo}
    for _ in range(options.rounds):
        for case in todo:
            own = not case.name.startswith("peer_")
            rate = case.rate(options.steps if own else max(1, options.steps // 3))
            if rate is not None:
                rates[case.name].append(rate)
    machine = f"{platform.machine()}, Python {platform.python_version()}, OpenCV {cv2.__version__}, 1 thread"
    for case in todo:
        report(case, rates[case.name], machine)


def report(case: Case, rates: list[float], machine: str) -> None:
    if not rates:
        return
    spread = f"median of {len(rates)} rounds, {min(rates):.0f} to {max(rates):.0f}"
    context = f"{case.context}; {spread}; {machine}"
    emit(case.name, median(rates), unit="steps per CPU-second", target=case.target, better="higher", context=context)


if __name__ == "__main__":
    main()
