from __future__ import annotations

import json

import pytest

from control.errors import ModelError
from perception.metadata import ModelMetadata, parse_metadata, xy_metadata
from tests.perception.red_line import METADATA


def test_metadata_survives_its_own_json() -> None:
    assert parse_metadata(METADATA.model_dump_json(), where="here") == METADATA


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"colour": "rgb"}, "colour"),
        ({"std": [0.2, 0.0, 0.2]}, "std"),
        ({"rows": [0.1, 0.5]}, "rows"),
        ({"rows": []}, "rows"),
        ({"bins": 1}, "bins"),
        ({"size": 0}, "size"),
        ({"kind": "pixels"}, "kind"),
        ({"format_version": 2}, "format_version"),
        ({"mean": [float("nan"), 0, 0]}, "mean"),
        ({"targets": []}, "targets"),
    ],
)
def test_wrong_metadata_is_refused_in_one_line_that_names_file_and_key(change: dict[str, object], word: str) -> None:
    text = json.dumps({**METADATA.model_dump(), **change})
    with pytest.raises(ModelError, match=word) as caught:
        parse_metadata(text, where="model.onnx")
    assert "model.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(ModelError, match=r"model\.onnx"):
        parse_metadata("not json", where="model.onnx")


def test_a_target_that_the_model_does_not_know_is_refused_with_those_it_knows() -> None:
    with pytest.raises(ModelError, match="line, lane"):
        METADATA.target_index("wall")


def test_a_network_with_one_point_serves_any_target() -> None:
    assert xy_metadata(categories=1, channel_order="bgr").target_index("lane") == 0


def test_a_network_with_several_points_asks_which() -> None:
    several: ModelMetadata = xy_metadata(categories=3, channel_order="bgr")
    assert several.target_index("2") == 2
    with pytest.raises(ModelError, match="0, 1, 2"):
        several.target_index("line")
