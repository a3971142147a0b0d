"""Tracks by name, by file or by folder: the one place where a ``--track`` argument is understood."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from control.errors import TrackError
from sim.tracks.file import load_track
from sim.tracks.generator import random_track
from sim.tracks.geometry import Track
from sim.tracks.shapes import SHAPES

LAYOUTS = Path(__file__).with_name("layouts")
_RANDOM = "random:"
_MAX_DIGITS = 40


def shipped_names() -> tuple[str, ...]:
    """The race tracks in the package."""
    return tuple(sorted((path.stem for path in LAYOUTS.glob("*.npy")), key=str.lower))


def track_names() -> tuple[str, ...]:
    """Every name that ``find_track`` knows, beside ``random:SEED``."""
    return (*shipped_names(), *SHAPES)


def find_track(wanted: str | Path, *, scale: float = 1.0, crossing: bool = False) -> Track:
    """A track by name, ``random:SEED`` or .npy file. Raises TrackError.

    ``crossing`` says that the line in a file is meant to cross itself; ``scale`` shrinks race tracks to a table.
    """
    track = _unscaled(str(wanted), crossing=crossing)
    return track if scale == 1.0 else track.scaled(scale)


def find_tracks(wanted: str | Path, *, scale: float = 1.0, crossing: bool = False) -> tuple[Track, ...]:
    """Several: a folder of .npy files, names and files separated by commas, or ``all`` that are shipped."""
    text = str(wanted)
    if text == "all":
        return tuple(find_track(name, scale=scale) for name in shipped_names())
    if text and Path(text).is_dir():
        files = sorted(Path(text).glob("*.npy"))
        if not files:
            raise TrackError(f"{text}: no .npy track file in this folder")
        return tuple(find_track(path, scale=scale, crossing=crossing) for path in files)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise TrackError("no track given; `all` takes every shipped one")
    return tuple(find_track(name, scale=scale, crossing=crossing) for name in names)


def _unscaled(wanted: str, *, crossing: bool) -> Track:
    if wanted in SHAPES:
        return SHAPES[wanted]()
    if wanted.startswith(_RANDOM):
        return random_track(_seed(wanted))
    if wanted in shipped_names():
        return load_track(LAYOUTS / f"{wanted}.npy")
    if not wanted:
        raise TrackError("the track has no name; `linepilot tracks` lists those there are")
    path = Path(wanted)
    if path.is_dir():
        raise TrackError(f"{wanted}: is a folder; name one .npy file in it")
    if path.suffix.lower() == ".npy" or path.exists():
        return load_track(path, crossing=crossing)
    raise TrackError(_unknown(wanted))


def _seed(wanted: str) -> int:
    text = wanted[len(_RANDOM) :]
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise TrackError(
            f"{wanted}: after random: comes a whole number of at most {_MAX_DIGITS} digits, as in random:7"
        )
    return int(text)


def _unknown(wanted: str) -> str:
    by_lower = {name.lower(): name for name in track_names()}
    near = get_close_matches(wanted.lower(), by_lower, n=1, cutoff=0.5)
    if near:
        return f"unknown track {wanted!r}; did you mean {by_lower[near[0]]!r}?"
    return f"unknown track {wanted!r}; known are {', '.join(track_names())}, random:SEED, or a .npy file"
