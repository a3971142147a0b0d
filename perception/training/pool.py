"""A reservoir of labelled pictures that worker processes keep renewing while the network trains from it."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from control.errors import LinepilotError
from perception.worker_process import end_with_parent

_CHUNK = 32
"""Pictures made at a time, from one seed."""
_AHEAD = 8
"""Chunks that are ordered before they are needed; makers rest when so many wait."""
_PATIENCE_S = 0.2
"""How often a wait for pictures asks whether it shall end."""
_FIELDS = ("images", "x", "visible", "defined")


class WorkerDiedError(LinepilotError):
    """What was learnt is still good."""


class Sample(Protocol):
    """A picture (S, S, 3) uint8 BGR; x and visible (T, K); defined (T,)."""

    @property
    def image(self) -> NDArray[np.uint8]: ...
    @property
    def x(self) -> NDArray[np.float32]: ...
    @property
    def visible(self) -> NDArray[np.float32]: ...
    @property
    def defined(self) -> NDArray[np.float32]: ...


Stream = Callable[[int], Iterator[Sample]]
"""A seed to an endless stream of samples; must be picklable, as it runs in another process."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    images: NDArray[np.uint8]
    x: NDArray[np.float32]
    visible: NDArray[np.float32]
    defined: NDArray[np.float32]


def stack(samples: list[Sample]) -> Batch:
    return Batch(
        images=np.stack([s.image for s in samples]),
        x=np.stack([s.x for s in samples]),
        visible=np.stack([s.visible for s in samples]),
        defined=np.stack([s.defined for s in samples]),
    )


def _produce(stream: Stream, seed: int) -> Batch:
    source = stream(seed)
    return stack([next(source) for _ in range(_CHUNK)])


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Processes started within never see ^C: it is this process that ends them. Here ^C comes a moment later."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class SamplePool:
    """Holds ``capacity`` samples; one is drawn at most ``reuse`` times on average before fresh ones replace it.

    What is drawn depends on ``rng`` alone, not on the number of workers nor on who is faster: each chunk has a seed of
    its own, and chunks are taken in order, when they are needed. ``stop`` is asked while waiting.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        workers: int,
        capacity: int,
        reuse: float,
        rng: np.random.Generator,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._makers = ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent)
        self._ahead = max(_AHEAD, 2 * workers)
        self._stream = stream
        self._seeds = np.random.default_rng(int(rng.integers(2**63)))
        self._rng = rng
        self._reuse = reuse
        self._capacity = capacity
        self._stop = stop
        self._orders: deque[Future[Batch]] = deque()
        self._store: Batch | None = None
        self.count = 0
        self.produced = 0
        self.drawn = 0

    def __enter__(self) -> SamplePool:
        with _no_interrupts():
            for _ in range(self._ahead):
                self._order()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._makers.shutdown(cancel_futures=True)

    def draw(self, size: int) -> Batch:
        """A random batch, mirrored half of the time: a mirrored floor is as good a floor.

        Raises WorkerDiedError, and KeyboardInterrupt when asked to stop while waiting.
        """
        while self.count < min(size, self._capacity) or self.drawn + size > self.produced * self._reuse:
            self._take()
        self.drawn += size
        store = self._store
        assert store is not None
        picked = self._rng.integers(self.count, size=size)
        return self._mirrored(store, picked)

    def _mirrored(self, store: Batch, picked: NDArray[np.int64]) -> Batch:
        images, x = store.images[picked], store.x[picked]
        flip = self._rng.random(len(picked)) < 0.5
        images[flip] = images[flip][:, :, ::-1]
        x[flip] = -x[flip]
        return Batch(images=images, x=x, visible=store.visible[picked], defined=store.defined[picked])

    def _order(self) -> None:
        # Below 2^31: the seeds above are kept for validation.
        seed = int(self._seeds.integers(2**31))
        self._orders.append(self._makers.submit(_produce, self._stream, seed))

    def _take(self) -> None:
        first = self._orders.popleft()
        while not wait([first], timeout=_PATIENCE_S).done:
            self._interrupt_if_asked()
        try:
            chunk = first.result()
            self._order()
        except BrokenProcessPool as error:
            # A closing terminal ends the workers as well as this process.
            self._interrupt_if_asked()
            raise WorkerDiedError(
                "a process that paints pictures died, killed or out of memory; what was learnt is saved, "
                "go on with --resume (and fewer --workers if memory is short)"
            ) from error
        self._keep(chunk)

    def _interrupt_if_asked(self) -> None:
        if self._stop():
            raise KeyboardInterrupt

    def _keep(self, chunk: Batch) -> None:
        if self._store is None:
            shapes = {name: getattr(chunk, name) for name in _FIELDS}
            self._store = Batch(**{n: np.zeros((self._capacity, *a.shape[1:]), a.dtype) for n, a in shapes.items()})
        count = len(chunk.images)
        where = (np.arange(count) + self.produced) % self._capacity
        for name in _FIELDS:
            getattr(self._store, name)[where] = getattr(chunk, name)
        self.produced += count
        self.count = min(self.count + count, self._capacity)
