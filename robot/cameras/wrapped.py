"""What a camera around another one has in common with all such."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

from robot.cameras.source import Camera

_Wrapped = TypeVar("_Wrapped", bound="WrappedCamera")


class WrappedCamera:
    """Owns ``camera``: is entered, left and closed with it. Only ``frames`` is left to say."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera

    def close(self) -> None:
        self._camera.close()

    def __enter__(self: _Wrapped) -> _Wrapped:
        self._camera.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._camera.__exit__(kind, error, trace)
