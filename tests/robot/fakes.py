"""Parts of a rig that do as they are told, in a time that only they move."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from control.errors import CameraError, CameraStalled, MotorError
from control.messages import (
    NO_LINE,
    Decision,
    DifferentialCommand,
    DriveCommand,
    LineEstimate,
    LinePoint,
    WheelCommand,
)
from control.mixing import DifferentialMixer
from control.supervisor import SafetySupervisor
from robot.cameras.source import Frame, Image
from robot.drive.cycle_timer import CycleTimer
from robot.drive.health import Gauge, not_measured
from robot.drive.loop import Rig, Tick

PERIOD_S = 1 / 30
STANDING = DifferentialCommand()
SEEN = LineEstimate(points=(LinePoint(x=0.0, y=0.5, visible=1.0),), confidence=1.0)


def picture(number: int) -> Image:
    """Grey, and a little different each time."""
    image = np.full((32, 32, 3), 120, np.uint8)
    image[0, 0] = number % 256
    return image


@dataclass
class FakeClock:
    time_s: float = 100.0

    def now_s(self) -> float:
        return self.time_s


@dataclass
class FakeCamera:
    """Gives ``count`` frames a period apart, then what ``then`` says."""

    clock: FakeClock
    count: int = 10**9
    then: str = "end"
    period_s: float = PERIOD_S
    image: Callable[[int], Image] = picture
    given: int = 0
    closed: bool = False

    def frames(self, *, timeout_s: float) -> Iterator[Frame]:
        while self.given < self.count:
            self.clock.time_s += self.period_s
            self.given += 1
            yield Frame(image=self.image(self.given), stamp_s=self.clock.time_s, index=self.given)
        if self.then == "stall":
            self.clock.time_s += timeout_s
            raise CameraStalled("the fake camera stalls")
        if self.then == "die":
            raise CameraError("the fake camera died")

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> FakeCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class FakeMotors:
    """Keeps all that was written, with the time; refuses the writes whose numbers are in ``refused``."""

    clock: FakeClock
    refused: Sequence[int] = ()
    written: list[tuple[float, WheelCommand]] = field(default_factory=list)
    writes: int = 0
    closed: bool = False

    @property
    def last(self) -> WheelCommand:
        return self.written[-1][1]

    def apply(self, command: WheelCommand) -> None:
        self.writes += 1
        if self.writes in self.refused:
            raise MotorError("the fake bus refused a write")
        self.written.append((self.clock.time_s, command))

    def stop(self) -> None:
        self.written.append((self.clock.time_s, STANDING))

    def close(self) -> None:
        self.stop()
        self.closed = True

    def __enter__(self) -> FakeMotors:
        self.stop()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class FakeEstimator:
    """Sees the line but on the frames that ``blind`` names."""

    blind: Callable[[int], bool] = lambda _: False
    took: Callable[[], None] = lambda: None
    calls: int = 0

    def estimate(self, image: Image) -> LineEstimate:
        self.calls += 1
        self.took()
        return NO_LINE if self.blind(self.calls) else SEEN

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class FakePilot:
    """Always wants the same; keeps what it is asked and told."""

    command: DriveCommand = field(default_factory=lambda: DriveCommand(speed_mps=0.4))
    asked: list[tuple[float, float, float]] = field(default_factory=list)
    told: list[tuple[DriveCommand, bool]] = field(default_factory=list)
    resets: int = 0

    def decide(self, estimate: LineEstimate, *, exposed_s: float, now_s: float, dt_s: float) -> Decision:
        self.asked.append((exposed_s, now_s, dt_s))
        return Decision(command=self.command, confidence=estimate.confidence)

    def applied(self, command: DriveCommand, *, now_s: float, was_limited: bool) -> None:
        self.told.append((command, was_limited))

    def reset(self) -> None:
        self.resets += 1


@dataclass
class Bench:
    """A rig of fakes, to be changed before it drives."""

    clock: FakeClock = field(default_factory=FakeClock)
    camera: FakeCamera = field(init=False)
    motors: FakeMotors = field(init=False)
    estimator: FakeEstimator = field(default_factory=FakeEstimator)
    pilot: FakePilot = field(default_factory=FakePilot)
    supervisor: SafetySupervisor = field(default_factory=SafetySupervisor)
    timer: CycleTimer = field(default_factory=lambda: CycleTimer(period_s=PERIOD_S))

    def __post_init__(self) -> None:
        self.camera = FakeCamera(self.clock)
        self.motors = FakeMotors(self.clock)

    def rig(
        self,
        *,
        camera_delay_s: float = 0.04,
        temperature_c: Gauge = not_measured,
        cell_voltage_v: Gauge = not_measured,
    ) -> Rig:
        return Rig(
            camera=self.camera, motors=self.motors, clock=self.clock, estimator=self.estimator, pilot=self.pilot,
            supervisor=self.supervisor, mixer=DifferentialMixer(), camera_delay_s=camera_delay_s, period_s=PERIOD_S,
            temperature_c=temperature_c, cell_voltage_v=cell_voltage_v,
        )  # fmt: skip


@dataclass
class Kept:
    """A recorder that keeps all ticks and wants more."""

    ticks: list[Tick] = field(default_factory=list)

    def __call__(self, tick: Tick) -> bool:
        self.ticks.append(tick)
        return True
