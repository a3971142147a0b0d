"""Number formats of the forward pass: bfloat16 where the processor computes in it, else fp32.

Where it only stores bfloat16, every step takes some ten times as long as in fp32 (measured on an AVX2 processor).
"""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["auto", "fp32", "bf16"]
_FEATURES = ("amx_bf16", "avx512_bf16")
"""x86 only: ARM processors with bfloat16 have not been measured, so there ``auto`` stays with fp32."""
_OLDER_QUERIES = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
"""What torch had before ``get_capabilities``; torch 2.2 has neither and counts as a processor without."""


def has_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware, as far as this torch can tell."""
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is not None:
        found = capabilities()
        return any(bool(found.get(name, False)) for name in _FEATURES)
    queries = [getattr(torch.cpu, name, None) for name in _OLDER_QUERIES]
    return any(bool(query()) for query in queries if query is not None)


def resolve(precision: Precision) -> Literal["fp32", "bf16"]:
    """What ``auto`` means here."""
    if precision == "auto":
        return "bf16" if has_bf16() else "fp32"
    return precision


def autocast(precision: Precision, *, device: torch.device) -> torch.autocast:
    """The context of a forward pass."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=resolve(precision) == "bf16")
