"""Drives all scenarios with one or two settings, and keeps what is finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from robot.config import RobotConfig
from sim.benchmark.detail import Detail
from sim.benchmark.results_folder import ResultsFolder, settings_digest
from sim.benchmark.scenarios import Record, Scenario
from sim.benchmark.work import Job, run_jobs


@dataclass(slots=True, kw_only=True)
class Runs:
    """Of each of the settings the records in the scenarios' order."""

    records: list[list[Record]]
    details: dict[int, Detail] = field(default_factory=dict)
    """Of the last settings, by the scenario's place."""
    known: int = 0
    """That were in the folder already."""


def drive_all(
    scenarios: Sequence[Scenario], *, configs: Sequence[RobotConfig], executor: Executor | None,
    folder: ResultsFolder | None, detailed: bool, told: Callable[[], None],
) -> Runs:  # fmt: skip
    """With a folder what is finished is kept, also when this is interrupted."""
    found: dict[tuple[int, int], Record] = {}
    jobs: list[tuple[int, int]] = []
    digests = ["" if folder is None else settings_digest(config) for config in configs]
    runs = Runs(records=[])
    for which in range(len(configs)):
        stored = {} if folder is None else folder.read(settings=digests[which])
        for place, scenario in enumerate(scenarios):
            if scenario.identity in stored:
                found[which, place] = stored[scenario.identity]
                runs.known += 1
                told()
            else:
                jobs.append((which, place))
    todo = [
        Job(
            scenario=scenarios[place], config=configs[which], detailed=detailed and which == len(configs) - 1
        )
        for which, place in jobs
    ]  # fmt: skip
    try:
        for index, outcome in run_jobs(executor, todo):
            which, place = jobs[index]
            found[which, place] = outcome.record
            if outcome.detail is not None:
                runs.details[place] = outcome.detail
            if folder is not None:
                folder.add(scenarios[place], outcome.record, settings=digests[which])
            told()
    finally:
        if folder is not None:
            folder.flush()
    runs.records = [[found[which, place] for place in range(len(scenarios))] for which in range(len(configs))]
    return runs
