"""Work in threads, in order, each with its own matrix products.

BLAS splitting a product among all processors waits for the slowest: twice as long on a busy machine.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

from threadpoolctl import threadpool_limits

from zoo.core.hardware import processors

Item = TypeVar("Item")
Result = TypeVar("Result")


def single_threaded_blas() -> AbstractContextManager[object]:
    """Within this context a matrix product runs in the thread that calls it, in the whole process."""
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


@contextlib.contextmanager
def deterministic() -> Iterator[None]:
    """Within this context BLAS and OpenMP use one thread, so that sums have one order; warnings are suppressed."""
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        yield


def in_order(function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None) -> Iterator[Result]:
    """Results in the order of the items, which are read here, as many ahead as there are threads."""
    count = threads or processors()
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(count, thread_name_prefix="compare") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                # A reference would keep the memory of the item from being reused.
                del item
                if len(waiting) > count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
