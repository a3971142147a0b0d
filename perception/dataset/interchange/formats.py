"""The table of formats: how each is recognised, read and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from control.errors import DatasetError
from perception.dataset.interchange import coco, fabo, file_names, imagefolder, lerobot, tub
from perception.dataset.photos import LabelledPhoto, PhotoSet, Unit, read_photos

Reader = Callable[[Path], PhotoSet]
Writer = Callable[[Path, Sequence[LabelledPhoto]], int]

_FOREIGN: dict[str, tuple[Callable[[Path], bool], Reader]] = {
    "tub": (tub.is_tub, tub.read_tub),
    "lerobot": (lerobot.is_lerobot, lerobot.read_lerobot),
    "coco": (coco.is_coco, coco.read_coco),
    "imagefolder": (imagefolder.is_imagefolder, imagefolder.read_imagefolder),
    "fabo": (fabo.is_fabo, fabo.read_fabo),
}
IMPORTS = ("linepilot", "jetbot", "jetbot-percent", "jetracer", *_FOREIGN)
EXPORTS: dict[str, Writer] = {
    "jetbot": file_names.write_jetbot,
    "jetbot-percent": file_names.write_jetbot_percent,
    "jetracer": file_names.write_jetracer,
    "fabo": fabo.write_fabo,
    "tub": tub.write_tub,
    "coco": coco.write_coco,
    "imagefolder": imagefolder.write_imagefolder,
    "lerobot": lerobot.write_lerobot,
}


def format_of(folder: Path) -> str:
    """As far as the files tell; names of pictures are looked at last."""
    if (folder / "labels.csv").is_file():
        return "linepilot"
    found = [name for name, (is_it, _) in _FOREIGN.items() if is_it(folder)]
    return found[0] if found else "jetbot"


def read_any(
    folder: Path,
    *,
    kind: str | None = None,
    unit: Unit | None = None,
    category: str | None = None,
) -> tuple[str, PhotoSet]:
    """The format and what is in it. ``category`` chooses one of a JetRacer task's. Raises DatasetError."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; give a folder of pictures, a tub or a data set")
    name = kind or format_of(folder)
    if name in _FOREIGN:
        return name, _FOREIGN[name][1](folder)
    if name == "linepilot":
        return name, read_photos(folder)
    if unit is None and name in ("jetbot-percent", "jetracer"):
        unit = "percent" if name == "jetbot-percent" else "pixel"
    return name, file_names.read_named(folder, unit=unit, category=category)


def write_as(kind: str, folder: Path, photos: Sequence[LabelledPhoto]) -> int:
    """Into a new folder; returns how many pictures were written. Raises DatasetError, InputError, MissingExtraError."""
    count = EXPORTS[kind](folder, photos)
    if not count:
        raise DatasetError(f"no picture has what {kind} needs (a label, or steering); label them first")
    return count
