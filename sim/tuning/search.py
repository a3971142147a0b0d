"""The search for gains: Optuna proposes, short simulated drives judge, drives on other tracks decide."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from control.errors import MissingExtraError
from robot.config import RobotConfig
from sim.tuning.courses import Course, Driven, Together, cost, drive_course, together
from sim.tuning.gains import Gains, gains_of, space_for, with_gains
from sim.tuning.robots import likely_robots
from sim.vehicle.params import VehicleParams

Run = Callable[[Callable[[Course], Driven], Sequence[Course]], list[Driven]]
"""Maps a function over courses, here or in other processes, in their order."""
_ROBOTS, _HELD_OUT_ROBOTS = 3, 5
_COURSES, _HELD_OUT_COURSES = 4, 10
_HELD_OUT = 1000
"""Tracks and seeds from here on are those that the search never sees."""
_HOPELESS = 1.5
"""After half of the courses a cost so many times the best one is not looked at further."""
_BETTER, _SLOWER = 0.98, 0.98
_EXTRA_S = (0.0, 0.02, 0.04, 0.06, 0.08, 0.10, 0.12)
_LATE_S = 0.04
"""The search tries what this much extra delay does: with half as much again the gains as shipped leave the line too."""
_ENOUGH_S = 0.06
"""A margin that needs no defence."""
_MARGIN_TIMES = 3.0
"""The margin ends where the error is so many times that of the old gains without extra delay."""
_SPREAD = 0.06
"""Of the first proposals about the best start, as a share of each range."""
_STARTS: tuple[Gains, ...] = (
    {"follower.look_ahead_time_s": 0.0, "follower.steering.ki": 2.0},
    {"follower.look_ahead_time_s": 0.0, "follower.steering.ki": 2.0, "follower.steering.kp": 4.0},
    {"follower.look_ahead_time_s": 0.03, "follower.steering.ki": 3.0, "follower.lag_lead": 0.4},
)
"""What was good for other robots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    gains: Gains
    cost_m: float
    best_m: float
    """Of the trials until now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One choice of gains on what the search has not seen."""

    gains: Gains
    drives: Together
    errors_m: tuple[float, ...]
    """Of each drive."""
    by_delay_m: tuple[tuple[float, float], ...]
    """Extra delay in seconds, and the error with it."""

    def margin_s(self, limit_m: float) -> float:
        """Extra delay up to which the error stays within the limit."""
        margin = 0.0
        for extra, error in self.by_delay_m:
            if error > limit_m:
                break
            margin = extra
        return margin


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    before: Judged
    after: Judged
    trials: tuple[Trial, ...]

    @property
    def limit_m(self) -> float:
        """The same for both: an error that ends the stability margin."""
        return _MARGIN_TIMES * self.before.by_delay_m[0][1]

    @property
    def margins_s(self) -> tuple[float, float]:
        """Before and after."""
        return self.before.margin_s(self.limit_m), self.after.margin_s(self.limit_m)

    @property
    def why_not(self) -> str:
        """Why the old gains are kept; empty when the new ones are better."""
        old, new = self.before, self.after
        if old.gains == new.gains:
            return "nothing better was found than what stands in the settings"
        if not new.drives.completed:
            return "the line was left on tracks that the search had not seen"
        if new.drives.error_m > _BETTER * old.drives.error_m:
            return "on tracks that the search had not seen they are not better"
        if new.drives.speed_mps < _SLOWER * old.drives.speed_mps:
            return "they are slower"
        margin_before, margin_after = self.margins_s
        if margin_after < min(margin_before, _ENOUGH_S):
            return "they bear less extra delay"
        return ""


def tune(
    config: RobotConfig, *, trials: int, seed: int, run: Run, told: Callable[[Trial], object] = lambda _: None
) -> Tuned:
    """Robustly over robots that the calibration might be of. Raises MissingExtraError."""
    rng = np.random.default_rng(seed)
    robots = likely_robots(config, _ROBOTS, rng=rng)
    courses = _courses(robots, _COURSES, first=seed * 100)
    tried = _search(config, courses, trials=trials, seed=seed, run=run, told=told)
    best = min(tried, key=lambda trial: trial.cost_m)
    return compared(config, best.gains, tried=tried, seed=seed, rng=rng, run=run)


def compared(
    config: RobotConfig, gains: Gains, *, seed: int, rng: np.random.Generator, run: Run, tried: Sequence[Trial] = ()
) -> Tuned:
    """What the settings hold against what was found, on tracks and robots that no search has seen."""
    others = likely_robots(config, _HELD_OUT_ROBOTS, rng=rng)
    unseen = _courses(others, _HELD_OUT_COURSES, first=_HELD_OUT + seed * 100)
    now = gains_of(config)
    before, after = (_judge(config, each, unseen, run=run) for each in (now, {**now, **gains}))
    return Tuned(before=before, after=after, trials=tuple(tried))


def _courses(robots: Sequence[VehicleParams], count: int, *, first: int) -> list[Course]:
    return [Course(track=f"random:{first + i}", robot=robots[i % len(robots)], seed=first + i) for i in range(count)]


def _judge(config: RobotConfig, gains: Gains, courses: Sequence[Course], *, run: Run) -> Judged:
    chosen = with_gains(config, gains)
    driven = run(partial(drive_course, config=chosen), courses)
    late = [replace(courses[i], extra_delay_s=extra) for extra in _EXTRA_S for i in (0, 1)]
    errors = [d.error_m for d in run(partial(drive_course, config=chosen), late)]
    by_delay = [(extra, max(errors[2 * i : 2 * i + 2])) for i, extra in enumerate(_EXTRA_S)]
    return Judged(
        gains=gains, drives=together(driven), errors_m=tuple(d.error_m for d in driven), by_delay_m=tuple(by_delay)
    )


def _search(
    config: RobotConfig, courses: Sequence[Course], *, trials: int, seed: int, run: Run, told: Callable[[Trial], object]
) -> list[Trial]:  # fmt: skip
    try:
        import optuna
    except ModuleNotFoundError:
        raise MissingExtraError("optuna", extra="tune", purpose="the search for gains") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    now, space = gains_of(config), space_for(config)
    starts = [now, *({**now, **start} for start in _STARTS)][:trials]
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    for start in starts:
        study.enqueue_trial(start)
    tried: list[Trial] = []
    usual: list[tuple[Together, float]] = []

    def objective(trial: optuna.Trial) -> float:
        gains = {name: trial.suggest_float(name, r.low, r.high, log=r.log) for name, r in space.items()}
        drive = partial(drive_course, config=with_gains(config, gains))
        half = len(courses) // 2
        best = tried[-1].best_m if tried else np.inf
        driven = run(drive, courses[:half])
        # The first trial is what stands in the settings: nothing shall be bought with speed, or with less margin.
        found = cost(together(driven), usual_mps=usual[0][0].speed_mps if usual else 0.0)
        if found < _HOPELESS * best:
            late = [replace(course, extra_delay_s=_LATE_S) for course in courses[:2]]
            *more, one, other = run(drive, [*courses[half:], *late])
            drives, late_m = together([*driven, *more]), max(one.error_m, other.error_m)
            if not usual:
                usual.append((drives, late_m))
            found = cost(drives, usual_mps=usual[0][0].speed_mps) * max(1.0, late_m / usual[0][1])
        tried.append(Trial(gains=gains, cost_m=found, best_m=min(best, found)))
        told(tried[-1])
        return found

    study.optimize(objective, n_trials=len(starts))
    with warnings.catch_warnings():
        # Where to begin and how far to step are deprecated without a successor until Optuna 6.
        warnings.simplefilter("ignore")
        study.sampler = optuna.samplers.CmaEsSampler(
            x0=study.best_params, sigma0=_SPREAD, seed=seed, warn_independent_sampling=False
        )
    if trials > len(starts):
        study.optimize(objective, n_trials=trials - len(starts))
    return tried
