"""``linepilot pull``: a model or a data set from the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.options import parser

if TYPE_CHECKING:
    from perception.hub import Kind


def run(arguments: list[str]) -> int:
    options = parser(
        "pull",
        what="Fetch a model, or a data set, from the Hugging Face hub (huggingface.co) into a new folder.\n"
        "Networks are checked against the checksums that came with them.",
        example="linepilot pull amira/track-of-room-12 --out models/room-12",
    )
    options.add_argument("name", metavar="OWNER/NAME")
    options.add_argument("--out", type=Path, metavar="FOLDER", help="default: NAME, here")
    options.add_argument("--data", action="store_true", help="a data set, not a model")
    options.add_argument("--revision", metavar="R", help="a branch, tag or commit; default: the newest")
    chosen = options.parse(arguments)
    from perception.hub import pull

    kind: Kind = "dataset" if chosen.data else "model"
    folder = chosen.out or Path(chosen.name.rpartition("/")[2])
    files = pull(chosen.name, folder, kind=kind, revision=chosen.revision)
    networks = sorted((path for path in files if path.suffix == ".onnx"), key=lambda path: path.stat().st_size)
    print(f"{folder}: {len(files)} files{f'; drive with it: model={networks[0]}' if networks else ''}")
    return 0
