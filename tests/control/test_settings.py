"""Settings are checked where they are made, and the error names the field."""

from dataclasses import FrozenInstanceError, fields
from math import inf, nan
from typing import Any

import pytest

from control.errors import ConfigError
from control.faults import SupervisorSettings
from control.follower import FollowerSettings
from control.laws import JetBotSettings, JetRacerSettings
from control.mixing import AckermannMixer, DifferentialMixer
from control.speed import SpeedSettings
from control.steering import SteeringSettings

KINDS: tuple[Any, ...] = (
    SupervisorSettings, FollowerSettings, SteeringSettings, SpeedSettings, JetBotSettings, JetRacerSettings,
    DifferentialMixer, AckermannMixer,
)  # fmt: skip
FIELDS = [(kind, f.name) for kind in KINDS for f in fields(kind) if isinstance(getattr(kind(), f.name), int | float)]


@pytest.mark.parametrize("bad", [nan, inf, -1e9])
@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_every_number_must_be_finite_and_possible(kind: Any, name: str, bad: float) -> None:
    with pytest.raises(ConfigError, match=rf"\.{name} is"):
        kind(**{name: bad})


@pytest.mark.parametrize("kind", KINDS)
def test_settings_are_frozen(kind: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(kind(), fields(kind)[0].name, 1.0)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (SupervisorSettings, {"frame_age_soft_s": 0.3}), (SupervisorSettings, {"hot_c": 96.0}),
        (SupervisorSettings, {"cell_empty_v": 3.5}), (SupervisorSettings, {"ramp_s": 0.41}),
        (SupervisorSettings, {"ramp_s": 0.009}), (SupervisorSettings, {"patience_s": 10.1}),
        (SupervisorSettings, {"patience_s": -0.1}), (SupervisorSettings, {"min_confidence": 1.1}),
        (SupervisorSettings, {"max_dropped_fraction": 1.01}), (SupervisorSettings, {"hot_c": -1.0}),
        (SupervisorSettings, {"too_hot_c": 200.1}), (SupervisorSettings, {"reacquire_frames": 0}),
        (SupervisorSettings, {"bad_pictures": 2.5}), (SupervisorSettings, {"max_speed_mps": 0.0}),
        (SpeedSettings, {"min_speed_mps": 2.0}), (FollowerSettings, {"look_ahead_min_m": 0.5}),
        (DifferentialMixer, {"dead_zone": 0.95}), (AckermannMixer, {"center": 0.6}),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(kind: Any, changes: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(changes))):
        kind(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"frame_age_soft_s": 0.25}, {"hot_c": 95.0}, {"cell_empty_v": 3.4}, {"ramp_s": 0.4}, {"ramp_s": 0.01},
        {"patience_s": 10.0}, {"patience_s": 0.0}, {"min_confidence": 1.0}, {"too_hot_c": 200.0},
        {"reacquire_frames": 1}, {"cell_low_v": 200.0},
    ],
)  # fmt: skip
def test_the_ends_of_a_range_are_allowed(changes: dict[str, float]) -> None:
    SupervisorSettings(**changes)  # type: ignore[arg-type]
