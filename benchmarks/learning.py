"""Learning: few labels against JetBot's recipe, time, throughput, repeatability, hindsight, int8.

    python benchmarks/learning.py PHOTOS/automa_C --train 0,1 --test 2 --peer peer.jsonl
    python benchmarks/learning.py PHOTOS/insper_line --train 0 --test 1 --peer peer.jsonl
    python benchmarks/learning.py benchmarks/sample/automa_C --only throughput,hindsight

``--peer`` holds lines of ``python -m benchmarks.jetbot_recipe``, which takes hours; its longest run with all labels,
and with 100, is what counts. Times are CPU seconds of this process where a machine is shared, and say so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    # In place of this folder, whose control.py would hide the package of that name.
    sys.path[0] = str(ROOT)

import torch  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402

from benchmarks.jetbot_recipe import XYDataset, pick  # noqa: E402
from benchmarks.results import emit  # noqa: E402
from perception.checkpoint import load_network  # noqa: E402
from perception.dataset import LabelledPhoto, PhotoSet, read_photos  # noqa: E402
from perception.engines import open_engine  # noqa: E402
from perception.export import export_network  # noqa: E402
from perception.network import LineNet  # noqa: E402
from perception.training.augment import Augmentation, PhotoStream  # noqa: E402
from perception.training.evaluate import SetScore, evaluate  # noqa: E402
from perception.training.fine_tune import FineTuneSettings, fine_tune, save_fine_tuned  # noqa: E402
from perception.training.first_weights import SHIPPED_WEIGHTS  # noqa: E402
from perception.training.photo_labels import prepare  # noqa: E402
from perception.training.reliability import reliability  # noqa: E402

_LABELS = 30
_SIZE, _BATCH = 96, 8
_TOPICS = ("labels", "throughput", "determinism", "hindsight", "int8", "spread")


def _scored(model: Path, photos: list[LabelledPhoto]) -> SetScore:
    return evaluate(
        open_engine(model, target="line"), PhotoSet(name="x", folder=Path(), photos=tuple(photos)), target="line"
    )


def _median(model: Path, photos: list[LabelledPhoto]) -> float:
    score = _scored(model, photos)
    assert score.lateral_error_median_px is not None
    return score.lateral_error_median_px


def _peer(path: Path | None, folder: str, *, test: str, labels: int | None) -> dict[str, Any] | None:
    """Its run of most epochs, with ``labels`` or, when None, with most labels."""
    lines = path.read_text().splitlines() if path else []
    runs = [r for r in map(json.loads, lines) if (r["folder"], r["test"]) == (folder, test)]
    most = max((r["labels"] for r in runs), default=0)
    runs = [r for r in runs if r["labels"] == (labels or most) and (labels or most > 100)]
    return max(runs, key=lambda r: int(r["epochs"]), default=None)


def labels(chosen: argparse.Namespace, train: list[LabelledPhoto], test: list[LabelledPhoto]) -> None:
    """Zero and thirty labels; three draws of thirty."""
    name = chosen.folder.name
    whole, hundred = (_peer(chosen.peer, name, test=chosen.test, labels=n) for n in (None, 100))
    said = "; JetBot's recipe: {labels} labels, {epochs} epochs at 224 px, random start"
    place = f"{name}, sessions {chosen.train} -> {chosen.test}, n={len(test)}"
    emit(f"learning.{name}.labels_0.median_px", _median(SHIPPED_WEIGHTS, test), unit="px of 224",
         target=hundred["median_px"] if hundred else None, better="lower",
         context=place + (said.format(**hundred) if hundred else "; no run of JetBot's recipe given"))  # fmt: skip
    found, seconds, walls = [], [], []
    for seed in range(chosen.draws):
        with TemporaryDirectory() as scratch:
            settings = FineTuneSettings(seed=seed, synthetic=0, steps=chosen.steps, threads=chosen.threads)
            network, metadata = load_network(SHIPPED_WEIGHTS)
            began, cpu = perf_counter(), process_time()
            done = fine_tune(
                network,
                metadata,
                train=pick(train, _LABELS, seed=seed),
                validation=[],
                target="line",
                settings=settings,
            )
            seconds.append(process_time() - cpu)
            walls.append(perf_counter() - began)
            found.append(_median(save_fine_tuned(Path(scratch), done), test))
    draws = ", ".join(f"{px:.2f}" for px in found)
    emit(f"learning.{name}.labels_{_LABELS}.median_px", float(np.median(found)), unit="px of 224",
         target=whole["median_px"] if whole else None, better="lower",
         context=f"{place}; {chosen.draws} draws: {draws}"
         + (said.format(**whole) if whole else "; no run of JetBot's recipe given"))  # fmt: skip
    emit(f"learning.{name}.fine_tune_cpu_s", max(seconds), unit="s", target=360.0, better="lower",
         context=f"{_LABELS} labels, {chosen.steps} steps; 180 s on two cores are 360 CPU seconds; "
         f"wall clock {max(walls):.0f} s with {chosen.threads} threads beside whatever else ran")  # fmt: skip


def spread(test: list[LabelledPhoto], name: str) -> None:
    """What the shipped model says of its own error, beside its error."""
    found = reliability(_scored(SHIPPED_WEIGHTS, test))
    if found is None:
        raise SystemExit(f"{name}: too few labelled pictures in --test to compare spread and error")
    groups = "; ".join(f"{g.told_px:.1f} told, {g.real_px:.1f} real, n={g.count}" for g in found.groups)
    off = max(found.factor, 1 / found.factor)
    emit(f"learning.{name}.spread_off_by", off, unit="times", target=None, better="lower",
         context=f"spread times {found.factor:.2f} is the error; root mean squares, px of 224: {groups}")  # fmt: skip


def _rate(draw: Any, count: int) -> float:
    draw(2 * _BATCH)
    began = process_time()
    draw(count)
    return float(count / (process_time() - began))


def _draw_from_loader(photos: list[LabelledPhoto], count: int) -> None:
    seen = 0
    while seen < count:
        for images, _ in DataLoader(XYDataset(photos), batch_size=_BATCH, shuffle=True):
            seen += len(images)
            if seen >= count:
                break


def throughput(photos: list[LabelledPhoto]) -> None:
    """Labelled pictures ready for a step, a CPU second; the peer decodes, jitters and resizes each file each time."""
    torch.set_num_threads(1)
    some = photos[:200]

    results = []
    for size in (_SIZE, 224):
        prepared = prepare(some, size=size, guess=None)
        stream = PhotoStream(prepared, size=size, target="line", rng=np.random.default_rng(0), change=Augmentation())

        def ours(count: int, stream: Any = stream) -> None:
            for _ in range(count // _BATCH):
                np.stack([next(stream).image for _ in range(_BATCH)])

        results.append(_rate(ours, 400))
    peer = _rate(lambda count: _draw_from_loader(some, count), 200)
    for size, mine in zip((_SIZE, 224), results, strict=True):
        emit(f"learning.throughput.loader_{size}px", mine / peer, unit="times", target=1.3, better="higher",
             context=f"{mine:.0f} against {peer:.0f} pictures a CPU second, one thread, batch {_BATCH}; "
             f"JetBot's loader gives 224 px")  # fmt: skip
    _synthetic_rate()


def _synthetic_rate() -> None:
    """One painter's pictures against the pictures that training steps take, both a CPU second of one core."""
    from perception.look_ahead import ROWS
    from perception.training.loss import line_loss
    from sim.synthetic import frames

    source = frames(ROWS, seed=1, size=_SIZE)
    for _ in range(20):
        next(source)
    began = process_time()
    for _ in range(200):
        next(source)
    painted = 200 / (process_time() - began)
    network = LineNet().train()
    images, zero = torch.zeros(32, 3, _SIZE, _SIZE), torch.zeros(32, 2, len(ROWS))
    steps = []
    for _ in range(4):
        began = process_time()
        loss, _ = line_loss(network(images), x=zero, visible=zero + 1, weight=zero + 1)
        loss.backward()  # type: ignore[no-untyped-call]
        steps.append(process_time() - began)
    step = 32 / min(steps)
    emit("learning.throughput.painter", painted / step, unit="times", target=1.0, better="higher",
         context=f"{painted:.0f} pictures painted a second of one core against {step:.0f} learnt, {_SIZE} px; "
         "a picture may be seen three times on top")  # fmt: skip


def determinism(train: list[LabelledPhoto]) -> None:
    runs = []
    for _ in range(2):
        network, metadata = load_network(SHIPPED_WEIGHTS)
        settings = FineTuneSettings(steps=6, batch=16, check_every=3, synthetic=0)
        done = fine_tune(network, metadata, train=train[:10], validation=train[10:14], target="line", settings=settings)
        runs.append(done.network.state_dict())
    same = sum(torch.equal(value, runs[1][name]) for name, value in runs[0].items())
    emit("learning.determinism.identical_tensors", same / len(runs[0]), unit="share", target=1.0, better="higher",
         context="two fine-tunings of one seed, 2 threads")  # fmt: skip


def hindsight() -> None:
    """Recorded drives of the simulator with its default noise; also with motors that are not as calibrated."""
    from app.cli.data_hindsight import label_session, record

    cases = (("", ()), (", calibrated top speed 15 % too high", ("calibration.drive.top_speed_mps=1.035",)))
    for number, (text, settings) in enumerate(cases):
        for watch in (True, False):
            totals = []
            for look in ("yellow-dashes", "white-tape"):
                with TemporaryDirectory() as scratch:
                    file = Path(scratch) / "drive.mcap"
                    drive = ["drive", "--track", "reInvent2019_track", "--laps", "1", "--look", look, "--seed", "3"]
                    order = [sys.executable, "-m", "app.cli.main", *drive, "--record", str(file), *settings]
                    subprocess.run(order, cwd=ROOT, check=True, capture_output=True)
                    (Path(scratch) / "images").mkdir()
                    totals.append(label_session(file, Path(scratch) / "images", every=2, watch=watch))
            path, line = ([px for t in totals for px in getattr(t, name)] for name in ("of_path_px", "of_line_px"))
            how = "wheels and floor" if watch else "wheels only"
            where = f"{sum(t.pictures for t in totals)} pictures, two looks, {how}{text}"
            names = (
                ("path", path, "from where it really drove"),
                ("line", line, "from the line, driver's error included"),
            )
            for name, errors, meaning in names:
                title = f"learning.hindsight.{name}{'' if watch else '.wheels'}{number or ''}"
                note = f"30 cm ahead, median; {meaning}; {where}"
                emit(title, float(np.median(errors)), unit="px of 224", target=4.0, better="lower", context=note)
            assert record(totals[0])["pictures"]


def int8(test: list[LabelledPhoto], name: str) -> None:
    """On photographs that calibrated nothing."""
    network, metadata = load_network(SHIPPED_WEIGHTS)
    order = np.random.default_rng(0).permutation(len(test))
    calibrating, held = [test[i] for i in order[:96]], [test[i] for i in order[96:]]
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "m.onnx"
        export_network(network, metadata=metadata, path=path, pictures=[p.read()[0] for p in calibrating])
        engines = [open_engine(path.with_name(n), target="line") for n in ("m.onnx", "m.int8.onnx")]
        apart = []
        for photo in held:
            one, other = (engine.estimate(photo.read()[0]) for engine in engines)
            apart += [abs(a.x - b.x) * 112 for a, b in zip(one.points, other.points, strict=True)
                      if min(a.visible, b.visible) >= 0.5]  # fmt: skip
        errors = [_median(path.with_name(n), held) for n in ("m.onnx", "m.int8.onnx")]
    where = f"{name}, {len(held)} photographs, every seen row; calibrated on {len(calibrating)} others"
    emit(
        f"learning.{name}.int8.mean_px",
        float(np.mean(apart)),
        unit="px of 224",
        target=0.5,
        better="lower",
        context=where,
    )
    emit(f"learning.{name}.int8.max_px", float(np.max(apart)), unit="px of 224", target=3.0, better="lower",
         context=f"{where}; 99.9 %: {np.percentile(apart, 99.9):.2f}")  # fmt: skip
    emit(f"learning.{name}.int8.median_error_px", errors[1], unit="px of 224", target=errors[0] + 0.05, better="lower",
         context=f"{where}; against the human labels, fp32 {errors[0]:.2f}")  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = options.add_argument
    add("folder", type=Path)
    add("--train", default="0,1", help="sessions")
    add("--test", default="2", help="sessions")
    add("--peer", type=Path, default=None)
    add("--steps", type=int, default=replace(FineTuneSettings()).steps)
    add("--draws", type=int, default=3)
    add("--threads", type=int, default=2)
    add("--only", default=",".join(_TOPICS))
    chosen = options.parse_args()
    photos = list(read_photos(chosen.folder))
    train, test = ([p for p in photos if p.session in part.split(",")] for part in (chosen.train, chosen.test))
    topics = chosen.only.split(",")
    if "labels" in topics:
        labels(chosen, train, test)
    if "throughput" in topics:
        throughput(photos)
    if "determinism" in topics:
        determinism(train or photos)
    if "hindsight" in topics:
        hindsight()
    if "int8" in topics:
        int8(test, chosen.folder.name)
    if "spread" in topics:
        spread(test, chosen.folder.name)


if __name__ == "__main__":
    main()
