"""Which wheel turned which way: what a swapped or reversed wire looks like to a camera that watches the floor."""

from __future__ import annotations

from calibration.floor_motion import Moved
from control.errors import MotionError

_LEAST_M, _LEAST_RAD = 0.004, 0.03


def moves(moved: Moved) -> bool:
    """Enough to tell a direction."""
    return abs(moved.x) > _LEAST_M or abs(moved.turn) > _LEAST_RAD


def refuse_wrong_wires(left: Moved, right: Moved) -> None:
    """What happened when each wheel alone was told to turn forward. Raises MotionError with what to change."""
    wheels = {"left": _wheel(left, asked="left"), "right": _wheel(right, asked="right")}
    if wheels == {"left": ("left", True), "right": ("right", True)}:
        return
    swapped = [wheels["left"][0] == "right", wheels["right"][0] == "left"]
    backwards = [name for name, (_, forward) in wheels.items() if not forward]
    if all(swapped) and len(backwards) == 2:
        raise MotionError(
            "both wheels turn the wrong way round and on the wrong side: either the camera hangs upside down "
            "(set camera.upside_down=true), or the motors are swapped and both reversed"
        )
    if all(swapped):
        more = f"; then reverse the two wires of the {_other(backwards[0])} motor" if backwards else ""
        raise MotionError(f"the motors are swapped: the right wheel turns when the left one is meant; swap them{more}")
    if any(swapped):
        raise MotionError(
            "one wheel turned at both trials; does the other one turn freely, and is its motor connected?"
        )
    names = " and ".join(f"{name} motor" for name in backwards)
    verb = "turns" if len(backwards) == 1 else "turn"
    raise MotionError(f"the {names} {verb} backwards; swap the two wires of {'it' if len(backwards) == 1 else 'each'}")


def _other(side: str) -> str:
    return "right" if side == "left" else "left"


def _wheel(moved: Moved, *, asked: str) -> tuple[str, bool]:
    """The wheel that turned and whether forward: one wheel forward drives forward and turns to the other side."""
    if abs(moved.turn) < _LEAST_RAD:
        raise MotionError(
            f"the robot did not turn when its {asked} wheel alone was driven; "
            "do both motors hang on one output, or did the robot slip?"
        )
    forward = moved.x > 0
    return ("right" if (moved.turn > 0) == forward else "left"), forward
