"""TensorRT on a Jetson, through the system's own Python API (TensorRT 8.5 to 11: tensors have names).

An engine belongs to one GPU and one TensorRT version; it is built there, from the fp32 ONNX file: by
``linepilot export --tensorrt`` into a cache, or by ``trtexec`` into a file beside the ONNX file.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.errors import LinepilotError, ModelError
from perception.engines.cuda import DeviceMemory, create_stream, destroy_stream, load_runtime, synchronise
from perception.engines.tensorrt_cache import build_engine, engine_place
from perception.manifest import load_manifest, manifest_path, stem_of
from perception.metadata import ModelMetadata

_BUILD = "build it on this machine: linepilot export {onnx} --tensorrt"


def _library() -> Any:
    try:
        import tensorrt
    except ImportError as error:
        raise LinepilotError(
            "TensorRT is not installed; on a Jetson: sudo apt install python3-libnvinfer, elsewhere use .onnx"
        ) from error
    if not hasattr(tensorrt.ICudaEngine, "num_io_tensors"):
        raise LinepilotError(f"TensorRT {tensorrt.__version__} is too old, 8.5 is needed; use the .onnx model")
    return tensorrt


class TensorRtBackend:
    """One input, one output, batch 1."""

    def __init__(self, path: Path, *, content: bytes) -> None:
        library = _library()
        hint = _BUILD.format(onnx=f"{stem_of(path)}.onnx")
        logger = library.Logger(library.Logger.ERROR)
        # The runtime and the engine must outlive the context.
        self._trt_runtime = library.Runtime(logger)
        self._engine = self._trt_runtime.deserialize_cuda_engine(content)
        if self._engine is None:
            raise ModelError(f"{path}: made for another GPU or TensorRT than {library.__version__}; {hint}")
        self._context = self._engine.create_execution_context()
        self.runs_on = f"TensorRT {library.__version__} on the GPU"
        names = [self._engine.get_tensor_name(i) for i in range(self._engine.num_io_tensors)]
        inputs = [n for n in names if self._engine.get_tensor_mode(n) == library.TensorIOMode.INPUT]
        if len(inputs) != 1 or len(names) != 2:
            raise ModelError(f"{path}: has {len(names)} tensors, expected one input and one output; {hint}")
        self._names = (inputs[0], next(n for n in names if n not in inputs))
        self._types = tuple(np.dtype(library.nptype(self._engine.get_tensor_dtype(n))) for n in self._names)
        self._allocate()

    def _allocate(self) -> None:
        shapes = [tuple(self._engine.get_tensor_shape(name)) for name in self._names]
        self._cuda = load_runtime()
        self._stream = create_stream(self._cuda)
        self._answer = np.empty(shapes[1], dtype=self._types[1])
        sizes = [prod(shape) * kind.itemsize for shape, kind in zip(shapes, self._types, strict=True)]
        self._memory = tuple(DeviceMemory(self._cuda, size=size) for size in sizes)
        for name, memory in zip(self._names, self._memory, strict=True):
            self._context.set_tensor_address(name, memory.address)

    def run(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        prepared = np.ascontiguousarray(frame[np.newaxis], dtype=self._types[0])
        self._memory[0].write(prepared, stream=self._stream)
        if not self._context.execute_async_v3(self._stream.value or 0):
            raise LinepilotError("TensorRT could not run the network; build the engine again on this machine")
        self._memory[1].read(self._answer, stream=self._stream)
        synchronise(self._cuda, self._stream)
        return self._answer.astype(np.float32)

    def close(self) -> None:
        for memory in self._memory:
            memory.close()
        destroy_stream(self._cuda, self._stream)
        self._stream.value = None


def open_tensorrt(path: Path) -> tuple[TensorRtBackend, ModelMetadata]:
    """An engine file, or an ONNX file whose engine is in the cache. Raises ModelError, LinepilotError, DeviceError."""
    from perception.checkpoint import read_metadata, read_model_file

    content = read_model_file(path)
    if path.suffix == ".onnx":
        engine = engine_place(path, content=content, library=_library(), cuda=load_runtime())
        if not engine.is_file():
            # Not built here and now: that takes minutes, in which a robot would seem to hang.
            raise ModelError(f"{path}: no engine for this GPU and TensorRT yet; {_BUILD.format(onnx=path)}")
        return TensorRtBackend(engine, content=engine.read_bytes()), read_metadata(path, content=content)
    manifest = load_manifest(path)
    if manifest is None:
        raise ModelError(f"{path}: {manifest_path(path).name} is missing beside it; copy it from the .onnx file")
    return TensorRtBackend(path, content=content), manifest.metadata


def build_tensorrt(onnx: Path) -> Path:
    """The engine of an fp32 ONNX file, built unless it is there. Raises ModelError, LinepilotError, DeviceError."""
    from perception.checkpoint import read_model_file

    library, content = _library(), read_model_file(onnx)
    place = engine_place(onnx, content=content, library=library, cuda=load_runtime())
    if not place.is_file():
        build_engine(onnx, content=content, library=library, place=place)
    return place
