"""The few calls of the CUDA runtime that TensorRT needs, through ctypes: a Jetson has the library, not the bindings.

Signatures: NVIDIA, CUDA Runtime API, "Device Management", "Memory Management" and "Stream Management".
"""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any

from numpy.typing import NDArray

from control.errors import DeviceError, LinepilotError

_HOST_TO_DEVICE, _DEVICE_TO_HOST = 1, 2
_MAJOR, _MINOR = 75, 76
"""cudaDevAttrComputeCapabilityMajor and Minor."""


def load_runtime() -> ctypes.CDLL:
    """Raises LinepilotError when this machine has no CUDA runtime."""
    name = ctypes.util.find_library("cudart") or "libcudart.so"
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise LinepilotError(f"TensorRT needs the CUDA runtime: {name} was not found; use .onnx") from error
    library.cudaGetErrorString.restype = ctypes.c_char_p
    return library


def compute_capability(runtime: ctypes.CDLL) -> tuple[int, int]:
    """Major and minor of the first GPU: an engine runs only where it was built. Raises DeviceError."""
    values = []
    for attribute in (_MAJOR, _MINOR):
        value = ctypes.c_int()
        check(runtime, runtime.cudaDeviceGetAttribute(ctypes.byref(value), ctypes.c_int(attribute), ctypes.c_int(0)))
        values.append(value.value)
    return values[0], values[1]


class DeviceMemory:
    """One allocation on the GPU, filled from and read into arrays of its own size."""

    def __init__(self, runtime: ctypes.CDLL, *, size: int) -> None:
        self._runtime = runtime
        self._size = size
        self._pointer = ctypes.c_void_p()
        check(runtime, runtime.cudaMalloc(ctypes.byref(self._pointer), ctypes.c_size_t(size)))

    @property
    def address(self) -> int:
        return int(self._pointer.value or 0)

    def write(self, source: NDArray[Any], *, stream: ctypes.c_void_p) -> None:
        self._copy(self._pointer, _address(source), kind=_HOST_TO_DEVICE, stream=stream)

    def read(self, target: NDArray[Any], *, stream: ctypes.c_void_p) -> None:
        self._copy(_address(target), self._pointer, kind=_DEVICE_TO_HOST, stream=stream)

    def _copy(self, target: ctypes.c_void_p, source: ctypes.c_void_p, *, kind: int, stream: ctypes.c_void_p) -> None:
        size = ctypes.c_size_t(self._size)
        check(self._runtime, self._runtime.cudaMemcpyAsync(target, source, size, ctypes.c_int(kind), stream))

    def close(self) -> None:
        if self._pointer.value:
            self._runtime.cudaFree(self._pointer)
            self._pointer = ctypes.c_void_p()


def _address(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def create_stream(runtime: ctypes.CDLL) -> ctypes.c_void_p:
    stream = ctypes.c_void_p()
    check(runtime, runtime.cudaStreamCreate(ctypes.byref(stream)))
    return stream


def synchronise(runtime: ctypes.CDLL, stream: ctypes.c_void_p) -> None:
    check(runtime, runtime.cudaStreamSynchronize(stream))


def destroy_stream(runtime: ctypes.CDLL, stream: ctypes.c_void_p) -> None:
    if stream.value:
        runtime.cudaStreamDestroy(stream)


def check(runtime: ctypes.CDLL, code: int) -> None:
    """Raises DeviceError with CUDA's own words."""
    if code != 0:
        words = (runtime.cudaGetErrorString(code) or b"").decode()
        raise DeviceError(f"CUDA error {code}: {words}; restart, and check that the GPU has free memory")
