from math import atan2, degrees

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.laws import JetBotLaw, JetBotSettings, JetRacerLaw, JetRacerSettings, followed_point
from control.messages import NO_LINE, Decision, LineEstimate, LinePoint
from control.mixing import AckermannMixer, DifferentialMixer
from control.pilot import Pilot

UNIT = st.floats(-1, 1)


def at(x: float, y: float) -> LineEstimate:
    return LineEstimate(points=(LinePoint(x=x, y=y, visible=1.0),), confidence=1.0)


def ask(pilot: Pilot, estimate: LineEstimate) -> Decision:
    return pilot.decide(estimate, exposed_s=0.0, now_s=0.0, dt_s=0.03)


@given(
    frames=st.lists(st.tuples(UNIT, UNIT), min_size=1, max_size=5),
    kp=st.floats(0, 1),
    kd=st.floats(0, 1),
    bias=st.floats(-0.1, 0.1),
)
def test_jetbot_through_the_mixer_gives_the_notebooks_duties(
    frames: list[tuple[float, float]], kp: float, kd: float, bias: float
) -> None:
    law = JetBotLaw(JetBotSettings(speed_gain=0.3, kp=kp, kd=kd, bias=bias, dead_zone=0.0))
    mixer = DifferentialMixer(wheel_base_m=0.1, top_speed_mps=0.9, dead_zone=0.0)
    last = 0.0
    for x, y in frames:
        angle = atan2(x, (0.5 - y) / 2)
        steer = angle * kp + (angle - last) * kd + bias
        last = angle
        wheels, _ = mixer.wheels(ask(law, at(x, y)).command)
        assert wheels.left == pytest.approx(max(min(0.3 + steer, 1.0), 0.0), abs=1e-6)
        assert wheels.right == pytest.approx(max(min(0.3 - steer, 1.0), 0.0), abs=1e-6)


def test_jetbot_makes_up_for_the_mixers_dead_zone() -> None:
    law = JetBotLaw(JetBotSettings(speed_gain=0.3, dead_zone=0.04))
    wheels, _ = DifferentialMixer(dead_zone=0.04).wheels(ask(law, at(0.0, 0.0)).command)
    assert (wheels.left, wheels.right) == pytest.approx((0.3, 0.3))


def test_jetbots_angle_passes_ninety_degrees_below_row_168() -> None:
    law = JetBotLaw(JetBotSettings())
    assert degrees(-ask(law, at(0.1, 0.51)).terms.error) > 90
    assert degrees(-ask(law, at(0.1, 0.49)).terms.error) < 90


def test_jetracer_steers_by_x_alone_and_keeps_its_throttle() -> None:
    law = JetRacerLaw(JetRacerSettings(bias=0.1))
    command, _ = AckermannMixer().wheels(ask(law, at(0.4, 0.3)).command)
    assert command.steering == pytest.approx(-0.65 * (0.75 * 0.4 + 0.1))
    assert command.throttle == pytest.approx(0.8 * 0.15)
    assert ask(law, at(0.4, -0.8)).command == ask(law, at(0.4, 0.3)).command


@pytest.mark.parametrize("law", [JetBotLaw(), JetRacerLaw()])
def test_the_peers_drive_on_when_they_see_nothing_until_reset(law: Pilot) -> None:
    driven = ask(law, at(0.3, 0.0)).command
    law.applied(driven, now_s=0.0, was_limited=False)
    assert ask(law, NO_LINE).command == driven
    assert ask(law, NO_LINE).target is None
    law.reset()
    assert ask(law, NO_LINE).command.speed_mps == 0.0


def test_of_many_points_the_one_next_to_the_row_is_followed() -> None:
    points = tuple(LinePoint(x=0.0, y=y, visible=v) for y, v in ((0.8, 1.0), (0.3, 1.0), (0.1, 0.2), (-0.5, 1.0)))
    chosen = followed_point(LineEstimate(points=points, confidence=0.8), 0.0)
    assert chosen is not None
    assert chosen.y == 0.3
    assert followed_point(LineEstimate(points=points, confidence=0.0), 0.0) is None
