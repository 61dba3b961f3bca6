"""``.csv``: what a spreadsheet reads, and the tables of others."""

import csv

import numpy as np
import pytest

from tests.vectors import made
from zoo.core.errors import UnavailableError, UsageError
from zoo.vectors import open_vectors


def test_any_reader_of_tables_reads_it(tmp_path):
    content = made.content(20, shapes=((3,), (2,)))
    made.write(content, tmp_path / "f.csv")
    with open(tmp_path / "f.csv", newline="", errors="surrogateescape") as file:
        header, *lines = csv.reader(file)
    assert header == ["path", "f0", "f1", "f2", "features_b_x0.0", "features_b_x0.1"]
    assert [line[0] for line in lines] == [entry.path for entry in content.images]
    values = np.array([line[1:] for line in lines], np.float32)
    np.testing.assert_array_equal(values, np.hstack(content.arrays))


def test_numbers_are_short(tmp_path):
    content = made.content(1, shapes=((4,),), dtype="float16")
    content.arrays[0][:] = [0.1, 1, -2.5, 65504]
    made.write(content, tmp_path / "f.csv")
    assert (tmp_path / "f.csv").read_text().splitlines()[1] == "a.jpg,0.099976,1,-2.5,65504"


@pytest.mark.parametrize(
    ("text", "names", "values"),
    [
        ("path,f0,f1\na,1,2\nb,3,4\n", ["a", "b"], [[1, 2], [3, 4]]),
        ("path,f0\n1,1\n2,3", ["1", "2"], [[1], [3]]),
        ("a.jpg,1,2\nb.jpg,3,4\n", ["a.jpg", "b.jpg"], [[1, 2], [3, 4]]),
        ("1,2\n3,4\n", ["row 0", "row 1"], [[1, 2], [3, 4]]),
        ("x,y\n1,2\n3,4e-1\n", ["row 0", "row 1"], [[1, 2], [3, 0.4]]),
        ("\ufeffname,f0\r\na,nan\r\nb,inf\r\n", ["a", "b"], [[np.nan], [np.inf]]),
    ],
)
def test_tables_of_others(text, names, values, tmp_path):
    (tmp_path / "f.csv").write_text(text, newline="")
    with open_vectors(tmp_path / "f.csv") as vectors:
        assert list(vectors.paths) == names
        np.testing.assert_array_equal(vectors.read(0, 2), np.array(values, np.float32))
        assert vectors.about == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no vector in line 1: the file is empty"),
        ("path,f0\n", "has no vector in line 1: there is only a header"),
        ("path,f0\na,1\nb,x\n", "has no vector in line 3: could not convert string to float: 'x'"),
        ("path,f0\na,1\nb,1,2\n", "has no vector in line 3: 3 cells where there should be 2"),
        ("path,f0\na,1\n\n", "has no vector in line 3: 0 cells where there should be 2"),
        ("path,label\na,cat\n", "has no vector in line 2: could not convert string to float: 'cat'"),
    ],
)
def test_tables_without_vectors(text, words, tmp_path):
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(UsageError, match=words):
        open_vectors(tmp_path / "f.csv")


def test_files_that_do_not_belong_together(tmp_path):
    made.write(made.content(5), tmp_path / "f.csv")
    with open(tmp_path / "f.csv", "a") as file:
        file.write("more,1,2,3,4,5\n")
    with pytest.raises(UsageError, match=r"f\.csv\.about\.json lists 5 vectors and .*f\.csv has 6"):
        open_vectors(tmp_path / "f.csv")


def test_two_formats_beside_one_another(tmp_path):
    first, second = made.content(5), made.content(8)
    made.write(first, tmp_path / "f.npy")
    made.write(second, tmp_path / "f.csv")
    made.check(first, tmp_path / "f.npy")
    made.check(second, tmp_path / "f.csv")


def test_no_room_for_temporary_files(tmp_path, monkeypatch):
    import tempfile

    made.write(made.content(5), tmp_path / "f.csv")

    def full(*arguments, **settings):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(UnavailableError, match=r"cannot be written: No space left on device; set TMPDIR to another"):
        open_vectors(tmp_path / "f.csv")
