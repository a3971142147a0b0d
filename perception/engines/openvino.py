"""OpenVINO on the CPU; reads the same ONNX files, fp32 and int8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.errors import MissingExtraError, ModelError


class OpenVinoBackend:
    """Answers one picture at a time, with the lowest latency rather than the highest throughput."""

    def __init__(self, path: Path, *, content: bytes, threads: int) -> None:
        try:
            import openvino
        except ImportError as error:
            raise MissingExtraError("openvino", extra="openvino", purpose="the openvino engine") from error
        library: Any = openvino
        core = library.Core()
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            # Its default takes bf16 where the CPU has it, which moves the points.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        try:
            model = core.read_model(model=content)
            compiled = core.compile_model(model, "CPU", settings)
            self._request = compiled.create_infer_request()
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot load it; copy or export it again") from error
        self._path = path
        devices = ", ".join(compiled.get_property("EXECUTION_DEVICES"))
        self.runs_on = f"OpenVINO {library.__version__.partition('-')[0]} on the {devices}"

    def run(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        try:
            answer = self._request.infer([frame[np.newaxis]], share_inputs=True)[0]
        except RuntimeError as error:
            raise ModelError(
                f"{self._path}: does not take the picture that its metadata speak of; export it again"
            ) from error
        return np.array(answer, dtype=np.float32)

    def close(self) -> None:
        """Nothing is held open."""
