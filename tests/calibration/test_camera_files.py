"""Lenses in files of ROS and of OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.camera_files import camera_info_text, read_camera
from control.errors import CalibrationError
from tests.calibration.views import FISHEYE, PINHOLE

ROS = """
image_width: 640
image_height: 480
camera_name: narrow_stereo
camera_matrix: {rows: 3, cols: 3, data: [520.5, 0, 321.0, 0, 519.5, 238.0, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0.001, -0.0005, 0.0]}
"""


@pytest.mark.parametrize("camera", [FISHEYE, PINHOLE], ids=["fisheye", "pinhole"])
def test_what_is_written_for_ros_is_read_again(camera: object, tmp_path: Path) -> None:
    assert isinstance(camera, type(FISHEYE))
    path = tmp_path / "camera.yaml"
    path.write_text(camera_info_text(camera))
    assert read_camera(path) == camera


def test_a_file_of_ros_s_camera_calibrator_is_read(tmp_path: Path) -> None:
    (tmp_path / "ost.yaml").write_text(ROS)
    camera = read_camera(tmp_path / "ost.yaml")
    assert (camera.model, camera.fx, camera.cy) == ("pinhole", 520.5, 238.0)
    assert camera.distortion == (-0.3, 0.1, 0.001, -0.0005)


def opencv_file(path: Path, bends: list[float], *, fisheye: int | None = None) -> Path:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("image_width", 640)
    storage.write("image_height", 480)
    if fisheye is not None:
        storage.write("fisheye_model", fisheye)
    storage.write("camera_matrix", np.array([[520.5, 0, 321.0], [0, 519.5, 238.0], [0, 0, 1]]))
    storage.write("distortion_coefficients", np.array(bends).reshape(-1, 1))
    storage.release()
    return path


@pytest.mark.parametrize("suffix", ["yaml", "xml"])
def test_a_file_of_opencv_s_sample_is_read(tmp_path: Path, suffix: str) -> None:
    path = opencv_file(tmp_path / f"out_camera_data.{suffix}", [-0.3, 0.1, 0.001, -0.0005, 0.0])
    camera = read_camera(path)
    assert (camera.model, camera.width, camera.fy) == ("pinhole", 640, 519.5)


def test_opencv_s_fisheye_is_known_by_its_flag_or_by_what_is_said(tmp_path: Path) -> None:
    told = opencv_file(tmp_path / "told.yaml", [0.01, 0.0, 0.0, 0.0], fisheye=1)
    assert read_camera(told).model == "fisheye"
    untold = opencv_file(tmp_path / "untold.yaml", [0.01, 0.0, 0.0, 0.0])
    assert read_camera(untold, lens="fisheye").model == "fisheye"
    with pytest.raises(CalibrationError, match="say --lens"):
        read_camera(untold)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ROS.replace("0.0]", "0.2]"), "more than the four"),
        (ROS.replace("plumb_bob", "rational_polynomial"), "'rational_polynomial' is not known"),
        (ROS.replace("520.5", "-520.5"), "must be positive"),
        (ROS.replace("camera_matrix", "kamera"), "has no 'camera_matrix'"),
        (ROS.replace("520.5", "many"), "not made of numbers"),
        (ROS.replace("520.5, ", ""), "9 numbers"),
        ("just text", "holds no calibration"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_one_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(CalibrationError, match=told) as error:
        read_camera(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_missing_and_a_broken_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="cannot be read"):
        read_camera(tmp_path / "none.yaml")
    (tmp_path / "cut.yaml").write_text("%YAML:1.0\n---\ncamera_matrix: !!opencv-matrix\n   rows: 3\n   da")
    with pytest.raises(CalibrationError, match=r"cut\.yaml"):
        read_camera(tmp_path / "cut.yaml")
