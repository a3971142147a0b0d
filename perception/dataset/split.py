"""Splits by session: frames of one drive look alike, so a split by frame would score memory, not sight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from control.errors import DatasetError
from perception.dataset.card import DataSetCard, Part
from perception.dataset.photos import LabelledPhoto

_SHARE = 0.2
_ENOUGH = 60
"""Pictures of a lone session from which on some can be spared for validation."""


def held_out_sessions(photos: Iterable[LabelledPhoto], *, share: float = _SHARE) -> tuple[str, ...]:
    """The sessions for validation: those whose pictures come nearest to ``share``, never all; () when there is one."""
    counts = Counter(photo.session for photo in photos)
    if len(counts) < 2:
        return ()
    wanted, held = share * sum(counts.values()), 0
    chosen: list[str] = []
    for session, count in sorted(counts.items(), key=lambda item: (item[1], item[0])):
        if len(chosen) + 1 < len(counts) and abs(held + count - wanted) < abs(held - wanted):
            chosen.append(session)
            held += count
    return tuple(chosen) or (min(counts, key=lambda s: (counts[s], s)),)


def hold_out_end(photos: Sequence[LabelledPhoto]) -> tuple[list[LabelledPhoto], list[LabelledPhoto]]:
    """For one session: its last fifth, when there are enough to spare."""
    if len(photos) < _ENOUGH:
        return list(photos), []
    cut = len(photos) - len(photos) // 5
    return list(photos[:cut]), list(photos[cut:])


def parts(photos: Iterable[LabelledPhoto], card: DataSetCard | None) -> dict[Part, list[LabelledPhoto]]:
    """As the card says; without a card all is for training."""
    found: dict[Part, list[LabelledPhoto]] = {"train": [], "validation": [], "test": []}
    for photo in photos:
        found[card.part_of(photo.session) if card else "train"].append(photo)
    return found


def card_with_splits(
    card: DataSetCard, photos: Iterable[LabelledPhoto], *, validation: Iterable[str], test: Iterable[str]
) -> DataSetCard:
    """Raises DatasetError when a session is not there, is named twice, or none is left to train on."""
    sessions = sorted({photo.session for photo in photos})
    splits: dict[Part, tuple[str, ...]] = {"validation": tuple(validation), "test": tuple(test)}
    named = [session for part in splits.values() for session in part]
    for session in named:
        if session not in sessions:
            raise DatasetError(f"there is no session '{session}'; sessions are {', '.join(sessions)}")
        if named.count(session) > 1:
            raise DatasetError(f"session '{session}' is named twice; it can be in one part only")
    if set(named) == set(sessions):
        raise DatasetError("no session is left to train on; leave one out of --validation and --test")
    return card.model_copy(update={"splits": {part: names for part, names in splits.items() if names}})
