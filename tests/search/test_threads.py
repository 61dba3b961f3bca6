"""Steps in threads: results in order, few items ahead, and errors where they belong."""

from __future__ import annotations

import threading
import time

import pytest
from threadpoolctl import threadpool_info

from zoo.search.threads import in_order, single_threaded_blas


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_results_are_in_order_whichever_is_ready_first(threads):
    def slow_at_first(number):
        time.sleep(0.01 if number == 0 else 0)
        return -number

    assert list(in_order(slow_at_first, range(30), threads)) == [-number for number in range(30)]
    assert list(in_order(slow_at_first, [], threads)) == []


def test_no_more_items_are_read_than_there_are_threads_and_one():
    read = []

    def items():
        for number in range(20):
            read.append(number)
            yield number

    results = in_order(lambda number: number, items(), 2)
    assert next(results) == 0
    assert read == [0, 1, 2]
    assert next(results) == 1
    assert read == [0, 1, 2, 3]
    results.close()


def test_steps_run_beside_each_other():
    both = threading.Barrier(2, timeout=20)
    assert list(in_order(lambda number: both.wait() >= 0, range(4), 2)) == [True] * 4


def test_an_error_of_a_step_and_one_of_reading():
    def fails(number):
        if number == 2:
            raise OSError("the disk is gone")
        return number

    def items():
        yield 0
        raise KeyError("no more")

    results = in_order(fails, range(9), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(OSError, match="the disk is gone"):
        next(results)
    with pytest.raises(KeyError, match="no more"):
        list(in_order(fails, items(), 2))


def test_products_stay_in_their_thread_and_only_meanwhile():
    def counts():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = counts()
    with single_threaded_blas():
        assert set(counts()) == {1}
    assert counts() == before
