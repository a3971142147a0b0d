"""From the network's raw answer to a LineEstimate; numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from control.errors import ModelError
from control.messages import NO_LINE, LineEstimate, LinePoint
from perception.metadata import ModelMetadata

Array = NDArray[np.float32]
_HALF_WINDOW = 2
_CONFIDENT_ROWS = 4
"""Confidence is carried by so many best rows: a line that is seen near but ends ahead is still a line."""
_DOUBTED, _SURE = 0.4, 0.8
"""Share of a row's vote for one place: up to the first, two places are as likely; from the second on, only one is."""
_WIDE_SPREAD = 0.35
"""Spread of x, in image units, at which a row's vote for the confidence is halved."""


class Decoder:
    """Reads one target out of the network's answer; made once for a model, its tables are reused."""

    def __init__(self, metadata: ModelMetadata, *, target: str) -> None:
        self._index = metadata.target_index(target)
        self._shape = metadata.output_shape()
        self._kind = metadata.kind
        self._rows = metadata.rows
        if metadata.kind == "rows":
            self._centres = np.linspace(-metadata.x_range, metadata.x_range, metadata.bins, dtype=np.float32)
            bins = np.arange(metadata.bins)
            self._window = (np.abs(bins[:, None] - bins[None, :]) <= _HALF_WINDOW).astype(np.float32)

    def __call__(self, output: Array) -> LineEstimate:
        """``output`` is one picture's answer in any shape that holds ``output_shape``. Raises ModelError on NaN."""
        if output.size != int(np.prod(self._shape)):
            raise ModelError(f"the model answered with shape {output.shape}, expected {self._shape}")
        answer = np.asarray(output, dtype=np.float32).reshape(self._shape)
        if not np.isfinite(answer).all():
            raise ModelError("the model answered with a number that is not finite; export it again")
        if self._kind == "xy":
            x, y = answer.reshape(-1, 2)[self._index]
            return LineEstimate(points=(LinePoint(x=float(x), y=float(y), visible=1.0),), confidence=1.0)
        return self._estimate(answer[self._index])

    def _estimate(self, answer: Array) -> LineEstimate:
        x, spread, visible = self._by_row(answer)
        points = tuple(
            LinePoint(x=float(a), y=y, visible=float(b), spread=float(c))
            for a, y, b, c in zip(x, self._rows, visible, spread, strict=True)
        )
        if not points:
            return NO_LINE
        votes = visible / (1.0 + np.square(spread / _WIDE_SPREAD))
        best = np.sort(votes)[-_CONFIDENT_ROWS:]
        return LineEstimate(points=points, confidence=float(best.mean()))

    def _by_row(self, answer: Array) -> tuple[Array, Array, Array]:
        """x, its spread and the visibility, each (K,): the mode's own mean, for the mean of two lines is no line.

        Where the vote is split between two places the line is not visible *here*: one of them would be a guess.
        """
        logits = answer[:, :-1]
        weight = np.exp(logits - logits.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)
        smooth = weight.copy()
        smooth[:, 1:] += 0.5 * weight[:, :-1]
        smooth[:, :-1] += 0.5 * weight[:, 1:]
        near = weight * self._window[smooth.argmax(axis=1)]
        share = near.sum(axis=1)
        x = (near @ self._centres) / share
        mean = weight @ self._centres
        variance = weight @ np.square(self._centres) - np.square(mean)
        seen = np.clip((share - _DOUBTED) / (_SURE - _DOUBTED), 0.0, 1.0)
        seen /= 1.0 + np.exp(-np.clip(answer[:, -1], -30.0, 30.0))
        return x, np.sqrt(np.maximum(variance, 0.0)), seen.astype(np.float32)
