from __future__ import annotations

from pathlib import Path

import numpy as np

from perception.benchmark import core_share, disagreement, interleave
from perception.engines import open_engine
from perception.export import Parity
from tests.perception.red_line import pictures


def test_every_engine_sees_the_same_frames_in_turn() -> None:
    seen: dict[str, list[int]] = {"a": [], "b": []}
    frames = [np.full((1, 1, 3), i, dtype=np.uint8) for i in range(3)]
    engines = {name: (lambda frame, name=name: seen[name].append(int(frame[0, 0, 0]))) for name in seen}
    seconds = interleave(engines, frames, rounds=4)
    assert seen["a"] == seen["b"]
    assert all(values.shape == (4,) and (values >= 0).all() for values in seconds.values())


def test_an_idle_engine_uses_little_of_a_core() -> None:
    frames = [np.zeros((1, 1, 3), dtype=np.uint8)]
    assert 0 <= core_share(lambda _: None, frames, rate_hz=20, seconds=0.2) <= 1


def test_an_engine_agrees_with_itself(exported: tuple[Path, list[Parity]]) -> None:
    engine = open_engine(exported[0] / "red.onnx")
    found = disagreement(engine, engine, pictures(3))
    assert len(found.x_px) == len(found.spread) == 3 * 12
    assert found.x_px.max() == found.visible.max() == 0
