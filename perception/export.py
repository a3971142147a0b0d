"""From trained weights to files that drive: ONNX fp32 and int8 with the preprocessing inside, golden frames, parity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from control.errors import InputError, ModelError
from perception.benchmark import disagreement
from perception.checkpoint import load_network
from perception.engines import open_engine
from perception.engines.networked import NetworkEstimator
from perception.engines.onnx import OnnxBackend
from perception.engines.pytorch import TorchBackend
from perception.files import replace_file
from perception.golden_frames import Tried, choose_golden, small
from perception.manifest import (
    FileRecord,
    Golden,
    GoldenPoint,
    Manifest,
    Parity,
    golden_points,
    save_manifest,
    sha256_of,
    stem_of,
)
from perception.metadata import ModelMetadata
from perception.onnx_graph import build_fp32, quantise
from perception.preprocess import squash

if TYPE_CHECKING:
    from torch import nn

Image = NDArray[np.uint8]
_EXACT_PX = 0.2
"""What fp32 may differ by: rounding only."""
_INT8_PX = 3.0
_MIN_PICTURES = 8
_GOLDEN_FRAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One file that was written; its parity is in the note beside it, too."""

    file: str
    bytes: int
    parity: Parity


class _AskedOnce:
    """The exact network, slow: every file and target is compared with its answers to the same pictures."""

    def __init__(self, network: nn.Module, *, metadata: ModelMetadata) -> None:
        self._exact = TorchBackend(network, metadata=metadata)
        self.runs_on = self._exact.runs_on
        self._known: dict[bytes, NDArray[np.float32]] = {}

    def run(self, frame: Image) -> NDArray[np.float32]:
        key = frame.tobytes()
        if key not in self._known:
            self._known[key] = self._exact.run(frame)
        return self._known[key]

    def close(self) -> None:
        self._exact.close()


def export_model(
    weights: Path,
    folder: Path,
    *,
    pictures: Sequence[Image],
    golden: Sequence[Image] = (),
    opset: int = 17,
    int8: bool = True,
) -> list[Exported]:
    """Export a .safetensors or .pth file; see ``export_network``. Raises MissingExtraError too."""
    network, metadata = load_network(weights)
    beside = [weights] if weights.parent.resolve() == folder.resolve() else []
    path = folder / f"{stem_of(weights)}.onnx"
    return export_network(
        network, metadata=metadata, path=path, pictures=pictures, golden=golden, opset=opset, int8=int8, beside=beside
    )


def export_network(
    network: nn.Module,
    *,
    metadata: ModelMetadata,
    path: Path,
    pictures: Sequence[Image],
    golden: Sequence[Image] = (),
    opset: int = 17,
    int8: bool = True,
    beside: Sequence[Path] = (),
) -> list[Exported]:
    """Write ``NAME.onnx``, ``NAME.int8.onnx``, ``NAME.golden.png`` and ``NAME.json``; ``path`` is the first of them.

    ``pictures`` are BGR frames of the kind the robot will see: every other one calibrates int8, the rest measure
    parity. ``opset`` 13 is what the TensorRT 8.2 of an original Jetson Nano reads. Files ``beside`` are listed in the
    note too. Raises InputError, ModelError.
    """
    if len(pictures) < _MIN_PICTURES:
        raise InputError(f"export needs at least {_MIN_PICTURES} pictures, got {len(pictures)}; give a larger folder")
    oracle = _AskedOnce(network, metadata=metadata)
    exact = {target: NetworkEstimator(oracle, metadata=metadata, target=target) for target in metadata.targets}
    contents = {path.name: build_fp32(network, metadata=metadata, opset=opset)}
    if int8:
        frames = [squash(p, size=metadata.size, resize=metadata.resize) for p in pictures[::2]]
        contents[f"{path.stem}.int8.onnx"] = quantise(network, metadata=metadata, frames=frames, opset=opset)
    held_out = list(pictures[1::2])
    files = {name: _tried(name, content, metadata=metadata) for name, content in contents.items()}
    report = [
        _measured(name, contents[name], exact=exact, tried=tried, pictures=held_out) for name, tried in files.items()
    ]
    shown = [small(frame) for frame in golden] or choose_golden(
        held_out, exact=exact, files=list(files.values()), frames=_GOLDEN_FRAMES
    )
    for name, content in contents.items():
        replace_file(path.with_name(name), content)
    listed = {**contents, **{other.name: other.read_bytes() for other in beside}}
    parity = {entry.file: entry.parity for entry in report}
    noted = {name: _record(name, content, parity=parity.get(name)) for name, content in listed.items()}
    note = Manifest(metadata=metadata, files=noted)
    _save_golden(path, frames=shown, exact=exact, note=note)
    for name in contents:
        _prove(path.with_name(name), targets=metadata.targets)
    return report


def _record(name: str, content: bytes, *, parity: Parity | None) -> FileRecord:
    return FileRecord(sha256=sha256_of(content), tolerance_px=_tolerance_px(name), parity=parity)


def _tolerance_px(name: str) -> float:
    return _INT8_PX if ".int8." in name else _EXACT_PX


def _tried(name: str, content: bytes, *, metadata: ModelMetadata) -> Tried:
    backend = OnnxBackend(Path(name), content=content, threads=2)
    estimators = {t: NetworkEstimator(backend, metadata=metadata, target=t) for t in metadata.targets}
    return Tried(estimators=estimators, tolerance_px=_tolerance_px(name))


def _save_golden(path: Path, *, frames: list[Image], exact: dict[str, NetworkEstimator], note: Manifest) -> None:
    expected: dict[str, tuple[tuple[GoldenPoint, ...], ...]] = {
        target: tuple(golden_points(estimator.estimate(frame)) for frame in frames)
        for target, estimator in exact.items()
    }
    picture = f"{stem_of(path)}.golden.png"
    replace_file(path.with_name(picture), cv2.imencode(".png", np.concatenate(frames))[1].tobytes())
    golden = Golden(picture=picture, frames=len(frames), expected=expected)
    save_manifest(path, note.model_copy(update={"golden": golden}))


def _prove(path: Path, *, targets: tuple[str, ...]) -> None:
    """Open the written file as a robot will. Raises ModelError when it would refuse it."""
    for target in targets:
        open_engine(path, target=target).close()


def _measured(
    name: str, content: bytes, *, exact: dict[str, NetworkEstimator], tried: Tried, pictures: list[Image]
) -> Exported:
    found = [disagreement(tried.estimators[target], oracle, pictures) for target, oracle in exact.items()]
    sideways = np.concatenate([f.x_px for f in found])
    if not len(sideways):
        raise ModelError(f"{name}: the network sees no line in any picture; train it longer or give others")
    parity = Parity(
        pictures=len(pictures),
        mean_px=float(sideways.mean()),
        p95_px=float(np.percentile(sideways, 95)),
        max_px=float(sideways.max()),
        visible_max=float(max(f.visible.max() for f in found)),
    )
    return Exported(file=name, bytes=len(content), parity=parity)
