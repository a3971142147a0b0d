"""Training: it learns, resumes, keeps the best, and says so when the loss is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from control.errors import ConfigError, ModelError
from perception.checkpoint import load_network
from perception.look_ahead import ROWS
from perception.network import BINS, LineNet
from perception.training.loss import bin_centres, line_loss
from perception.training.train import TrainSettings, train


@dataclass(frozen=True)
class Toy:
    image: NDArray[np.uint8]
    x: NDArray[np.float32]
    visible: NDArray[np.float32]
    defined: NDArray[np.float32]


def toy_stream(seed: int) -> Iterator[Toy]:
    """A white upright bar at a random column."""
    rng = np.random.default_rng(seed)
    while True:
        column = int(rng.integers(8, 56))
        image = np.zeros((64, 64, 3), np.uint8)
        image[:, column - 3 : column + 3] = 255
        x = np.full((2, len(ROWS)), column / 32 - 1, np.float32)
        yield Toy(image=image, x=x, visible=np.ones_like(x), defined=np.ones(2, np.float32))


SHORT = TrainSettings(
    minutes=0.03, batch=8, size=64, capacity=64, validate_every=5, validation_frames=64, warm_up_steps=2, threads=1
)


def test_a_short_training_leaves_a_model_that_opens(tmp_path: Path) -> None:
    done = train(toy_stream, tmp_path, settings=SHORT)
    _, metadata = load_network(tmp_path / "model.safetensors")
    assert done.step >= 1
    assert metadata.rows == ROWS
    assert metadata.bins == BINS
    assert (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").count("\n") >= 1


def test_resume_goes_on_from_the_last_step(tmp_path: Path) -> None:
    first = train(toy_stream, tmp_path, settings=SHORT)
    longer = replace(SHORT, minutes=first.elapsed_s / 60 + 0.05)
    second = train(toy_stream, tmp_path, settings=longer, resume=True)
    assert second.step > first.step
    assert second.elapsed_s > first.elapsed_s


def test_a_broken_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"not a state")
    with pytest.raises(ModelError, match="resume"):
        train(toy_stream, tmp_path, settings=SHORT, resume=True)


def test_a_negative_rate_is_refused() -> None:
    with pytest.raises(ConfigError, match="learning_rate"):
        TrainSettings(learning_rate=-1)


def test_the_loss_is_smallest_where_the_label_is() -> None:
    x, ones = torch.zeros(1, 2, len(ROWS)), torch.ones(1, 2, len(ROWS))
    losses = []
    for column in (2, BINS // 2):
        output = torch.zeros(1, 2, len(ROWS), BINS + 1)
        output[..., column] = 8.0
        losses.append(float(line_loss(output, x=x, visible=ones, weight=ones)[0]))
    assert losses[1] < losses[0]


def test_what_is_not_defined_does_not_count() -> None:
    output = torch.randn(1, 2, len(ROWS), BINS + 1)
    x, ones, none = torch.zeros(1, 2, len(ROWS)), torch.ones(1, 2, len(ROWS)), torch.zeros(1, 2, len(ROWS))
    assert float(line_loss(output, x=x, visible=ones, weight=none)[0]) == 0.0
    assert float(line_loss(output, x=x, visible=ones, weight=ones)[0]) > 0.0


def test_bins_are_centred_and_inside() -> None:
    centres = bin_centres()
    assert float(centres.sum()) == pytest.approx(0.0, abs=1e-5)
    assert float(centres[-1]) == pytest.approx(1 - 1 / BINS)


@pytest.mark.parametrize("size", [64, 96, 112])
def test_the_answer_has_one_shape_for_every_picture_size(size: int) -> None:
    answer = LineNet().eval()(torch.zeros(1, 3, size, size))
    assert answer.shape == (1, 2, len(ROWS), BINS + 1)
