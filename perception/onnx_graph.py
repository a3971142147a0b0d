"""Building the ONNX graphs: the uint8 picture goes in, the preprocessing is part of the first convolution.

The camera's bytes themselves are the first convolution's input: (u - 116), zero point 116 being about the mean of
ImageNet's means. What that leaves of the three means goes into a constant fourth channel, so that zero padding
means the same as in training and the answer is exact up to the borders. (Folding the means into the bias is not.)
In int8 the bytes are then already the quantised tensor, with scale 1: nothing is converted at all.
"""

from __future__ import annotations

import copy
import io
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from control.errors import MissingExtraError, ModelError
from perception.metadata import METADATA_KEY, ModelMetadata

if TYPE_CHECKING:
    from torch import Tensor, nn

Image = NDArray[np.uint8]
_ZERO_POINT = 116
_CONSTANT = 255
_QUANTISED_OPS = ("Conv", "Add", "MaxPool", "Relu", "Resize", "GlobalAveragePool")


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("onnx", extra="train", purpose="exporting a model") from error
    return onnx


def _quantisation() -> Any:
    from onnxruntime import quantization

    return quantization


def build_fp32(network: nn.Module, *, metadata: ModelMetadata, opset: int) -> bytes:
    """(N = 1, S, S, 3) uint8 BGR ``frame`` -> ``answer``. Raises MissingExtraError."""
    # TensorRT takes bytes at its door only if they are cast at once.
    return _finish(_export(network, metadata=metadata, opset=opset, cast_first=True), metadata=metadata)


def quantise(network: nn.Module, *, metadata: ModelMetadata, frames: list[Image], opset: int) -> bytes:
    """The same graph in static int8: activations unsigned, weights signed, one scale a channel.

    ``frames`` are (S, S, 3) uint8 BGR. Weights keep 7 bits: without VNNI, x86 adds pairs of products in 16 bits,
    which 8 bit weights overflow.
    """
    onnx, quantisation = _onnx(), _quantisation()
    model = _export(network, metadata=metadata, opset=opset, cast_first=False)
    shifted, pixels = _first_tensors(model)
    as_it_is = {"scale": np.array(1.0, dtype=np.float32), "zero_point": np.array(_ZERO_POINT, dtype=np.uint8)}
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        # The exporter has folded what the quantiser's own preparation would; without this mark it warns.
        onnx.helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
        onnx.save(model, str(source))
        quantisation.quantize_static(
            str(source),
            str(result),
            _Frames(frames),
            quant_format=quantisation.QuantFormat.QDQ,
            activation_type=quantisation.QuantType.QUInt8,
            weight_type=quantisation.QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=list(_QUANTISED_OPS),
            nodes_to_exclude=_kept_exact(model),
            extra_options={"TensorQuantOverrides": {shifted: [as_it_is]}},
        )
        quantised = onnx.load(str(result))
    _feed_bytes(quantised, shifted=shifted, pixels=pixels)
    return _finish(quantised, metadata=metadata)


class _Frames:
    """What ONNX Runtime's calibration reads from."""

    def __init__(self, frames: list[Image]) -> None:
        self._frames = iter(frames)

    def get_next(self) -> dict[str, Image] | None:
        frame = next(self._frames, None)
        return None if frame is None else {"frame": frame[np.newaxis]}


def _export(network: nn.Module, *, metadata: ModelMetadata, opset: int, cast_first: bool) -> Any:
    import torch

    export: Any = torch.onnx.export
    wrapped = _with_preprocessing(network, metadata=metadata, cast_first=cast_first)
    frame = torch.zeros(1, metadata.size, metadata.size, 3, dtype=torch.uint8)
    target = io.BytesIO()
    with warnings.catch_warnings():
        # The older exporter warns that it is old; its graphs are the ones that old TensorRT reads.
        warnings.simplefilter("ignore")
        export(
            wrapped, (frame,), target, dynamo=False, opset_version=opset, input_names=["frame"], output_names=["answer"]
        )
    return _onnx().load_from_string(target.getvalue())


def _with_preprocessing(network: nn.Module, *, metadata: ModelMetadata, cast_first: bool) -> nn.Module:
    import torch
    from torch import nn

    inner = copy.deepcopy(network).eval()
    name = next(n for n, m in inner.named_modules() if isinstance(m, nn.Conv2d))
    parent, _, leaf = name.rpartition(".")
    setattr(inner.get_submodule(parent), leaf, _first_convolution(inner.get_submodule(name), metadata=metadata))

    class Wrapped(nn.Module):
        constant: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.network = inner
            shape = (1, metadata.size, metadata.size, 1)
            kind = torch.float32 if cast_first else torch.uint8
            self.register_buffer("constant", torch.full(shape, _CONSTANT, dtype=kind))

        def forward(self, frame: Tensor) -> Tensor:
            pixels = frame.float() if cast_first else frame
            planes = torch.cat([pixels, self.constant], dim=3).permute(0, 3, 1, 2)
            answer: Tensor = self.network(planes.float() - float(_ZERO_POINT))
            return answer

    return Wrapped().eval()


def _first_convolution(convolution: Any, *, metadata: ModelMetadata) -> nn.Module:
    """The same convolution over (B, G, R, constant) bytes less the zero point."""
    import torch
    from torch import nn

    if convolution.bias is not None or convolution.in_channels != 3:
        raise ModelError("the first convolution must have three channels and no bias; this network cannot be exported")
    mean = 255.0 * torch.tensor(metadata.mean)
    std = 255.0 * torch.tensor(metadata.std)
    scaled = convolution.weight.detach() / std.view(1, 3, 1, 1)
    rest = -(scaled * (mean - _ZERO_POINT).view(1, 3, 1, 1)).sum(dim=1, keepdim=True) / (_CONSTANT - _ZERO_POINT)
    blue_first = scaled.flip(1) if metadata.channel_order == "rgb" else scaled
    made = nn.Conv2d(
        4,
        convolution.out_channels,
        convolution.kernel_size,
        stride=convolution.stride,
        padding=convolution.padding,
        bias=False,
    )
    made.weight = nn.Parameter(torch.cat([blue_first, rest], dim=1))
    return made


def _first_tensors(model: Any) -> tuple[str, str]:
    """Names of the shifted float picture and of the uint8 planes it is made from."""
    makers = {output: node for node in model.graph.node for output in node.output}
    shifted = next(node for node in model.graph.node if node.op_type == "Conv").input[0]
    cast = makers[makers[shifted].input[0]]
    return str(shifted), str(cast.input[0])


def _kept_exact(model: Any) -> list[str]:
    """The last convolution speaks in logits: it stays in floating point."""
    return [[node.name for node in model.graph.node if node.op_type == "Conv"][-1]]


def _feed_bytes(model: Any, *, shifted: str, pixels: str) -> None:
    """Take the planes of bytes as the first quantised tensor, in place of cast, shift and rounding."""
    graph = model.graph
    makers = {output: node for node in graph.node for output in node.output}
    rounded = next(n.output[0] for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == shifted)
    cast = makers[shifted].input[0]
    for node in graph.node:
        node.input[:] = [pixels if name == rounded else name for name in node.input]
    _keep_nodes(graph, [node for node in graph.node if not {shifted, cast, rounded} & set(node.output)])


def _keep_nodes(graph: Any, nodes: list[Any]) -> None:
    """Replace the nodes, and drop the constants that nobody reads any more."""
    used = {name for node in nodes for name in node.input}
    kept = [copy.deepcopy(node) for node in nodes if node.op_type != "Constant" or set(node.output) & used]
    constants = [copy.deepcopy(value) for value in graph.initializer if value.name in used]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(kept)
    graph.initializer.extend(constants)


def _finish(model: Any, *, metadata: ModelMetadata) -> bytes:
    onnx = _onnx()
    _spell_out_logsumexp(model)
    model.producer_name = "linepilot"
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {METADATA_KEY: metadata.model_dump_json()})
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _spell_out_logsumexp(model: Any) -> None:
    """OpenVINO overlooks the axes of ReduceLogSumExp below opset 18 and sums over all of them."""
    helper = _onnx().helper
    nodes: list[Any] = []
    for node in model.graph.node:
        if node.op_type != "ReduceLogSumExp":
            nodes.append(node)
            continue
        axes = next(list(a.ints) for a in node.attribute if a.name == "axes")
        source, result = node.input[0], node.output[0]
        name = f"{result}_parts"
        axes_name = f"{name}_axes"
        model.graph.initializer.append(helper.make_tensor(axes_name, 7, [len(axes)], axes))
        nodes += [
            helper.make_node("ReduceMax", [source], [f"{name}_top"], axes=axes, keepdims=1),
            helper.make_node("Sub", [source, f"{name}_top"], [f"{name}_below"]),
            helper.make_node("Exp", [f"{name}_below"], [f"{name}_exp"]),
            helper.make_node("ReduceSum", [f"{name}_exp", axes_name], [f"{name}_sum"], keepdims=1),
            helper.make_node("Log", [f"{name}_sum"], [f"{name}_log"]),
            helper.make_node("Add", [f"{name}_log", f"{name}_top"], [result]),
        ]
    _keep_nodes(model.graph, nodes)
