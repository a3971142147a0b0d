from dataclasses import replace
from math import atan2, nan

import pytest

from control.follower import FollowerSettings, LineFollower
from control.messages import NO_LINE, Decision, LineEstimate, LinePoint
from control.speed import SpeedSettings
from control.steering import SteeringSettings
from tests.control.closed_loop import ROWS_M, row_y, to_ground

DT = 1 / 30


def straight(
    *, offset: float = 0.0, rows: range = range(10), confidence: float = 1.0, visible: float = 1.0
) -> LineEstimate:
    points = tuple(LinePoint(x=-offset / (1.2 * ROWS_M[i] + 0.03), y=row_y(i), visible=visible) for i in rows)
    return LineEstimate(points=points, confidence=confidence)


class Drive:
    """Frames on a clock, each decision applied as it is."""

    def __init__(self, follower: LineFollower | None = None) -> None:
        self.follower = follower or LineFollower(to_ground=to_ground)
        self.now_s = 10.0

    def frames(self, estimate: LineEstimate, count: int = 1) -> Decision:
        for _ in range(count):
            self.now_s += DT
            decision = self.follower.decide(estimate, exposed_s=self.now_s - 0.08, now_s=self.now_s, dt_s=DT)
            self.follower.applied(decision.command, now_s=self.now_s, was_limited=False)
        return decision


def test_a_line_ahead_is_followed_straight_at_full_speed() -> None:
    command = Drive().frames(straight(), 60).command
    assert command.curvature_1pm == pytest.approx(0.0, abs=1e-9)
    assert command.speed_mps == pytest.approx(FollowerSettings().speed.max_speed_mps)


@pytest.mark.parametrize("offset", [0.03, -0.03])
def test_steers_towards_the_line_by_the_same_amount_on_both_sides(offset: float) -> None:
    decision = Drive().frames(straight(offset=offset))
    assert decision.command.curvature_1pm * offset > 0
    assert decision.command.curvature_1pm == -Drive().frames(straight(offset=-offset)).command.curvature_1pm
    assert decision.ground is not None
    assert decision.ground.y == pytest.approx(offset, abs=1e-6)
    assert decision.terms.error * offset > 0


def test_the_target_moves_by_what_was_driven_since_the_exposure() -> None:
    drive = Drive()
    drive.frames(straight(), 60)
    only_far = straight(rows=range(6, 7))
    decision = drive.frames(only_far)
    assert decision.ground is not None
    assert decision.ground.x == pytest.approx(0.30 - 0.7 * (0.12 + 0.75 * 0.06), abs=2e-3)


def test_a_network_with_one_point_is_followed_by_its_bearing() -> None:
    one = straight(offset=0.05, rows=range(5, 6))
    decision = Drive().frames(one)
    assert decision.target == one.points[0]
    assert decision.terms.error == pytest.approx(atan2(0.05, 0.24))


@pytest.mark.parametrize(
    "nothing",
    [
        NO_LINE, straight(confidence=0.29), straight(visible=0.49), straight(offset=nan), straight(confidence=nan),
    ],
)  # fmt: skip
def test_a_lost_line_holds_the_curvature_and_ramps_to_rest(nothing: LineEstimate) -> None:
    drive = Drive()
    drive.frames(straight(), 60)
    held = drive.frames(straight(offset=0.02)).command
    first = drive.frames(nothing)
    assert first.command.curvature_1pm == held.curvature_1pm
    assert first.command.speed_mps < held.speed_mps
    assert first.target is None
    assert drive.frames(nothing, 8).command.speed_mps == pytest.approx(0.0, abs=1e-9)


def test_a_blink_is_forgiven_at_once_and_a_loss_after_good_frames() -> None:
    drive = Drive()
    drive.frames(straight(), 60)
    drive.frames(NO_LINE, 2)
    assert drive.frames(straight()).target is not None
    drive.frames(NO_LINE, 6)
    assert drive.frames(straight(), 4).target is None
    assert drive.frames(straight()).target is not None


def test_good_frames_must_come_in_a_row() -> None:
    drive = Drive()
    drive.frames(NO_LINE, 6)
    drive.frames(straight(), 4)
    drive.frames(NO_LINE)
    assert drive.frames(straight(), 4).target is None


def test_a_line_that_will_be_behind_us_is_lost() -> None:
    drive = Drive()
    drive.frames(straight(), 60)
    assert drive.frames(straight(rows=range(1))).target is None


def test_points_above_the_horizon_are_left_out() -> None:
    follower = LineFollower(to_ground=lambda x, y: None if y < 0.5 else to_ground(x, y))
    decision = Drive(follower).frames(straight())
    assert decision.target is not None
    assert decision.target.y >= 0.5
    assert Drive(LineFollower(to_ground=lambda x, y: None)).frames(straight()).target is None


def test_without_calibration_the_image_angle_is_followed() -> None:
    decision = Drive(LineFollower()).frames(straight(offset=0.03))
    assert decision.target is not None
    assert abs(decision.target.y - 0.2) == min(abs(row_y(i) - 0.2) for i in range(10))
    assert decision.terms.error == pytest.approx(atan2(-decision.target.x, 0.5 * (1 - decision.target.y)))
    assert decision.command.curvature_1pm > 0


def test_a_limited_command_is_where_speed_goes_on_from() -> None:
    drive = Drive()
    fast = drive.frames(straight(), 60).command
    drive.follower.applied(type(fast)(speed_mps=0.1), now_s=drive.now_s, was_limited=True)
    assert drive.frames(straight()).command.speed_mps == pytest.approx(0.1 + DT)


def test_reset_begins_from_rest() -> None:
    drive = Drive()
    first = drive.frames(straight(offset=0.02))
    drive.frames(straight(offset=0.02), 30)
    drive.follower.reset()
    assert drive.frames(straight(offset=0.02)) == first


def test_the_same_frames_give_the_same_decisions() -> None:
    assert Drive().frames(straight(offset=0.02), 20) == Drive().frames(straight(offset=0.02), 20)


def test_new_gains_count_from_the_next_frame_on_and_keep_what_was_learnt() -> None:
    drive = Drive(LineFollower(FollowerSettings(speed=SpeedSettings(max_speed_mps=0.3)), to_ground=to_ground))
    before = drive.frames(straight(offset=0.03), 30)
    faster, settings = SpeedSettings(max_speed_mps=0.5), drive.follower.settings
    drive.follower.retune(replace(settings, steering=SteeringSettings(kp=4.0, ki=0.0), speed=faster))
    after = drive.frames(straight(offset=0.03))
    assert after.terms.error == pytest.approx(before.terms.error, rel=0.1)
    assert after.terms.proportional == pytest.approx(2 * before.terms.proportional, rel=0.1)
    assert after.terms.integral == pytest.approx(before.terms.integral, abs=0.05)
    assert before.command.speed_mps < after.command.speed_mps < before.command.speed_mps + 0.05
