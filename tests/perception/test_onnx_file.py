from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from control.errors import ModelError
from perception.export import Parity
from perception.metadata import METADATA_KEY, parse_metadata
from perception.onnx_file import read_properties
from tests.perception.red_line import METADATA


def test_the_metadata_is_read_without_the_onnx_package(exported: tuple[Path, list[Parity]]) -> None:
    path = exported[0] / "red.int8.onnx"
    found = read_properties(path, content=path.read_bytes())
    assert parse_metadata(found[METADATA_KEY], where="red") == METADATA


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.01, 0.99))
def test_a_truncated_file_never_passes_for_a_whole_one(exported: tuple[Path, list[Parity]], share: float) -> None:
    path = exported[0] / "red.onnx"
    content = path.read_bytes()
    found: dict[str, str] = {}
    with suppress(ModelError):
        found = read_properties(path, content=content[: int(len(content) * share)])
    assert METADATA_KEY not in found


@given(content=st.binary(max_size=200))
def test_any_bytes_are_answered_with_properties_or_a_model_error(content: bytes) -> None:
    with suppress(ModelError):
        read_properties(Path("x.onnx"), content=content)


def test_a_text_file_is_no_onnx_file() -> None:
    with pytest.raises(ModelError, match=r"x\.onnx"):
        read_properties(Path("x.onnx"), content=b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
