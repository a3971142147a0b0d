"""Track files: .npy of (N, 2) centre points or (N, 6) centre, inner and outer border, metres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from control.errors import TrackError
from sim.tracks.geometry import Track
from sim.tracks.overlap import self_intersection, self_touch

Points = NDArray[np.float64]
_SAME_POINT_M = 1e-6
_CLOSED_GAP_M = 0.02
_MANY_POINTS = 12
_MAX_POINTS = 20_000
_MAX_EXTENT_M = 1000.0
_CHECK_SPACING_M = 0.02
_SHORTEST_OPEN_M = 0.5
"""A drive ends where the camera sees no more line, 0.35 m before the end of an open one."""


def load_track(path: Path, *, crossing: bool = False) -> Track:
    """Read one file; ``crossing`` says that its line is meant to cross itself. Raises TrackError."""
    columns = _columns(path)
    track = track_from_columns(columns, name=path.stem, crossing=crossing, source=str(path))
    if not track.closed and track.length_m < _SHORTEST_OPEN_M:
        raise TrackError(
            f"{path}: an open line of {track.length_m:.2f} m; it must be {_SHORTEST_OPEN_M:g} m long, in metres"
        )
    if not crossing:
        refuse_overlap(track, source=str(path))
    return track


def track_from_columns(columns: Points, *, name: str, crossing: bool = False, source: str | None = None) -> Track:
    """(N, 2) or (N, 6) -> Track; zero-length segments and a repeated end point are dropped."""
    where = source or name
    steps = np.hypot(*np.diff(columns[:, :2], axis=0).T)
    kept = columns[np.concatenate([[True], steps > _SAME_POINT_M])]
    if len(kept) < 3:
        raise TrackError(f"{where}: only {len(kept)} different points; a track needs at least 3")
    closed = _is_closed(kept[:, :2])
    if closed and np.hypot(*(kept[0, :2] - kept[-1, :2])) <= _CLOSED_GAP_M:
        kept = kept[:-1]
    center = kept[:, :2]
    if kept.shape[1] == 2:
        return Track(name=name, center=center, closed=closed, crossing=crossing)
    inner, outer = kept[:, 2:4], kept[:, 4:6]
    width = float(np.median(np.hypot(*(inner - outer).T)))
    return Track(name=name, center=center, closed=closed, width_m=width, crossing=crossing, inner=inner, outer=outer)


def refuse_overlap(track: Track, *, source: str) -> None:
    """Raises TrackError when the centre line crosses or runs over itself."""
    place = self_intersection(track.vertices)
    if place is None:
        spacing = max(_CHECK_SPACING_M, track.length_m / _MAX_POINTS)
        points = track.path(spacing)
        place = self_touch(points, np.linspace(0.0, track.length_m, len(points)), closed=track.closed)
    if place is not None:
        raise TrackError(
            f"{source}: the centre line overlaps itself near x = {place[0]:.2f} m, y = {place[1]:.2f} m; "
            "separate the two stretches, or give --crossing when the line is meant to cross itself"
        )


def _columns(path: Path) -> Points:
    if path.is_fifo():
        raise TrackError(f"{path}: is a pipe; write the track to a file with numpy.save")
    try:
        # Pickled arrays could run code; numpy says so with a ValueError.
        data = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise TrackError(f"{path}: no such track file") from None
    except OverflowError:
        raise TrackError(f"{path}: says that it holds more points than there are numbers for; save it again") from None
    except OSError as error:
        raise TrackError(f"{path}: cannot be read ({error.strerror or error})") from None
    except MemoryError:
        raise TrackError(f"{path}: says that it holds more than fits into memory; save it again") from None
    except (ValueError, EOFError) as error:
        # Of any file that is none, numpy supposes that it is a pickle and offers to run it.
        why = "; save it with numpy.save" if "pickle" in str(error) else f" ({_first_line(error)})"
        raise TrackError(f"{path}: not a plain .npy array of numbers{why}") from None
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "fiu":
        raise TrackError(f"{path}: not a plain .npy array of numbers; save it with numpy.save")
    return _checked(data, path)


def _checked(data: NDArray[np.generic], path: Path) -> Points:
    if data.ndim != 2 or data.shape[1] not in (2, 6):
        raise TrackError(f"{path}: shape {data.shape}; a track is (N, 2) centre or (N, 6) centre, inner, outer")
    if not 3 <= len(data) <= _MAX_POINTS:
        raise TrackError(f"{path}: {len(data)} points; a track has 3 to {_MAX_POINTS}")
    with np.errstate(over="ignore"):  # of longer numbers than ours: they become infinite, and are told below
        columns = data.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(columns).all(axis=1))
    if len(bad):
        raise TrackError(f"{path}: row {bad[0]} holds a value that is not a finite number")
    extent = float(np.ptp(columns[:, :2], axis=0).max())
    if not _CLOSED_GAP_M < extent <= _MAX_EXTENT_M:
        raise TrackError(f"{path}: {extent:g} m across; coordinates must be metres, within {_MAX_EXTENT_M:g} m")
    return columns


def _is_closed(center: Points) -> bool:
    """The ends meet, or the last point is one usual step short of the first."""
    gap = float(np.hypot(*(center[0] - center[-1])))
    steps = np.hypot(*np.diff(center, axis=0).T)
    return gap <= _CLOSED_GAP_M or (len(center) >= _MANY_POINTS and gap <= 1.5 * float(np.median(steps)))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["empty"])[0]
