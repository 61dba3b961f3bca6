"""Order, bounded memory and reasons, with an engine that only adds up pixels."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.core.errors import ImageError
from zoo.core.spec import Resize
from zoo.images.decode import load
from zoo.images.source import Source
from zoo.inference import pipeline

TINY = Resize(4, 4)


class Adder:
    """Gives the first pixel of each image; keeps up to ``depth`` batches waiting, as a real engine does."""

    name, device, single = "adder", "cpu", False

    def __init__(self, batch_size, depth=1):
        self.batch_size, self.depth, self.sizes = batch_size, depth, []

    def run(self, batches):
        waiting = []
        for batch in batches:
            self.sizes.append(len(batch))
            waiting.append(batch[:, 0, 0, :1].astype("float32"))
            if len(waiting) > self.depth:
                yield waiting.pop(0)
        yield from waiting


def image(value):
    return Source.from_array(np.full((5, 6, 3), value, np.uint8), name=str(value))


def broken(name):
    return Source(str(name), problem="broken on purpose")


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=40), st.integers(1, 7), st.integers(0, 3))
def test_every_source_is_one_row_in_order(good, batch_size, depth):
    sources = [image(number) if fine else broken(number) for number, fine in enumerate(good)]
    rows = list(pipeline.run(sources, Adder(batch_size, depth), TINY, threads=2))
    assert [source.path for source, _ in rows] == [source.path for source in sources]
    for number, (fine, (_, output)) in enumerate(zip(good, rows, strict=True)):
        if fine:
            assert output.tolist() == [number]
        else:
            assert isinstance(output, ImageError)


def test_batches_are_full_but_the_last():
    engine = Adder(4)
    list(pipeline.run([image(n) for n in range(10)], engine, TINY))
    assert engine.sizes == [4, 4, 2]


class Late(Adder):
    """Reads a batch only when its output is due, as an engine that computes aside."""

    def __init__(self, batch_size, depth=1):
        super().__init__(batch_size, depth)
        self.arrays = set()

    def run(self, batches):
        waiting = []
        for batch in batches:
            self.arrays.add(batch.__array_interface__["data"][0])
            waiting.append(batch)
            if len(waiting) > self.depth:
                yield waiting.pop(0)[:, 0, 0, :1].astype("float32")
        for batch in waiting:
            yield batch[:, 0, 0, :1].astype("float32")


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=40), st.integers(1, 4), st.integers(0, 3))
def test_memory_is_used_again_only_when_the_engine_is_done_with_it(good, batch_size, depth):
    sources = [image(number) if fine else broken(number) for number, fine in enumerate(good)]
    engine = Late(batch_size, depth)
    rows = list(pipeline.run(sources, engine, TINY, threads=2))
    values = [output.tolist() for _, output in rows if not isinstance(output, ImageError)]
    assert values == [[number] for number, fine in enumerate(good) if fine]
    assert len(engine.arrays) <= depth + 1


def test_several_views_of_a_image_are_several_rows():
    def views(source, resize):
        return np.stack([np.full((4, 4, 3), int(source.path) + turn, np.uint8) for turn in (0, 100)])

    rows = list(pipeline.run([image(n) for n in range(5)], Late(4), TINY, read=views))
    assert [(source.path, float(output[0])) for source, output in rows] == [
        (str(number), number + turn) for number in range(5) for turn in (0, 100)
    ]


def test_a_stream_is_read_only_as_far_as_it_is_worked_on():
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield image(read % 200)

    rows = pipeline.run(endless(), Adder(4), TINY, threads=2)
    for _ in range(20):
        next(rows)
    assert read <= 20 + pipeline.AHEAD * 4 + 2 + 3 * 4
    rows.close()


def test_large_images_in_memory_are_few_at_a_time(monkeypatch):
    """Of images that are in memory already as many are taken as fit into what is allowed, and one more."""
    monkeypatch.setattr(pipeline, "HELD", 1000)
    taken: list[int] = []
    reading = threading.Event()

    def stream():
        for number in range(60):
            taken.append(number)
            yield image(number)

    def read(source, resize):
        assert reading.wait(20)
        return load(source, resize)

    found: list[list[float]] = []
    rows = pipeline.run(stream(), Adder(32), TINY, threads=2, read=read)
    thread = threading.Thread(target=lambda: found.extend(output.tolist() for _, output in rows))
    thread.start()
    time.sleep(0.5)
    # 90 bytes each.
    assert len(taken) == 12
    reading.set()
    thread.join(20)
    assert found == [[number] for number in range(60)]


def test_closing_early_ends_the_threads():
    before = threading.active_count()
    rows = pipeline.run((image(n % 200) for n in range(1000)), Adder(2), TINY, threads=3)
    next(rows)
    rows.close()
    assert threading.active_count() == before


def test_an_engine_that_fails_ends_the_run():
    class Failing(Adder):
        def run(self, batches):
            next(iter(batches))
            raise RuntimeError("no more")
            yield

    with pytest.raises(RuntimeError, match="no more"):
        list(pipeline.run([image(1)] * 9, Failing(2), TINY))
