"""Executors on a Dask cluster whose scheduler and workers were started by its users."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from typing import Any

from control.errors import InputError, LinepilotError, MissingExtraError

_CONNECT_S = 5.0
_WORKERS_S = 10.0
_RETRIES = 3
"""Of a scenario whose worker died."""


@contextmanager
def cluster_executor(address: str) -> Iterator[Executor]:
    """For an address as tcp://HOST:PORT. Raises InputError, MissingExtraError, LinepilotError."""
    try:
        import dask
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise MissingExtraError("distributed", extra="cluster", purpose="--cluster") from error
    if "://" not in address:
        raise InputError(f"--cluster {address}: give the scheduler's address, as tcp://192.168.1.5:8786")
    kind: Any = Client
    lost = f"--cluster {address}: the cluster is gone; what was finished with --results is kept, start again to go on"
    with dask.config.set({"distributed.comm.timeouts.connect": f"{_CONNECT_S:g}s"}), warnings.catch_warnings():
        # Versions that differ a little between machines are none of a person's business who drives robots.
        warnings.simplefilter("ignore")
        # A cluster that goes is one sentence of ours, not a traceback of theirs.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL + 1)
        client = _connect(kind, address)
        try:
            yield client.get_executor(retries=_RETRIES)
        except KilledWorker as error:
            raise LinepilotError(
                f"--cluster {address}: a scenario killed every worker that tried it; do they have enough memory?"
            ) from error
        except (CancelledError, OSError, TimeoutError) as error:
            raise LinepilotError(lost) from error
        finally:
            client.close(timeout=2)


def _connect(kind: Any, address: str) -> Any:
    try:
        client = kind(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise LinepilotError(
            f"--cluster {address}: no scheduler answers; start one with `dask scheduler` and workers with "
            "`dask worker ADDRESS --nthreads 1`"
        ) from error
    try:
        client.wait_for_workers(1, timeout=_WORKERS_S)
    except TimeoutError as error:
        client.close(timeout=2)
        raise LinepilotError(
            f"--cluster {address}: has no workers; start some with: dask worker {address} --nthreads 1"
        ) from error
    return client
