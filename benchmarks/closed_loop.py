"""Whole laps of many tracks with the robot as it is shipped: how many are completed, how exactly, how fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from statistics import median

from benchmarks.results import Better, emit
from benchmarks.stretches import LINE_LOOKS, DrivePool, Engine, Job, Stretch
from robot.config import load_config
from sim.benchmark.scenarios import DIRECTIONS, Record, Scenario, run_all, seed_of
from sim.tracks.library import find_track

_MEASURES: tuple[tuple[str, str, str, float, Better], ...] = (
    ("rms", "lateral_error_rms_m", "m", 0.02, "lower"),
    ("p95", "lateral_error_p95_m", "m", 0.04, "lower"),
    ("speed", "mean_speed_m_s", "m/s", 0.4, "higher"),
)


def drive_laps(
    tracks: Sequence[str], *, model: str, engine: Engine, seed: int, workers: int, told: Callable[[], None]
) -> list[Record]:
    """One record a drive of each track, by name or file, in three looks, both ways; ``told`` is called after each."""
    laps = [
        Stretch(track=track, look=look, direction=way, seed=seed_of(seed, track=number, look=look))
        for number, track in enumerate(tracks)
        for look in LINE_LOOKS
        for way in DIRECTIONS
    ]
    if engine == "truth":
        return _by_truth(laps, workers=workers, told=told)
    scenarios = [Scenario(track=find_track(p.track), look=p.look, direction=p.direction, seed=p.seed) for p in laps]
    records: dict[int, Record] = {}
    for index, record in run_all(scenarios, config=load_config(None, [f"model={model}"]), workers=workers):
        records[index] = record
        told()
    return [records[index] for index in sorted(records)]


def _by_truth(laps: Sequence[Stretch], *, workers: int, told: Callable[[], None]) -> list[Record]:
    with DrivePool(workers=workers, engine="truth") as pool:
        drives = pool.drive([Job(settings=(), stretches=(lap,)) for lap in laps], told=told)
    return [
        {
            "track": lap.track, "look": lap.look, "direction": lap.direction, "completed": driven[0].completed,
            **{key: getattr(driven[0], key) for _, key, *_ in _MEASURES},
        }
        for lap, driven in zip(laps, drives, strict=True)
    ]  # fmt: skip


def report_laps(records: Sequence[Record], *, context: str) -> None:
    failed = [_name(r) for r in records if not r["completed"]]
    note = f"{len(records)} laps, {context}"
    told = f"; not completed: {', '.join(failed)}" if failed else ""
    share = 1 - len(failed) / len(records)
    emit("control_laps_completed", share, unit="share", target=1.0, better="higher", context=f"{note}{told}")
    for name, key, unit, target, better in _MEASURES:
        # One that broke off at its first pass has measured nothing; it is among those not completed.
        measured = [(float(r[key] or 0.0), r) for r in records if isfinite(float(r[key] or 0.0))]
        if not measured:
            continue
        worst, where = (max if better == "lower" else min)(measured, key=lambda pair: pair[0])
        middle = median(value for value, _ in measured)
        emit(f"control_lap_{name}_median", middle, unit=unit, target=target, better=better, context=note)
        title = f"control_lap_{name}_{'worst' if better == 'lower' else 'lowest'}"
        emit(title, worst, unit=unit, target=target, better=better, context=f"{note}; {_name(where)}")


def _name(record: Record) -> str:
    return f"{record['track']} {record['look']} {record['direction']}"
