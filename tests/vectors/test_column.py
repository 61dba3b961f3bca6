"""Columns: what they hold, and which one is meant."""

import numpy as np
import pytest

from zoo.core.errors import UnavailableError, UsageError
from zoo.vectors import Column
from zoo.vectors.column import by_layer

COLUMNS = [
    Column("features", (5,), "float32", {"layer": "conv5/out"}),
    Column("features_conv4_out", (3, 4), "float16", {"layer": "conv4/out"}),
    Column("probabilities", (10,), "float32", {"classes": ["a"] * 10}),
]


def test_sizes():
    assert [(column.size, column.nbytes) for column in COLUMNS] == [(5, 20), (12, 24), (10, 40)]
    assert Column("x", (), "int64").size == 1


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_in_a_json_file(column):
    assert Column.from_dict(column.as_dict()) == column


def test_the_byte_order_is_this_machines():
    assert Column("x", (1,), ">f4").dtype == np.dtype("float32")


def test_casting():
    column = COLUMNS[1]
    value = np.arange(12, dtype=np.float64).reshape(3, 4)
    cast = column.cast(value, "a.jpg")
    assert cast.dtype == np.float16
    np.testing.assert_array_equal(cast, value)
    same = np.zeros((3, 4), np.float16)
    assert column.cast(same, "a.jpg") is same
    with pytest.raises(ValueError, match=r"'features_conv4_out' is \(3, 4\), and that of a\.jpg \(4, 3\)"):
        column.cast(value.T, "a.jpg")
    value[1, 1] = -1e6
    with pytest.raises(UnavailableError, match=r"of a\.jpg goes up to 1e\+06, which float16 cannot hold; use float32"):
        column.cast(value, "a.jpg")


@pytest.mark.parametrize(
    ("layer", "number"),
    [
        (None, 0),
        ("conv5/out", 0),
        ("conv4/out", 1),
        ("conv4_out", 1),
        ("probabilities", 2),
    ],
)
def test_the_column_of_a_layer(layer, number):
    assert by_layer(layer, "f.h5")(COLUMNS) is COLUMNS[number]


def test_a_layer_that_is_not_there():
    with pytest.raises(UsageError, match=r"^f\.h5 has no vectors of layer 'conv5/in'. Did you mean 'conv5/out'\?$"):
        by_layer("conv5/in", "f.h5")(COLUMNS)
    with pytest.raises(UsageError, match=r"'xyz'. It has conv5/out, conv4/out, probabilities\.$"):
        by_layer("xyz", "f.h5")(COLUMNS)
