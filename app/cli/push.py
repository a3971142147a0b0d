"""``linepilot push``: a model or a data set to the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.options import parser

if TYPE_CHECKING:
    from perception.hub import Kind


def run(arguments: list[str]) -> int:
    options = parser(
        "push",
        what="Put a folder with a model, or with a data set, on the Hugging Face hub (huggingface.co).\n"
        "Only network files, pictures and texts go up, never a pickle nor a training's state.",
        example="linepilot push models amira/track-of-room-12 --private",
    )
    options.add_argument("folder", type=Path)
    options.add_argument("name", metavar="OWNER/NAME")
    options.add_argument("--data", action="store_true", help="a data set, not a model")
    options.add_argument("--private", action="store_true", help="when it is new: only you see it")
    chosen = options.parse(arguments)
    from perception.hub import push

    kind: Kind = "dataset" if chosen.data else "model"
    address = push(chosen.folder, chosen.name, kind=kind, private=chosen.private)
    print(f"{address}; elsewhere: linepilot pull {chosen.name}{' --data' if chosen.data else ''}")
    return 0
