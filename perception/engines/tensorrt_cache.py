"""Engines that TensorRT built from ONNX files on this machine, each under the names of all that it depends on.

API: NVIDIA, TensorRT Python API reference, "Core Concepts": Builder, NetworkDefinition, OnnxParser, BuilderConfig.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from control.errors import ModelError
from perception.engines.cuda import compute_capability
from perception.files import replace_file

_WORKSPACE_BYTES = 256 << 20
"""Enough for a ResNet-18, and little beside what an Orin Nano has."""
_HASH_DIGITS = 16


def engine_place(onnx: Path, *, content: bytes, library: Any, cuda: Any) -> Path:
    """Where the engine of this file, this GPU and this TensorRT lies, or would. Raises DeviceError."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linepilot" / "tensorrt"
    major, minor = compute_capability(cuda)
    of = sha256(content).hexdigest()[:_HASH_DIGITS]
    return cache / f"{onnx.stem}.{of}.sm{major}{minor}.trt{library.__version__}.engine"


def build_engine(onnx: Path, *, content: bytes, library: Any, place: Path) -> None:
    """Minutes on a small board. Raises ModelError with TensorRT's own words, InputError on a full disk."""
    logger = library.Logger(library.Logger.ERROR)
    builder = library.Builder(logger)
    flags = library.NetworkDefinitionCreationFlag
    network = builder.create_network(1 << int(flags.EXPLICIT_BATCH) if hasattr(flags, "EXPLICIT_BATCH") else 0)
    parser = library.OnnxParser(network, logger)
    if not parser.parse(content):
        words = parser.get_error(0).desc() if parser.num_errors else "no reason given"
        raise ModelError(f"{onnx}: TensorRT {library.__version__} cannot read it ({words}); export it with --opset 13")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(library.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    # TensorRT 11 has no such flag: there the file's own types hold.
    if hasattr(library.BuilderFlag, "FP16"):
        config.set_flag(library.BuilderFlag.FP16)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise ModelError(f"{onnx}: TensorRT {library.__version__} could not build it; free some memory and try again")
    replace_file(place, bytes(engine))
