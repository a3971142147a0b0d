"""The metadata of an ONNX file, read without the onnx package: the few bytes of protobuf that hold it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from control.errors import ModelError

_METADATA_PROPS = 14
"""Field number of ``ModelProto.metadata_props`` in onnx.proto: repeated (1: key, 2: value)."""
_SIZES = {1: 8, 5: 4}
"""Bytes of the fixed-width wire types."""


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """(number, bytes) of each length-delimited field; the others are passed over. Raises IndexError when cut off."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            _, at = _varint(data, at)
            continue
        if wire == 2:
            length, at = _varint(data, at)
        elif wire in _SIZES:
            length = _SIZES[wire]
        else:
            raise IndexError(f"wire type {wire}")
        if at + length > len(data):
            raise IndexError("cut off")
        if wire == 2:
            yield number, data[at : at + length]
        at += length


def read_properties(path: Path, *, content: bytes) -> dict[str, str]:
    """``metadata_props`` of the ONNX model in ``content``; raises ModelError when it is truncated or no ONNX file."""
    found: dict[str, str] = {}
    try:
        for number, field in _fields(memoryview(content)):
            if number == _METADATA_PROPS:
                pair = {key: bytes(value) for key, value in _fields(field)}
                found[pair[1].decode()] = pair.get(2, b"").decode()
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not a whole ONNX file; copy or export it again") from error
    return found
