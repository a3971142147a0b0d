"""Which pictures are kept to learn from."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import session_ticks as made

from control.messages import DriveCommand
from robot.sessions.collection import Collection, CollectionRule
from robot.sessions.session_tick import Image, SessionTick

DICE = np.random.default_rng(0)


def texture() -> Image:
    return cv2.resize(DICE.integers(0, 255, (24, 32, 3)).astype(np.uint8), (224, 168), interpolation=cv2.INTER_CUBIC)


def tick(number: int, image: Image, *, bend_1pm: float = 0.0, speed_mps: float = 0.3) -> SessionTick:
    one = made.session_tick(number, image=image)
    command = DriveCommand(curvature_1pm=bend_1pm, speed_mps=speed_mps)
    return replace(one, verdict=replace(one.verdict, command=command))


def kept(collection: Collection, ticks: list[SessionTick]) -> list[int]:
    return [one.frame_index for one in map(collection.choose, ticks) if one.picture is not None]


def test_a_picture_is_kept_each_so_many_centimetres() -> None:
    collection = Collection(CollectionRule(every_m=0.0299))
    # 1 cm a tick.
    assert kept(collection, [tick(n, texture()) for n in range(10)]) == [0, 3, 6, 9]


def test_or_each_so_many_milliseconds_also_while_it_stands() -> None:
    collection = Collection(CollectionRule(every_m=0.0, every_s=0.099))
    assert kept(collection, [tick(n, texture(), speed_mps=0.0) for n in range(7)]) == [0, 3, 6]


def test_a_robot_that_stands_collects_nothing_by_way() -> None:
    collection = Collection(CollectionRule())
    assert kept(collection, [tick(n, texture(), speed_mps=0.0) for n in range(20)]) == [0]


def test_the_same_picture_again_is_skipped() -> None:
    collection, same = Collection(CollectionRule(every_m=0.001)), texture()
    assert kept(collection, [tick(n, same) for n in range(5)]) == [0]
    assert collection.spread.same == 4


def test_a_blurred_picture_is_skipped_against_the_drives_own_sharpness() -> None:
    collection = Collection(CollectionRule(every_m=0.001))
    sharp = [tick(n, texture()) for n in range(5)]
    blurred = tick(5, cv2.GaussianBlur(texture(), (0, 0), 4))
    assert kept(collection, [*sharp, blurred]) == [0, 1, 2, 3, 4]
    assert collection.spread.blurred == 1


def test_corrections_are_kept_more_often_and_a_hand_over_at_once() -> None:
    collection = Collection(CollectionRule(every_m=1.0, correction_s=0.06))
    ticks = [tick(n, texture()) for n in range(12)]
    for number in range(4, 9):
        ticks[number] = replace(ticks[number], by_hand=DriveCommand())
    ticks[4] = replace(ticks[4], hand_over="page 1 moved the stick")
    assert kept(collection, ticks) == [0, 4, 6, 8]
    assert collection.spread.corrections == 3


def test_a_bend_direction_that_is_missing_is_told() -> None:
    collection = Collection(CollectionRule(every_m=0.001))
    kept(collection, [tick(n, texture(), bend_1pm=2.0 if n % 2 else 0.1) for n in range(80)])
    assert collection.spread.advice == "hardly a bend to the right: drive the other way round"
    kept(collection, [tick(n, texture(), bend_1pm=-2.0) for n in range(80, 100)])
    assert collection.spread.advice == ""
    told = collection.spread.told()
    assert told["bend"] == {"left": 40, "straight": 40, "right": 20}
    assert sum(told["x"].values()) == sum(told["light"].values()) == told["kept"] == 100
