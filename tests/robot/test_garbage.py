from __future__ import annotations

import gc
import weakref

import pytest

from robot.drive.garbage import GarbageBetweenPasses


class _Loop:
    def __init__(self) -> None:
        self.itself = self


def dropped_cycle() -> weakref.ref[_Loop]:
    return weakref.ref(_Loop())


def test_nothing_is_collected_in_a_pass() -> None:
    collected: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        collected.append(phase)

    gc.callbacks.append(note)
    try:
        with GarbageBetweenPasses():
            kept = [[n] for n in range(100_000)]
            assert collected == []
    finally:
        gc.callbacks.remove(note)
    assert len(kept) == 100_000


def test_between_passes_it_is() -> None:
    with GarbageBetweenPasses() as garbage:
        cycle = dropped_cycle()
        assert cycle() is not None
        garbage.collect(driving=True)
        assert cycle() is None


def test_what_outlived_two_passes_goes_while_the_vehicle_stands() -> None:
    with GarbageBetweenPasses() as garbage:
        old = _Loop()
        seen = weakref.ref(old)
        for _ in range(60):
            garbage.collect(driving=True)
        del old
        for _ in range(600):
            garbage.collect(driving=True)
        assert seen() is not None, "the oldest are not looked through while it drives"
        for _ in range(300):
            garbage.collect(driving=False)
        assert seen() is None


def test_an_error_leaves_the_collector_as_it_was() -> None:
    with pytest.raises(RuntimeError), GarbageBetweenPasses():
        raise RuntimeError
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with GarbageBetweenPasses():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
