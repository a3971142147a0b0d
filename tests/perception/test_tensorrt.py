"""The TensorRT engine against a stand-in of NVIDIA's API (10.x names): no GPU is needed to prove the plumbing."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.cli.main import main
from control.errors import DeviceError, LinepilotError, ModelError
from perception.engines import open_engine
from perception.engines import tensorrt as engine_module
from perception.engines.onnx import OnnxBackend
from tests.perception.red_line import METADATA, picture


class FakeCuda:
    """Device memory is host memory."""

    def __init__(self) -> None:
        self.blocks: dict[int, Any] = {}
        self.failing = False

    def cudaMalloc(self, pointer: Any, size: Any) -> int:
        block = ctypes.create_string_buffer(size.value)
        address = ctypes.addressof(block)
        self.blocks[address] = block
        pointer._obj.value = address
        return 0

    def cudaMemcpyAsync(self, target: Any, source: Any, size: Any, kind: Any, stream: Any) -> int:
        ctypes.memmove(target.value, source.value, size.value)
        return 0

    def cudaFree(self, pointer: Any) -> int:
        del self.blocks[pointer.value]
        return 0

    def cudaStreamCreate(self, stream: Any) -> int:
        stream._obj.value = 7
        return 2 if self.failing else 0

    def cudaStreamSynchronize(self, stream: Any) -> int:
        return 0

    def cudaStreamDestroy(self, stream: Any) -> int:
        return 0

    def cudaDeviceGetAttribute(self, value: Any, attribute: Any, device: Any) -> int:
        value._obj.value = {75: 8, 76: 7}[attribute.value]
        return 0

    def cudaGetErrorString(self, code: int) -> bytes:
        return b"out of memory"


class FakeEngine:
    """Runs the ONNX file that stands in for the engine file."""

    num_io_tensors = 2

    def __init__(self, content: bytes, cuda: FakeCuda) -> None:
        self._network = OnnxBackend(Path("x"), content=content, threads=1)
        self._shapes = {"frame": (1, 112, 112, 3), "answer": (1, *METADATA.output_shape())}
        self._addresses: dict[str, int] = {}

    def get_tensor_name(self, index: int) -> str:
        return list(self._shapes)[index]

    def get_tensor_mode(self, name: str) -> str:
        return "in" if name == "frame" else "out"

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self._shapes[name]

    def get_tensor_dtype(self, name: str) -> type:
        return np.uint8 if name == "frame" else np.float32

    def create_execution_context(self) -> FakeEngine:
        return self

    def set_tensor_address(self, name: str, address: int) -> None:
        self._addresses[name] = address

    def execute_async_v3(self, stream: int) -> bool:
        raw = ctypes.string_at(self._addresses["frame"], 112 * 112 * 3)
        answer = self._network.run(np.frombuffer(raw, dtype=np.uint8).reshape(112, 112, 3))
        ctypes.memmove(self._addresses["answer"], np.ascontiguousarray(answer).ctypes.data, answer.nbytes)
        return True


class FakeBuilder:
    """Makes of an ONNX file the engine that FakeEngine runs: itself."""

    built = 0

    def __init__(self, logger: object) -> None:
        self.flags: list[str] = []

    def create_network(self, flags: int) -> SimpleNamespace:
        return SimpleNamespace(flags=flags, content=b"")

    def create_builder_config(self) -> FakeBuilder:
        return self

    def set_memory_pool_limit(self, pool: str, size: int) -> None:
        assert (pool, size > 0) == ("workspace", True)

    def set_flag(self, flag: str) -> None:
        self.flags.append(flag)

    def build_serialized_network(self, network: Any, config: FakeBuilder) -> bytes | None:
        assert config.flags == ["fp16"]
        FakeBuilder.built += 1
        return network.content or None


class FakeParser:
    num_errors = 1

    def __init__(self, network: Any, logger: object) -> None:
        self._network = network

    def parse(self, content: bytes) -> bool:
        self._network.content = content
        return content != b"of a later opset"

    def get_error(self, index: int) -> SimpleNamespace:
        return SimpleNamespace(desc=lambda: "no importer for Swish")


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCuda:
    """A machine with TensorRT 10."""
    fake = FakeCuda()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(FakeBuilder, "built", 0)

    def deserialise(content: bytes) -> FakeEngine | None:
        return None if content == b"of another GPU" else FakeEngine(content, fake)

    library = SimpleNamespace(
        __version__="10.3.0",
        ICudaEngine=FakeEngine,
        Logger=type("Logger", (), {"ERROR": 1, "__init__": lambda self, level: None}),
        Runtime=lambda logger: SimpleNamespace(deserialize_cuda_engine=deserialise),
        Builder=FakeBuilder,
        OnnxParser=FakeParser,
        NetworkDefinitionCreationFlag=SimpleNamespace(EXPLICIT_BATCH=0),
        MemoryPoolType=SimpleNamespace(WORKSPACE="workspace"),
        BuilderFlag=SimpleNamespace(FP16="fp16"),
        TensorIOMode=SimpleNamespace(INPUT="in"),
        nptype=lambda kind: kind,
    )
    monkeypatch.setitem(sys.modules, "tensorrt", library)
    monkeypatch.setattr(engine_module, "load_runtime", lambda: fake)
    return fake


def test_an_engine_file_answers_like_the_onnx_file_and_frees_its_memory(model_folder: Path, cuda: FakeCuda) -> None:
    (model_folder / "red.engine").write_bytes((model_folder / "red.onnx").read_bytes())
    estimator = open_engine(model_folder / "red.engine")
    assert estimator.estimate(picture(0.3)) == open_engine(model_folder / "red.onnx").estimate(picture(0.3))
    assert estimator.runs_on == "TensorRT 10.3.0 on the GPU"
    assert len(cuda.blocks) == 2
    estimator.close()
    estimator.close()
    assert not cuda.blocks


def test_an_engine_of_another_machine_is_told_how_to_be_built(model_folder: Path, cuda: FakeCuda) -> None:
    (model_folder / "red.engine").write_bytes(b"of another GPU")
    with pytest.raises(ModelError, match=r"linepilot export .*red\.onnx --tensorrt"):
        open_engine(model_folder / "red.engine")


def test_an_engine_without_its_manifest_is_refused(tmp_path: Path, cuda: FakeCuda) -> None:
    (tmp_path / "red.engine").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"red\.json"):
        open_engine(tmp_path / "red.engine")


def test_an_onnx_file_without_an_engine_is_told_how_to_build_one(model_folder: Path, cuda: FakeCuda) -> None:
    with pytest.raises(ModelError, match=r"linepilot export .*red\.onnx --tensorrt"):
        open_engine(f"tensorrt:{model_folder / 'red.onnx'}")


def test_an_engine_is_built_once_for_a_file_a_gpu_and_a_version(
    model_folder: Path, cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    onnx = model_folder / "red.onnx"
    assert main(["export", str(onnx), "--tensorrt"]) == 0
    assert f"model=tensorrt:{onnx}" in capsys.readouterr().out
    assert engine_module.build_tensorrt(onnx).name.endswith(".sm87.trt10.3.0.engine")
    assert FakeBuilder.built == 1
    estimator = open_engine(f"tensorrt:{onnx}")
    assert estimator.estimate(picture(0.3)) == open_engine(onnx).estimate(picture(0.3))
    monkeypatch.setattr(sys.modules["tensorrt"], "__version__", "10.16.0")
    with pytest.raises(ModelError, match="--tensorrt"):
        open_engine(f"tensorrt:{onnx}")
    engine_module.build_tensorrt(onnx)
    assert FakeBuilder.built == 2


def test_a_network_that_tensorrt_cannot_read_is_told_in_its_words(tmp_path: Path, cuda: FakeCuda) -> None:
    (tmp_path / "new.onnx").write_bytes(b"of a later opset")
    with pytest.raises(ModelError, match=r"no importer for Swish.*--opset 13"):
        engine_module.build_tensorrt(tmp_path / "new.onnx")
    assert not (tmp_path / "cache").exists()


def test_an_engine_that_could_not_be_built_leaves_no_file(tmp_path: Path, cuda: FakeCuda) -> None:
    (tmp_path / "big.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="free some memory"):
        engine_module.build_tensorrt(tmp_path / "big.onnx")
    assert not (tmp_path / "cache").exists()


def test_cuda_s_own_words_reach_the_user(model_folder: Path, cuda: FakeCuda) -> None:
    cuda.failing = True
    (model_folder / "red.engine").write_bytes((model_folder / "red.onnx").read_bytes())
    with pytest.raises(DeviceError, match="out of memory"):
        open_engine(model_folder / "red.engine")


def test_a_machine_without_tensorrt_says_what_to_install(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    (model_folder / "red.engine").write_bytes(b"x")
    with pytest.raises(LinepilotError, match="python3-libnvinfer"):
        open_engine(model_folder / "red.engine")


def test_an_old_tensorrt_is_refused(model_folder: Path, cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["tensorrt"], "ICudaEngine", object)
    (model_folder / "red.engine").write_bytes(b"x")
    with pytest.raises(LinepilotError, match=r"8\.5"):
        open_engine(model_folder / "red.engine")
