"""Numbers of a training, as they come: metrics.jsonl, one line a validation, and events for TensorBoard."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Any

from perception.files import replace_file
from perception.training.training_state import Progress, writing

METRICS = "metrics.jsonl"
_EVERY_STEPS = 10
"""Steps that one point of a curve is the mean of."""


class MetricsLog:
    """``folder`` keeps what an earlier run wrote up to the step from which this one goes on.

    TensorBoard is left out, and ``has_tensorboard`` is False, where it is not installed. Every method raises
    LinepilotError when the disk is full. ``records`` are the validations so far, oldest first.
    """

    def __init__(self, folder: Path, *, step: int) -> None:
        self._folder = folder
        self.records = [r for r in read_metrics(folder) if r["step"] <= step]
        self._since = _Means()
        self._short = _Means()
        with writing(folder):
            self._writer = _open_writer(folder, step)
        self.has_tensorboard = self._writer is not None

    def __enter__(self) -> MetricsLog:
        self._thread_hook = threading.excepthook
        # The thread that writes events hands its error to our next call; printed by the thread it would be said twice.
        threading.excepthook = lambda args: None if issubclass(args.exc_type, OSError) else self._thread_hook(args)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writer is not None:
                with writing(self._folder):
                    self._writer.close()
        finally:
            threading.excepthook = self._thread_hook

    def step(self, number: int, numbers: Mapping[str, float], *, samples: int, seconds: float) -> None:
        """Once a training step, of so many pictures in so many seconds."""
        for means in (self._since, self._short):
            means.add(numbers, samples=samples, seconds=seconds)
        if number % _EVERY_STEPS == 0:
            self._plot("train", self._short.take(), number)

    def validation(self, progress: Progress, scores: Mapping[str, float]) -> dict[str, Any]:
        """Once a validation, with the means of the steps since the last one; gives the record that was written."""
        record = {name: _finite(v) for name, v in {**asdict(progress), **self._since.take(), **scores}.items()}
        self.records.append(record)
        lines = "".join(json.dumps(kept) + "\n" for kept in self.records)
        with writing(self._folder):
            # Whole or not at all: a line cut off by a full disk would spoil the next one.
            replace_file(self._folder / METRICS, lines.encode())
        self._plot("validation", {**scores, "best_px": progress.best_px}, progress.step)
        return record

    def _plot(self, group: str, numbers: Mapping[str, float], step: int) -> None:
        if self._writer is None:
            return
        with writing(self._folder):
            for name, value in numbers.items():
                if isfinite(value):
                    self._writer.add_scalar(f"{group}/{name}", value, step)
            if group == "validation":
                self._writer.flush()


class _Means:
    """Of numbers since they were last taken, and the pictures a second of the steps themselves."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._steps = self._samples = 0
        self._seconds = 0.0

    def add(self, numbers: Mapping[str, float], *, samples: int, seconds: float) -> None:
        for name, value in numbers.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._steps += 1
        self._samples += samples
        self._seconds += seconds

    def take(self) -> dict[str, float]:
        means = {name: total / self._steps for name, total in self._sums.items()}
        if self._seconds > 0:
            means["samples_per_s"] = self._samples / self._seconds
        self._sums, self._steps, self._samples, self._seconds = {}, 0, 0, 0.0
        return means


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The validations so far, oldest first; a line that is cut off or no record is left out."""
    path = folder / METRICS
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("step"), int):
            found.append(record)
    return found


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


def _open_writer(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    writer: Any = SummaryWriter
    # What a killed run wrote beyond the state it left is hidden.
    return writer(str(folder), purge_step=step + 1)
