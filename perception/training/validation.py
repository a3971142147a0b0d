"""How good the network is on pictures that training never sees; answers are read as driving reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from control.errors import LinepilotError
from control.messages import LineEstimate
from perception.decode import Decoder
from perception.manifest import PIXELS_PER_UNIT
from perception.metadata import ModelMetadata
from perception.network import TARGETS, LineNet
from perception.training.contact_sheet import SEEN
from perception.training.pool import Batch, Stream, stack
from perception.training.tensors import to_tensors

_BATCH = 64
_WRONGLY_SEEN_PX = 56.0
"""What a row counts, when frames are put in order, that is seen where nothing is or not seen where the line is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """One target of one validation picture, with what was answered."""

    image: NDArray[np.uint8]
    target: str
    x: NDArray[np.float32]
    visible: NDArray[np.bool_]
    """The label, each (K,)."""
    estimate: LineEstimate

    @property
    def off_px(self) -> NDArray[np.float64]:
        """|error of x| of every row in pixels of 224; it means something where the label is visible."""
        return np.abs(np.array([p.x for p in self.estimate.points]) - self.x) * PIXELS_PER_UNIT

    @property
    def seen_right(self) -> NDArray[np.bool_]:
        return np.equal([p.visible >= SEEN for p in self.estimate.points], self.visible)

    @property
    def badness(self) -> float:
        """Mean over the rows, pixels of 224."""
        return float(np.mean(self.off_px * self.visible + _WRONGLY_SEEN_PX * ~self.seen_right))


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetScore:
    """Over all visible points of one target; NaN when there are none."""

    points: int
    median_px: float
    mean_px: float
    visible_right: float
    """Share of the rows, with and without the line, whose visibility is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    targets: dict[str, TargetScore]
    visible_right: float
    pictures: int
    answers: tuple[Answer, ...]

    def record(self) -> dict[str, float]:
        """For the metrics."""
        found = {f"{name}_px": score.median_px for name, score in self.targets.items()}
        found |= {f"{name}_mean_px": score.mean_px for name, score in self.targets.items()}
        return {**found, "visible_right": self.visible_right}


def make_validation(stream: Stream, *, seed: int, count: int, stop: Callable[[], bool]) -> list[Batch]:
    """Pictures of a seed that no worker is given (theirs are below 2^31). Raises KeyboardInterrupt on ``stop``."""
    source = stream(2**31 + seed)
    batches: list[Batch] = []
    for _ in range(max(count // _BATCH, 1)):
        samples = []
        for _ in range(_BATCH):
            if stop():
                raise KeyboardInterrupt
            samples.append(next(source))
        batches.append(stack(samples))
    return batches


@torch.no_grad()
def validate(network: LineNet, batches: list[Batch], *, metadata: ModelMetadata) -> Validation:
    """Raises LinepilotError when the network answers with a number that is not finite."""
    network.eval()
    device = next(network.parameters()).device
    decoders = [Decoder(metadata, target=target) for target in TARGETS]
    answers: list[Answer] = []
    for batch in batches:
        output = network(to_tensors(batch, device=device)[0]).cpu().numpy()
        if not np.isfinite(output).all():
            raise LinepilotError("the network answers with numbers that are not finite; the last good files stay")
        for picture, number in zip(*np.nonzero(batch.defined > 0), strict=True):
            answers.append(
                Answer(
                    image=batch.images[picture],
                    target=TARGETS[number],
                    x=batch.x[picture, number],
                    visible=batch.visible[picture, number] > SEEN,
                    estimate=decoders[number](output[picture]),
                )
            )
    return Validation(
        targets={target: _score([a for a in answers if a.target == target]) for target in TARGETS},
        visible_right=_mean([a.seen_right for a in answers]),
        pictures=sum(len(batch.images) for batch in batches),
        answers=tuple(answers),
    )


def _score(answers: list[Answer]) -> TargetScore:
    off = np.concatenate([a.off_px[a.visible] for a in answers]) if answers else np.array([])
    return TargetScore(
        points=len(off),
        median_px=float(np.median(off)) if len(off) else float("nan"),
        mean_px=float(off.mean()) if len(off) else float("nan"),
        visible_right=_mean([a.seen_right for a in answers]),
    )


def _mean(rows: list[NDArray[np.bool_]]) -> float:
    return float(np.concatenate(rows).mean()) if rows else float("nan")
