"""How hot the computer is: the hottest of the kernel's thermal zones."""

from __future__ import annotations

from math import inf, nan
from pathlib import Path

ROOT = Path("/sys/class/thermal")
_EVERY_S = 0.1
"""One zone at a time: a read may take a millisecond, and ten of them would be seen in the loop."""
_NOT_REAL = ("pmic",)
"""A Jetson Nano's PMIC-Die says 100 degrees all the time."""
_COLDEST_C = -60.0
"""The zone of a part that is switched off says -256 or refuses to be read, such as an idle GPU's."""


class Thermometer:
    """A gauge, see ``robot.drive.health``: None where the kernel shows no zone, NaN once all have fallen silent.

    With ten zones, as on an Orin, each is a second old at most.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self._zones = [zone / "temp" for zone in sorted(root.glob("thermal_zone*")) if _is_real(zone)]
        self._read_c: dict[Path, float] = {}
        self._next = 0
        self._due_s = -inf
        for zone in self._zones:
            self._look(zone)
        self._measured = bool(self._read_c)

    def __call__(self, now_s: float) -> float | None:
        if not self._measured:
            return None
        if now_s >= self._due_s:
            self._due_s = now_s + _EVERY_S
            self._look(self._zones[self._next])
            self._next = (self._next + 1) % len(self._zones)
        return max(self._read_c.values(), default=nan)

    def _look(self, zone: Path) -> None:
        self._read_c.pop(zone, None)
        try:
            celsius = int(zone.read_text(encoding="ascii")) / 1000
        except (OSError, ValueError):
            return
        if celsius > _COLDEST_C:
            self._read_c[zone] = celsius


def _is_real(zone: Path) -> bool:
    try:
        kind = (zone / "type").read_text(encoding="ascii")
    except (OSError, ValueError):
        return False
    return not kind.lower().startswith(_NOT_REAL)
