"""``linepilot sessions``: what was recorded, made whole, cut, and turned into photographs or a video."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from math import isfinite
from pathlib import Path

from rich.console import Console

from app.cli.options import CommandParser, count, parser, refuse_unwritable, write_json
from app.cli.progress import counting
from app.cli.session_tables import outline_table, summary_record, summary_table, unreadable
from control.errors import ConfigError, InputError, SessionError

_ACTIONS = {
    "list": "the sessions in a folder, or the files named",
    "info": "what is in one file",
    "repair": "a new, whole file of all that can be read of a damaged one",
    "trim": "a new file of a part of the time",
    "export": "labelled photographs in JetBot's format, or a video",
}
_EXAMPLE = """linepilot sessions list recordings
  linepilot sessions info drive.mcap --json info.json
  linepilot sessions repair drive.mcap
  linepilot sessions trim drive.mcap --from 10 --to 25.5
  linepilot sessions export drive.mcap --photos dataset_xy --every 5
  linepilot sessions export drive.mcap --video drive.mp4"""


def run(arguments: list[str]) -> int:
    actions = {"list": _list, "info": _info, "repair": _repair, "trim": _trim, "export": _export}
    if arguments and arguments[0] in actions:
        return actions[arguments[0]](arguments[1:])
    table = "\n".join(f"{name:<8} {text}" for name, text in _ACTIONS.items())
    options = parser(
        "sessions", what=f"Work with what `linepilot drive --record` wrote.\n\n{table}", example=_EXAMPLE
    )  # fmt: skip
    options.add_argument("action", choices=tuple(actions), help="each has its own --help")
    options.parse(arguments)
    # Options stood before the action.
    raise ConfigError(f"name what to do first: linepilot sessions {'|'.join(actions)} ...")


def _parser(action: str, *, example: str) -> CommandParser:
    text = _ACTIONS[action]
    return parser(f"sessions {action}", what=f"{text[0].upper()}{text[1:]}.", example=example)


def _seconds(text: str) -> float:
    """Type of an option: seconds from 0 up."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise ArgumentTypeError(f"'{text}' is no number of seconds from 0 up")
    return value


def _share(text: str) -> float:
    """Type of an option: 0 to 1."""
    value = _seconds(text)
    if value > 1:
        raise ArgumentTypeError(f"'{text}' is not between 0 and 1")
    return value


def _list(arguments: list[str]) -> int:
    from robot.sessions.summary import outline

    options = _parser("list", example="linepilot sessions list recordings")
    options.add_argument("places", nargs="*", type=Path, default=[Path()], help="folders or files; default: here")
    rows = []
    for place in options.parse(arguments).places:
        paths = sorted(p for p in place.glob("*.mcap") if not p.name.startswith(".")) if place.is_dir() else [place]
        for path in paths:
            try:
                rows.append(outline(path))
            except SessionError as error:
                if not place.is_dir():
                    raise
                # Among others it is a line of the table.
                rows.append(unreadable(path, str(error)))
    if not rows:
        raise InputError("no session (.mcap) here; record one with: linepilot drive --record FOLDER")
    Console().print(outline_table(rows))
    return 0


def _info(arguments: list[str]) -> int:
    from robot.sessions.summary import summarise

    options = _parser("info", example="linepilot sessions info drive.mcap --json info.json")
    options.add_argument("file", type=Path)
    options.add_argument("--json", type=Path, metavar="OUT", help="write it to this file, too")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.json, read=[chosen.file])
    summary = summarise(chosen.file)
    Console().print(summary_table(summary))
    write_json(chosen.json, summary_record(summary))
    return 0


def _repair(arguments: list[str]) -> int:
    from robot.sessions.session_copy import copy_session
    from robot.sessions.summary import outline

    options = _parser("repair", example="linepilot sessions repair drive.mcap --out whole.mcap")
    options.add_argument("file", type=Path)
    options.add_argument("--out", type=Path, metavar="OUT", help="default: FILE-repaired.mcap")
    chosen = options.parse(arguments)
    before = outline(chosen.file, thorough=True)
    if before.is_closed and not before.damage:
        print(f"{chosen.file}: is whole, there is nothing to repair")
        return 0
    out = chosen.out or chosen.file.with_name(f"{chosen.file.stem}-repaired.mcap")
    refuse_unwritable(out)
    copied = copy_session(chosen.file, out)
    for text in copied.damage:
        print(f"{chosen.file}: {text}")
    print(f"wrote {out}: {copied.ticks} ticks, {copied.messages} messages; {chosen.file} is as it was")
    return 0


def _trim(arguments: list[str]) -> int:
    from robot.sessions.session_copy import copy_session

    options = _parser("trim", example="linepilot sessions trim drive.mcap --from 10 --to 25.5 --out bend.mcap")
    add = options.add_argument
    add("file", type=Path)
    add("--from", type=_seconds, default=0.0, dest="from_s", metavar="S", help="seconds from the session's start")
    add("--to", type=_seconds, dest="to_s", metavar="S", help="default: to its end")
    add("--out", type=Path, metavar="OUT", help="default: FILE-trimmed.mcap")
    chosen = options.parse(arguments)
    if chosen.to_s is not None and chosen.to_s <= chosen.from_s:
        raise ConfigError(f"--to {chosen.to_s:g} is not after --from {chosen.from_s:g}")
    out = chosen.out or chosen.file.with_name(f"{chosen.file.stem}-trimmed.mcap")
    refuse_unwritable(out)
    copied = copy_session(chosen.file, out, from_s=chosen.from_s, to_s=chosen.to_s)
    print(f"wrote {out}: {copied.ticks} ticks")
    return 0


def _export(arguments: list[str]) -> int:
    from robot.sessions.reader import SessionReader

    options = _parser("export", example="linepilot sessions export drive.mcap --photos dataset_xy --every 5")
    add = options.add_argument
    add("file", type=Path)
    add("--photos", type=Path, metavar="FOLDER", help="xy_X_Y_ID.jpg, labelled with the point that was followed")
    add("--every", type=count, default=1, metavar="N", help="only each N-th picture becomes a photograph")
    add("--min-confidence", type=_share, default=0.5, metavar="C", help="of the line in a photograph; default: 0.5")
    add("--video", type=Path, metavar="OUT.mp4", help="with the line, the followed point and the command drawn in")
    chosen = options.parse(arguments)
    if chosen.photos is None and chosen.video is None:
        raise ConfigError("say what to export: --photos FOLDER, --video OUT.mp4, or both")
    refuse_unwritable(chosen.video, read=[chosen.file])
    reader = SessionReader(chosen.file)
    if chosen.photos is not None:
        _export_photos(reader, chosen)
    if chosen.video is not None:
        from robot.sessions.video import export_video

        with counting("video, pictures", total=_pictures_in(reader.path)) as progress:
            pictures = export_video(reader, chosen.video, progress=progress)
        print(f"{chosen.video}: {pictures} pictures")
    if reader.damage:
        Console(stderr=True).print(f"{chosen.file}: {'; '.join(reader.damage)}", soft_wrap=True, markup=False)
    return 0


def _pictures_in(path: Path) -> int | None:
    """None of a file that cannot be read: the export says so better, and after what else is wrong."""
    from robot.sessions.summary import outline

    try:
        return outline(path).pictures
    except SessionError:
        return None


def _export_photos(reader: object, chosen: Namespace) -> None:
    from robot.sessions.photos import export_photos
    from robot.sessions.reader import SessionReader

    assert isinstance(reader, SessionReader)
    with counting("photographs", total=_pictures_in(reader.path)) as progress:
        done = export_photos(
            reader, chosen.photos, every=chosen.every, min_confidence=chosen.min_confidence, progress=progress
        )  # fmt: skip
    left = f", {done.unsure} without a line that is sure enough left out" if done.unsure else ""
    print(f"{chosen.photos}: {done.written} photographs{left}")
