"""Writing a file whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from control.errors import InputError


def replace_file(path: Path, content: bytes) -> None:
    """Write beside the file, then rename over it. Raises InputError when the disk refuses.

    Through a link, which stays; into a device such as /dev/null or /dev/stdout, which must not be renamed over.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if is_device(path):
            path.write_bytes(content)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def picture_format(path: Path) -> str:
    """jpeg where the name says so, else png."""
    return "jpeg" if path.suffix.lower() in (".jpg", ".jpeg") else "png"


def is_device(path: Path) -> bool:
    """Something that is there and takes bytes, but is neither file nor folder."""
    return path.exists() and not path.is_file() and not path.is_dir()
