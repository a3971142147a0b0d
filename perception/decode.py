"""From the network's raw answer to a LineEstimate; numpy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from control.errors import ModelError
from control.messages import NO_LINE, LineEstimate, LinePoint
from perception.metadata import ModelMetadata

Array = NDArray[np.float32]
_SLOPE = 0.75
"""Mean |dx/dy| of a line from one row to the next, image units: of the labels of 5,000 made-up pictures (Laplace)."""
_JUMP = 0.01
"""Weight of a step of any length beside that: a sharp corner, a line that lies crosswise."""
_WHISPER = 1e-3
"""Of a vote that a row gives to every place, so that no neighbour is overruled by a zero."""
_FULL, _NONE, _PASSES = 1.0, 4.0, 3
"""Bins to either side whose votes make one place, wholly and at all, and how often that window is centred anew."""
_ONE_PLACE = 3.0
"""Bins to either side that count as votes for the same place."""
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
            self._bin = 2.0 * metadata.x_range / (metadata.bins - 1)
            self._window = _window(self._distance(self._centres))
            self._steps = _steps(self._centres, metadata.rows)

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

        Its neighbours help a row to choose between two places, but make it no surer. Where its own vote is split, or is
        once they were heard, the line is not visible *here*: one of the places would be a guess.
        """
        exists = (1.0 / (1.0 + np.exp(-np.clip(answer[:, -1], -30.0, 30.0)))).astype(np.float32)
        own = _shares(np.exp(answer[:, :-1] - answer[:, :-1].max(axis=1, keepdims=True)))
        vote = _shares(own * self._heard(own, exists))
        x = self._centres[(vote @ self._window).argmax(axis=1)]
        for _ in range(_PASSES):
            near = vote * _window(self._distance(x))
            x = (near @ self._centres) / near.sum(axis=1)
        here = np.clip(_ONE_PLACE - self._distance(x), 0.0, 1.0)
        share = np.minimum((own * here).sum(axis=1), (vote * here).sum(axis=1))
        # There it looks at its own vote alone: its neighbours would pull every bend straight.
        near = own * _window(self._distance(x))
        x = (near @ self._centres) / near.sum(axis=1)
        variance = own @ np.square(self._centres) - np.square(own @ self._centres)
        seen = exists * np.clip((share - _DOUBTED) / (_SURE - _DOUBTED), 0.0, 1.0)
        return x, np.sqrt(np.maximum(variance, 0.0)), seen.astype(np.float32)

    def _heard(self, own: Array, exists: Array) -> Array:
        """What a row's neighbours on both sides say of its place, (K, bins): a line is continuous, so where two places
        are as likely, the one that goes on from the rows before and after is. Forward-backward over a Markov chain
        (Rabiner 1989, eq. 19 to 25), each message scaled, without the row's own vote.
        """
        # A row without a line has no say, and passes on what it was told.
        said = exists[:, None] * (_smooth(own) + _WHISPER) + (1.0 - exists[:, None]) / own.shape[1]
        ahead, back = np.ones_like(said), np.ones_like(said)
        for k in range(1, len(said)):
            ahead[k] = (ahead[k - 1] * said[k - 1]) @ self._steps[k - 1]
            ahead[k] /= ahead[k].max()
            back[-k - 1] = (back[-k] * said[-k]) @ self._steps[-k]
            back[-k - 1] /= back[-k - 1].max()
        heard: Array = ahead * back
        heard /= heard.max(axis=1, keepdims=True)
        return heard

    def _distance(self, x: Array) -> Array:
        """Of each bin from each row's x, (K, bins), in bins."""
        distance: Array = np.abs(self._centres - x[:, None]) / self._bin
        return distance


def _window(distance: Array) -> Array:
    """Soft ends move with the vote: with hard ones a rounding error could let a bin in or out."""
    window: Array = 0.5 + 0.5 * np.cos(np.pi * np.clip((distance - _FULL) / (_NONE - _FULL), 0.0, 1.0))
    return window


def _steps(centres: Array, rows: tuple[float, ...]) -> Array:
    """(K - 1, bins, bins): how likely a line goes from one place in a row to another in the next."""
    sideways = np.abs(centres[:, None] - centres[None, :])
    along = np.abs(np.diff(rows))[:, None, None]
    likely: Array = (np.exp(-sideways / (_SLOPE * along)) + _JUMP).astype(np.float32)
    return likely


def _shares(weight: Array) -> Array:
    shares: Array = weight / weight.sum(axis=1, keepdims=True)
    return shares


def _smooth(vote: Array) -> Array:
    smooth = 0.5 * vote
    smooth[:, 1:] += 0.25 * vote[:, :-1]
    smooth[:, :-1] += 0.25 * vote[:, 1:]
    return smooth
