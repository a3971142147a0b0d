"""Short drives: what counts as completed, who the eyes are, and that a peer's wheels get what its law says."""

from __future__ import annotations

from dataclasses import asdict, replace
from math import sqrt

import pytest

from benchmarks.stretches import Stretch, drive_stretch, pooled
from benchmarks.tuned_laws import JETBOT, OURS_ON_JETBOT, OURS_ON_JETRACER, TunedLaw
from control.laws import JetBotLaw, followed_point
from control.messages import DifferentialCommand, LineEstimate, SafetyState
from perception.engines import open_engine
from robot.config import load_config
from sim.benchmark.metrics import DriveMetrics, measure
from sim.benchmark.run import simulate
from sim.benchmark.scenarios import Scenario, run_scenario
from sim.render.ground import Image
from sim.tracks.library import find_track
from sim.tuning.labelled_world import EXACT, LabelledWorld


def stretch(track: str, metres: float | None = None) -> Stretch:
    return Stretch(track=track, look="white-tape", direction="reverse", seed=3, metres=metres)


def metrics(
    *, distance_m: float, completed: bool = True, error_m: float = 0.01, speed_mps: float = 0.5
) -> DriveMetrics:
    nothing = measure([], lap_m=1.0, laps=1, end_m=1.0)
    return DriveMetrics(
        **{
            **asdict(nothing), "completed": completed, "lateral_error_rms_m": error_m, "mean_speed_m_s": speed_mps,
            "distance_m": distance_m,
        }
    )  # fmt: skip


def test_a_whole_track_is_measured_as_the_bench_measures_it() -> None:
    eyes = open_engine("classical")
    record = run_scenario(
        Scenario(track=find_track("s-bend"), look="white-tape", direction="reverse", seed=3), config=load_config(None),
        estimator=eyes,
    )  # fmt: skip
    driven = drive_stretch(stretch("s-bend"), (), model=eyes)
    assert driven.completed
    for name in ("lateral_error_rms_m", "lateral_error_p95_m", "mean_speed_m_s", "distance_m"):
        assert getattr(driven, name) == record[name]


def test_a_stretch_ends_where_it_should() -> None:
    driven = drive_stretch(stretch("oval", 2.0), (), model=None)
    assert driven.completed
    assert driven.distance_m == pytest.approx(2.0, abs=0.05)
    assert driven.mean_speed_m_s == pytest.approx(0.7, rel=0.02)
    # By the truth the follower has nothing to err about but the oval's bends.
    assert driven.lateral_error_rms_m < 0.005


def test_driving_again_in_the_same_world_gives_the_same() -> None:
    first, _, again = (drive_stretch(stretch("oval", m), (), model=None) for m in (1.0, 2.0, 1.0))
    assert first == again


def test_who_leaves_the_line_has_not_completed_and_does_not_go_on() -> None:
    straight_on = ("law=jetbot", "jetbot.kp=0", "jetbot.speed_gain=0.4")
    driven = drive_stretch(stretch("s-bend", 2.5), straight_on, model=None)
    assert not driven.completed
    assert 0.0 < driven.distance_m < 1.5
    assert driven.lateral_error_max_m < 0.1


def test_who_crawls_has_not_completed() -> None:
    slow = ("follower.speed.max_speed_mps=0.1", "follower.speed.min_speed_mps=0.1")
    driven = drive_stretch(stretch("straight", 0.5), slow, model=None)
    assert not driven.completed
    assert driven.distance_m > 0.1


def test_truth_is_that_of_the_exposure() -> None:
    world = LabelledWorld(find_track("oval"), noise=EXACT)
    picture = world.image()
    at_exposure = world.estimate(picture)
    other = world.image()
    world.step(DifferentialCommand(left=0.5, right=0.9), 0.4)
    assert world.estimate(other) == at_exposure
    assert world.estimate(world.image()) != at_exposure


@pytest.mark.parametrize("law", [JETBOT, OURS_ON_JETBOT, OURS_ON_JETRACER], ids=lambda law: law.name)
def test_every_corner_of_a_law_s_ranges_is_a_valid_setting(law: TunedLaw) -> None:
    for end in (0.0, 1.0):
        load_config(None, law.settings({name: r.at(end) for name, r in law.space.items()}))
    defaults = load_config(None, law.settings({name: r.default for name, r in law.space.items()}))
    for name, range_ in law.space.items():
        value: object = load_config(None, law.fixed)
        chosen: object = defaults
        for part in name.split("."):
            value, chosen = getattr(value, part), getattr(chosen, part)
        assert value == chosen == range_.default


def test_the_wheels_get_what_jetbot_s_law_says() -> None:
    """Neither the supervisor nor the mixer changes it, not even where one wheel stands still."""
    wild = {"jetbot.speed_gain": 0.2, "jetbot.kp": 1.0, "jetbot.kd": 0.6, "jetbot.target_row": 0.1}
    config = load_config(None, JETBOT.settings(wild))
    world = LabelledWorld(find_track("figure-eight"), noise=EXACT)
    ticks = simulate(world, estimator=world, config=config, watch=lambda drive: drive.truths[-1].time_s < 5.0).ticks
    law, wanted, driven = JetBotLaw(config.jetbot), (0.0, 0.0), []
    # A duty within the dead zone moves a wheel as little as none at all.
    still = config.jetbot.dead_zone
    for tick in ticks:
        point = followed_point(tick.estimate, config.jetbot.target_row)
        if point is not None:
            wanted = law.wheel_duties(point)
        if tick.verdict.state is SafetyState.ARMED:
            assert isinstance(tick.wheels, DifferentialCommand)
            got = (max(still, tick.wheels.left), max(still, tick.wheels.right))
            assert got == pytest.approx(tuple(max(still, duty) for duty in wanted))
            driven.append(wanted)
    assert len(driven) > 100
    assert any(0.0 in duties for duties in driven)
    assert max(max(duties) for duties in driven) > 0.9


def test_an_unsure_line_does_not_slow_a_peer() -> None:
    class Unsure(LabelledWorld):
        def estimate(self, image: Image) -> LineEstimate:
            return replace(super().estimate(image), confidence=0.1)

    eyes = Unsure(find_track("straight"), noise=EXACT)
    config = load_config(None, JETBOT.settings({"jetbot.speed_gain": 0.5, "jetbot.kp": 0.05}))
    drive = simulate(eyes, estimator=eyes, config=config)
    assert drive.metrics.completed
    assert drive.metrics.mean_speed_m_s > 0.4


def test_drives_are_pooled_by_time() -> None:
    long, short = metrics(distance_m=8.0, error_m=0.01), metrics(distance_m=1.0, error_m=0.04, speed_mps=0.25)
    outcome = pooled([long, short])
    assert outcome.completed
    assert outcome.speed_mps == pytest.approx(9.0 / 20.0)
    assert outcome.error_m == pytest.approx(sqrt((16 * 0.01**2 + 4 * 0.04**2) / 20))


def test_one_that_failed_fails_all() -> None:
    assert not pooled([metrics(distance_m=8.0), metrics(distance_m=2.0, completed=False)]).completed
