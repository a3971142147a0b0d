"""An Estimator over any runtime: squash the picture, run the network, read its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from control.errors import ModelError
from control.messages import LineEstimate
from perception.decode import Decoder
from perception.manifest import DEFAULT_TOLERANCE_PX, VISIBLE_TOLERANCE, Manifest, difference, read_golden
from perception.metadata import ModelMetadata
from perception.preprocess import squash

_BUILT_ELSEWHERE = (".engine", ".plan")
Image = NDArray[np.uint8]


class Backend(Protocol):
    """One runtime with one network loaded."""

    runs_on: str

    def run(self, frame: Image) -> NDArray[np.float32]:
        """``frame`` is (S, S, 3) uint8 BGR, contiguous; the answer holds ``metadata.output_shape()``."""
        ...

    def close(self) -> None: ...


class NetworkEstimator:
    """Follows the Estimator protocol."""

    def __init__(self, backend: Backend, *, metadata: ModelMetadata, target: str) -> None:
        self.metadata = metadata
        self.runs_on = backend.runs_on
        self._backend = backend
        self._decode = Decoder(metadata, target=target)

    def estimate(self, image: Image) -> LineEstimate:
        frame = squash(image, size=self.metadata.size, resize=self.metadata.resize)
        return self._decode(self._backend.run(frame))

    def close(self) -> None:
        self._backend.close()


def check_golden(estimator: NetworkEstimator, *, path: Path, manifest: Manifest | None, target: str) -> None:
    """Raises ModelError when the engine does not see the golden frames as the exact network did.

    This catches swapped channels, folded borders, saturating int8 and silent fall-backs.
    """
    golden = manifest.golden if manifest else None
    expected = golden.expected.get(target) if golden else None
    if manifest is None or golden is None or expected is None:
        return
    record = manifest.files.get(path.name)
    if record is None and path.suffix not in _BUILT_ELSEWHERE:
        return
    allowed = record.tolerance_px if record else DEFAULT_TOLERANCE_PX
    for number, (frame, points) in enumerate(zip(read_golden(path, golden), expected, strict=False)):
        sideways, seen = difference(estimator.estimate(frame), points)
        if sideways > allowed or seen > VISIBLE_TOLERANCE:
            raise ModelError(
                f"{path}: this engine sees golden frame {number} {sideways:.1f} px off ({allowed:.1f} allowed) and its "
                f"visibility {seen:.2f} off; use another engine or the fp32 model"
            )
