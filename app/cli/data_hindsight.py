"""``linepilot data hindsight``: recorded drives labelled by the path that was driven afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console

from app.cli.data import say
from app.cli.options import count, parser, refuse_unwritable, write_json
from app.cli.progress import counting
from app.cli.tables import facts
from calibration.projection import GroundProjection
from control.errors import SessionError
from perception.dataset import LabelledPhoto
from perception.dataset.card import CARD, DataSetCard, Source
from perception.dataset.store import new_folder, table_rows, table_text
from robot.sessions.hindsight import (
    Driven,
    Pose,
    aside_at,
    driven,
    image_points,
    path_ahead,
    true_line,
    true_poses,
)
from robot.sessions.session_tick import Image
from robot.sessions.summary import outline
from sim.replay.recorded import RecordedTick, open_recorded

_LOOK_AHEAD_M = 0.3
_PX = 112.0


@dataclass(slots=True, kw_only=True)
class Hindsight:
    """What came of one session; errors in pixels of a 224 px picture, of simulated drives only."""

    rows: list[tuple[str | int | float, ...]] = field(default_factory=list)
    pictures: int = 0
    too_short: int = 0
    watched: int = 0
    of_path_px: list[float] = field(default_factory=list)
    """From where the robot really drove."""
    of_line_px: list[float] = field(default_factory=list)
    """From where the line really is: the driver's own error is in it."""


def run(arguments: list[str]) -> int:
    options = parser(
        "data hindsight",
        what="Label recorded drives: the path that the robot drove afterwards, projected back into each picture, is\n"
        "the line. Drive well, by hand or by model: what was driven is what will be learnt. Of simulated drives the\n"
        f"error {_LOOK_AHEAD_M * 100:.0f} cm ahead is printed.",
        example="linepilot data hindsight drive.mcap --out data/drive",
    )
    add = options.add_argument
    add("files", nargs="+", type=Path, metavar="FILE.mcap", help="each becomes a session")
    add("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    add("--every", type=count, default=3, metavar="N", help="only each N-th picture; default: 3")
    add("--wheels-only", action="store_true", help="do not correct the wheels by the floor's motion in the pictures")
    add("--target", choices=("line", "lane"), default="line", help="what was followed; default: line")
    add("--json", type=Path, metavar="OUT", help="write counts and errors to this file")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.out / "labels.csv", chosen.json)
    total = Hindsight()
    sources = []
    with new_folder(chosen.out) as unfinished:
        (unfinished / "images").mkdir()
        for path in chosen.files:
            with counting(path.name, total=outline(path).ticks) as progress:
                done = label_session(
                    path, unfinished / "images", every=chosen.every, watch=not chosen.wheels_only, progress=progress
                )
            sources.append(Source(format="session", place=str(path), pictures=done.pictures))
            _add(total, done)
        if not total.pictures:
            raise SessionError(f"{chosen.files[0]}: no picture of it is followed by a path; record a longer drive")
        card = DataSetCard(target=chosen.target, sources=tuple(sources))
        (unfinished / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
        (unfinished / "labels.csv").write_text(table_text(total.rows), encoding="utf-8")
    _show(chosen.out, total)
    write_json(chosen.json, record(total))
    return 0


def label_session(
    path: Path, folder: Path, *, every: int, watch: bool, progress: Callable[[int], None] = lambda _: None
) -> Hindsight:
    """Copies pictures into ``folder``. Raises SessionError."""
    drive = open_recorded(path)
    recorded = list(drive.ticks())
    ticks = [entry.tick for entry in recorded]
    calibration = drive.recorded_config.calibration
    projection = GroundProjection(calibration.camera, calibration.mount)

    def picture(i: int) -> Image | None:
        progress(i)
        return recorded[i].frame.image()

    found = driven(ticks, calibration, pictures=picture if watch else None)
    result = Hindsight(watched=found.watched)
    truth = true_poses(ticks, found.numbers)
    line = None if truth is None else true_line(ticks, truth)
    for index, number in enumerate(found.numbers):
        if not watch:
            # What costs time is to watch the floor; of that the bar has told already.
            progress(number)
        if index % every or recorded[number].frame.jpeg is None:
            continue
        ahead = path_ahead(found.poses, index)
        points = image_points(ahead, projection)
        if len(points) < 2:
            result.too_short += 1
            continue
        _keep(result, recorded[number], points, folder=folder, session=path.stem)
        if truth is not None and line is not None:
            _compare(result, found, index, truth=truth, line=line, projection=projection)
    return result


def _keep(
    result: Hindsight, entry: RecordedTick, points: list[tuple[float, float]], *, folder: Path, session: str
) -> None:
    image = entry.frame.image()
    assert image is not None
    name = f"{session}-{entry.frame.number:06d}.jpg"
    (folder / name).write_bytes(entry.frame.jpeg or b"")
    height, width = image.shape[:2]
    photo = LabelledPhoto(path=folder / name, raws=(), session=session)
    pixels = [((x + 1) * width / 2, (y + 1) * height / 2) for x, y in points]
    result.rows += table_rows(name, photo, pixels, width=width, height=height)
    result.pictures += 1


def _compare(
    result: Hindsight, found: Driven, index: int, *, truth: list[Pose], line: list[Pose], projection: GroundProjection
) -> None:
    """At one distance ahead, sideways in the picture."""
    label = aside_at(path_ahead(found.poses, index), _LOOK_AHEAD_M)
    # The line is seen from where the robot was, not from the line.
    beside = [truth[index], *line[index + 1 :]]
    ways = (path_ahead(truth, index), path_ahead(beside, 0)[1:])
    for way, errors in zip(ways, (result.of_path_px, result.of_line_px), strict=True):
        there = aside_at(way, _LOOK_AHEAD_M)
        if label is None or there is None:
            continue
        image = projection.to_image(np.array([[_LOOK_AHEAD_M, label], [_LOOK_AHEAD_M, there]]))
        if np.isfinite(image).all():
            errors.append(abs(float(image[0, 0] - image[1, 0])) * _PX)


def _add(total: Hindsight, done: Hindsight) -> None:
    for name in ("rows", "of_path_px", "of_line_px"):
        getattr(total, name).extend(getattr(done, name))
    for name in ("pictures", "too_short", "watched"):
        setattr(total, name, getattr(total, name) + getattr(done, name))


def record(result: Hindsight) -> dict[str, float | int | None]:
    return {
        "pictures": result.pictures, "too_short": result.too_short, "watched": result.watched,
        **{f"{name}_median_px": float(np.median(errors)) if errors else None
           for name, errors in (("path", result.of_path_px), ("line", result.of_line_px))},
    }  # fmt: skip


def _show(out: Path, result: Hindsight) -> None:
    numbers = record(result)
    rows = [
        ("pictures", str(result.pictures)), ("without a path to follow them", str(result.too_short)),
        ("steps corrected by the floor", str(result.watched)),
        *((f"error {_LOOK_AHEAD_M * 100:.0f} cm ahead, median, {text}", f"{numbers[key]:.1f} px of 224")
          for text, key in (("from the path driven", "path_median_px"), ("from the line", "line_median_px"))
          if numbers[key] is not None),
    ]  # fmt: skip
    Console().print(facts(str(out), rows))
    say(f"next: linepilot train --data {out} --out runs/{out.name}")
