"""The header's pins: Jetson.GPIO loaded late, and what it says in an error of ours."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

from control.errors import DeviceError, MissingExtraError

_COMPATIBLE = Path("/proc/device-tree/compatible")
_MODEL_NAMES = ("JETSON_TESTING_MODEL_NAME", "JETSON_MODEL_NAME")
_CHIP = "/dev/gpiochip0"
MAY_USE = "sudo usermod -aG gpio $USER, log in again; without the group: Jetson.GPIO's udev rules are missing"


class HeaderErrors:
    """Makes errors of ours of what Jetson.GPIO raises; for a board or chip that it does not know that is a bare
    Exception, which can only be told from others by its very type, and that an ``except`` cannot ask for.
    """

    _TYPES = (Exception, ValueError, RuntimeError, UnboundLocalError)

    def __init__(self, what: str, *, advice: str, raises: type[DeviceError]) -> None:
        self._what, self._advice, self._raises = what, advice, raises

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind in self._TYPES:
            told = " ".join(str(error).split()).rstrip(".")
            raise self._raises(f"{self._what}: {told}; {self._advice}") from error


def header_gpio(what: str, *, purpose: str, without: str, raises: type[DeviceError]) -> Any:
    """Jetson.GPIO, which fails on import, not on use, when this is no Jetson.

    ``what`` begins the message, ``without`` says how to do without pins. Raises MissingExtraError and ``raises``.
    """
    if not _COMPATIBLE.exists() and not any(name in os.environ for name in _MODEL_NAMES):
        raise raises(f"{what}: this is no Jetson, its header's pins cannot be driven; {without}")
    if not os.access(_CHIP, os.W_OK):
        # Before the library does, and in fewer words.
        raise raises(f"{what}: {_CHIP} is not there or cannot be written to; {MAY_USE}")
    try:
        with HeaderErrors(what, advice=f"in a container set JETSON_MODEL_NAME, or {without}", raises=raises):
            from Jetson import GPIO
    except ImportError as error:
        raise MissingExtraError("Jetson.GPIO", extra="jetson", purpose=purpose) from error
    return GPIO
