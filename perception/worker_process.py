"""What a worker process does first, so that it neither talks at ^C nor outlives the process that began it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from threading import Thread


def begin_worker() -> None:
    """The initializer of a pool whose parent ends it at ^C; the workers would only print their tracebacks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def end_with_parent() -> None:
    """A parent that was killed cannot end its workers any more, and they would wait for work for ever."""

    def follow() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=follow, daemon=True).start()
