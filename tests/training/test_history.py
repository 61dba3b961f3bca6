"""The history: what is written holds every number as it was."""

from __future__ import annotations

import csv
import math
import os
import resource

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.core.errors import UnavailableError
from zoo.training.history import History

NUMBERS = st.one_of(st.integers(-(10**12), 10**12), st.floats(allow_nan=False))
ROWS = st.lists(st.dictionaries(st.sampled_from(["epoch", "loss", "val_top1", "a,b", 'the "best"', "ä"]), NUMBERS))


def read(path):
    """Rows as Python has them; an empty cell is a key that the row does not have."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [{key: _number(cell) for key, cell in row.items() if cell} for row in csv.DictReader(lines)]


def _number(cell):
    return int(cell) if cell.lstrip("-").isdecimal() else float(cell)


def test_a_file_looks_as_a_person_expects(tmp_path):
    history = History()
    history.append({"extra": 1, "loss": 2.5, "epoch": 1, "learning_rate": 1e-05})
    history.append({"epoch": 2, "loss": np.float32(0.5), "val_loss": np.array(0.25), "val_top1": np.int64(1)})
    history.write(tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,learning_rate,loss,val_loss,val_top1,extra\n1,1e-05,2.5,,,1\n2,,0.5,0.25,1,\n"
    )
    assert os.listdir(tmp_path) == ["history.csv"]


@settings(max_examples=60, deadline=None)
@given(rows=ROWS)
def test_what_is_written_is_read_back_exactly(rows, tmp_path_factory):
    rows = [row for row in rows if row]
    path = tmp_path_factory.mktemp("history") / "history.csv"
    History(rows).write(path)
    again = read(path)
    assert again == rows
    assert [{key: type(value) for key, value in row.items()} for row in again] == [
        {key: type(value) for key, value in row.items()} for row in rows
    ]


def test_numbers_that_are_none_are_read_back(tmp_path):
    History([{"epoch": 1, "loss": math.nan, "val_loss": math.inf}]).write(tmp_path / "h.csv")
    (row,) = read(tmp_path / "h.csv")
    assert math.isnan(row["loss"])
    assert row["val_loss"] == math.inf


def test_rows_are_copies_of_plain_numbers():
    given_row = {"epoch": np.int32(3), "loss": np.float64(0.1)}
    history = History([given_row])
    given_row["loss"] = 9
    assert history.rows == [{"epoch": 3, "loss": 0.1}]
    assert [type(value) for value in history.rows[0].values()] == [int, float]


@pytest.mark.parametrize("value", ["0.5", None, True, np.zeros(2).tolist()])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="no number"):
        History([{"loss": value}])


def test_a_full_disk_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "history.csv"
    History([{"epoch": 1}]).write(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(UnavailableError, match="cannot be written"):
            History([{"epoch": epoch, "loss": 1 / epoch} for epoch in range(1, 100)]).write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read(path) == [{"epoch": 1}]
    assert os.listdir(tmp_path) == ["history.csv"]
