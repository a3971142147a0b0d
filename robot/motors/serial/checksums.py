"""The check sums of motor boards' packets."""

from __future__ import annotations


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM: polynomial 0x1021, initial value 0 (VESC, RoboClaw)."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc


def crc7(data: bytes) -> int:
    """Pololu's CRC-7: polynomial 0x91, bits from the lowest up (Motoron)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc ^ 0x91 if crc & 1 else crc) >> 1
    return crc


def sum7(data: bytes) -> int:
    """The low seven bits of the sum (Sabertooth)."""
    return sum(data) & 0x7F
