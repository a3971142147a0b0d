"""Network files: our safetensors with metadata, and the weights of JetBot, JetRacer and jetbot_ros.

torch and safetensors are imported when a file is really opened, so that driving never needs them.
"""

from __future__ import annotations

import json
import pickle
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from control.errors import MissingExtraError, ModelError
from perception.files import replace_file
from perception.manifest import check_content, forget, load_manifest
from perception.metadata import METADATA_KEY, ModelMetadata, parse_metadata, xy_metadata
from perception.onnx_file import read_properties

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["ModelMetadata", "load_network", "load_state", "read_metadata", "read_model_file", "save_weights"]
_RESNET18_TENSORS = 122
_FEATURES = 512
_BROKEN_PICKLE = (
    *(pickle.UnpicklingError, struct.error, RuntimeError, EOFError, AssertionError),
    *(ValueError, TypeError, LookupError, AttributeError, OverflowError),
)
"""What reading bytes that are no pickle, or half of one, may raise."""
_TORCH2TRT = "a torch2trt engine, bound to one GPU and TensorRT version; give the .pth it was made from"


def read_model_file(path: Path) -> bytes:
    """The whole file, checked against the manifest beside it. Raises ModelError."""
    try:
        if path.is_fifo() or path.is_char_device():
            # It may never end.
            raise ModelError(f"{path}: is a pipe or a device; give the path of a model file")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}; give the path of a model file") from error
    check_content(path, content=content, manifest=load_manifest(path))
    return content


def read_metadata(path: Path, *, content: bytes | None = None) -> ModelMetadata:
    """Of a .safetensors or .onnx file. Raises ModelError when it carries none."""
    content = read_model_file(path) if content is None else content
    if path.suffix == ".onnx":
        properties = read_properties(path, content=content)
    else:
        properties = _safetensors_header(path, content)
    if METADATA_KEY not in properties:
        raise ModelError(f"{path}: carries no linepilot metadata; export it with `linepilot export`")
    return parse_metadata(properties[METADATA_KEY], where=str(path))


def _safetensors_header(path: Path, content: bytes) -> dict[str, str]:
    """``__metadata__``; the layout (8 byte length, JSON, data) is fixed by the safetensors format."""
    length = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + length])
        return dict(header.get("__metadata__", {}))
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ModelError(f"{path}: not a whole safetensors file; copy it again") from error


def save_weights(path: Path, *, state: Mapping[str, Tensor], metadata: ModelMetadata, half: bool = False) -> None:
    """Write ``state`` and its metadata as safetensors, whole or not at all. Raises InputError on a full disk.

    ``half`` keeps numbers in 16 bits: half the size, for publishing.
    """
    save = _safetensors_torch().save
    tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}
    if half:
        tensors = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    forget(path)
    replace_file(path, save(tensors, {METADATA_KEY: metadata.model_dump_json()}))


def _safetensors_torch() -> Any:
    try:
        import safetensors.torch as library
    except ImportError as error:
        raise MissingExtraError("safetensors", extra="train", purpose="opening network weights") from error
    return library


def load_state(path: Path) -> tuple[dict[str, Tensor], ModelMetadata]:
    """Weights and metadata of a .safetensors or .pth file. Raises ModelError, MissingExtraError."""
    if path.suffix == ".safetensors":
        content = read_model_file(path)
        metadata = read_metadata(path, content=content)
        library = _safetensors_torch()
        from safetensors import SafetensorError

        try:
            return library.load(content), metadata
        except SafetensorError as error:
            raise ModelError(f"{path}: not a whole safetensors file; copy it again") from error
    if path.suffix in (".pth", ".pt"):
        return _load_pickled(path)
    raise ModelError(f"{path}: not a network file; give a .safetensors or .pth file")


def _load_pickled(path: Path) -> tuple[dict[str, Tensor], ModelMetadata]:
    if path.stem.endswith("_trt"):
        raise ModelError(f"{path}: {_TORCH2TRT}")
    read_model_file(path)
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", extra="train", purpose="reading a .pth file") from error
    try:
        with warnings.catch_warnings():
            # Of a file that is refused anyway it would say more than our one line.
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except _BROKEN_PICKLE as error:
        raise ModelError(f"{path}: not a whole file of PyTorch weights; save model.state_dict() again") from error
    return _recognise(path, loaded)


def _recognise(path: Path, loaded: Any) -> tuple[dict[str, Tensor], ModelMetadata]:
    """JetBot and JetRacer keep a bare state dict (B, G, R pictures), jetbot_ros wraps it (R, G, B)."""
    if not isinstance(loaded, dict):
        raise ModelError(f"{path}: holds a {type(loaded).__name__}, not weights; save model.state_dict()")
    if "engine" in loaded and "input_names" in loaded:
        raise ModelError(f"{path}: {_TORCH2TRT}")
    wrapped = isinstance(loaded.get("state_dict"), dict)
    raw = loaded["state_dict"] if wrapped else loaded
    state = {str(key).removeprefix("module."): value for key, value in raw.items()}
    outputs = _xy_outputs(state)
    if not outputs:
        raise ModelError(
            f"{path}: {len(state)} tensors are not a ResNet-18 with x, y outputs "
            f"({_RESNET18_TENSORS} tensors, fc.weight [2k, {_FEATURES}]); only that kind can be read"
        )
    size = int(loaded.get("resolution", 224)) if wrapped else 224
    return state, xy_metadata(categories=outputs // 2, channel_order="rgb" if wrapped else "bgr", size=size)


def _xy_outputs(state: Mapping[str, Any]) -> int:
    """Number of outputs of the fully connected layer, 0 when this is no such network."""
    weight = state.get("fc.weight")
    shape = tuple(getattr(weight, "shape", ()))
    fits = len(state) == _RESNET18_TENSORS and len(shape) == 2 and shape[1] == _FEATURES
    return int(shape[0]) if fits and shape[0] % 2 == 0 else 0


def load_network(path: Path) -> tuple[nn.Module, ModelMetadata]:
    """The network in evaluation mode with its weights, on the CPU. Raises ModelError, MissingExtraError."""
    state, metadata = load_state(path)
    network = _build(metadata)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"{path}: its tensors are not those of this network; train it again") from error
    return network.eval(), metadata


def _build(metadata: ModelMetadata) -> nn.Module:
    if metadata.kind == "rows":
        from perception.network import LineNet

        return LineNet()
    from torchvision.models import resnet18

    network: nn.Module = resnet18(num_classes=2 * len(metadata.targets))
    return network
