"""``history.csv`` and ``predictions.csv``: every number can be read back as it was."""

from __future__ import annotations

import csv
import math
import os
import resource
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.core.errors import UnavailableError
from zoo.training.callbacks.csv_files import HistoryCsv

NUMBERS = st.one_of(st.integers(-(10**12), 10**12), st.floats(allow_nan=False))
ROWS = st.lists(st.dictionaries(st.sampled_from(["epoch", "loss", "val_top1", "a,b", 'the "best"', "ä"]), NUMBERS))


def write(rows, path):
    callback = HistoryCsv()
    callback.on_train_begin(SimpleNamespace(history=rows, run=SimpleNamespace(history=path)))
    callback.on_epoch_end(None)


def read(path):
    """Rows as Python has them; an empty cell is a key that the row does not have."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [{key: _number(cell) for key, cell in row.items() if cell} for row in csv.DictReader(lines)]


def _number(cell):
    return int(cell) if cell.lstrip("-").isdecimal() else float(cell)


def test_a_file_looks_as_a_person_expects(tmp_path):
    first = {"extra": 1, "loss": 2.5, "epoch": 1, "learning_rate": 1e-05}
    write([first, {"epoch": 2, "loss": 0.5, "val_loss": 0.25, "val_top1": 1}], tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,learning_rate,loss,val_loss,val_top1,extra\n1,1e-05,2.5,,,1\n2,,0.5,0.25,1,\n"
    )
    assert os.listdir(tmp_path) == ["history.csv"]


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_what_is_written_is_read_back_exactly(rows, tmp_path_factory):
    rows = [row for row in rows if row]
    path = tmp_path_factory.mktemp("history") / "history.csv"
    write(rows, path)
    again = read(path)
    assert again == rows
    assert [{key: type(value) for key, value in row.items()} for row in again] == [
        {key: type(value) for key, value in row.items()} for row in rows
    ]


def test_numbers_that_are_none_are_read_back(tmp_path):
    write([{"epoch": 1, "loss": math.nan, "val_loss": math.inf}], tmp_path / "h.csv")
    (row,) = read(tmp_path / "h.csv")
    assert math.isnan(row["loss"])
    assert row["val_loss"] == math.inf


def test_a_full_disk_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "history.csv"
    write([{"epoch": 1}], path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(UnavailableError, match="cannot be written"):
            write([{"epoch": epoch, "loss": 1 / epoch} for epoch in range(1, 100)], path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read(path) == [{"epoch": 1}]
    assert os.listdir(tmp_path) == ["history.csv"]
