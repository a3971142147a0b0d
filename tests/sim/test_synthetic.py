"""Made-up pictures: their labels lie on what was painted, and one seed makes one stream."""

from __future__ import annotations

from itertools import islice

import numpy as np

from sim.synthetic import frames

ROWS = tuple((2 * i + 1) / 14 - 1 for i in range(13, 1, -1))


def test_the_same_seed_makes_the_same_pictures() -> None:
    one, two = (list(islice(frames(ROWS, seed=7, size=64), 6)) for _ in range(2))
    assert all((a.image == b.image).all() and (a.x == b.x).all() for a, b in zip(one, two, strict=True))


def test_another_seed_makes_other_pictures() -> None:
    one, two = (next(frames(ROWS, seed=seed, size=64)) for seed in (1, 2))
    assert (one.image != two.image).any()


def test_labels_have_the_promised_shapes_and_ranges() -> None:
    for frame in islice(frames(ROWS, seed=3, size=96), 40):
        assert frame.image.shape == (96, 96, 3)
        assert frame.image.dtype == np.uint8
        assert frame.x.shape == frame.visible.shape == (2, len(ROWS))
        assert np.isfinite(frame.x).all()
        assert (np.abs(frame.x[frame.visible > 0]) <= 1).all()
        assert set(np.unique(frame.visible)) <= {0.0, 1.0}
        assert frame.defined.sum() >= 1


def test_some_pictures_show_no_line_and_say_so() -> None:
    empty = [f for f in islice(frames(ROWS, seed=5, size=64), 80) if f.defined.all() and not f.visible.any()]
    assert empty
