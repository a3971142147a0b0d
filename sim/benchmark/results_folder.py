"""Results as Parquet files in a folder: each batch a file of its own, so that folders append, merge and resume."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from pathlib import Path
from typing import Any

from control.errors import InputError, MissingExtraError
from robot.config import RobotConfig
from robot.drive.pilots import SHIPPED_MODEL
from sim.benchmark.scenarios import Record, Scenario

_BATCH = 25
_BATCH_S = 10.0
_KEY, _SETTINGS = "scenario", "settings"


def settings_digest(config: RobotConfig) -> str:
    """Of all settings and of the model's file: results of other ones are not mixed up."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    model = Path(config.model) if config.model else SHIPPED_MODEL
    if model.is_file():
        digest.update(model.read_bytes())
    return digest.hexdigest()[:16]


class ResultsFolder:
    """Not safe for two threads; any number of processes and machines may write to one folder."""

    def __init__(self, folder: Path) -> None:
        """Raises MissingExtraError, InputError."""
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise MissingExtraError("pyarrow", extra="parquet", purpose="--results") from error
        self._arrow: Any = pyarrow
        self.folder = folder
        self._waiting: list[dict[str, Any]] = []
        self._written_s = time.monotonic()
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder}: is a file; --results takes a folder")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error

    def read(self, *, settings: str) -> dict[str, Record]:
        """By the scenario's identity; one that was driven twice counts once. Raises InputError."""
        found: dict[str, Record] = {}
        for path in sorted(self.folder.glob("*.parquet")):
            try:
                rows = self._arrow.parquet.read_table(path).to_pylist()
            except (OSError, self._arrow.ArrowException) as error:
                raise InputError(f"{path}: no results that can be read; remove it, they are driven again") from error
            for row in rows:
                if row.pop(_SETTINGS, None) == settings:
                    found.setdefault(str(row.pop(_KEY)), row)
        return found

    def add(self, scenario: Scenario, record: Record, *, settings: str) -> None:
        self._waiting.append({_SETTINGS: settings, _KEY: scenario.identity, **record})
        if len(self._waiting) >= _BATCH or time.monotonic() - self._written_s > _BATCH_S:
            self.flush()

    def flush(self) -> None:
        """A file appears whole or not at all. Raises InputError."""
        if not self._waiting:
            return
        name = f"{time.time_ns()}-{uuid.uuid4().hex[:8]}"
        temporary = self.folder / f".{name}.{os.getpid()}.part"
        columns = list(self._waiting[0])
        table = self._arrow.table({key: self._column(key) for key in columns})
        try:
            self._arrow.parquet.write_table(table, temporary)
            temporary.replace(self.folder / f"{name}.parquet")
        except OSError as error:
            raise InputError(f"{self.folder}: cannot be written ({error.strerror}); choose another place") from error
        finally:
            temporary.unlink(missing_ok=True)
        self._waiting.clear()
        self._written_s = time.monotonic()

    def _column(self, key: str) -> Any:
        kinds = self._arrow
        values = [row[key] for row in self._waiting]
        if key in (_KEY, _SETTINGS, "track", "look", "direction", "target", "stopped_by"):
            return kinds.array(values, kinds.string())
        if key in ("completed",):
            return kinds.array(values, kinds.bool_())
        if key in ("clutter", "seed", "robot", "off_line_times"):
            return kinds.array(values, kinds.int64())
        return kinds.array(values, kinds.float64())
