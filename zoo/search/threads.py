"""Steps in threads of our own, in order, each with one thread of the matrix library.

A library that divides every product among all processors waits for the slowest of them, which on a machine with other
work to do takes twice as long as when each thread has a product for itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

from threadpoolctl import threadpool_limits

from zoo.core.hardware import processors

Item = TypeVar("Item")
Result = TypeVar("Result")


def one_each() -> AbstractContextManager[object]:
    """Within this, products of matrices stay in the thread that asks for them, in the whole process."""
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def in_order(function: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None) -> Iterator[Result]:
    """What a function makes of items, in their order.

    Args:
        function: called in threads.
        items: read here, as many ahead as there are threads, so that reading goes on beside the work.
        threads: the number of processors without.
    """
    count = threads or processors()
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(count, thread_name_prefix="compare") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                # An item that nobody holds is memory that the next one can have.
                del item
                if len(waiting) > count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            # Interrupted: what has not begun need not begin.
            for future in waiting:
                future.cancel()
