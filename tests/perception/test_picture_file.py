from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.picture_file import read_whole

PICTURE = cv2.resize(np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8), (320, 240))


def encoded(suffix: str, picture: np.ndarray = PICTURE) -> bytes:
    return cv2.imencode(suffix, picture)[1].tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_picture_that_is_cut_off_is_none(tmp_path: Path, suffix: str, share: float) -> None:
    content = encoded(suffix)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[: int(len(content) * share)])
    assert read_whole(path) is None


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_whole_one_is_read_also_with_bytes_behind_its_end(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"whole{suffix}"
    path.write_bytes(encoded(suffix) + bytes(100))
    found = read_whole(path)
    assert found is not None
    assert np.abs(found.astype(int) - PICTURE).mean() < 8


def test_a_thumbnail_does_not_make_a_cut_picture_whole(tmp_path: Path) -> None:
    thumbnail, content = encoded(".jpg", cv2.resize(PICTURE, (32, 24))), encoded(".jpg")
    block = b"Exif\0\0" + thumbnail
    content = content[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + content[2:]
    path = tmp_path / "with_thumbnail.jpg"
    path.write_bytes(content)
    assert read_whole(path) is not None
    path.write_bytes(content[:-200])
    assert read_whole(path) is None


def test_none_of_what_is_not_there(tmp_path: Path) -> None:
    assert read_whole(tmp_path / "none.jpg") is None
