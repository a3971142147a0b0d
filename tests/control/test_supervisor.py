"""The last word, case by case."""

from itertools import product
from math import inf, isfinite, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.faults import SupervisorSettings
from control.limits import LONGEST_STEP_S
from control.messages import STAND_STILL, Cause, DriveCommand, Health, SafetyState, Verdict
from control.supervisor import Inputs, Request, SafetySupervisor, next_state

DT = 1.0 / 30.0
GO = DriveCommand(curvature_1pm=1.0, speed_mps=0.5)
GREEN = Health()
DISARMED, ARMED, RAMPING, STOPPED = SafetyState


def armed(**changes: float) -> SafetySupervisor:
    supervisor = SafetySupervisor(SupervisorSettings(**changes))  # type: ignore[arg-type]
    supervisor.check(STAND_STILL, GREEN, dt_s=DT)
    assert supervisor.arm() == ()
    return supervisor


def run(
    supervisor: SafetySupervisor, health: Health = GREEN, *, frames: int, command: DriveCommand = GO, dt_s: float = DT
) -> Verdict:
    for _ in range(frames):
        verdict = supervisor.check(command, health, dt_s=dt_s)
    return verdict


def driving(**changes: float) -> SafetySupervisor:
    supervisor = armed(**changes)
    assert run(supervisor, frames=30).command == GO
    return supervisor


TABLE = [
    (DISARMED, Inputs(), DISARMED),
    (DISARMED, Inputs(request=Request.ARM), DISARMED),
    (DISARMED, Inputs(request=Request.ARM, ready=True), ARMED),
    (DISARMED, Inputs(ready=True), DISARMED),
    (DISARMED, Inputs(request=Request.ARM, ready=True, soft=True), DISARMED),
    (DISARMED, Inputs(request=Request.ARM, ready=True, immediate=True), DISARMED),
    (DISARMED, Inputs(request=Request.ARM, ready=True, emergency=True), STOPPED),
    (DISARMED, Inputs(immediate=True), DISARMED),
    (DISARMED, Inputs(emergency=True), STOPPED),
    (ARMED, Inputs(), ARMED),
    (ARMED, Inputs(request=Request.DISARM), DISARMED),
    (ARMED, Inputs(request=Request.DISARM, emergency=True), DISARMED),
    (ARMED, Inputs(soft=True), RAMPING),
    (ARMED, Inputs(soft=True, out_of_patience=True), STOPPED),
    (ARMED, Inputs(out_of_patience=True), ARMED),
    (ARMED, Inputs(immediate=True), STOPPED),
    (ARMED, Inputs(emergency=True), STOPPED),
    (ARMED, Inputs(soft=True, immediate=True), STOPPED),
    (RAMPING, Inputs(), ARMED),
    (RAMPING, Inputs(soft=True), RAMPING),
    (RAMPING, Inputs(soft=True, out_of_patience=True), STOPPED),
    (RAMPING, Inputs(immediate=True), STOPPED),
    (RAMPING, Inputs(emergency=True), STOPPED),
    (RAMPING, Inputs(request=Request.DISARM, soft=True), DISARMED),
    (STOPPED, Inputs(), STOPPED),
    (STOPPED, Inputs(ready=True), STOPPED),
    (STOPPED, Inputs(request=Request.ARM), STOPPED),
    (STOPPED, Inputs(request=Request.ARM, ready=True), ARMED),
    (STOPPED, Inputs(request=Request.ARM, ready=True, emergency=True), STOPPED),
    (STOPPED, Inputs(request=Request.ARM, ready=True, soft=True), STOPPED),
    (STOPPED, Inputs(request=Request.DISARM), DISARMED),
]


@pytest.mark.parametrize(("state", "inputs", "expected"), TABLE)
def test_the_state_follows_the_table(state: SafetyState, inputs: Inputs, expected: SafetyState) -> None:
    assert next_state(state, inputs) is expected


def test_only_a_ready_request_ever_leads_from_rest_to_driving() -> None:
    names = ("ready", "emergency", "immediate", "soft", "out_of_patience")
    for state, request, flags in product((DISARMED, STOPPED), Request, product((False, True), repeat=5)):
        inputs = Inputs(request=request, **dict(zip(names, flags, strict=True)))
        after = next_state(state, inputs)
        assert after is not RAMPING
        if after is ARMED:
            assert (inputs.request, inputs.ready) == (Request.ARM, True)
            assert not any((inputs.emergency, inputs.immediate, inputs.soft))


def test_starts_disarmed_and_lets_nothing_through() -> None:
    verdict = SafetySupervisor().check(GO, GREEN, dt_s=DT)
    assert verdict == Verdict(command=STAND_STILL, state=DISARMED, causes=(Cause.NOT_ARMED,), was_limited=True)


def test_a_neutral_command_is_not_limited_while_disarmed() -> None:
    assert not SafetySupervisor().check(STAND_STILL, GREEN, dt_s=DT).was_limited


OBSTACLES = [
    (Health(emergency_stop=True), Cause.EMERGENCY_STOP),
    (Health(camera_ok=False), Cause.CAMERA_DEAD),
    (Health(frame_age_s=0.25), Cause.CAMERA_STALLED),
    (Health(frame_age_s=0.1), Cause.FRAME_STALE),
    (Health(motors_ok=False), Cause.MOTORS_FAILED),
    (Health(temperature_c=91.0), Cause.TOO_HOT),
    (Health(temperature_c=96.0), Cause.TOO_HOT),
    (Health(cell_voltage_v=3.39), Cause.BATTERY_LOW),
    (Health(cell_voltage_v=3.0), Cause.BATTERY_LOW),
    (Health(dropped_fraction=0.21), Cause.FRAMES_DROPPED),
    (Health(picture_ok=False), Cause.PICTURE_BAD),
    (Health(line_confidence=0.29), Cause.LINE_LOST),
    (Health(link_ok=False), Cause.LINK_LOST),
    (Health(frame_age_s=nan), Cause.CAMERA_STALLED),
    (Health(line_confidence=nan), Cause.LINE_LOST),
    (Health(temperature_c=nan), Cause.TOO_HOT),
    (Health(cell_voltage_v=nan), Cause.BATTERY_LOW),
    (Health(dropped_fraction=nan), Cause.FRAMES_DROPPED),
]


@pytest.mark.parametrize(("health", "cause"), OBSTACLES)
def test_arming_is_refused_with_the_reason(health: Health, cause: Cause) -> None:
    supervisor = SafetySupervisor()
    supervisor.check(STAND_STILL, health, dt_s=DT)
    reasons = supervisor.arm()
    assert cause in reasons
    assert len(reasons) == len(set(reasons))
    assert supervisor.check(GO, health, dt_s=DT).command == STAND_STILL


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        (GO, Cause.NOT_NEUTRAL), (DriveCommand(speed_mps=-0.1), Cause.NOT_NEUTRAL),
        (DriveCommand(speed_mps=nan), Cause.NOT_FINITE), (DriveCommand(curvature_1pm=inf), Cause.NOT_FINITE),
    ],
)  # fmt: skip
def test_arming_needs_a_neutral_command(command: DriveCommand, cause: Cause) -> None:
    supervisor = SafetySupervisor()
    supervisor.check(command, GREEN, dt_s=DT)
    assert supervisor.arm() == (cause,)
    assert supervisor.state is DISARMED


def test_arming_needs_a_check_first_and_works_twice() -> None:
    supervisor = SafetySupervisor()
    assert supervisor.arm() == (Cause.NOT_CHECKED,)
    supervisor.check(STAND_STILL, Health(temperature_c=90.0, cell_voltage_v=3.4, dropped_fraction=0.2), dt_s=DT)
    assert supervisor.arm() == ()
    assert supervisor.arm() == ()
    assert supervisor.state is ARMED


def test_arming_while_ramping_changes_nothing() -> None:
    supervisor = driving()
    run(supervisor, Health(link_ok=False), frames=1)
    assert supervisor.arm() == ()
    assert supervisor.state is RAMPING


def test_a_human_needs_no_line() -> None:
    supervisor = driving()
    assert run(supervisor, Health(line_confidence=0.0, needs_line=False), frames=30).state is ARMED


def test_armed_and_green_the_command_passes_unchanged() -> None:
    verdict = run(driving(), frames=1)
    assert verdict == Verdict(command=GO, state=ARMED)


IMMEDIATE = [
    (Health(emergency_stop=True), Cause.EMERGENCY_STOP),
    (Health(camera_ok=False), Cause.CAMERA_DEAD),
    (Health(frame_age_s=0.25), Cause.CAMERA_STALLED),
    (Health(frame_age_s=inf), Cause.CAMERA_STALLED),
    (Health(motors_ok=False), Cause.MOTORS_FAILED),
    (Health(temperature_c=95.1), Cause.TOO_HOT),
]


@pytest.mark.parametrize(("health", "cause"), IMMEDIATE)
def test_an_immediate_cause_stops_at_once_and_latches_until_armed_again(health: Health, cause: Cause) -> None:
    supervisor = driving()
    verdict = run(supervisor, health, frames=1)
    assert (verdict.command.speed_mps, verdict.state) == (0.0, STOPPED)
    assert cause in verdict.causes
    assert verdict.was_limited
    later = run(supervisor, frames=60)
    assert (later.command.speed_mps, later.state) == (0.0, STOPPED)
    assert cause in later.causes
    run(supervisor, command=STAND_STILL, frames=1)
    assert supervisor.arm() == ()
    assert run(supervisor, frames=30) == Verdict(command=GO, state=ARMED)


SOFT = [
    (Health(frame_age_s=0.1), Cause.FRAME_STALE, 1),
    (Health(dropped_fraction=0.21), Cause.FRAMES_DROPPED, 1),
    (Health(picture_ok=False), Cause.PICTURE_BAD, 5),
    (Health(line_confidence=0.1), Cause.LINE_LOST, 4),
    (Health(link_ok=False), Cause.LINK_LOST, 1),
    (Health(temperature_c=90.1), Cause.TOO_HOT, 1),
]


@pytest.mark.parametrize(("health", "cause", "frames"), SOFT)
def test_a_soft_cause_ramps_to_rest_within_its_time(health: Health, cause: Cause, frames: int) -> None:
    supervisor = driving()
    if frames > 1:
        assert run(supervisor, health, frames=frames - 1) == Verdict(command=GO, state=ARMED)
    first = run(supervisor, health, frames=1)
    assert first.state is RAMPING
    assert first.causes == (cause,)
    assert first.command.speed_mps == pytest.approx(0.5 * (1 - DT / 0.3))
    assert first.command.curvature_1pm == 1.0
    speeds = [run(supervisor, health, frames=1).command.speed_mps for _ in range(8)]
    assert speeds == pytest.approx([0.5 * max(0.0, 1 - DT * (n + 2) / 0.3) for n in range(8)], abs=1e-9)
    assert run(supervisor, health, frames=1).command.speed_mps == 0.0
    assert supervisor.state is RAMPING


@pytest.mark.parametrize(("health", "cause", "frames"), SOFT)
def test_a_soft_cause_clears_by_itself_within_a_second(health: Health, cause: Cause, frames: int) -> None:
    supervisor = driving()
    run(supervisor, health, frames=frames - 1 + 20)
    back = 5 if cause is Cause.LINE_LOST else 1
    if back > 1:
        assert run(supervisor, frames=back - 1).state is RAMPING
    assert run(supervisor, frames=1).state is ARMED
    assert run(supervisor, frames=30) == Verdict(command=GO, state=ARMED)


@pytest.mark.parametrize(("health", "cause", "frames"), SOFT)
def test_a_soft_cause_that_stays_latches(health: Health, cause: Cause, frames: int) -> None:
    supervisor = driving()
    run(supervisor, health, frames=frames)
    assert run(supervisor, health, frames=29).state is RAMPING
    assert run(supervisor, health, frames=2).state is STOPPED
    later = run(supervisor, frames=60)
    assert (later.state, later.causes) == (STOPPED, (cause,))


def test_exactly_the_patience_is_not_yet_too_long() -> None:
    supervisor = driving(patience_s=1.0)
    run(supervisor, Health(link_ok=False), frames=5, dt_s=0.25)
    assert supervisor.state is RAMPING
    run(supervisor, Health(link_ok=False), frames=1, dt_s=0.25)
    assert supervisor.state is STOPPED


def test_a_line_has_its_own_patience() -> None:
    supervisor = driving(line_patience_s=3.0)
    assert run(supervisor, Health(line_confidence=0.0), frames=60).state is RAMPING


def test_a_line_that_flickers_while_it_returns_is_not_yet_back() -> None:
    supervisor = driving()
    run(supervisor, Health(line_confidence=0.0), frames=5)
    for _ in range(3):
        run(supervisor, frames=4)
        assert run(supervisor, Health(line_confidence=0.0), frames=1).state is RAMPING
    assert run(supervisor, frames=5).state is ARMED


def test_blinks_of_the_line_do_not_add_up() -> None:
    supervisor = driving()
    for _ in range(5):
        run(supervisor, Health(line_confidence=0.0), frames=3)
        assert run(supervisor, frames=1) == Verdict(command=GO, state=ARMED)


def test_bad_pictures_that_are_not_in_a_row_do_not_add_up() -> None:
    supervisor = driving()
    for _ in range(5):
        run(supervisor, Health(picture_ok=False), frames=4)
        assert run(supervisor, frames=1).state is ARMED
    run(supervisor, Health(picture_ok=False), frames=5)
    run(supervisor, frames=1)
    assert run(supervisor, Health(picture_ok=False), frames=4).state is ARMED


def test_a_second_loss_of_the_line_gets_fresh_patience() -> None:
    supervisor = driving()
    for _ in range(3):
        run(supervisor, Health(line_confidence=0.0), frames=20)
        assert run(supervisor, frames=5).state is ARMED


def test_without_patience_for_blinks_one_frame_without_a_line_is_a_loss() -> None:
    assert run(driving(line_blink_s=0.0), Health(line_confidence=0.0), frames=1).state is RAMPING


def test_just_enough_confidence_is_enough() -> None:
    assert run(driving(), Health(line_confidence=0.3), frames=30).state is ARMED


@pytest.mark.parametrize(("volts", "state"), [(3.39, RAMPING), (3.19, STOPPED), (3.4, ARMED), (3.2, RAMPING)])
def test_the_battery_counts_after_two_seconds(volts: float, state: SafetyState) -> None:
    supervisor = driving(patience_s=10.0)
    weak = Health(cell_voltage_v=volts)
    assert run(supervisor, weak, frames=60).state is ARMED
    verdict = run(supervisor, weak, frames=2)
    assert verdict.state is state
    assert state is ARMED or Cause.BATTERY_LOW in verdict.causes


def test_a_dip_of_the_battery_does_not_count() -> None:
    supervisor = driving()
    for _ in range(4):
        assert run(supervisor, Health(cell_voltage_v=3.0), frames=50).state is ARMED
        run(supervisor, frames=1)


@pytest.mark.parametrize("bad", [DriveCommand(speed_mps=nan), DriveCommand(curvature_1pm=inf, speed_mps=0.5)])
def test_what_is_no_number_never_leaves_and_the_third_in_a_row_latches(bad: DriveCommand) -> None:
    supervisor = driving()
    first = run(supervisor, command=bad, frames=1)
    assert first.command.curvature_1pm == 1.0
    assert first.command.speed_mps == pytest.approx(0.5 - 6.0 * DT)
    assert (first.state, first.causes) == (RAMPING, (Cause.NOT_FINITE,))
    assert run(supervisor, command=bad, frames=1).state is RAMPING
    third = run(supervisor, command=bad, frames=1)
    assert (third.command.speed_mps, third.state, third.causes) == (0.0, STOPPED, (Cause.NOT_FINITE,))


def test_single_bad_numbers_do_not_add_up() -> None:
    supervisor = driving()
    for _ in range(4):
        run(supervisor, command=DriveCommand(speed_mps=nan), frames=2)
        assert run(supervisor, frames=1).state is ARMED


def test_an_emergency_stop_works_at_any_time_and_must_be_seen_off_before_arming() -> None:
    supervisor = driving()
    supervisor.emergency_stop()
    assert supervisor.state is STOPPED
    verdict = run(supervisor, frames=1)
    assert (verdict.command.speed_mps, verdict.causes) == (0.0, (Cause.EMERGENCY_STOP,))
    run(supervisor, command=STAND_STILL, frames=1)
    supervisor.emergency_stop()
    assert supervisor.arm() == (Cause.NOT_CHECKED,)
    run(supervisor, command=STAND_STILL, frames=1)
    assert supervisor.arm() == ()
    assert run(supervisor, frames=1) == Verdict(
        command=supervisor.check(GO, GREEN, dt_s=0.0).command, state=ARMED, causes=(Cause.LIMITED,), was_limited=True
    )


def test_an_emergency_stop_before_arming_is_latched_too() -> None:
    supervisor = SafetySupervisor()
    supervisor.emergency_stop()
    assert run(supervisor, frames=1).causes == (Cause.EMERGENCY_STOP,)
    assert supervisor.state is STOPPED


def test_an_emergency_switch_before_arming_is_latched_too() -> None:
    supervisor = SafetySupervisor()
    run(supervisor, Health(emergency_stop=True, camera_ok=False), frames=1)
    verdict = run(supervisor, frames=1)
    assert (verdict.state, verdict.causes) == (STOPPED, (Cause.EMERGENCY_STOP,))


def test_disarming_rests_at_once_and_forgets_the_causes() -> None:
    supervisor = driving()
    supervisor.emergency_stop()
    supervisor.disarm()
    assert supervisor.arm() == (Cause.NOT_CHECKED,)
    verdict = run(supervisor, frames=1, command=STAND_STILL)
    assert (verdict.state, verdict.causes, verdict.command.speed_mps) == (DISARMED, (Cause.NOT_ARMED,), 0.0)
    assert supervisor.arm() == ()
    assert run(supervisor, Health(link_ok=False), frames=1).causes == (Cause.LINK_LOST,)


def test_disarming_needs_a_new_check_before_arming_and_ends_an_emergency_stop() -> None:
    supervisor = driving()
    supervisor.disarm()
    assert supervisor.arm() == (Cause.NOT_CHECKED,)
    supervisor.emergency_stop()
    supervisor.disarm()
    assert run(supervisor, frames=1).state is DISARMED


def test_disarming_forgets_why_it_stopped() -> None:
    supervisor = driving()
    run(supervisor, Health(camera_ok=False), frames=1)
    supervisor.disarm()
    supervisor.emergency_stop()
    assert run(supervisor, frames=1).causes == (Cause.EMERGENCY_STOP,)


@pytest.mark.parametrize(
    ("health", "state"),
    [
        (Health(frame_age_s=0.099), ARMED), (Health(frame_age_s=0.249), RAMPING), (Health(temperature_c=90.0), ARMED),
        (Health(temperature_c=95.0), RAMPING), (Health(dropped_fraction=0.2), ARMED),
    ],
)  # fmt: skip
def test_a_reading_within_its_limit_does_no_harm(health: Health, state: SafetyState) -> None:
    assert run(driving(), health, frames=1).state is state


def test_faults_count_from_the_very_first_check() -> None:
    supervisor = SafetySupervisor()
    bad = Health(picture_ok=False, cell_voltage_v=3.3)
    assert run(supervisor, bad, frames=4, command=STAND_STILL).causes == (Cause.NOT_ARMED,)
    assert run(supervisor, bad, frames=1, command=STAND_STILL).causes == (Cause.NOT_ARMED, Cause.PICTURE_BAD)
    slow = SafetySupervisor()
    assert run(slow, bad, frames=1, dt_s=5.0).causes == (Cause.NOT_ARMED,)
    assert Cause.BATTERY_LOW in run(slow, bad, frames=1, dt_s=2.0).causes


def test_arming_again_forgets_what_stopped_before() -> None:
    supervisor = driving()
    run(supervisor, Health(camera_ok=False), frames=1)
    run(supervisor, frames=1, command=STAND_STILL)
    supervisor.arm()
    assert run(supervisor, Health(motors_ok=False), frames=1).causes == (Cause.MOTORS_FAILED,)


def test_what_stopped_is_shown_with_what_came_later_while_that_lasts() -> None:
    supervisor = driving()
    run(supervisor, Health(camera_ok=False), frames=1)
    hot = run(supervisor, Health(link_ok=False, temperature_c=99.0), frames=1)
    assert set(hot.causes) == {Cause.CAMERA_DEAD, Cause.LINK_LOST, Cause.TOO_HOT}
    assert len(hot.causes) == 3
    assert run(supervisor, frames=1).causes == (Cause.CAMERA_DEAD,)


def test_everything_that_stopped_is_remembered() -> None:
    supervisor = driving()
    run(supervisor, Health(camera_ok=False, link_ok=False), frames=1)
    assert run(supervisor, frames=1).causes == (Cause.CAMERA_DEAD, Cause.LINK_LOST)


def test_disarmed_the_faults_are_shown() -> None:
    verdict = SafetySupervisor().check(STAND_STILL, Health(camera_ok=False, link_ok=False), dt_s=DT)
    assert verdict.causes == (Cause.NOT_ARMED, Cause.CAMERA_DEAD, Cause.LINK_LOST)


def test_after_a_stop_the_steering_is_held_and_then_centred() -> None:
    supervisor = driving()
    supervisor.emergency_stop()
    assert run(supervisor, frames=14).command.curvature_1pm == 1.0
    assert run(supervisor, frames=2).command.curvature_1pm == 0.0
    assert run(supervisor, frames=30).command.curvature_1pm == 0.0


def test_a_stop_by_a_fault_holds_the_steering_too() -> None:
    supervisor = driving()
    assert run(supervisor, Health(camera_ok=False), frames=14).command.curvature_1pm == 1.0
    assert run(supervisor, frames=2).command.curvature_1pm == 0.0


def test_the_hold_of_the_steering_ends_at_its_time() -> None:
    supervisor = driving()
    supervisor.disarm()
    assert run(supervisor, frames=1, dt_s=0.25).command.curvature_1pm == 1.0
    assert run(supervisor, frames=1, dt_s=0.25).command.curvature_1pm == 0.0


@pytest.mark.parametrize("step", [0.26, 5.0, nan, inf])
def test_a_loop_that_stalled_stops(step: float) -> None:
    supervisor = driving()
    verdict = run(supervisor, frames=1, dt_s=step)
    assert (verdict.command.speed_mps, verdict.state) == (0.0, STOPPED)
    assert verdict.causes == (Cause.LOOP_STALLED,)


def test_a_slow_loop_that_is_not_armed_is_no_fault() -> None:
    supervisor = SafetySupervisor()
    assert supervisor.check(STAND_STILL, GREEN, dt_s=5.0).causes == (Cause.NOT_ARMED,)
    assert supervisor.arm() == ()
    assert run(supervisor, frames=1, dt_s=0.25).state is ARMED


def test_the_loop_may_stall_while_ramping_no_more_than_while_armed() -> None:
    supervisor = driving()
    run(supervisor, Health(link_ok=False), frames=1)
    assert run(supervisor, Health(link_ok=False), frames=1, dt_s=0.5).state is STOPPED


@pytest.mark.parametrize("dt_s", [0.0, -1.0])
def test_without_time_nothing_changes(dt_s: float) -> None:
    supervisor = driving()
    verdict = run(supervisor, frames=5, command=DriveCommand(speed_mps=-1.0, curvature_1pm=-9.0), dt_s=dt_s)
    assert verdict == Verdict(command=GO, state=ARMED, causes=(Cause.LIMITED,), was_limited=True)
    ramp = run(supervisor, Health(link_ok=False), frames=5, dt_s=dt_s)
    assert ramp.command == GO


def test_a_broken_clock_lets_a_battery_deadline_pass() -> None:
    supervisor = SafetySupervisor()
    weak = Health(cell_voltage_v=3.3)
    run(supervisor, weak, frames=2, dt_s=nan)
    assert run(supervisor, weak, frames=1, dt_s=nan).causes == (Cause.NOT_ARMED, Cause.BATTERY_LOW)


def test_speed_and_curvature_are_limited_both_ways() -> None:
    supervisor = armed()
    assert run(supervisor, frames=60, command=DriveCommand(speed_mps=9.0, curvature_1pm=99.0)).command == DriveCommand(
        speed_mps=1.0, curvature_1pm=20.0
    )
    assert run(supervisor, frames=60, command=DriveCommand(speed_mps=-9.0, curvature_1pm=-99.0)).command == (
        DriveCommand(speed_mps=-1.0, curvature_1pm=-20.0)
    )


def test_speed_and_curvature_change_at_their_rates() -> None:
    supervisor = armed()
    first = run(supervisor, frames=1, command=DriveCommand(speed_mps=1.0, curvature_1pm=20.0))
    assert first.command.speed_mps == pytest.approx(3.0 * DT)
    assert first.command.curvature_1pm == pytest.approx(200.0 * DT)
    assert first.causes == (Cause.LIMITED,)
    run(supervisor, frames=30, command=DriveCommand(speed_mps=1.0))
    assert run(supervisor, frames=1, command=STAND_STILL).command.speed_mps == pytest.approx(1.0 - 6.0 * DT)


def test_driving_backwards_ramps_to_rest_too() -> None:
    supervisor = armed()
    back = DriveCommand(speed_mps=-0.4)
    run(supervisor, frames=30, command=back)
    first = run(supervisor, Health(link_ok=False), frames=1, command=back)
    assert first.command.speed_mps == pytest.approx(-0.4 * (1 - DT / 0.3))
    end = run(supervisor, Health(link_ok=False), frames=9, command=back)
    assert end.command.speed_mps == pytest.approx(0, abs=1e-9)


def test_a_ramp_does_not_start_again_when_another_cause_joins() -> None:
    supervisor = driving()
    run(supervisor, Health(link_ok=False), frames=5)
    assert run(supervisor, Health(temperature_c=92.0), frames=5).command.speed_mps == pytest.approx(0.0, abs=1e-9)


def test_a_ramp_never_speeds_up_and_its_ceiling_goes_with_it() -> None:
    supervisor = driving()
    slow = DriveCommand(speed_mps=0.1, curvature_1pm=1.0)
    run(supervisor, Health(link_ok=False), frames=3, command=slow)
    assert run(supervisor, Health(link_ok=False), frames=1).command.speed_mps <= 0.2
    run(supervisor, frames=30)
    assert run(supervisor, frames=1).command == GO


def test_each_ramp_starts_from_the_speed_then_driven() -> None:
    supervisor = driving()
    run(supervisor, Health(link_ok=False), frames=2)
    fast = DriveCommand(speed_mps=1.0, curvature_1pm=1.0)
    run(supervisor, frames=30, command=fast)
    verdict = run(supervisor, Health(link_ok=False), frames=1, command=fast)
    assert verdict.command.speed_mps == pytest.approx(1.0 - DT / 0.3)


def test_a_ramp_right_after_the_start_begins_at_the_last_speed() -> None:
    supervisor = armed()
    run(supervisor, frames=2)
    verdict = run(supervisor, Health(link_ok=False), frames=1)
    assert verdict.command.speed_mps == pytest.approx(6.0 * DT * (1 - DT / 0.3))


NUMBERS = st.floats(-3, 3) | st.sampled_from([nan, inf, -inf, 1e308, -1e308])
STEPS = st.sampled_from([0.0, DT, DT, DT, 0.1, 0.2, 5.0, nan, inf, -1.0])
HEALTHS = st.sampled_from([GREEN] * 12 + [h for h, _ in OBSTACLES])
ACTIONS = st.sampled_from(["none"] * 12 + ["arm", "arm", "disarm", "stop"])


@settings(max_examples=200, deadline=None)
@given(steps=st.lists(st.tuples(NUMBERS, NUMBERS, STEPS, HEALTHS, ACTIONS), max_size=60))
def test_whatever_comes_the_limits_hold(steps: list[tuple[float, float, float, Health, str]]) -> None:
    limits = SupervisorSettings()
    supervisor = SafetySupervisor(limits)
    supervisor.check(STAND_STILL, GREEN, dt_s=DT)
    supervisor.arm()
    last = STAND_STILL
    for speed, curvature, dt_s, health, action in steps:
        if action == "arm":
            supervisor.check(STAND_STILL, health, dt_s=0.0)
            supervisor.arm()
        elif action == "disarm":
            supervisor.disarm()
        elif action == "stop":
            supervisor.emergency_stop()
        command = DriveCommand(curvature_1pm=curvature, speed_mps=speed)
        verdict = supervisor.check(command, health, dt_s=dt_s)
        out = verdict.command
        step_s = max(0.0, min(LONGEST_STEP_S, dt_s)) if isfinite(dt_s) else 0.0
        assert isfinite(out.speed_mps)
        assert isfinite(out.curvature_1pm)
        assert abs(out.speed_mps) <= limits.max_speed_mps
        assert abs(out.curvature_1pm) <= limits.max_curvature_1pm
        assert last.speed_mps * out.speed_mps >= 0
        assert abs(out.speed_mps) - abs(last.speed_mps) <= limits.faster_mps2 * step_s + 1e-9
        assert abs(out.curvature_1pm - last.curvature_1pm) <= limits.max_curvature_rate_1pm_s * step_s + 1e-9
        assert verdict.was_limited == (out != command)
        if verdict.state in (DISARMED, STOPPED):
            assert out.speed_mps == 0
            assert verdict.causes
        last = out
