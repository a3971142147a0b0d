"""Lenses in other people's files: ROS camera_info YAML, read and written, and OpenCV's storage, read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import yaml

from calibration.profile import CameraModel
from control.errors import CalibrationError

_ROS_MODELS: dict[str, Literal["pinhole", "fisheye"]] = {
    "plumb_bob": "pinhole", "equidistant": "fisheye", "fisheye": "fisheye", "kannala_brandt": "fisheye",
}  # fmt: skip
_MATRIX_NAMES = ("camera_matrix", "Camera_Matrix", "cameraMatrix", "K", "M1")
_BEND_NAMES = ("distortion_coefficients", "Distortion_Coefficients", "dist_coeffs", "distCoeffs", "D", "D1")
_WIDTH_NAMES = ("image_width", "image_Width", "width")
_HEIGHT_NAMES = ("image_height", "image_Height", "height")
_ADVICE = "give a ROS camera_info YAML or a file of OpenCV's calibration sample"


def camera_info_text(camera: CameraModel, *, name: str = "camera") -> str:
    """As ROS's camera_info_manager reads it; the picture is left unrectified (R = 1, P = K)."""
    matrix = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    fisheye = camera.model == "fisheye"
    bends = [*camera.distortion] if fisheye else [*camera.distortion, 0.0]
    tree = {
        "image_width": camera.width,
        "image_height": camera.height,
        "camera_name": name,
        "camera_matrix": {"rows": 3, "cols": 3, "data": matrix},
        "distortion_model": "equidistant" if fisheye else "plumb_bob",
        "distortion_coefficients": {"rows": 1, "cols": len(bends), "data": bends},
        "rectification_matrix": {"rows": 3, "cols": 3, "data": np.eye(3).ravel().tolist()},
        "projection_matrix": {
            "rows": 3, "cols": 4, "data": [*matrix[:3], 0.0, *matrix[3:6], 0.0, *matrix[6:], 0.0],
        },
    }  # fmt: skip
    return str(yaml.safe_dump(tree, sort_keys=False, default_flow_style=None))


def read_camera(path: Path, *, lens: Literal["auto", "pinhole", "fisheye"] = "auto") -> CameraModel:
    """``lens`` says what an OpenCV file leaves open: four numbers may be either. Raises CalibrationError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CalibrationError(f"{path}: cannot be read ({error.strerror}); {_ADVICE}") from error
    except UnicodeDecodeError as error:
        raise CalibrationError(f"{path}: is no text; {_ADVICE}") from error
    opencv = text.lstrip().startswith("%YAML") or "opencv-matrix" in text
    tree = _opencv_tree(path) if opencv else _ros_tree(path, text)
    return _camera(path, tree, lens=lens)


def _ros_tree(path: Path, text: str) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CalibrationError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from error
    if not isinstance(tree, dict):
        raise CalibrationError(f"{path}: holds no calibration; {_ADVICE}")
    return {key: value.get("data", value) if isinstance(value, dict) else value for key, value in tree.items()}


def _opencv_tree(path: Path) -> dict[str, Any]:
    try:
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
    except (cv2.error, SystemError) as error:
        # The bindings of some versions raise the second in place of the first.
        raise CalibrationError(f"{path}: OpenCV cannot read it; {_ADVICE}") from error
    if not storage.isOpened():
        raise CalibrationError(f"{path}: OpenCV cannot read it; {_ADVICE}")
    tree: dict[str, Any] = {}
    try:
        for name in storage.root().keys():  # noqa: SIM118 - OpenCV's own node, no dict
            node = storage.getNode(name)
            if node.isMap():
                matrix = node.mat()
                tree[name] = None if matrix is None else np.ravel(matrix).tolist()
            elif node.isInt() or node.isReal():
                tree[name] = node.real()
    finally:
        storage.release()
    return tree


def _camera(path: Path, tree: dict[str, Any], *, lens: Literal["auto", "pinhole", "fisheye"]) -> CameraModel:
    matrix = _numbers(path, tree, _MATRIX_NAMES)
    bends = _numbers(path, tree, _BEND_NAMES)
    if len(matrix) != 9 or len(bends) < 4:
        raise CalibrationError(f"{path}: a matrix of 9 numbers and 4 of distortion are needed; {_ADVICE}")
    model = _model(path, tree, bends, lens=lens)
    if any(bends[4:]):
        raise CalibrationError(
            f"{path}: its {len(bends)} distortion numbers are more than the four that are used here; "
            "calibrate again with K3 fixed at zero, or from pictures: linepilot calibrate camera FOLDER"
        )
    width, height = (_numbers(path, tree, names)[0] for names in (_WIDTH_NAMES, _HEIGHT_NAMES))
    try:
        return CameraModel(
            width=int(width), height=int(height), model=model, fx=matrix[0], fy=matrix[4], cx=matrix[2], cy=matrix[5],
            distortion=(bends[0], bends[1], bends[2], bends[3]),
        )  # fmt: skip
    except CalibrationError as error:
        raise CalibrationError(f"{path}: {error}") from error


def _model(
    path: Path, tree: dict[str, Any], bends: list[float], *, lens: Literal["auto", "pinhole", "fisheye"]
) -> Literal["pinhole", "fisheye"]:
    named = tree.get("distortion_model")
    if named is not None:
        if named not in _ROS_MODELS:
            raise CalibrationError(f"{path}: lens model '{named}' is not known here (known: {', '.join(_ROS_MODELS)})")
        return _ROS_MODELS[named]
    if lens != "auto":
        return lens
    if "fisheye_model" in tree:
        return "fisheye" if tree["fisheye_model"] else "pinhole"
    if len(bends) == 4:
        raise CalibrationError(
            f"{path}: four distortion numbers may be either lens; say --lens pinhole or --lens fisheye"
        )
    return "pinhole"


def _numbers(path: Path, tree: dict[str, Any], names: tuple[str, ...]) -> list[float]:
    found = next((tree[name] for name in names if tree.get(name) is not None), None)
    if found is None:
        raise CalibrationError(f"{path}: has no '{names[0]}'; {_ADVICE}")
    try:
        return [float(value) for value in np.ravel(found)]
    except (TypeError, ValueError) as error:
        raise CalibrationError(f"{path}: '{names[0]}' is not made of numbers; {_ADVICE}") from error
