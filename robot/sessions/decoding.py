"""From a ``linepilot.Tick`` in a file back to the records that the loop had."""

from __future__ import annotations

from typing import Any

from control.errors import SessionError
from control.messages import (
    AckermannCommand,
    Cause,
    Decision,
    DifferentialCommand,
    DriveCommand,
    GroundPoint,
    Health,
    LineEstimate,
    LinePoint,
    SafetyState,
    SteeringTerms,
    Verdict,
)
from robot.sessions.session_tick import Picture, RecordedTruth, SessionTick


def decode_tick(message: Any, *, picture: Picture | None) -> SessionTick:
    """Raises SessionError for a state or a cause that this version does not know."""
    if message.HasField("ackermann"):
        servo = message.ackermann
        wheels: DifferentialCommand | AckermannCommand = AckermannCommand(
            steering=servo.steering, throttle=servo.throttle
        )
    else:
        wheels = DifferentialCommand(left=message.differential.left, right=message.differential.right)
    return SessionTick(
        now_s=message.now_s, exposed_s=message.exposed_s, picture=picture, frame_index=message.frame_index,
        frame_stamp_s=message.frame_stamp_s, estimate=_estimate(message.estimate), decision=_decision(message.decision),
        health=_health(message.health), verdict=_verdict(message.verdict), wheels=wheels,
        by_hand=_command(message.by_hand) if message.HasField("by_hand") else None,
        hand_over=message.hand_over,
        sections_s={section.name: section.seconds for section in message.sections},
        truth=_truth(message.truth) if message.HasField("truth") else None,
    )  # fmt: skip


def decode_point(message: Any) -> LinePoint:
    return LinePoint(x=message.x, y=message.y, visible=message.visible, spread=message.spread)


def _command(message: Any) -> DriveCommand:
    return DriveCommand(curvature_1pm=message.curvature_1pm, speed_mps=message.speed_mps)


def _estimate(message: Any) -> LineEstimate:
    return LineEstimate(points=tuple(map(decode_point, message.points)), confidence=message.confidence)


def _decision(message: Any) -> Decision:
    terms, ground = message.terms, message.ground
    return Decision(
        command=_command(message.command), confidence=message.confidence,
        target=decode_point(message.target) if message.HasField("target") else None,
        ground=GroundPoint(x=ground.x, y=ground.y) if message.HasField("ground") else None,
        terms=SteeringTerms(
            error=terms.error, proportional=terms.proportional, integral=terms.integral, derivative=terms.derivative,
            feed_forward=terms.feed_forward,
        ),
    )  # fmt: skip


def _health(message: Any) -> Health:
    return Health(
        frame_age_s=message.frame_age_s, line_confidence=message.line_confidence, needs_line=message.needs_line,
        camera_ok=message.camera_ok, picture_ok=message.picture_ok, motors_ok=message.motors_ok,
        emergency_stop=message.emergency_stop, link_ok=message.link_ok,
        temperature_c=message.temperature_c if message.HasField("temperature_c") else None,
        cell_voltage_v=message.cell_voltage_v if message.HasField("cell_voltage_v") else None,
        dropped_fraction=message.dropped_fraction,
    )  # fmt: skip


def _verdict(message: Any) -> Verdict:
    try:
        state, causes = SafetyState[message.state], tuple(Cause[name] for name in message.causes)
    except KeyError as error:
        raise SessionError(
            f"the session names {error.args[0]!r}, which this linepilot does not know; read it with a newer one"
        ) from error
    return Verdict(command=_command(message.command), state=state, causes=causes, was_limited=message.was_limited)


def _truth(message: Any) -> RecordedTruth:
    return RecordedTruth(
        x=message.x, y=message.y, heading_rad=message.heading_rad, speed_mps=message.speed_mps,
        lateral_error_m=message.lateral_error_m, heading_error_rad=message.heading_error_rad,
        along_m=message.along_m, distance_m=message.distance_m, off_line=message.off_line,
    )  # fmt: skip
