"""Mutation testing of the code that has the last word: `python -m tests.mutation [module ...]`.

Each mutant is one small change (a comparison, a sign, a number, a dropped statement) in a temporary copy; the
tests that belong to the module must notice. Mutants that cannot change behaviour are listed with the reason.
"""

from __future__ import annotations

import ast
import copy
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

# Libraries that the tests need: loaded once, and not again for each mutant.
import cv2  # noqa: F401
import hypothesis  # noqa: F401
import numpy  # noqa: F401
import pydantic  # noqa: F401
import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = {
    "control/limits.py": ("tests/control/test_limits.py",),
    "control/supervisor.py": ("tests/control/test_supervisor.py",),
    "control/faults.py": ("tests/control/test_supervisor.py", "tests/control/test_settings.py"),
    "robot/motors/wire.py": ("tests/robot/test_actuator.py",),
    "robot/motors/guard.py": ("tests/robot/test_guard.py",),
    "robot/motors/actuator.py": ("tests/robot/test_actuator.py",),
    "robot/teleop/emergency.py": ("tests/robot/test_switches.py",),
    "robot/teleop/terminal.py": ("tests/robot/test_switches.py",),
    "robot/drive/arming.py": ("tests/robot/test_arming.py", "tests/robot/test_drive_loop.py"),
    "robot/drive/loop.py": ("tests/robot/test_drive_loop.py", "tests/robot/test_arming.py", "tests/robot/test_helm.py"),
    "robot/drive/health.py": ("tests/robot/test_health_monitor.py",),
    "robot/drive/pacer.py": ("tests/robot/test_pacer.py",),
    "robot/drive/battery.py": ("tests/robot/test_battery.py",),
}
_NEEDED = ("control", "calibration", "perception", "robot", "tests/control", "tests/robot")
DEADLINE_S = 300.0
_PATIENCE_S, _PATIENCE_TIMES = 10.0, 10.0
"""A mutant that never ends is caught: no test run takes ten times as long as without a mutation, and ten seconds."""

_ON_ENTRY = "set whenever a ramp begins, and read only while one lasts"
_PATIENCE = "how long it is waited for something that comes at once or never"
_ROUNDED = "poll takes whole milliseconds, and the next look decides"
_BUFFER = "no message is as long"
_TWICE = "leaving the motors' `with` stops them once more"
_ENDS = "the process ends anyway"
_AT_LEAST_ONE = "a count of frames is a whole number: at least one half is at least one"
_ON_ARMING = "arming needs a finite command, which sets it to 0"
_FAULTS_HALVED = (
    "cause=cause, severity=Severity.IMMEDIATE, holds=holds, for_s=for_s, for_frames=1, clear_frames=1,",
    "def soft(cause: Cause, holds: Callable[[Health], bool], for_s: float = 0.0, for_frames: int = 1) -> Rule:",
    "clear_frames=1, patience_s=s.patience_s,",
    "for_s=s.line_blink_s, for_frames=1, clear_frames=s.reacquire_frames, patience_s=s.line_patience_s,",
)
_INSTANT = "no clock meets a moment exactly"
_SHORTCUT = "only saves the look at every pixel"
_LATER = "set again before it is read"
_DARK = (
    "if Cause.CAMERA_STALLED in causes and tick.health.camera_ok and dark_s > _WITHIN_S:  [dark_s > _WITHIN_S] -> GtE"
)
_LATE = "late = tick.now_s - self._began_s > _WITHIN_S  [tick.now_s - self._began_s > _WITHIN_S] -> GtE"
_SAME = (
    "if last is None or last.shape != image.shape or not np.array_equal(sample, last[::_STRIDE, ::_STRIDE]):  "
    "[if last is None or last.shape != image.shape or (not np.array_equal(sample, last[::_STRIDE, ::_STRIDE])):] "
    "-> if False"
)
_POLL = "if poller.poll(wait_s * 1000) and not actuator.hear(_received(brain), now_s=monotonic()):"
_WAIT = "if not poller.poll(_GUARD_READY_S * 1000) or guard.stdout.read(1) != READY:"
EQUIVALENT: dict[tuple[str, str], str] = {
    ("control/supervisor.py", "self._ceiling_mps = 0.0  [0.0] -> 0.0 + 1"): _ON_ENTRY,
    ("control/supervisor.py", "self._ramp_mps2 = 0.0  [0.0] -> 0.0 + 1"): _ON_ENTRY,
    ("control/supervisor.py", "self._not_finite = 0  [0] -> 0 + 1"): _ON_ARMING,
    ("robot/motors/actuator.py", "_MOST_BYTES = 4096  [4096] -> 4096 + 1"): _BUFFER,
    ("robot/motors/actuator.py", "_GUARD_READY_S = 10.0  [10.0] -> 10.0 + 1"): _PATIENCE,
    ("robot/motors/actuator.py", "_GUARD_READY_S = 10.0  [10.0] -> 10.0 * 0.5"): _PATIENCE,
    ("robot/motors/actuator.py", "for attempt in (1, 2):  [1] -> 1 * 0.5"): "the first of two, whatever its number",
    ("robot/motors/actuator.py", "motors.stop()  [motors.stop()] -> dropped"): _TWICE,
    ("robot/motors/actuator.py", "return 1  [1] -> 1 * 0.5"): "sys.exit says 1 for what is no whole number",
    ("robot/motors/actuator.py", "if now_s >= due_s:  [now_s >= due_s] -> Gt"): _ROUNDED,
    ("robot/motors/actuator.py", "guard.kill()  [guard.kill()] -> dropped"): _ENDS,
    ("robot/motors/actuator.py", "guard.wait()  [guard.wait()] -> dropped"): _ENDS,
    **{("robot/motors/actuator.py", f"{_POLL}  [1000] -> {what}"): _ROUNDED for what in ("1000 + 1", "1000 * 0.5")},
    **{("robot/motors/actuator.py", f"{_WAIT}  [1000] -> {what}"): _PATIENCE for what in ("1000 + 1", "1000 * 0.5")},
    ("robot/motors/guard.py", "_MOST_BYTES = 4096  [4096] -> 4096 + 1"): _BUFFER,
    ("robot/motors/guard.py", "if not poller.poll(wait_s * 1000):  [1000] -> 1000 + 1"): _ROUNDED,
    ("robot/motors/guard.py", "board.close()  [board.close()] -> dropped #2"): _ENDS,
    ("robot/teleop/emergency.py", "_EVERY_S = 0.01  [0.01] -> 0.01 * 0.5"): "to ask more often stops no later",
    ("robot/teleop/emergency.py", "_GONE_S = 1.0  [1.0] -> 1.0 + 1"): _PATIENCE,
    ("robot/teleop/emergency.py", "_GONE_S = 1.0  [1.0] -> 1.0 * 0.5"): _PATIENCE,
    ("robot/teleop/emergency.py", "self._opened = ExitStack()  [self._opened = ExitStack()] -> dropped"): _LATER,
    ("robot/teleop/terminal.py", "_MOST_BYTES = 1024  [1024] -> 1024 + 1"): _BUFFER,
    ("robot/teleop/terminal.py", "self._pressed_s = -_QUIET_S  [-_QUIET_S] -> without USub"): "nobody drives in the "
    "first two seconds of a computer",
    ("robot/drive/arming.py", _LATE): _INSTANT,
    (
        "robot/drive/arming.py",
        "if supervisor.state not in DRIVING:  [if supervisor.state not in DRIVING:] -> if True",
    ): "arming what is armed changes nothing",
    (
        "robot/drive/loop.py",
        '__all__ = ["Recorder", "Rig", "Tick", "drive"]  '
        "[__all__ = ['Recorder', 'Rig', 'Tick', 'drive']] -> dropped",
    ): "names for the type checker",
    ("robot/drive/arming.py", _DARK): _INSTANT,
    ("robot/drive/loop.py", "if recovered:  [if recovered:] -> if True"): "the next frames come from a new iterator, "
    "of the same camera",
    (
        "robot/drive/health.py",
        "Gauge = Callable[[float], float | None]  [Gauge = Callable[[float], float | None]] -> dropped",
    ): "a name for the type checker",
    ("robot/drive/health.py", _SAME): _SHORTCUT,
    ("robot/drive/health.py", "_STRIDE = 16  [16] -> 16 + 1"): _SHORTCUT,
    (
        "robot/drive/health.py",
        "while self._seen[0][0] < frame.stamp_s - _WINDOW_S:  [self._seen[0][0] < frame.stamp_s - _WINDOW_S] -> LtE",
    ): _INSTANT,
    ("robot/motors/guard.py", "_AGAIN_S = 0.05  [0.05] -> 0.05 * 0.5"): "STOP twice as often is STOP",
    ("robot/drive/battery.py", "_CLOSE_S = 1.0  [1.0] -> 1.0 + 1"): _PATIENCE,
    ("robot/drive/battery.py", "_CLOSE_S = 1.0  [1.0] -> 1.0 * 0.5"): _PATIENCE,
    ("robot/drive/pacer.py", "self._due_s = 0.0  [0.0] -> 0.0 + 1"): _LATER,
    ("robot/drive/pacer.py", "_ROUNDING = 1e-6  [1e-06] -> 1e-06 * 0.5"): "far above the rounding, and far below a "
    "frame",
    **{("control/faults.py", f"{line}  [1] -> 1 * 0.5"): _AT_LEAST_ONE for line in _FAULTS_HALVED},
    ("control/faults.py", f"{_FAULTS_HALVED[0]}  [1] -> 1 * 0.5 #2"): _AT_LEAST_ONE,
}
"""(module, mutant) -> why no test can tell it from the original."""

_SWAPS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,), ast.And: (ast.Or,), ast.Or: (ast.And,),
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult,),
}  # fmt: skip
_CALLS = {"max": "min", "min": "max"}


_pause = Event().wait


@dataclass(frozen=True)
class Mutant:
    name: str
    source: str


def _swapped(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Another operator in the same place."""
    if isinstance(node, ast.Compare):
        for new in _SWAPS.get(type(node.ops[0]), ()):
            changed = copy.deepcopy(node)
            changed.ops = [new()]  # type: ignore[list-item]
            yield new.__name__, changed
    elif isinstance(node, ast.BoolOp | ast.BinOp):
        for new in _SWAPS.get(type(node.op), ()):
            other = copy.deepcopy(node)
            other.op = new()  # type: ignore[assignment]
            yield new.__name__, other
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield "without " + type(node.op).__name__, node.operand
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        call = copy.deepcopy(node)
        call.func = ast.Name(_CALLS[node.func.id], ast.Load())
        yield _CALLS[node.func.id], call


def _changed(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Another constant."""
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield str(not node.value), ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield f"{node.value} + 1", ast.Constant(node.value + 1)
        if node.value:
            yield f"{node.value} * 0.5", ast.Constant(node.value * 0.5)


def _skipped(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """A branch always or never taken, a statement left out."""
    if isinstance(node, ast.IfExp):
        yield "always if", node.body
        yield "always else", node.orelse
    elif isinstance(node, ast.If):
        for value in (True, False):
            yield f"if {value}", ast.If(test=ast.Constant(value), body=node.body, orelse=node.orelse)
    elif isinstance(node, ast.Assign | ast.AugAssign | ast.Expr) and not isinstance(node.value, ast.Constant):
        yield "dropped", ast.Pass()


def _variants(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Replacements of one node, each with what it is called."""
    yield from _swapped(node)
    yield from _changed(node)
    yield from _skipped(node)


class _Replace(ast.NodeTransformer):
    def __init__(self, index: int, new: ast.AST) -> None:
        self._left, self._new = index, new

    def visit(self, node: ast.AST) -> ast.AST:
        if self._left == 0:
            self._left = -1
            return ast.copy_location(self._new, node)
        self._left -= 1
        return self.generic_visit(node) if self._left >= 0 else node


def _preorder(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _preorder(child)


def _records_only(tree: ast.AST) -> set[ast.AST]:
    """Nodes of decorators: they shape records and names, not behaviour."""
    decorators = [d for node in ast.walk(tree) for d in getattr(node, "decorator_list", ())]
    return {inner for d in decorators for inner in ast.walk(d)}


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of the source, named by its line of code."""
    tree = ast.parse(source)
    lines = source.splitlines()
    left_out = _records_only(tree)
    seen: dict[str, int] = {}
    for index, node in enumerate(_preorder(tree)):
        for what, new in () if node in left_out else _variants(node):
            changed = _Replace(index, new).visit(copy.deepcopy(tree))
            line = lines[getattr(node, "lineno", 1) - 1].strip()
            name = f"{line}  [{ast.unparse(node).splitlines()[0]}] -> {what}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name += f" #{seen[name]}"
            yield Mutant(name, ast.unparse(ast.fix_missing_locations(changed)))


def is_caught(copy_root: Path, tests: tuple[str, ...], *, deadline_s: float = DEADLINE_S) -> bool:
    """Whether a test fails, or does not end in time: in a fork of this process, which has loaded the libraries."""
    child = os.fork()
    if child == 0:
        os._exit(_run_tests(copy_root, tests))
    end_s = time.monotonic() + deadline_s
    while time.monotonic() < end_s:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _end_group(child)
            return status != 0
        _pause(0.02)
    _end_group(child)
    os.waitpid(child, 0)
    return True


def _run_tests(copy_root: Path, tests: tuple[str, ...]) -> int:
    """The exit code of pytest; never returns to the loop over the mutants, whatever happens."""
    try:
        # A group of its own, so that what a broken test leaves behind ends as well.
        os.setsid()
        # In the background of a shell ^C is ignored, and so would be by all that the tests start.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for file in (0, 1, 2):
            os.dup2(nowhere, file)
        os.chdir(copy_root)
        os.environ.update(PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=str(copy_root))
        sys.dont_write_bytecode = True
        sys.path[:] = [str(copy_root), *(path for path in sys.path if path not in ("", str(ROOT)))]
        ours = {part.split("/")[0] for part in _NEEDED}
        for name in [name for name in sys.modules if name.split(".")[0] in ours]:
            del sys.modules[name]
        loaded = "ignore::pytest.PytestAssertRewriteWarning"
        return int(pytest.main([*tests, "-x", "-q", "-p", "no:cacheprovider", "-W", loaded]))
    except BaseException:  # noqa: BLE001 - a mutant that breaks even this is caught
        return 1


def _end_group(child: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def score(module: str, tests: tuple[str, ...]) -> tuple[int, int]:
    """(caught, all that can be caught) for one module; survivors are printed."""
    caught = total = 0
    with tempfile.TemporaryDirectory() as folder:
        copy_root = Path(folder)
        for part in _NEEDED:
            shutil.copytree(ROOT / part, copy_root / part, ignore=shutil.ignore_patterns("__pycache__", "models"))
        shutil.copy(ROOT / "pyproject.toml", copy_root)
        target = copy_root / module
        began_s = time.monotonic()
        if not is_caught(copy_root, tests):
            deadline_s = _PATIENCE_S + _PATIENCE_TIMES * (time.monotonic() - began_s)
            for mutant in mutants(target.read_text(encoding="utf-8")):
                if (module, mutant.name) in EQUIVALENT:
                    continue
                total += 1
                target.write_text(mutant.source, encoding="utf-8")
                if is_caught(copy_root, tests, deadline_s=deadline_s):
                    caught += 1
                else:
                    _print(f"survived  {module}: {mutant.name}")
        else:
            _print(f"the tests of {module} fail without any mutation")
    return caught, total


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(chosen: list[str]) -> int:
    worst = 1.0
    for module, tests in TESTS.items():
        if chosen and module not in chosen:
            continue
        caught, total = score(module, tests)
        part = caught / total if total else 0.0
        worst = min(worst, part)
        _print(f"{module}: {caught} of {total} mutants caught ({part:.1%})")
    return 0 if worst >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
