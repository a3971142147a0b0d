"""The ``linepilot`` command: a table of commands, each imported only when it is called."""

from __future__ import annotations

import errno
import logging
import os
import sys
from importlib import import_module
from io import TextIOWrapper

from app.cli.extras import remedy_for
from control.errors import LinepilotError
from robot.drive.interrupt import Ended, ended_by_signals

COMMANDS = {
    "drive": ("app.cli.drive", "follow a line: simulated by default, or on a video with --camera file:clip.mp4"),
    "teleop": ("app.cli.teleop", "drive by hand: keys, gamepad or web page"),
    "replay": ("app.cli.replay", "run a recorded drive again through today's code, and say what changed"),
    "bench": ("app.cli.bench", "drive many tracks, looks and directions, and put the results in one table"),
    "evaluate": ("app.cli.evaluate", "score a model on folders of labelled photographs"),
    "data": ("app.cli.data", "import, check, split and export data sets; label a drive by hindsight"),
    "label": ("app.cli.label", "label a data set by click in a browser, the model's guess already placed"),
    "train": ("app.cli.train", "train the network on your photographs, on made-up pictures, or on both"),
    "synth": ("app.cli.synth", "write a folder of labelled made-up pictures"),
    "export": ("app.cli.export", "turn trained weights into ONNX and int8 for driving"),
    "push": ("app.cli.push", "put a model or a data set on the Hugging Face hub"),
    "pull": ("app.cli.pull", "fetch one from there"),
    "tracks": ("app.cli.tracks", "list the tracks and the looks to drive on"),
    "doctor": ("app.cli.doctor", "look at this machine: what stands between it and a drive, and what mends it"),
    "sessions": ("app.cli.sessions", "list, repair, trim and export what drives recorded"),
    "cameras": ("app.cli.cameras", "list the cameras that are there, and what each can do"),
    "service": ("app.cli.service", "drive at boot, watched by systemd"),
    "stop": ("app.cli.stop", "write STOP to the motor board"),
    "calibrate": ("app.cli.calibrate", "measure lens, camera mount, motors and latency into calibration.yaml"),
    "motors": ("app.cli.motors", "list the motor boards; turn each output in turn, wheels up"),
    "config": ("app.cli.config", "print every setting, a profile to copy, or the JSON Schema"),
}
_OF_THE_NAME = {
    errno.ENAMETOOLONG: "; give a shorter name",
    errno.EACCES: "; choose another place, or change who may use this one",
}
"""What of the system's errors lies in what was given, and what to do then."""
_HELP = """usage: linepilot COMMAND [options]

A line-following robot controller with a simulator that runs the same loop.

commands:
{commands}

examples:
  linepilot drive --track reInvent2019_track --laps 3
  linepilot drive --camera file:clip.mp4 --motors dry-run
  linepilot COMMAND --help"""


def _help() -> str:
    return _HELP.format(commands="\n".join(f"  {name:<10} {text}" for name, (_, text) in COMMANDS.items()))


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    return f"; did you mean '{near[0]}'?" if near else "; see linepilot --help"


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("linepilot")
    except PackageNotFoundError:
        return "(run from its source, not installed)"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 failure, 2 bad input, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    if not given or given[0] in ("-h", "--help"):
        print(_help())
        return 0
    if given[0] in ("--version", "version"):
        print(f"linepilot {_version()}")
        return 0
    if given[0] not in COMMANDS:
        print(f"linepilot: unknown command '{given[0]}'{_nearest(given[0])}", file=sys.stderr)
        return 2
    return _run(given[0], given[1:])


def _one_line(text: str) -> str:
    """A name or a value that was given may hold line ends, and codes that a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _say_whatever_was_given() -> None:
    """A file's name may hold what the terminal's encoding lacks, or what is no text: it is shown escaped."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _earlier(error: BaseException) -> LinepilotError | None:
    """What had gone wrong when this came on top: a report that cannot be written must not hide why a drive ended."""
    at: BaseException | None = error
    while at is not None and at.__context__ is not None:
        translated = at.__suppress_context__
        at = at.__context__
        if isinstance(at, LinepilotError) and not translated:
            return at
    return None


def _missing(error: ImportError) -> str:
    if isinstance(error, ModuleNotFoundError):
        module = error.name or "a library"
        return f"needs {module}, which is not installed; {remedy_for(module)}"
    if "libGL" in str(error) or "libgthread" in str(error):
        return f"OpenCV cannot be loaded ({error}); install its libraries with: apt-get install libgl1 libglib2.0-0"
    return f"a library cannot be loaded: {' '.join(str(error).split())}"


def _run(name: str, arguments: list[str]) -> int:
    # OpenCV and FFmpeg would talk past our one line; they read this when they are imported.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # And would wait 10 s for a USB camera that has frozen.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")
    # And Matplotlib of a home folder that it cannot write to.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    _say_whatever_was_given()
    try:
        with ended_by_signals():
            code: int = import_module(COMMANDS[name][0]).run(arguments)
    except LinepilotError as error:
        first = _earlier(error)
        before = "" if first is None else f"{first}; then: "
        print(f"linepilot {name}: {_one_line(before + str(error))}", file=sys.stderr)
        return (first or error).exit_code
    except MemoryError:
        print(f"linepilot {name}: out of memory; close other programs, or ask for less at once", file=sys.stderr)
        return 1
    except KeyboardInterrupt as end:
        print(f"linepilot {name}: interrupted", file=sys.stderr)
        return end.exit_code if isinstance(end, Ended) else 130
    except OSError as error:
        remedy = _OF_THE_NAME.get(error.errno or 0)
        said = _one_line(f"{error.filename or 'output'}: {error.strerror}{remedy or ''}")
        print(f"linepilot {name}: {said}", file=sys.stderr)
        return 1 if remedy is None else 2
    except ImportError as error:
        print(f"linepilot {name}: {_missing(error)}", file=sys.stderr)
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
