"""Jobs for whatever executes them: a pool of processes at home, a cluster elsewhere."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass

import cv2

from perception.estimator import Estimator
from perception.worker_process import begin_worker
from robot.config import RobotConfig
from robot.drive.pilots import open_estimator
from sim.benchmark.run import aimed
from sim.benchmark.scenarios import Outcome, Scenario, drive_scenario

_opened = threading.local()
"""The estimators that a thread of a worker has loaded, by model and target."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    scenario: Scenario
    config: RobotConfig
    detailed: bool = False


def work(job: Job) -> Outcome:
    """Whoever runs it needs nothing but an installed linepilot; one thread for the network."""
    cv2.setNumThreads(1)
    config = aimed(job.config.model_copy(update={"threads": 1}), look=job.scenario.look)
    estimator = _estimator(config)
    return drive_scenario(job.scenario, config=config, estimator=estimator, detailed=job.detailed)


def _estimator(config: RobotConfig) -> Estimator:
    known: dict[tuple[str, str], Estimator] = _opened.__dict__.setdefault("estimators", {})
    key = (config.model, config.target)
    if key not in known:
        known[key] = open_estimator(config)
    return known[key]


def run_jobs(executor: Executor | None, jobs: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
    """Yields (index, outcome) as they finish. What they say does not depend on the executor; None is this process."""
    if executor is None:
        yield from ((index, work(job)) for index, job in enumerate(jobs))
        return
    waiting: dict[Future[Outcome], int] = {executor.submit(work, job): index for index, job in enumerate(jobs)}
    try:
        for job in as_completed(waiting):
            yield waiting[job], job.result()
    finally:
        for job in waiting:
            job.cancel()


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Of processes that share nothing. Whatever interrupts the block ends them at once, in the middle of a lap."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=begin_worker)
    interrupted = True
    try:
        yield pool
        interrupted = False
    finally:
        if interrupted:
            # Else Python would wait for their laps when it exits, and who asks twice gets a traceback.
            for process in multiprocessing.active_children():
                process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
