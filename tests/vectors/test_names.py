"""Names in files: what comes back, and what is written for what cannot be a name."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.vectors.names import BLOCK, Names, decode, encode, from_line, from_text, numbered, to_line, to_text

#: Everything that a file can be called.
file_names = st.binary(min_size=1).filter(lambda name: b"\0" not in name).map(os.fsdecode)


@settings(deadline=None)
@given(file_names)
def test_any_name_comes_back(name):
    assert decode(encode(name)) == name
    assert from_line(to_line(name)) == name
    assert from_text(to_text(name)) == name


@settings(deadline=None)
@given(st.text())
def test_every_text_can_be_written(text):
    assert b"\0" not in encode(text)
    assert isinstance(decode(encode(text)), str)
    line = to_line(text)
    assert line
    assert line.decode("utf-8", "surrogateescape").splitlines() == [line.decode("utf-8", "surrogateescape")]
    to_text(text).encode("utf-8")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("photos/a b.jpg", b"photos/a b.jpg"),
        ("caf\udce9.jpg", b"caf\xe9.jpg"),
        ("two\nlines", b'"two\\nlines"'),
        ('"quoted"', b'"\\"quoted\\""'),
        ("", b'""'),
    ],
)
def test_lines(name, line):
    assert to_line(name) == line


def test_a_line_that_only_looks_quoted_is_itself():
    assert from_line(b'"a" and "b"') == '"a" and "b"'
    assert from_line(b'"12') == '"12'


def test_what_no_file_can_be_called():
    assert encode("a\0b") == b"a\\x00b"
    assert encode("a\ud800b") == b"a\\ud800b"


def test_names_are_read_in_blocks():
    asked = []

    def fetch(start, stop):
        asked.append((start, stop))
        return [str(row) for row in range(start, stop)]

    names = Names(BLOCK + 10, fetch)
    assert len(names) == BLOCK + 10
    assert [names[3], names[0], names[BLOCK - 1]] == ["3", "0", str(BLOCK - 1)]
    assert asked == [(0, BLOCK)]
    assert names[-1] == str(BLOCK + 9)
    assert asked[1:] == [(BLOCK, BLOCK + 10)]
    assert list(names) == [str(row) for row in range(BLOCK + 10)]
    assert names[5:8] == ["5", "6", "7"]
    assert names[8:5] == []
    assert names[10:4:-3] == ["10", "7"]
    with pytest.raises(IndexError):
        names[BLOCK + 10]


def test_rows_without_names_have_numbers():
    assert numbered(3)[1:] == ["row 1", "row 2"]
