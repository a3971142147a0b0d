"""``open_engine``: one call from a model's name to something that sees the line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from control.errors import ModelError
from perception.engines.networked import Backend, NetworkEstimator, check_golden
from perception.estimator import Estimator
from perception.manifest import load_manifest
from perception.metadata import ModelMetadata

__all__ = ["ENGINES", "open_engine", "split_engine"]

Opener = Callable[[Path, int], tuple[Backend, ModelMetadata]]


def _open_onnxruntime(path: Path, threads: int) -> tuple[Backend, ModelMetadata]:
    from perception.checkpoint import read_metadata, read_model_file
    from perception.engines.onnx import OnnxBackend

    content = read_model_file(path)
    return OnnxBackend(path, content=content, threads=threads), read_metadata(path, content=content)


def _open_openvino(path: Path, threads: int) -> tuple[Backend, ModelMetadata]:
    from perception.checkpoint import read_metadata, read_model_file
    from perception.engines.openvino import OpenVinoBackend

    content = read_model_file(path)
    return OpenVinoBackend(path, content=content, threads=threads), read_metadata(path, content=content)


def _open_torch(path: Path, threads: int) -> tuple[Backend, ModelMetadata]:
    from perception.engines.pytorch import open_torch

    return open_torch(path, threads=threads)


def _open_tensorrt(path: Path, threads: int) -> tuple[Backend, ModelMetadata]:  # noqa: ARG001 - runs on the GPU
    from perception.engines.tensorrt import open_tensorrt

    return open_tensorrt(path)


_OPENERS: dict[str, Opener] = {
    "onnxruntime": _open_onnxruntime,
    "openvino": _open_openvino,
    "torch": _open_torch,
    "tensorrt": _open_tensorrt,
}
ENGINES = (*_OPENERS, "classical")
_BY_SUFFIX = {
    ".onnx": "onnxruntime",
    ".safetensors": "torch",
    ".pth": "torch",
    ".pt": "torch",
    ".engine": "tensorrt",
    ".plan": "tensorrt",
}


def open_engine(model: str | Path, *, target: str = "line", threads: int = 2, engine: str | None = None) -> Estimator:
    """``model`` is a file, ``classical``, or ``ENGINE:file`` such as ``openvino:linepilot.onnx``.

    Checks the file against its checksum and the engine against the golden frames beside it.
    Raises ModelError, MissingExtraError.
    """
    named, place = split_engine(str(model))
    engine = engine or named
    if place == "classical" or engine == "classical":
        from perception.engines.classical import ColourEstimator

        return ColourEstimator(target=target)
    path = Path(place)
    if not path.is_file():
        raise ModelError(f"{path}: no such model; give an .onnx, .safetensors, .pth or .engine file, or 'classical'")
    engine = engine or _BY_SUFFIX.get(path.suffix)
    if engine not in _OPENERS:
        known = ", ".join(ENGINES)
        raise ModelError(f"{path}: no engine '{engine or path.suffix}'; engines are {known}")
    backend, metadata = _OPENERS[engine](path, threads)
    estimator = NetworkEstimator(backend, metadata=metadata, target=target)
    # A network of another kind, with our metadata, is told now, and not by the first frame.
    estimator.estimate(np.zeros((8, 8, 3), dtype=np.uint8))
    # An engine that was built here computes in fp16: it is held to an engine's tolerance, not to its ONNX file's.
    proved = path.with_suffix(".engine") if engine == "tensorrt" else path
    check_golden(estimator, path=proved, manifest=load_manifest(path), target=target)
    return estimator


def split_engine(model: str) -> tuple[str | None, str]:
    """``openvino:x.onnx`` -> (openvino, x.onnx); a drive letter or a colon in a path is no engine."""
    name, colon, rest = model.partition(":")
    return (name, rest) if colon and name in ENGINES else (None, model)
