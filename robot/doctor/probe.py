"""Loads OpenCV or the network in a process of its own and prints one JSON line: ``python -m robot.doctor.probe``."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from control.errors import LinepilotError

_RUNS, _WARM_UP = 30, 3
_MOST_S = 3.0
_WIDTH, _HEIGHT = 640, 480


def opencv() -> dict[str, Any]:
    try:
        import cv2
    except ImportError as error:
        return {"error": " ".join(str(error).split()), "kind": type(error).__name__}
    from importlib.metadata import packages_distributions

    gstreamer = re.search(r"GStreamer:\s+(\w+)", cv2.getBuildInformation())
    wheels = [name for name in packages_distributions().get("cv2", []) if name.lower().startswith("opencv")]
    return {
        "version": cv2.__version__, "place": str(cv2.__file__), "wheel": wheels[0] if wheels else "",
        "gstreamer": gstreamer is not None and gstreamer.group(1) == "YES",
    }  # fmt: skip


def network(settings: str) -> dict[str, Any]:
    """Opens the model as a drive does, checksum and golden frames included, and times frames of the camera's size."""
    from robot.config import RobotConfig

    config = RobotConfig.model_validate_json(settings)
    try:
        return _opened(config)
    except LinepilotError as error:
        return {"error": str(error), "kind": type(error).__name__}


def _opened(config: Any) -> dict[str, Any]:
    import numpy as np

    from perception.engines import split_engine
    from perception.manifest import load_manifest
    from robot.drive.pilots import SHIPPED_MODEL, open_estimator

    began = perf_counter()
    estimator = open_estimator(config)
    opened_s = perf_counter() - began
    place = Path(split_engine(config.model)[1]) if config.model else SHIPPED_MODEL
    manifest = load_manifest(place) if place.is_file() else None
    golden = manifest.golden if manifest else None
    image = np.random.default_rng(0).integers(0, 255, (_HEIGHT, _WIDTH, 3), np.uint8)
    took = []
    for number in range(_RUNS + _WARM_UP):
        start = perf_counter()
        estimator.estimate(image)
        if number >= _WARM_UP:
            took.append(perf_counter() - start)
        if sum(took) > _MOST_S:
            break
    estimator.close()
    return {
        "file": str(place), "runs_on": estimator.runs_on, "p50_ms": sorted(took)[len(took) // 2] * 1000,
        "opened_s": opened_s, "checksum": manifest is not None and place.name in manifest.files,
        "golden": golden.frames if golden and config.target in golden.expected else 0,
    }  # fmt: skip


def main(words: Sequence[str]) -> int:
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    print(json.dumps(opencv() if words[0] == "opencv" else network(words[1])))  # noqa: T201 - for the parent
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
