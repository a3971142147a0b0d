"""Where the weights of a training begin: chance, a file, the shipped model, or ImageNet."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from http.client import HTTPException
from io import StringIO
from pathlib import Path
from pickle import UnpicklingError

import torch
from torchvision.models import ResNet18_Weights

from control.errors import LinepilotError, ModelError
from perception.checkpoint import load_state
from perception.look_ahead import ROWS
from perception.network import BINS, TARGETS, LineNet

SHIPPED_WEIGHTS = Path(__file__).parents[1] / "models" / "line.safetensors"
_PATIENCE_S = 20.0


def first_network(start: str | None) -> LineNet:
    """``start``: None (chance), ``imagenet``, ``shipped``, or a file of weights of this network.

    Raises ModelError on a file that does not fit, LinepilotError when ImageNet's weights cannot be fetched.
    """
    if start is None:
        return LineNet()
    if start == "imagenet":
        return _from_imagenet()
    if start != "shipped":
        return _from_file(Path(start))
    if not SHIPPED_WEIGHTS.is_file():
        raise ModelError(
            "--start shipped: this version ships no weights to train on; give a file, or leave --start out"
        )
    return _from_file(SHIPPED_WEIGHTS)


def _from_file(path: Path) -> LineNet:
    state, metadata = load_state(path)
    network = LineNet()
    answers = (metadata.kind, metadata.targets, metadata.rows, metadata.bins)
    try:
        fits = answers == ("rows", TARGETS, ROWS, BINS)
        if fits:
            network.load_state_dict(state)
    except RuntimeError:
        fits = False
    if not fits:
        raise ModelError(
            f"{path}: weights of another network ({len(state)} tensors, {metadata.kind}, {metadata.bins} columns); "
            f"--start takes a model.safetensors of `linepilot train` of this version"
        )
    return network


def _from_imagenet() -> LineNet:
    try:
        # torch tells on standard output where it downloads from; the progress of it is on standard error.
        with _impatient_network(), redirect_stdout(StringIO()):
            return LineNet(imagenet=True)
    except (OSError, HTTPException, RuntimeError, EOFError, UnpicklingError) as error:
        cache = os.path.join(torch.hub.get_dir(), "checkpoints")  # noqa: PTH118 - torch gives it as text
        name = Path(ResNet18_Weights.IMAGENET1K_V1.url).name
        reason = " ".join(str(getattr(error, "reason", error)).split()) or type(error).__name__
        raise LinepilotError(
            f"--start imagenet: torchvision's weights cannot be had ({reason}); copy {name} from a machine with a "
            f"network to {cache}, or leave --start out"
        ) from error


@contextmanager
def _impatient_network() -> Iterator[None]:
    """A network that swallows every packet is as good as none."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
