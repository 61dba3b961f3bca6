"""The batch size is what was measured, once; a larger one where it pays, and none that is hopeless is tried."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.engines.openvino import batch_tuning


class Busy:
    """Keeps a processor busy for ``call`` seconds a batch, and ``image`` seconds an image in it."""

    def __init__(self, batch_size, call, image, tried):
        self.batch_size, self.seconds = batch_size, call + image(batch_size) * batch_size
        tried.append(batch_size)

    def run(self, batches):
        for batch in batches:
            assert batch.shape == (self.batch_size, 4, 5, 3)
            ended = time.process_time() + self.seconds
            while time.process_time() < ended:
                pass
            yield np.zeros((len(batch), 2), np.float32)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(batch_tuning, "SECONDS", 0.02)


def tried(call, image):
    sizes = []
    rates = batch_tuning.measure(lambda size: Busy(size, call, image, sizes), (4, 5))
    assert list(rates) == sizes
    return sizes, batch_tuning.fastest(rates)


def test_what_each_call_costs_makes_batches_large():
    assert tried(0.004, lambda size: 0.0002) == (list(batch_tuning.CANDIDATES), 16)


def test_what_grows_worse_is_not_tried_further():
    assert tried(0.0, lambda size: 0.002 * size) == ([1, 2], 1)


def test_a_heavy_network_is_not_tried_for_long(monkeypatch):
    # A machine that is busy gives up earlier.
    monkeypatch.setattr(batch_tuning, "LONGEST", 0.3)
    sizes, _ = tried(0.0, lambda size: 0.01)
    assert sizes[0] == 1
    assert 8 not in sizes


@pytest.mark.parametrize(
    ("rates", "best"),
    [
        ({1: 100.0}, 1),
        ({1: 100.0, 2: 101.0, 4: 101.9}, 1),
        ({1: 100.0, 2: 101.0, 4: 103.0}, 4),
        ({1: 100.0, 2: 110.0, 4: 111.0, 8: 90.0}, 2),
        ({1: 100.0, 2: 99.0, 4: 98.0, 8: 110.0}, 8),
    ],
)
def test_a_larger_batch_must_be_worth_it(rates, best):
    assert batch_tuning.fastest(rates) == best


def test_what_was_found_is_kept(tmp_path):
    file, sizes = tmp_path / "blobs" / "batch-size.json", []
    for _ in range(2):
        assert batch_tuning.find(file, lambda size: Busy(size, 0.004, lambda size: 0.0002, sizes), (4, 5)) == 16
    assert sizes == list(batch_tuning.CANDIDATES)
    assert set(json.loads(file.read_text())["pictures_a_second"]) == {"1", "2", "4", "8", "16"}


@given(st.one_of(st.text(), st.integers().map(lambda size: json.dumps({"batch_size": size})), st.just("[3]")))
def test_a_damaged_file_says_nothing(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("kept") / "batch-size.json"
    file.write_text(text, encoding="utf-8")
    assert batch_tuning.known(file) in (None, *batch_tuning.CANDIDATES)
    assert batch_tuning.known(file.with_name("nothing")) is None


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / "file").touch()
    sizes = []
    file = tmp_path / "file" / "batch-size.json"
    assert batch_tuning.find(file, lambda size: Busy(size, 0.0, lambda size: 0.001 * size, sizes), (4, 5)) == 1
    assert sizes
