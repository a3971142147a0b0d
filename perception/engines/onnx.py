"""ONNX Runtime on the CPU; the graph takes the uint8 picture and prepares it itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.errors import LinepilotError, ModelError


class OnnxBackend:
    """fp32 and int8 alike."""

    def __init__(self, path: Path, *, content: bytes, threads: int) -> None:
        try:
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state as state
        except ImportError as error:
            raise LinepilotError("onnxruntime is not installed; install it with: pip install onnxruntime") from error
        library: Any = onnxruntime
        refusals = (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.InvalidArgument, state.NotImplemented)
        options = library.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin, between two frames or between two layers, cost half as much again at 30 Hz: 10.6 ms of a
        # core a frame in place of 6.7, and the frame takes longer. Without a pause between frames they gain nothing.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = library.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except refusals as error:
            raise ModelError(f"{path}: ONNX Runtime cannot load it; copy or export it again") from error
        provider = self._session.get_providers()[0].removesuffix("ExecutionProvider")
        self.runs_on = f"ONNX Runtime {library.__version__} on the {provider}"
        self._path, self._refusals = path, refusals
        self._input = self._session.get_inputs()[0].name

    def run(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            answer: NDArray[np.float32] = self._session.run(None, {self._input: frame[np.newaxis]})[0]
        except self._refusals as error:
            raise ModelError(
                f"{self._path}: does not take the picture that its metadata speak of; export it again"
            ) from error
        return answer

    def close(self) -> None:
        """Nothing is held open."""
