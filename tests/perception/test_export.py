from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from control.errors import InputError
from perception.checkpoint import save_weights
from perception.engines import open_engine
from perception.export import Exported, export_model, export_network
from perception.golden_frames import telling_rows
from perception.manifest import load_manifest
from perception.metadata import METADATA_KEY, ModelMetadata
from perception.network import BINS, ROWS, TARGETS, LineNet
from perception.onnx_graph import build_fp32
from perception.preprocess import normalise
from tests.perception.red_line import METADATA, RedLineNet, picture, pictures


def test_the_fp32_file_is_exact_and_int8_is_close(exported: tuple[Path, list[Exported]]) -> None:
    fp32, int8 = exported[1]
    assert (fp32.file, int8.file) == ("red.onnx", "red.int8.onnx")
    assert fp32.parity.max_px < 1e-3
    assert int8.parity.mean_px < 0.5
    assert int8.parity.mean_px <= int8.parity.p95_px <= int8.parity.max_px < 3.0
    assert int8.parity.pictures == 12


def test_the_files_are_listed_with_their_checksums_and_golden_answers(exported: tuple[Path, list[Exported]]) -> None:
    folder, report = exported
    manifest = load_manifest(folder / "red.onnx")
    assert manifest is not None
    assert manifest.metadata == METADATA
    assert {name: record.parity for name, record in manifest.files.items()} == {e.file: e.parity for e in report}
    assert manifest.golden is not None
    assert set(manifest.golden.expected) == {"line", "lane"}
    assert {p.name for p in folder.iterdir()} == {"red.onnx", "red.int8.onnx", "red.golden.png", "red.json"}


def test_the_int8_graph_takes_the_bytes_themselves(exported: tuple[Path, list[Exported]]) -> None:
    graph = onnx.load(str(exported[0] / "red.int8.onnx")).graph
    first = next(node for node in graph.node if node.op_type == "DequantizeLinear" and "Transpose" in node.input[0])
    scale, zero_point = (
        onnx.numpy_helper.to_array(t) for name in first.input[1:] for t in graph.initializer if t.name == name
    )
    assert (scale, zero_point) == (1.0, 116)
    assert not [node for node in graph.node if node.op_type == "Cast"]
    weights = [onnx.numpy_helper.to_array(t) for t in graph.initializer if t.data_type == onnx.TensorProto.INT8]
    assert max(int(np.abs(w.astype(int)).max()) for w in weights) <= 64  # seven bits: no overflow without VNNI


@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("opset", [13, 17])
def test_the_preprocessing_inside_the_graph_is_exact_up_to_the_borders(order: str, opset: int) -> None:
    import onnxruntime

    torch.manual_seed(3)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 7, stride=2, padding=3, bias=False), torch.nn.ReLU())
    metadata = ModelMetadata.model_validate({**METADATA.model_dump(), "channel_order": order, "size": 32})
    content = build_fp32(network, metadata=metadata, opset=opset)
    frame = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    inside = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {"frame": frame})[0]
    prepared = normalise(frame, channel_order=metadata.channel_order, mean=metadata.mean, std=metadata.std)
    with torch.no_grad():
        outside = network(torch.from_numpy(prepared)).numpy()
    assert inside == pytest.approx(outside, abs=1e-4)


def test_the_old_opset_and_the_metadata_reach_the_file() -> None:
    model = onnx.load_from_string(build_fp32(RedLineNet(), metadata=METADATA, opset=13))
    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [13]
    assert model.ir_version <= 7
    assert [entry.key for entry in model.metadata_props] == [METADATA_KEY]


def test_too_few_pictures_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 8"):
        export_network(RedLineNet(), metadata=METADATA, path=tmp_path / "a.onnx", pictures=pictures(3))
    assert not list(tmp_path.iterdir())


def test_the_real_network_is_exported_from_its_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    metadata = ModelMetadata(kind="rows", size=112, targets=TARGETS, rows=ROWS, bins=BINS, x_range=1 - 1 / BINS)
    weights = tmp_path / "pilot.safetensors"
    network = LineNet().eval()
    # By chance, but decided: a row that wavers between places sees none.
    network.columns.weight.data *= 1000.0  # which magnifies rounding, too
    save_weights(weights, state=network.state_dict(), metadata=metadata)
    (report,) = export_model(weights, tmp_path, pictures=pictures(8), int8=False)
    assert report.parity.max_px < 0.01
    manifest = load_manifest(weights)
    assert manifest is not None
    assert set(manifest.files) == {"pilot.onnx", "pilot.safetensors"}
    image = picture(0.1)
    exact = open_engine(weights).estimate(image)
    tried = open_engine(tmp_path / "pilot.onnx").estimate(image)
    assert [p.visible for p in tried.points] == pytest.approx([p.visible for p in exact.points], abs=1e-3)
    openvino = pytest.importorskip("openvino")
    assert openvino
    other = open_engine(f"openvino:{tmp_path / 'pilot.onnx'}").estimate(image)
    assert [p.visible for p in other.points] == pytest.approx([p.visible for p in exact.points], abs=1e-3)


def test_golden_frames_are_those_that_show_a_line(tmp_path: Path) -> None:
    empty = [picture(None, seed=k) for k in range(30)]
    shown = [picture(0.1 * k, seed=k) for k in range(3)]
    export_network(RedLineNet(), metadata=METADATA, path=tmp_path / "red.onnx", pictures=[*empty, *shown, *shown])
    manifest = load_manifest(tmp_path / "red.onnx")
    assert manifest is not None
    assert manifest.golden is not None
    assert all(telling_rows(points) for points in manifest.golden.expected["line"])
