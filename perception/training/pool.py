"""A reservoir of labelled pictures that worker processes keep renewing while the network trains from it."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from control.errors import LinepilotError

_CHUNK = 32
_FIELDS = ("images", "x", "visible", "defined")


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


def _produce(stream: Stream, seed: int, out: Queue[Batch]) -> None:
    samples: list[Sample] = []
    for sample in stream(seed):
        samples.append(sample)
        if len(samples) == _CHUNK:
            if not _hand_over(stack(samples), out):
                return
            samples = []


def _hand_over(chunk: Batch, out: Queue[Batch]) -> bool:
    """Wait for room, but not for a parent that was killed."""
    while True:
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            return False
        try:
            out.put(chunk, timeout=2.0)
        except queue.Full:
            continue
        return True


class SamplePool:
    """Holds ``capacity`` samples; one is drawn at most ``reuse`` times on average before fresh ones replace it."""

    def __init__(self, stream: Stream, *, workers: int, capacity: int, reuse: float, rng: np.random.Generator) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue: Any = context.Queue(maxsize=8)
        self._rng = rng
        self._reuse = reuse
        self._capacity = capacity
        self._store: Batch | None = None
        self.count = 0
        self.produced = 0
        self.drawn = 0
        self._workers: list[BaseProcess] = [
            context.Process(target=_produce, args=(stream, int(rng.integers(2**31)), self._queue), daemon=True)
            for _ in range(workers)
        ]

    def __enter__(self) -> SamplePool:
        for worker in self._workers:
            worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.join()

    def draw(self, size: int) -> Batch:
        """A random batch, mirrored half of the time: a mirrored floor is as good a floor. Raises LinepilotError."""
        while self.count < size or self.drawn + size > self.produced * self._reuse:
            self._take(wait=True)
        # Fresh pictures are taken no faster than they are used up, so that their makers leave the cores to the network.
        while self.drawn + size > (self.produced - _CHUNK) * self._reuse and self._take(wait=False):
            pass
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

    def _take(self, *, wait: bool) -> bool:
        try:
            chunk: Batch = self._queue.get(timeout=20.0) if wait else self._queue.get_nowait()
        except queue.Empty:
            if wait and not any(worker.is_alive() for worker in self._workers):
                raise LinepilotError("training: the picture makers died; look above for their error") from None
            return False
        self._keep(chunk)
        return True

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
