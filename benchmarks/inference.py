"""How fast, how exact: our engines beside JetBot's own path, in one interleaved run. Prints JSON lines.

    python benchmarks/inference.py [--model perception/models/line.int8.onnx] [--rounds 100]

JetBot's path is what its road-following notebook does with each frame: PIL, torchvision, mean and std, eager fp32
ResNet-18 at 224 px. It needs the ``train`` extra; every other number does not.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import emit  # noqa: E402
from control.errors import LinepilotError  # noqa: E402
from perception.benchmark import Disagreement, core_share, disagreement, interleave  # noqa: E402
from perception.dataset import read_photos  # noqa: E402
from perception.engines import open_engine  # noqa: E402
from perception.estimator import Estimator  # noqa: E402
from perception.manifest import ONE_PLACE, stem_of  # noqa: E402
from robot.drive.pilots import SHIPPED_MODEL  # noqa: E402

Image = NDArray[np.uint8]
THREADS = 2
SAMPLE = Path(__file__).parent / "sample"
LOAD = """
import sys, time
start = time.perf_counter()
from perception.engines import open_engine
open_engine(sys.argv[1], threads=2)
print(time.perf_counter() - start)
"""


def jetbot_path() -> Callable[[Image], object]:
    """(224, 224, 3) uint8 BGR -> x, y; the weights do not matter for the time."""
    import PIL.Image
    import torch
    import torchvision

    torch.set_num_threads(THREADS)
    network = torchvision.models.resnet18(num_classes=2).eval()
    mean = torch.tensor([0.485, 0.456, 0.406])
    std = torch.tensor([0.229, 0.224, 0.225])

    def see(frame: Image) -> object:
        tensor = torchvision.transforms.functional.to_tensor(PIL.Image.fromarray(frame))
        tensor.sub_(mean[:, None, None]).div_(std[:, None, None])
        return network(tensor[None, ...]).detach().float().cpu().numpy().flatten()

    return see


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    found = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    flags = next((line for line in lines if line.startswith("flags")), "")
    widest = next((name for name in ("avx512_vnni", "avx_vnni", "avx512f", "avx2") if name in flags.split()), "")
    return f"{found} {widest}".strip()


def load_seconds(model: Path) -> float:
    """Imports, checksum, session and golden frames, in a fresh process; the median of five."""
    command = [sys.executable, "-c", LOAD, str(model)]
    runs = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True) for _ in range(5)]
    return float(np.median([float(run.stdout) for run in runs]))


def companion(model: Path, *, folder: Path) -> Path:
    """The fp32 model of the same weights, exported on the spot when only int8 is at hand."""
    beside = model.with_name(f"{stem_of(model)}.onnx")
    if beside.is_file():
        return beside
    from perception.export import export_model

    weights = model.with_name(f"{stem_of(model)}.safetensors")
    export_model(weights, folder, pictures=photographs(), int8=False)
    return folder / beside.name


def photographs() -> list[Image]:
    return [photo.read()[0] for folder in sorted(SAMPLE.iterdir()) if folder.is_dir() for photo in read_photos(folder)]


def engines(int8: Path, fp32: Path) -> dict[str, Estimator]:
    found = {"fp32": open_engine(fp32, threads=THREADS), "int8": open_engine(int8, threads=THREADS)}
    try:
        found["openvino_int8"] = open_engine(f"openvino:{int8}", threads=THREADS)
        found["openvino_fp32"] = open_engine(f"openvino:{fp32}", threads=THREADS)
    except LinepilotError as error:
        print(error, file=sys.stderr)
    return found


def report_speed(opened: dict[str, Estimator], frames: list[Image], *, rounds: int, context: str) -> None:
    calls: dict[str, Callable[[Image], object]] = {name: engine.estimate for name, engine in opened.items()}
    calls["jetbot"] = jetbot_path()
    seconds = interleave(calls, frames, rounds=rounds)
    baseline = float(np.median(seconds["jetbot"]))
    for name, values in seconds.items():
        note = f"{context}, p99 {np.percentile(values, 99) * 1e3:.1f} ms, {rounds} interleaved rounds"
        p50 = float(np.median(values))
        emit(f"inference_{name}_p50", p50 * 1e3, unit="ms", target=None, better="lower", context=note)
        if name != "jetbot":
            wanted = 6.0 if "int8" in name else 1.8
            title = f"inference_{name}_speedup_over_jetbot"
            emit(title, baseline / p50, unit="x", target=wanted, better="higher", context=context)


def report_parity(found: Disagreement, *, target: str, pictures: int) -> None:
    """Where the exact engine itself wavers between two places, rounding may choose the other: told apart."""
    sure = found.x_px[found.spread <= ONE_PLACE]
    for rows, values in (("visible rows", found.x_px), ("visible rows that see one line", sure)):
        note = f"{pictures} photographs, {len(values)} {rows}, target {target}"
        suffix = "" if values is found.x_px else "_one_line"
        if len(values):
            title = f"inference_int8_{{}}_{target}{suffix}"
            emit(title.format("mean"), values.mean(), unit="px", target=0.5, better="lower", context=note)
            emit(title.format("max"), values.max(), unit="px", target=3.0, better="lower", context=note)


def main() -> None:
    parser = argparse.ArgumentParser(description="Inference speed and exactness, beside JetBot's own path.")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    photos = photographs()
    frames = [np.asarray(cv2.resize(photo, (224, 224)), dtype=np.uint8) for photo in photos]
    context = f"{processor()}, {THREADS} threads, one 224x224 BGR frame to points"
    with tempfile.TemporaryDirectory() as folder:
        fp32 = companion(options.model, folder=Path(folder))
        load = load_seconds(options.model)
        emit("inference_load_and_check", load, unit="s", target=0.5, better="lower", context="fresh process, int8")
        opened = engines(options.model, fp32)
        for target in ("line", "lane"):
            exact, tried = (open_engine(path, target=target, threads=THREADS) for path in (fp32, options.model))
            report_parity(disagreement(tried, exact, photos), target=target, pictures=len(photos))
        for name, engine in opened.items():
            share = core_share(engine.estimate, frames, rate_hz=30.0, seconds=5.0)
            wanted = 40.0 if "int8" in name else None
            title = f"inference_{name}_core_share_30hz"
            emit(title, share * 100, unit="%", target=wanted, better="lower", context=context)
        report_speed(opened, frames, rounds=options.rounds, context=context)


if __name__ == "__main__":
    try:
        main()
    except LinepilotError as error:
        sys.exit(str(error))
