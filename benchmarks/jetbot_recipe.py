"""JetBot's road following recipe, as its notebook ``train_model.ipynb`` has it: the peer of benchmarks/learning.py.

torchvision's ResNet-18 with two outputs, Adam 1e-3, mean squared error, batch 8, ColorJitter .3, mirrored half of the
time with x -> -x, a random tenth of the pictures as its test split, the epoch with the smallest test loss kept. What
differs: the weights begin by chance instead of ImageNet's, which need a download, and the split has a seed.

    python -m benchmarks.jetbot_recipe automa_C --train 0,1 --test 2 --labels 100 --epochs 70
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split
from torchvision import models, transforms
from torchvision.transforms import functional

from perception.dataset import LabelledPhoto, read_photos

_MEAN, _STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
_BATCH = 8
_WATCHED = 10
"""Epochs between two looks at what the best so far is worth."""


class XYDataset(Dataset[Any]):
    """The notebook's: one file a picture, decoded, jittered and resized anew each time."""

    def __init__(self, photos: Sequence[LabelledPhoto], *, is_augmented: bool = True) -> None:
        self._photos = photos
        self._is_augmented = is_augmented
        self._jitter = transforms.ColorJitter(0.3, 0.3, 0.3, 0.3)

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        photo = self._photos[index]
        image: Any = Image.open(photo.path).convert("RGB")
        width, height = image.size
        assert photo.raw is not None
        x, y = (photo.raw[0] - width / 2) / (width / 2), (photo.raw[1] - height / 2) / (height / 2)
        if self._is_augmented:
            if float(torch.rand(1)) > 0.5:
                image, x = functional.hflip(image), -x
            image = self._jitter(image)
        tensor = functional.to_tensor(functional.resize(image, [224, 224]))
        tensor = torch.from_numpy(tensor.numpy()[::-1].copy())
        return functional.normalize(tensor, _MEAN, _STD), torch.tensor([x, y]).float()


def train_jetbot(
    photos: Sequence[LabelledPhoto], *, epochs: int, seed: int, watch: Callable[[int, nn.Module], None] | None = None
) -> nn.Module:
    """The network of the epoch with the smallest loss on the random tenth; ``watch`` is shown the best so far."""
    torch.manual_seed(seed)
    # The order of the numbers in memory is no part of the recipe: this one is faster on a processor.
    network: nn.Module = models.resnet18(num_classes=2).to(memory_format=torch.channels_last)
    data = XYDataset(photos)
    tenth = max(1, int(0.1 * len(data)))
    learnt, held = random_split(data, [len(data) - tenth, tenth])
    loaders = DataLoader(learnt, batch_size=_BATCH, shuffle=True), DataLoader(held, batch_size=_BATCH)
    optimizer = torch.optim.Adam(network.parameters())
    best_loss, best = float("inf"), network.state_dict()
    for epoch in range(1, epochs + 1):
        network.train()
        for images, labels in loaders[0]:
            if len(images) < 2:
                continue  # batch norm cannot take a single picture; the notebook would stop here
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(network(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        network.eval()
        with torch.no_grad():
            test_loss = float(np.mean([float(nn.functional.mse_loss(network(x), y)) for x, y in loaders[1]]))
        if test_loss < best_loss:
            best_loss, best = test_loss, {k: v.clone() for k, v in network.state_dict().items()}
        if watch is not None and epoch % _WATCHED == 0:
            now = {k: v.clone() for k, v in network.state_dict().items()}
            network.load_state_dict(best)
            watch(epoch, network)
            network.load_state_dict(now)
    network.load_state_dict(best)
    return network.eval()


@torch.no_grad()
def lateral_errors_px(network: nn.Module, photos: Sequence[LabelledPhoto]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """|x - label|, in pixels of 224: its answer says nothing of other rows, so it is taken at its own."""
    found = [
        (network(images)[:, 0] - labels[:, 0]).abs()
        for images, labels in DataLoader(XYDataset(photos, is_augmented=False), batch_size=32)
    ]
    return torch.cat(found).numpy().astype(np.float64) * 112


def pick(photos: Sequence[LabelledPhoto], count: int | None, *, seed: int) -> list[LabelledPhoto]:
    """``count`` of them at random; all when None."""
    order = np.random.default_rng(seed).permutation(len(photos))
    return [photos[i] for i in order[: count or len(photos)]]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    add = options.add_argument
    add("folder", type=Path)
    add("--train", required=True, help="sessions, as 0,1")
    add("--test", required=True)
    add("--labels", type=int, default=None, help="default: all")
    add("--epochs", type=int, default=70)
    add("--seed", type=int, default=0)
    add("--threads", type=int, default=1)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    photos = list(read_photos(chosen.folder))
    learnt = pick([p for p in photos if p.session in chosen.train.split(",")], chosen.labels, seed=chosen.seed)
    tested = [p for p in photos if p.session in chosen.test.split(",")]
    began = process_time()

    def tell(epoch: int, network: nn.Module) -> None:
        spent = process_time() - began
        errors = lateral_errors_px(network, tested)
        result = {
            "folder": chosen.folder.name, "train": chosen.train, "test": chosen.test, "labels": len(learnt),
            "tested": len(tested), "epochs": epoch, "seed": chosen.seed, "cpu_s": round(spent, 1),
            "median_px": float(np.median(errors)), "mean_px": float(errors.mean()),
        }  # fmt: skip
        print(json.dumps(result), flush=True)

    tell(chosen.epochs, train_jetbot(learnt, epochs=chosen.epochs, seed=chosen.seed, watch=tell))


if __name__ == "__main__":
    main()
