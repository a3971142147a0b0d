from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from control.errors import DatasetError
from perception.dataset import read_photos

UUID = "529fa7aa-5c6d-11f0-a3f7-28d0eaa2d7c6"
SAMPLE = Path(__file__).parents[2] / "benchmarks" / "sample"


def write(path: Path, *, width: int = 224, height: int = 224) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((height, width, 3), dtype=np.uint8))
    return path


def points(folder: Path, **unit: str) -> list[tuple[float, float]]:
    labels = [photo.read()[1] for photo in read_photos(folder, **unit)]  # type: ignore[arg-type]
    return [(label.x, label.y) for label in labels if label]


def test_jetbot_s_pixels_are_read_with_the_picture_s_own_size(tmp_path: Path) -> None:
    write(tmp_path / "xy_240_120_a.jpg", width=320, height=240)
    assert points(tmp_path) == [(0.5, 0.0)]


def test_jetracer_s_names_are_read_and_x_may_be_negative(tmp_path: Path) -> None:
    write(tmp_path / f"-28_56_{UUID}.jpg")
    assert points(tmp_path) == [(-1.25, -0.5)]


def test_any_id_after_the_two_numbers_will_do(tmp_path: Path) -> None:
    write(tmp_path / "168_56_00012.png")
    assert points(tmp_path) == [(0.5, -0.5)]


def test_labels_that_never_pass_100_on_wide_pictures_are_taken_for_percent_and_that_is_said(tmp_path: Path) -> None:
    write(tmp_path / "xy_050_025_a.jpg")
    write(tmp_path / "xy_100_050_b.jpg")
    assert points(tmp_path) == [(0.0, -0.5), (1.0, 0.0)]
    assert "percent" in read_photos(tmp_path).note


def test_one_larger_label_means_pixels_for_the_whole_folder(tmp_path: Path) -> None:
    write(tmp_path / "xy_056_056_a.jpg")
    write(tmp_path / "xy_112_112_b.jpg")
    assert points(tmp_path) == [(-0.5, -0.5), (0.0, 0.0)]
    assert not read_photos(tmp_path).note


def test_small_pictures_are_always_pixels(tmp_path: Path) -> None:
    write(tmp_path / "xy_056_028_a.jpg", width=112, height=112)
    assert points(tmp_path) == [(0.0, -0.5)]


def test_the_user_s_word_on_the_unit_wins_over_the_guess(tmp_path: Path) -> None:
    write(tmp_path / "xy_056_056_a.jpg")
    assert points(tmp_path, unit="pixel") == [(-0.5, -0.5)]


def test_jetracer_s_labels_are_never_percent(tmp_path: Path) -> None:
    write(tmp_path / f"56_56_{UUID}.jpg")
    assert points(tmp_path) == [(-0.5, -0.5)]


def test_mixed_label_formats_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "xy_056_056_a.jpg")
    write(tmp_path / f"56_56_{UUID}.jpg")
    with pytest.raises(DatasetError, match="mixes"):
        read_photos(tmp_path)


def test_a_name_that_is_no_label_is_named(tmp_path: Path) -> None:
    write(tmp_path / "xy_056_056_a.jpg")
    write(tmp_path / "holiday.jpg")
    with pytest.raises(DatasetError, match=r"holiday\.jpg"):
        read_photos(tmp_path)


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir()])
def test_a_folder_that_is_missing_or_empty_is_told(tmp_path: Path, make: object) -> None:
    folder = tmp_path / "photos"
    make(folder)  # type: ignore[operator]
    with pytest.raises(DatasetError, match="photos"):
        read_photos(folder)


@pytest.mark.parametrize("content", [b"", b"not a jpeg"])
def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "xy_150_150_a.jpg")
    (tmp_path / "xy_150_150_b.jpg").write_bytes(content)
    photos = list(read_photos(tmp_path))
    with pytest.raises(DatasetError, match=r"xy_150_150_b\.jpg"):
        photos[1].read()


@pytest.mark.parametrize("below", ["images", "."])
def test_a_table_finds_its_pictures_below_or_beside(tmp_path: Path, below: str) -> None:
    write(tmp_path / below / "a.jpg")
    (tmp_path / "labels.csv").write_text("file,w,h,x_px,y_px,session\na.jpg,224,224,168,56,2\n")
    (photo,) = read_photos(tmp_path)
    assert photo.session == "2"
    assert points(tmp_path) == [(0.5, -0.5)]


def test_a_table_may_only_say_whether_there_is_a_line(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        write(tmp_path / name)
    (tmp_path / "labels.csv").write_text("file,visible\na.jpg,1\nb.jpg,0\n")
    photos = list(read_photos(tmp_path))
    assert [photo.visible for photo in photos] == [True, False]
    assert photos[0].read()[1] is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("file,x_px,y_px\na.jpg,12,left\n", "labels.csv:2: y_px"),
        ("file,x_px,y_px\na.jpg,12\n", "labels.csv:2: holds more or fewer"),
        ("file,x_px,y_px\na.jpg,1,2,3\n", "labels.csv:2: holds more or fewer"),
        ("file,x_px,y_px\na.jpg,nan,3\n", "finite"),
        ("file,x_px,y_px\na.jpg,3,\n", "y_px"),
        ("file,x_px,y_px\na.jpg,3,4\ngone.jpg,3,4\n", r"labels.csv:3: no picture 'gone.jpg'"),
        ("file,visible\na.jpg,perhaps\n", "perhaps"),
        ("name,x\na.jpg,3\n", "needs the columns"),
        ("file,visible\n", "no labels"),
        ("", "needs the columns"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(tmp_path: Path, text: str, word: str) -> None:
    write(tmp_path / "a.jpg")
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DatasetError, match=word) as caught:
        read_photos(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_sample_s_file_names_and_its_table_agree(tmp_path: Path) -> None:
    by_table = {photo.path.name: photo.raw for photo in read_photos(SAMPLE / "automa_C")}
    by_name = {photo.path.name: photo.raw for photo in read_photos(SAMPLE / "automa_C" / "images")}
    assert by_table == by_name


def test_a_label_far_outside_its_picture_is_a_mistake(tmp_path: Path) -> None:
    write(tmp_path / "xy_999_112_a.jpg")
    (photo,) = read_photos(tmp_path)
    with pytest.raises(DatasetError, match=r"xy_999_112_a.jpg: its label \(999, 112\) lies far outside"):
        photo.read()


@pytest.mark.parametrize(
    "content", [b"file,x_px,y_px\nb\xfcro.jpg,1,2\n", "file,x_px,y_px\na.jpg,1,2\n".encode("utf-16")]
)
def test_a_table_in_another_encoding_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"labels\.csv: not a readable CSV file in UTF-8"):
        read_photos(tmp_path)


def test_a_picture_of_more_pixels_than_can_be_read_is_told(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    (tmp_path / "xy_10_10_a.png").write_bytes(png)
    with pytest.raises(DatasetError, match=r"xy_10_10_a\.png"):
        read_photos(tmp_path, unit="pixel").photos[0].read()
