"""``dataset.json``: what a data set says of itself, beside its labels.csv and images/."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from control.errors import DatasetError
from control.messages import Target

CARD = "dataset.json"
Part = Literal["train", "validation", "test"]


class Source(BaseModel):
    """Where pictures came from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str
    place: str
    """As it was named; it may be gone by now."""
    pictures: int
    note: str = ""
    license: str = ""


class DataSetCard(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["linepilot data set"] = "linepilot data set"
    version: Literal[1] = 1
    target: Target | None = None
    """What the labels mark; None when nobody said it."""
    sources: tuple[Source, ...] = ()
    splits: dict[Part, tuple[str, ...]] = {}
    """Sessions of each part. A session in none of them is for training."""

    def part_of(self, session: str) -> Part:
        return next((part for part, sessions in self.splits.items() if session in sessions), "train")


def read_card(folder: Path) -> DataSetCard | None:
    """None for a folder without one. Raises DatasetError."""
    path = folder / CARD
    if not path.is_file():
        return None
    try:
        return DataSetCard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DatasetError(f"{path}: {key}: {first['msg']}; correct it, or delete the file to go on without") from error
