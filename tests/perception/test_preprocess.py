from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.errors import InputError
from perception.metadata import IMAGENET_MEAN, IMAGENET_STD
from perception.preprocess import normalise, squash


@given(width=st.integers(1, 300), height=st.integers(1, 300), resize=st.sampled_from(["area", "linear"]))
def test_any_picture_is_squashed_to_the_model_s_square(width: int, height: int, resize: str) -> None:
    image = np.full((height, width, 3), 77, dtype=np.uint8)
    squashed = squash(image, size=112, resize=resize)  # type: ignore[arg-type]
    assert squashed.shape == (112, 112, 3)
    assert squashed.flags.c_contiguous
    assert (squashed == 77).all()


def test_a_picture_of_the_right_size_is_left_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    assert (squash(image, size=112, resize="area") == image).all()


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 4), (0, 10, 3)])
def test_what_is_no_colour_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="picture"):
        squash(np.zeros(shape, dtype=np.uint8), size=112, resize="area")


def test_floats_are_refused() -> None:
    with pytest.raises(InputError, match="uint8"):
        squash(np.zeros((10, 10, 3)), size=112, resize="area")  # type: ignore[arg-type]


def test_mean_and_std_apply_by_position_after_the_channels_are_ordered() -> None:
    frame = np.zeros((1, 1, 1, 3), dtype=np.uint8)
    frame[0, 0, 0] = (10, 20, 30)
    rgb = normalise(frame, channel_order="rgb", mean=IMAGENET_MEAN, std=IMAGENET_STD)
    bgr = normalise(frame, channel_order="bgr", mean=IMAGENET_MEAN, std=IMAGENET_STD)
    wanted = [(value / 255 - m) / s for value, m, s in zip((30, 20, 10), IMAGENET_MEAN, IMAGENET_STD, strict=True)]
    assert rgb[0, :, 0, 0] == pytest.approx(wanted, abs=1e-5)
    wanted = [(value / 255 - m) / s for value, m, s in zip((10, 20, 30), IMAGENET_MEAN, IMAGENET_STD, strict=True)]
    assert bgr[0, :, 0, 0] == pytest.approx(wanted, abs=1e-5)
