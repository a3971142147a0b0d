"""Tune one law on the training stretches, then drive what was found on tracks it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.paired import error_at, speed_at
from benchmarks.search import Outcome, Settings, Tried, front, search
from benchmarks.stretches import LINE_LOOKS, DrivePool, Job, Stretch, pooled
from benchmarks.tuned_laws import TunedLaw
from sim.benchmark.scenarios import DIRECTIONS, seed_of

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The same for every law."""

    training: tuple[str, ...] = ("reInvent2019_track", "Tokyo_Training_track", "reinvent_base")
    tests: tuple[str, ...] = (
        "2022_summit_speedway", "Bowtie_track", "Canada_Training", "Mexico_track", "Monaco", "New_York_Track",
        "Oval_track", "Vegas_track",
    )  # fmt: skip
    looks: tuple[str, ...] = LINE_LOOKS
    """Taken in turn by the tracks."""
    metres: float = 6.0
    """That count of each track from its start on, each way."""
    bars_m: tuple[float, ...] = (0.003, 0.005, 0.0075, 0.01, 0.02, 0.03)
    """Errors for which the search looks for the fastest settings."""
    rungs: int = 4
    """At most so many of the settings found are driven on the test tracks."""
    by_truth: int = 160
    """Settings tried with the simulator's labels as eyes, which costs little ..."""
    by_engine: int = 20
    """... and then, from the best of those, with the eyes that are asked for."""
    seed: int = 0

    def both_ways(self, names: tuple[str, ...]) -> list[tuple[Stretch, ...]]:
        """One item a track."""
        looks = [self.looks[number % len(self.looks)] for number in range(len(names))]
        return [
            tuple(
                Stretch(
                    track=name, look=look, direction=way, metres=self.metres,
                    seed=seed_of(self.seed, track=number, look=look),
                )
                for way in DIRECTIONS
            )
            for number, (name, look) in enumerate(zip(names, looks, strict=True))
        ]  # fmt: skip


QUICK = Plan(
    training=("Tokyo_Training_track",), tests=("Canada_Training", "Bowtie_track"), metres=4.0,
    by_truth=40, by_engine=8, rungs=3,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivenLaw:
    law: TunedLaw
    tried: list[Tried]
    """In training, with the eyes that were asked for."""
    rungs: list[Tried]
    driven: list[list[Outcome]]
    """One list a test track: each rung there."""

    def speeds_at(self, bar_m: float) -> list[float]:
        """One a test track, 0 where no rung is that exact."""
        return [speed_at(track, bar_m) for track in self._completed]

    def errors_at(self, speed_mps: float) -> list[float]:
        """One a test track, infinite where no rung is that fast."""
        return [error_at(track, speed_mps) for track in self._completed]

    @property
    def _completed(self) -> list[list[tuple[float, float]]]:
        """Error and speed of what was completed on each track."""
        return [[(o.error_m, o.speed_mps) for o in outcomes if o.completed] for outcomes in self.driven]


def tune_and_test(law: TunedLaw, plan: Plan, *, truth: DrivePool, eyes: DrivePool, told: Told) -> DrivenLaw:
    tried = _tune(law, plan, truth=truth, eyes=eyes, told=told)
    rungs = front(tried, most=plan.rungs)
    tests = plan.both_ways(plan.tests)
    jobs = [Job(settings=law.settings(rung.settings), stretches=both) for both in tests for rung in rungs]
    drives = [pooled(d) for d in eyes.drive(jobs)]
    told(f"{law.name}: {len(rungs)} settings tested on {len(plan.tests)} tracks")
    each = [drives[n * len(rungs) : (n + 1) * len(rungs)] for n in range(len(tests))]
    return DrivenLaw(law=law, tried=tried, rungs=rungs, driven=each)


def _tune(law: TunedLaw, plan: Plan, *, truth: DrivePool, eyes: DrivePool, told: Told) -> list[Tried]:
    """First by the truth, then, from the best of that, with the eyes that are asked for."""
    training = tuple(stretch for both in plan.both_ways(plan.training) for stretch in both)

    def evaluation(pool: DrivePool, how: str) -> Callable[[list[Settings]], list[Outcome]]:
        def evaluate(batch: list[Settings]) -> list[Outcome]:
            drives = pool.drive([Job(settings=law.settings(s), stretches=training) for s in batch])
            told(f"{law.name}: {len(batch)} settings tried {how}")
            return [pooled(d) for d in drives]

        return evaluate

    def stage(evaluate: Callable[[list[Settings]], list[Outcome]], budget: int, starts: list[Settings]) -> list[Tried]:
        return search(law.space, evaluate, bars_m=plan.bars_m, budget=budget, seed=plan.seed, starts=starts)

    first = stage(evaluation(truth, "by the truth"), plan.by_truth, [])
    starts = [found.settings for found in front(first, most=plan.rungs)]
    return stage(evaluation(eyes, "in training"), plan.by_engine, starts)
