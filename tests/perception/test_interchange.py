from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from control.errors import DatasetError, InputError
from perception.dataset import LabelledPhoto, read_photos
from perception.dataset.card import DataSetCard, read_card
from perception.dataset.interchange import EXPORTS, read_any, write_as
from perception.dataset.store import write_data_set

SAMPLE = Path(__file__).parents[2] / "benchmarks" / "sample" / "automa_C"
ROUNDING = {"jetbot": 0.5, "jetbot-percent": 1.2, "jetracer": 0.5, "coco": 0.01, "imagefolder": 0.01, "lerobot": 0.01}
"""Pixels of a 224 px picture that a format's numbers cannot tell apart."""


def picture(path: Path, *, size: int = 224) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size, size, 3), 90, dtype=np.uint8))
    return path


def steered(folder: Path, *, count: int = 3) -> list[LabelledPhoto]:
    return [
        LabelledPhoto(path=picture(folder / f"{i}.jpg"), raws=(), steering=i / 4 - 0.25, throttle=0.5)
        for i in range(count)
    ]


@pytest.mark.parametrize("name", ROUNDING)
def test_real_photographs_come_back_from_every_format_of_points(name: str, tmp_path: Path) -> None:
    if name == "lerobot":
        pytest.importorskip("pyarrow")
    photos = read_photos(SAMPLE).photos
    write_as(name, tmp_path / "there", photos)
    _, back = read_any(tmp_path / "there", kind=name if name.startswith("jetbot") else None)
    found = {photo.path.read_bytes(): photo for photo in back}
    unique = {photo.path.read_bytes() for photo in photos}
    assert len(found) == len(unique)
    for photo in photos:
        before, after = photo.read()[1], found[photo.path.read_bytes()].read()[1]
        assert before is not None
        assert after is not None
        assert abs(before.x - after.x) * 112 <= ROUNDING[name]
        assert abs(before.y - after.y) * 112 <= ROUNDING[name]


@pytest.mark.parametrize("name", ["tub", "fabo", "lerobot", "imagefolder"])
def test_steering_comes_back_from_every_format_that_knows_it(name: str, tmp_path: Path) -> None:
    if name == "lerobot":
        pytest.importorskip("pyarrow")
    write_as(name, tmp_path / "there", steered(tmp_path))
    back = read_any(tmp_path / "there")[1]
    assert [photo.steering for photo in back] == pytest.approx([-0.25, 0.0, 0.25], abs=0.005)
    assert [photo.throttle for photo in back] == pytest.approx([0.5] * 3, abs=0.005)


def test_a_format_that_needs_labels_writes_nothing_without_any(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="label them first"):
        write_as("jetbot", tmp_path / "out", steered(tmp_path))


def tub(folder: Path, *, first: int = 0, deleted: tuple[int, ...] = ()) -> Path:
    """Two catalogs of three records."""
    for part in range(2):
        lines = []
        for i in range(first + 3 * part, first + 3 * part + 3):
            picture(folder / "images" / f"{i}.jpg", size=32)
            lines.append(
                json.dumps({"_index": i, "cam/image_array": f"{i}.jpg", "user/angle": 0.1, "user/throttle": 0.2})
            )
        (folder / f"catalog_{first // 1000 + part}.catalog").write_text("\n".join(lines) + "\n")
    state = {"paths": [p.name for p in sorted(folder.glob("*.catalog"))], "deleted_indexes": list(deleted)}
    (folder / "manifest.json").write_text("".join(json.dumps(x) + "\n" for x in ([], [], {}, {}, state)))
    return folder


def test_deleted_records_of_a_tub_stay_deleted(tmp_path: Path) -> None:
    name, photos = read_any(tub(tmp_path / "tub", deleted=(1, 4)))
    assert name == "tub"
    assert [photo.path.stem for photo in photos] == ["0", "2", "3", "5"]


def test_a_tub_may_begin_at_any_catalog(tmp_path: Path) -> None:
    assert len(read_any(tub(tmp_path / "tub", first=9000))[1]) == 6


def test_a_torn_manifest_costs_the_deletions_and_that_is_said(tmp_path: Path) -> None:
    folder = tub(tmp_path / "tub", deleted=(1,))
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text[:-20])
    photos = read_any(folder)[1]
    assert len(photos) == 6
    assert "torn" in photos.note


def test_a_record_that_was_cut_off_is_left_out_and_counted(tmp_path: Path) -> None:
    folder = tub(tmp_path / "tub")
    catalog = folder / "catalog_1.catalog"
    catalog.write_text(catalog.read_text()[:-30])
    photos = read_any(folder)[1]
    assert len(photos) == 5
    assert "1 torn" in photos.note


def test_one_of_a_jetracer_task_s_categories_is_chosen(tmp_path: Path) -> None:
    for category, name in (("apex", "10_20_a.jpg"), ("obstacle", "30_40_b.jpg")):
        picture(tmp_path / category / name)
    with pytest.raises(DatasetError, match="apex, obstacle"):
        read_any(tmp_path)
    (photo,) = read_any(tmp_path, category="obstacle")[1]
    assert photo.raw == (30, 40)


def test_coco_s_invisible_keypoints_are_no_points(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "b.jpg")
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}]
    annotations = [{"image_id": 1, "keypoints": [5, 6, 2, 9, 9, 0]}, {"image_id": 2, "keypoints": [1, 1, 0]}]
    (tmp_path / "x.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    one, other = read_any(tmp_path)[1]
    assert one.raws == ((5.0, 6.0),)
    assert other.visible is False


def test_a_table_of_other_shape_is_named(tmp_path: Path) -> None:
    (tmp_path / "metadata.jsonl").write_text('{"text": "a dog"}\n')
    with pytest.raises(DatasetError, match=r"metadata.jsonl:1: needs file_name"):
        read_any(tmp_path)


def test_pictures_that_cannot_be_read_are_left_out_by_name(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "10_20_a.jpg")
    (tmp_path / "in" / "10_20_b.jpg").write_bytes(b"")
    picture(tmp_path / "in" / "900_20_c.jpg")
    written = write_data_set(tmp_path / "out", read_any(tmp_path / "in")[1].photos, card=DataSetCard(target="line"))
    assert written.pictures == 1
    assert "10_20_b.jpg" in written.left_out[0]
    assert "far outside" in written.left_out[1]
    assert len(read_photos(tmp_path / "out")) == 1


def test_pictures_of_one_name_from_two_folders_are_both_kept(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        picture(tmp_path / folder / "10_20_x.jpg")
    photos = [photo for folder in ("a", "b") for photo in read_any(tmp_path / folder)[1]]
    write_data_set(tmp_path / "out", photos, card=DataSetCard())
    assert sorted(p.name for p in (tmp_path / "out" / "images").iterdir()) == ["10_20_x-2.jpg", "10_20_x.jpg"]


def test_several_points_of_a_picture_come_back_together(tmp_path: Path) -> None:
    points = ((10.0, 200.0), (20.0, 150.0), (40.0, 100.0))
    photo = LabelledPhoto(path=picture(tmp_path / "a.jpg"), raws=points, session="x")
    write_data_set(tmp_path / "out", [photo], card=DataSetCard(target="lane"))
    (back,) = read_photos(tmp_path / "out")
    assert back.raws == points
    assert read_photos(tmp_path / "out").target == "lane"


def test_an_existing_folder_is_not_written_over(tmp_path: Path) -> None:
    picture(tmp_path / "out" / "mine.jpg")
    with pytest.raises(InputError, match="exists already"):
        write_data_set(tmp_path / "out", [], card=DataSetCard())


def test_a_card_with_a_wrong_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text('{"version": 7}')
    with pytest.raises(DatasetError, match="version"):
        read_card(tmp_path)


def test_every_export_has_a_test() -> None:
    assert set(EXPORTS) == {*ROUNDING, "tub", "fabo"}
