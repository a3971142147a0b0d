"""What a model file says about itself: how to prepare its picture and how to read its answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from control.errors import ModelError

METADATA_KEY = "linepilot"
"""Key of the JSON text in safetensors' ``__metadata__`` and in ONNX' ``metadata_props``."""
FORMAT_VERSION: Literal[1] = 1
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Triple = tuple[float, float, float]


class ModelMetadata(BaseModel):
    """Preprocessing and head of one network.

    ``mean`` and ``std`` (of pixel values scaled to [0, 1]) apply by position after the channels were put in
    ``channel_order``: JetBot's networks see B, G, R with ImageNet's numbers in their R, G, B order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format_version: Literal[1] = FORMAT_VERSION
    kind: Literal["rows", "xy"]
    """``rows``: column logits and visibility for each look-ahead row; ``xy``: one image point per target."""
    size: int = Field(ge=16, le=1024)
    """Side of the square picture the network sees; other pictures are squashed to it."""
    channel_order: Literal["rgb", "bgr"] = "rgb"
    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD
    resize: Literal["area", "linear"] = "area"
    targets: tuple[str, ...] = Field(min_length=1)
    rows: tuple[float, ...] = ()
    """Image y of each look-ahead row, near (large) to far."""
    bins: int = Field(default=0, ge=0)
    x_range: float = Field(default=1.0, gt=0)
    """Column bins are centred on linspace(-x_range, x_range, bins)."""
    training: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    """How the weights came about, for the reader: data, seed, hours."""

    @model_validator(mode="after")
    def _check(self) -> ModelMetadata:
        if min(self.std) <= 0:
            raise ValueError("std must be positive")
        if self.kind == "rows":
            if self.bins < 2 or not self.rows:
                raise ValueError("a model of kind 'rows' needs rows and at least two bins")
            if any(b >= a for a, b in zip(self.rows, self.rows[1:], strict=False)):
                raise ValueError("rows must fall from near (large y) to far")
        return self

    def output_shape(self) -> tuple[int, ...]:
        """Of one picture's answer: (targets, rows, bins + 1), or (2 * targets,) for ``xy``."""
        if self.kind == "xy":
            return (2 * len(self.targets),)
        return (len(self.targets), len(self.rows), self.bins + 1)

    def target_index(self, target: str) -> int:
        """Raises ModelError when the model does not know the target. A single unnamed target serves any."""
        if target in self.targets:
            return self.targets.index(target)
        if self.kind == "xy" and len(self.targets) == 1:
            return 0
        known = ", ".join(self.targets)
        raise ModelError(f"the model does not know the target '{target}'; it knows: {known}")


def parse_metadata(text: str, *, where: str) -> ModelMetadata:
    """Raises ModelError naming ``where`` and the first wrong key."""
    try:
        return ModelMetadata.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "metadata"
        raise ModelError(f"{where}: model metadata: {key}: {first['msg']}; export the model again") from error


def xy_metadata(*, categories: int, channel_order: Literal["rgb", "bgr"], size: int = 224) -> ModelMetadata:
    """The networks of JetBot, JetRacer and jetbot_ros: one x, y for each category."""
    names = ("line",) if categories == 1 else tuple(str(i) for i in range(categories))
    return ModelMetadata(kind="xy", size=size, channel_order=channel_order, resize="linear", targets=names)
