"""The pictures of a recorded drive: those of the file, or of a simulated drive those that the world shows again."""

from __future__ import annotations

from collections.abc import Iterator

from control.errors import CameraError, MotorError, SessionError
from control.messages import DifferentialCommand
from robot.sessions.session_tick import Image
from sim.replay.recorded import RecordedDrive, RecordedTick
from sim.rig import SimCamera, SimMotors
from sim.scene import Scene


def stored_pictures(drive: RecordedDrive) -> Iterator[tuple[RecordedTick, Image | None]]:
    """Pictures are left to whoever looks at one, since decoding takes time."""
    for recorded in drive.ticks():
        yield recorded, None


def painted_pictures(drive: RecordedDrive, scene: Scene) -> Iterator[tuple[RecordedTick, Image | None]]:
    """What the camera saw before it was stored as JPEG: the world is led along the recorded wheel commands.

    Raises SessionError when the session does not begin with the drive, or has gaps.
    """
    config = drive.recorded_config
    world = scene.world(config.calibration)
    with SimCamera(world, fps=config.fps) as camera, SimMotors(world) as motors:
        frames = camera.frames(timeout_s=1.0)
        for recorded in drive.ticks():
            tick = recorded.tick
            if tick.frame_index < 0:
                raise SessionError(f"{drive.path}: a frame did not come in time; replay it with --pictures stored")
            try:
                frame = next(frames)
                while frame.index < tick.frame_index:
                    frame = next(frames)
                motors.apply(tick.wheels)
            except (CameraError, MotorError) as error:
                raise SessionError(f"{drive.path}: its world cannot be driven again ({error})") from error
            if frame.index != tick.frame_index or abs(world.now_s - tick.now_s) > 1e-9:
                raise SessionError(
                    f"{drive.path}: is not the whole of a simulated drive; replay it with --pictures stored"
                )
            yield recorded, frame.image


def can_be_painted(drive: RecordedDrive) -> bool:
    """Whether the file holds its world and begins where the drive began."""
    first = next(drive.ticks(), None)
    if drive.scene is None or first is None or first.tick.frame_index != 0:
        return False
    wheels = first.tick.wheels
    return isinstance(wheels, DifferentialCommand) == (drive.scene.vehicle.drive == "differential")
