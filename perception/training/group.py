"""Several processes that train one network, as ``torchrun`` starts them: one a GPU, or on processors over gloo."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, distributed, nn

from control.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Of one process, unless ``torchrun`` said otherwise. Each call waits for the same call in all others."""

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        """The one that validates, writes and talks."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """In one packet: a ResNet-18 has sixty small ones."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        packet = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(packet)
        packet /= self.size
        begin = 0
        for gradient in gradients:
            gradient.copy_(packet[begin : begin + gradient.numel()].view_as(gradient))
            begin += gradient.numel()

    def first_says(self, number: float) -> float:
        """What the first of them gave."""
        told = self._tensor(number)
        if self.size > 1:
            distributed.broadcast(told, src=0)
        return float(told)

    def any_says(self, answer: bool) -> bool:
        told = self._tensor(float(answer))
        if self.size > 1:
            distributed.all_reduce(told, op=distributed.ReduceOp.MAX)
        return bool(told)

    def _tensor(self, number: float) -> Tensor:
        return torch.tensor(number, dtype=torch.float64, device=self.device)


@contextmanager
def joined_group() -> Iterator[Group]:
    """By the variables that ``torchrun`` sets (its documentation, "Environment Variables").

    Raises ConfigError when the others cannot be reached.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Group(device=torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    on_gpu = torch.cuda.is_available() and local < torch.cuda.device_count()
    try:
        distributed.init_process_group("nccl" if on_gpu else "gloo")
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"the {size} processes of torchrun do not find each other ({reason})") from error
    try:
        yield Group(rank=rank, size=size, device=torch.device("cuda", local) if on_gpu else torch.device("cpu"))
    finally:
        distributed.destroy_process_group()
