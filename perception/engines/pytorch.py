"""PyTorch, the oracle: slow to start, exact, and the only one that reads .safetensors and .pth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from control.errors import MissingExtraError
from perception.checkpoint import load_network
from perception.metadata import ModelMetadata
from perception.preprocess import normalise

if TYPE_CHECKING:
    from torch import nn


class TorchBackend:
    """Runs a network in evaluation mode; ``threads`` None leaves torch's own setting alone."""

    def __init__(self, network: nn.Module, *, metadata: ModelMetadata, threads: int | None = None) -> None:
        import torch

        self._torch = torch
        self._metadata = metadata
        if threads is not None:
            torch.set_num_threads(threads)
        self._network = network.eval().to(memory_format=torch.channels_last)
        device = next((weights.device.type for weights in network.parameters()), "cpu")
        self.runs_on = f"torch {torch.__version__} on the {device.upper()}"

    def run(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        data = self._metadata
        prepared = normalise(frame[np.newaxis], channel_order=data.channel_order, mean=data.mean, std=data.std)
        with self._torch.inference_mode():
            answer: NDArray[np.float32] = self._network(self._torch.from_numpy(prepared)).float().numpy()
        return answer

    def close(self) -> None:
        """Nothing is held open."""


def open_torch(path: Path, *, threads: int) -> tuple[TorchBackend, ModelMetadata]:
    """Raises ModelError, MissingExtraError."""
    try:
        import torch as _torch  # noqa: F401 - only to say which extra is missing
    except ImportError as error:
        raise MissingExtraError("torch", extra="train", purpose=f"running {path.name}") from error
    network, metadata = load_network(path)
    return TorchBackend(network, metadata=metadata, threads=threads), metadata
