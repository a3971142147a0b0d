from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from sim.benchmark.work import worker_pool

_SLEEPS = """
import os, sys, time
from sim.benchmark.work import worker_pool

if __name__ == "__main__":
    with worker_pool(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 600)
        time.sleep(600)
"""


def is_gone(pid: int) -> bool:
    try:
        with Path(f"/proc/{pid}/stat").open(encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second when it ends between opening and reading
        return True


def comes_true(what: Callable[[], bool], *, within_s: float = 60.0) -> bool:
    end_s = monotonic() + within_s
    while not what() and monotonic() < end_s:
        Event().wait(0.05)
    return what()


def test_an_interrupted_pool_leaves_no_worker() -> None:
    with pytest.raises(KeyboardInterrupt), worker_pool(1) as pool:  # noqa: PT012 - what is interrupted is the block
        pid = pool.submit(os.getpid).result()
        pool.submit(signal.pause)
        raise KeyboardInterrupt
    assert comes_true(lambda: is_gone(pid))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc who is alive")
def test_workers_end_with_a_parent_that_was_killed(tmp_path_factory: pytest.TempPathFactory) -> None:
    script = tmp_path_factory.mktemp("pool") / "sleeps.py"
    script.write_text(_SLEEPS)
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert comes_true(lambda: is_gone(worker))
