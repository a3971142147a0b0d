"""``linepilot data``: bring data sets in, look them over, split them by session, and take them out again."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.cli.options import CommandParser, parser, refuse_unwritable, write_json
from app.cli.progress import counting
from app.cli.tables import facts
from control.errors import ConfigError, DatasetError
from perception.dataset import LabelledPhoto, read_photos
from perception.dataset.card import DataSetCard, Source, read_card
from perception.dataset.interchange import EXPORTS, IMPORTS, read_any, write_as
from perception.dataset.split import card_with_splits, held_out_sessions
from perception.dataset.store import Written, with_prefix, write_card, write_data_set

_ACTIONS = {
    "import": "any format into a data set of images/, labels.csv and dataset.json",
    "info": "what is in a data set or a folder of another format",
    "check": "copies, blur, wrong labels: what is odd, picture by picture",
    "split": "which sessions are for validation and for test",
    "export": "a data set into another format",
    "hindsight": "label a recorded drive by the path that was driven",
}
_EXAMPLE = """linepilot data import dataset_xy --out data/track
  linepilot data import ~/mycar/data --format tub --out data/tub
  linepilot data check data/track --json quality.json
  linepilot data split data/track --validation 1
  linepilot data export data/track --format coco --out track_coco
  linepilot data hindsight drive.mcap --out data/drive"""
_SHOWN = 20


def run(arguments: list[str]) -> int:
    actions: dict[str, Callable[[list[str]], int]] = {
        "import": _import, "info": _info, "check": _check, "split": _split, "export": _export, "hindsight": _hindsight,
    }  # fmt: skip
    if arguments and arguments[0] in actions:
        return actions[arguments[0]](arguments[1:])
    table = "\n".join(f"{name:<10} {text}" for name, text in _ACTIONS.items())
    options = parser("data", what=f"Data sets of labelled photographs.\n\n{table}", example=_EXAMPLE)
    options.add_argument("action", choices=tuple(actions), help="each has its own --help")
    options.parse(arguments)
    raise ConfigError(f"name what to do first: linepilot data {'|'.join(actions)} ...")


def _parser(action: str, *, example: str) -> CommandParser:
    text = _ACTIONS[action]
    return parser(f"data {action}", what=f"{text[0].upper()}{text[1:]}.", example=f"linepilot data {example}")


def _source_options(options: CommandParser) -> None:
    add = options.add_argument
    add("--format", choices=IMPORTS, default=None, help="default: told from the files, and said")
    add("--unit", choices=("pixel", "percent"), default=None, help="of JetBot's labels; default: told from the numbers")
    add("--category", default=None, metavar="NAME", help="which of a JetRacer task's")


def _import(arguments: list[str]) -> int:
    options = _parser("import", example="import dataset_xy --out data/track --target line")
    options.add_argument("sources", nargs="+", type=Path, help="folders; several become one, each with its sessions")
    options.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    _source_options(options)
    options.add_argument("--target", choices=("line", "lane"), default=None, help="what the labels mark; default: line")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.out / "labels.csv")
    written = import_sources(chosen, chosen.out, target=chosen.target)
    print(f"{chosen.out}: {written.pictures} pictures")
    return 0


def import_sources(chosen: Namespace, out: Path, *, target: str | None) -> Written:
    """Read every source, split by session, write; what was guessed and what was left out is said on standard error."""
    photos: list[LabelledPhoto] = []
    sources: list[Source] = []
    known: list[str] = []
    for folder in chosen.sources:
        name, found = read_any(folder, kind=chosen.format, unit=chosen.unit, category=chosen.category)
        say(f"{folder}: {name}{', ' + found.note if found.note else ''}")
        photos += with_prefix(found, found.name) if len(chosen.sources) > 1 else list(found)
        sources.append(Source(format=name, place=str(folder), pictures=len(found), note=found.note))
        known += [found.target] if found.target else []
    if target is None and len(set(known)) > 1:
        raise DatasetError("some folders label the line, others the lane: say --target, or import them apart")
    card = DataSetCard.model_validate({"target": target or next(iter(known), "line"), "sources": sources})
    held = held_out_sessions(photos)
    if held:
        card = card_with_splits(card, photos, validation=held, test=())
    with counting("pictures", total=len(photos)) as progress:
        written = write_data_set(out, photos, card=card, progress=progress)
    for text in written.left_out[:_SHOWN]:
        say(f"left out: {text}")
    if len(written.left_out) > _SHOWN:
        say(f"left out: {len(written.left_out) - _SHOWN} more")
    if held:
        say(f"sessions for validation: {', '.join(held)}; change that with linepilot data split")
    else:
        say(
            "one session only: training will keep its last fifth for validation; record a second drive for a fair score"
        )
    return written


def _info(arguments: list[str]) -> int:
    options = _parser("info", example="info data/track")
    options.add_argument("folder", type=Path)
    _source_options(options)
    chosen = options.parse(arguments)
    name, found = read_any(chosen.folder, kind=chosen.format, unit=chosen.unit, category=chosen.category)
    card = read_card(chosen.folder)
    if found.note:
        say(found.note)
    rows = [
        ("format", name), ("pictures", str(len(found))), ("with points", str(sum(bool(p.raws) for p in found))),
        ("marked as without a line", str(sum(p.visible is False for p in found))),
        ("with steering", str(sum(p.steering is not None for p in found))),
        *((f"session {s}", f"{n}, {card.part_of(s) if card else 'train'}") for s, n in _sessions(found)),
        *((f"from {s.format}", s.place) for s in (card.sources if card else ())),
    ]  # fmt: skip
    Console().print(facts(str(chosen.folder), rows))
    return 0


def _check(arguments: list[str]) -> int:
    from perception.dataset.quality import inspect
    from perception.engines import open_engine
    from robot.drive.pilots import SHIPPED_MODEL

    options = _parser("check", example="check data/track --json quality.json")
    add = options.add_argument
    add("folder", type=Path)
    _source_options(options)
    add("--model", default=str(SHIPPED_MODEL), help="whose answers help to find wrong labels; default: as shipped")
    add("--json", type=Path, metavar="OUT", help="write all findings to this file")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.json)
    _, found = read_any(chosen.folder, kind=chosen.format, unit=chosen.unit, category=chosen.category)
    estimator = open_engine(chosen.model, target=found.target or "line")
    with counting("pictures", total=len(found.photos)) as progress:
        quality = inspect(found.photos, estimator=estimator, progress=progress)
    histogram = " ".join(str(n) for n in quality.columns)
    kinds = Counter(finding.kind for finding in quality.findings)
    rows = [
        ("pictures", str(quality.pictures)), ("with points", str(quality.labelled)),
        ("labels from left to right", histogram), *((f"odd: {kind}", str(n)) for kind, n in kinds.items()),
    ]  # fmt: skip
    Console().print(facts(str(chosen.folder), rows))
    table = Table(show_header=True)
    for title in ("picture", "session", "what", "why"):
        table.add_column(title)
    for finding in quality.findings[:_SHOWN]:
        table.add_row(finding.photo.path.name, finding.photo.session, finding.kind, finding.text)
    if quality.findings:
        Console().print(table)
    if len(quality.findings) > _SHOWN:
        print(f"{len(quality.findings) - _SHOWN} more with --json")
    write_json(chosen.json, [
        {"file": str(f.photo.path), "session": f.photo.session, "kind": f.kind, "text": f.text}
        for f in quality.findings
    ])  # fmt: skip
    return 0


def _split(arguments: list[str]) -> int:
    options = _parser("split", example="split data/track --validation 1 --test 2")
    options.add_argument("folder", type=Path, help="a data set; labels.csv is not touched")
    options.add_argument("--validation", default="", metavar="S,S", help="sessions; default: about a fifth, chosen")
    options.add_argument("--test", default="", metavar="S,S", help="sessions; default: none")
    chosen = options.parse(arguments)
    photos = read_photos(chosen.folder)
    test = [s for s in chosen.test.split(",") if s]
    validation = [s for s in chosen.validation.split(",") if s]
    rest = [p for p in photos if p.session not in test]
    card = read_card(chosen.folder) or DataSetCard()
    card = card_with_splits(card, photos, validation=validation or held_out_sessions(rest), test=test)
    write_card(chosen.folder, card)
    Console().print(
        facts(str(chosen.folder), [(f"session {s}", f"{n}, {card.part_of(s)}") for s, n in _sessions(photos)])
    )
    return 0


def _export(arguments: list[str]) -> int:
    options = _parser("export", example="export data/track --format coco --out track_coco")
    options.add_argument("folder", type=Path)
    options.add_argument("--format", choices=tuple(EXPORTS), required=True)
    options.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder")
    chosen = options.parse(arguments)
    refuse_unwritable(chosen.out / "x")
    photos = read_photos(chosen.folder).photos
    count = write_as(chosen.format, chosen.out, photos)
    print(f"{chosen.out}: {count} pictures")
    if count < len(photos):
        say(f"{len(photos) - count} without what {chosen.format} needs were left out")
    return 0


def _hindsight(arguments: list[str]) -> int:
    from app.cli.data_hindsight import run as hindsight

    return hindsight(arguments)


def _sessions(photos: Iterable[LabelledPhoto]) -> list[tuple[str, int]]:
    return sorted(Counter(photo.session for photo in photos).items())


def say(text: str) -> None:
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
