from __future__ import annotations

from pathlib import Path

import pytest

from perception.export import Exported, export_network
from tests.perception.red_line import METADATA, RedLineNet, pictures


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Exported]]:
    """A folder with red.onnx, red.int8.onnx, red.golden.png and red.json, and the parity report."""
    folder = tmp_path_factory.mktemp("model")
    report = export_network(RedLineNet(), metadata=METADATA, path=folder / "red.onnx", pictures=pictures(24))
    return folder, report


@pytest.fixture
def model_folder(exported: tuple[Path, list[Exported]], tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    for file in exported[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path
