"""One suite over every runtime: whatever runs the network, the answer is the same."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from control.errors import MissingExtraError, ModelError
from control.messages import LineEstimate, LinePoint
from perception.engines import open_engine
from perception.engines.networked import NetworkEstimator, check_golden
from perception.engines.pytorch import TorchBackend
from perception.estimator import Estimator
from perception.export import Parity
from perception.golden_frames import telling_rows
from perception.manifest import GoldenPoint, difference, load_manifest, save_manifest
from perception.metadata import METADATA_KEY, ModelMetadata
from robot.drive.pilots import SHIPPED_MODEL
from tests.perception.red_line import METADATA, ROWS, RedLineNet, picture

RUNTIMES = ["red.onnx", "red.int8.onnx", "openvino:red.onnx", "openvino:red.int8.onnx", "torch"]


def opened(name: str, folder: Path, *, target: str = "line") -> Estimator:
    if name == "torch":
        backend = TorchBackend(RedLineNet(), metadata=METADATA)
        return NetworkEstimator(backend, metadata=METADATA, target=target)
    engine, colon, file = name.rpartition(":")
    if engine == "openvino":
        pytest.importorskip("openvino")
    return open_engine(f"{engine}{colon}{folder / file}", target=target)


@pytest.fixture(params=RUNTIMES)
def estimator(request: pytest.FixtureRequest, exported: tuple[Path, list[Parity]]) -> Estimator:
    return opened(request.param, exported[0])


@pytest.mark.parametrize("x", [-0.7, -0.2, 0.0, 0.45])
def test_every_runtime_finds_the_line_where_it_is(estimator: Estimator, x: float) -> None:
    estimate = estimator.estimate(picture(x, seed=99))
    assert [p.y for p in estimate.points] == pytest.approx(ROWS)
    assert all(abs(p.x - x) < 0.05 and p.visible > 0.8 for p in estimate.points)
    assert estimate.confidence > 0.7


def test_every_runtime_says_that_there_is_no_line(estimator: Estimator) -> None:
    assert estimator.estimate(picture(None, seed=98)).confidence < 0.05


@pytest.mark.parametrize(("width", "height"), [(640, 480), (160, 120), (112, 112), (50, 400)])
def test_a_picture_of_any_size_will_do(estimator: Estimator, width: int, height: int) -> None:
    point = estimator.estimate(picture(0.3, width=width, height=height)).points[4]
    assert abs(point.x - 0.3) < 0.04


def test_the_same_picture_gives_the_same_answer_and_stays_as_it_was(estimator: Estimator) -> None:
    image = picture(0.2)
    image.setflags(write=False)
    before = image.copy()
    first = estimator.estimate(image)
    estimator.estimate(picture(-0.6))
    assert estimator.estimate(image) == first
    assert (image == before).all()


def test_a_view_into_a_larger_picture_is_read_right(estimator: Estimator) -> None:
    wide = np.concatenate([picture(None), picture(0.3)], axis=1)
    view = wide[:, 224:]
    assert estimator.estimate(view) == estimator.estimate(np.ascontiguousarray(view))


def test_closing_works_twice(estimator: Estimator) -> None:
    estimator.close()
    estimator.close()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_answers_for_the_target_that_is_asked(runtime: str, exported: tuple[Path, list[Parity]]) -> None:
    lane = opened(runtime, exported[0], target="lane").estimate(picture(0.4))
    assert abs(lane.points[0].x + 0.4) < 0.03


def test_a_target_that_the_model_lacks_is_refused(model_folder: Path) -> None:
    with pytest.raises(ModelError, match="wall"):
        open_engine(model_folder / "red.onnx", target="wall")


@pytest.mark.parametrize(
    ("name", "word"),
    [("gone.onnx", "no such model"), ("red.json", "no engine"), ("tensorflow:red.onnx", "no such model")],
)
def test_what_cannot_be_opened_is_told_in_one_line(name: str, word: str, model_folder: Path) -> None:
    with pytest.raises(ModelError, match=word) as caught:
        open_engine(model_folder / name)
    assert "\n" not in str(caught.value)


def test_an_unknown_engine_is_refused_with_the_known_ones(model_folder: Path) -> None:
    with pytest.raises(ModelError, match="onnxruntime"):
        open_engine(model_folder / "red.onnx", engine="caffe")


@pytest.mark.parametrize("name", ["red.onnx", "red.int8.onnx"])
@pytest.mark.parametrize("part", [0.0, 0.5, 0.999])
def test_a_truncated_model_is_refused_with_and_without_its_manifest(name: str, part: float, model_folder: Path) -> None:
    path = model_folder / name
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(ModelError, match="truncated"):
        open_engine(path)
    (model_folder / "red.json").unlink()
    with pytest.raises(ModelError, match=name):
        open_engine(path)


def test_one_altered_byte_is_refused(model_folder: Path) -> None:
    path = model_folder / "red.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(ModelError, match="altered"):
        open_engine(path)


def test_an_engine_that_sees_the_golden_frames_differently_is_refused(model_folder: Path) -> None:
    manifest = load_manifest(model_folder / "red.onnx")
    assert manifest is not None
    assert manifest.golden is not None
    moved = {
        target: tuple(tuple(p.model_copy(update={"x": p.x + 0.05}) for p in frame) for frame in frames)
        for target, frames in manifest.golden.expected.items()
    }
    golden = manifest.golden.model_copy(update={"expected": moved})
    save_manifest(model_folder / "red.onnx", manifest.model_copy(update={"golden": golden}))
    with pytest.raises(ModelError, match=r"golden frame 0 5\.\d px off"):
        open_engine(model_folder / "red.onnx")


def test_missing_golden_frames_are_told(model_folder: Path) -> None:
    (model_folder / "red.golden.png").unlink()
    with pytest.raises(ModelError, match="golden"):
        open_engine(model_folder / "red.onnx")


def test_a_damaged_manifest_is_told(model_folder: Path) -> None:
    (model_folder / "red.json").write_text('{"metadata": 3}')
    with pytest.raises(ModelError, match=r"red\.json"):
        open_engine(model_folder / "red.onnx")


@pytest.mark.parametrize(
    ("module", "model", "extra"), [("openvino", "openvino:red.onnx", "openvino"), ("torch", "red.safetensors", "train")]
)
def test_a_missing_library_names_the_extra(
    module: str, model: str, extra: str, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (model_folder / "red.safetensors").write_bytes(b"")
    engine, colon, file = model.rpartition(":")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=extra):
        open_engine(f"{engine}{colon}{model_folder / file}")


def test_driving_with_an_exported_model_imports_no_torch(exported: tuple[Path, list[Parity]]) -> None:
    import subprocess

    code = (
        "import sys; from perception.engines import open_engine; import perception.training.evaluate; "
        f"open_engine({str(exported[0] / 'red.int8.onnx')!r}); "
        "print(*{'torch', 'torchvision', 'onnx', 'safetensors'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")


def test_every_runtime_says_what_it_runs_on(estimator: Estimator) -> None:
    name, version, *_, device = estimator.runs_on.replace("ONNX Runtime", "ONNXRuntime").split()
    assert name in ("ONNXRuntime", "OpenVINO", "torch")
    assert version[0].isdigit()
    assert device == "CPU"


class _Blind(NetworkEstimator):
    """Has never seen a line."""

    def __init__(self, *, metadata: ModelMetadata, target: str) -> None:
        class Dark:
            runs_on = "nothing"

            def run(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
                assert frame.shape == (metadata.size, metadata.size, 3)
                answer = np.zeros(metadata.output_shape(), dtype=np.float32)
                answer[..., -1] = -9.0
                return answer

            def close(self) -> None:
                pass

        super().__init__(Dark(), metadata=metadata, target=target)


@pytest.mark.parametrize("target", ["line", "lane"])
def test_the_shipped_golden_frames_tell_an_engine_that_sees_from_one_that_does_not(target: str) -> None:
    path = SHIPPED_MODEL
    manifest = load_manifest(path)
    assert manifest is not None
    assert manifest.golden is not None
    assert max(telling_rows(points) for points in manifest.golden.expected[target]) >= 6
    with pytest.raises(ModelError, match="golden frame"):
        check_golden(_Blind(metadata=manifest.metadata, target=target), path=path, manifest=manifest, target=target)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(("kind", "shape"), [("FLOAT", [1, 3, 64, 64]), ("UINT8", [1, 9, 9, 3]), ("FLOAT", [1, 7])])
def test_a_foreign_network_with_our_metadata_is_refused_when_it_is_opened(
    engine: str, kind: str, shape: list[int], tmp_path: Path
) -> None:
    pytest.importorskip(engine)
    helper, number = onnx.helper, getattr(onnx.TensorProto, kind)
    ends = [helper.make_tensor_value_info(name, number, shape) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "copy", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {METADATA_KEY: METADATA.model_dump_json()})
    onnx.save(model, str(tmp_path / "copy.onnx"))
    with pytest.raises(ModelError, match=r"copy\.onnx|the model"):
        open_engine(tmp_path / "copy.onnx", engine=engine)


def test_a_golden_picture_of_another_folder_is_not_read(model_folder: Path) -> None:
    manifest = load_manifest(model_folder / "red.onnx")
    assert manifest is not None
    assert manifest.golden is not None
    golden = manifest.golden.model_copy(update={"picture": "../../etc/passwd"})
    save_manifest(model_folder / "red.onnx", manifest.model_copy(update={"golden": golden}))
    with pytest.raises(ModelError, match="golden frames are missing"):
        open_engine(model_folder / "red.onnx")


def test_an_answer_that_is_no_number_is_not_near_a_golden_one() -> None:
    seen = GoldenPoint(x=0.0, y=0.0, visible=1.0)
    for x, visible in ((float("nan"), 1.0), (0.0, float("nan"))):
        answers = tuple(LinePoint(x=x, y=0.0, visible=visible) for _ in range(2))
        estimate = LineEstimate(points=answers, confidence=1.0)
        assert difference(estimate, (seen, seen)) == (float("inf"), 1.0)
