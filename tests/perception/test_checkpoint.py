from __future__ import annotations

import collections
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from control.errors import ModelError
from perception.checkpoint import load_network, load_state, read_metadata, read_model_file, save_weights
from perception.engines import open_engine
from perception.manifest import FileRecord, Manifest, load_manifest, save_manifest, sha256_of
from tests.perception.red_line import METADATA, RedLineNet, picture


@pytest.fixture(scope="module")
def resnet() -> torch.nn.Module:
    torch.manual_seed(1)
    return torchvision.models.resnet18(num_classes=2).eval()


def saved(path: Path) -> Path:
    save_weights(path, state=RedLineNet().state_dict(), metadata=METADATA)
    return path


def test_weights_and_metadata_come_back_as_they_were_saved(tmp_path: Path) -> None:
    state, metadata = load_state(saved(tmp_path / "a.safetensors"))
    assert metadata == METADATA == read_metadata(tmp_path / "a.safetensors")
    assert all(torch.equal(state[name], value) for name, value in RedLineNet().state_dict().items())
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


def test_half_precision_halves_the_file(tmp_path: Path) -> None:
    save_weights(tmp_path / "h.safetensors", state=RedLineNet().state_dict(), metadata=METADATA, half=True)
    state, _ = load_state(tmp_path / "h.safetensors")
    assert state["first.weight"].dtype == torch.float16


@pytest.mark.parametrize("length", [0, 4, 100, 2000])
def test_truncated_weights_are_one_line_that_names_the_file(tmp_path: Path, length: int) -> None:
    path = saved(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ModelError, match=r"a\.safetensors") as caught:
        load_state(path)
    assert "\n" not in str(caught.value)


def test_altered_weights_are_refused_when_a_manifest_knows_better(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.safetensors")
    record = FileRecord(sha256=sha256_of(path.read_bytes()), tolerance_px=1.0)
    save_manifest(path, Manifest(metadata=METADATA, files={path.name: record}))
    load_state(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="altered"):
        load_state(path)


def test_weights_that_are_written_anew_are_no_altered_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.safetensors")
    record = FileRecord(sha256=sha256_of(b"of an older training"), tolerance_px=1.0)
    other = FileRecord(sha256=sha256_of(b"its export"), tolerance_px=1.0)
    save_manifest(path, Manifest(metadata=METADATA, files={path.name: record, "a.onnx": other}))
    load_state(saved(path))
    manifest = load_manifest(path)
    assert manifest is not None
    assert set(manifest.files) == {"a.onnx"}


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="tensors"):
        load_network(saved(tmp_path / "a.safetensors"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.safetensors"):
        load_state(tmp_path / "gone.safetensors")


def test_safetensors_without_metadata_are_refused(tmp_path: Path) -> None:
    import safetensors.torch

    safetensors.torch.save_file({"a": torch.zeros(2)}, str(tmp_path / "bare.safetensors"))
    with pytest.raises(ModelError, match="metadata"):
        load_state(tmp_path / "bare.safetensors")


def test_a_jetbot_file_sees_as_jetbot_s_own_code_does(resnet: torch.nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "best_steering_model_xy.pth"
    torch.save(resnet.state_dict(), path)
    frame = picture(0.3)
    tensor = torchvision.transforms.functional.to_tensor(frame)
    tensor.sub_(torch.tensor([0.485, 0.456, 0.406])[:, None, None]).div_(
        torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    )
    with torch.no_grad():
        wanted = resnet(tensor[None]).flatten().tolist()
    (point,) = open_engine(path).estimate(frame).points
    assert [point.x, point.y] == pytest.approx(wanted, abs=1e-4)


def test_the_old_pickle_format_is_read_too(resnet: torch.nn.Module, tmp_path: Path) -> None:
    torch.save(resnet.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    network, metadata = load_network(tmp_path / "old.pth")
    assert metadata.channel_order == "bgr"
    assert torch.equal(network.state_dict()["fc.bias"], resnet.state_dict()["fc.bias"])


def test_jetracer_s_categories_become_targets(tmp_path: Path) -> None:
    torch.save(torchvision.models.resnet18(num_classes=6).state_dict(), tmp_path / "road_following_model.pth")
    assert load_state(tmp_path / "road_following_model.pth")[1].targets == ("0", "1", "2")


def test_jetbot_ros_wraps_its_weights_and_sees_rgb(resnet: torch.nn.Module, tmp_path: Path) -> None:
    wrapped = {"epoch": 3, "arch": "resnet18", "resolution": 224, "num_outputs": 2, "state_dict": resnet.state_dict()}
    torch.save(wrapped, tmp_path / "model_best.pth")
    _, metadata = load_network(tmp_path / "model_best.pth")
    assert (metadata.channel_order, metadata.size) == ("rgb", 224)


def test_a_torch2trt_engine_is_recognised_by_name_and_by_content(tmp_path: Path) -> None:
    (tmp_path / "best_steering_model_xy_trt.pth").write_bytes(b"x")
    with pytest.raises(ModelError, match="torch2trt"):
        load_state(tmp_path / "best_steering_model_xy_trt.pth")
    engine = collections.OrderedDict(engine=torch.zeros(3), input_names=["input_0"], output_names=["output_0"])
    torch.save(engine, tmp_path / "renamed.pth")
    with pytest.raises(ModelError, match="torch2trt"):
        load_state(tmp_path / "renamed.pth")


@pytest.mark.parametrize("classes", [3, 1])
def test_a_classifier_is_no_steering_network(classes: int, tmp_path: Path) -> None:
    torch.save(torchvision.models.resnet18(num_classes=classes).state_dict(), tmp_path / "collision.pth")
    with pytest.raises(ModelError, match="x, y"):
        load_state(tmp_path / "collision.pth")


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("this must never run",)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"fc.weight": Bomb()}, tmp_path / "bomb.pth")
    with pytest.raises(ModelError, match=r"bomb\.pth"):
        load_state(tmp_path / "bomb.pth")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"hello", np.zeros(1000, dtype=np.uint8).tobytes()])
def test_garbage_named_pth_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.pth").write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.pth"):
        load_state(tmp_path / "bad.pth")


@pytest.mark.parametrize("header", [b'{"__metadata__": 5}', b'{"__metadata__": [1, 2]}', b"[" * 100_000, b"[]", b"3"])
def test_a_header_of_another_shape_is_no_safetensors_file(header: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(ModelError, match=r"a\.safetensors: not a whole safetensors file"):
        read_metadata(path)


def test_a_device_is_refused_and_not_read_to_its_end() -> None:
    with pytest.raises(ModelError, match="/dev/zero: is a pipe or a device"):
        read_model_file(Path("/dev/zero"))
