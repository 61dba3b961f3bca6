"""Rows in every format, atomic files, and what terminals can show."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.core import output
from zoo.core.errors import UnavailableError

ROWS = [{"name": "a", "value": 1, "list": [1, 2]}, {"name": "b,c", "value": None, "list": []}]


def written(format, rows=ROWS, columns=("name", "value", "list"), **settings):
    stream = io.StringIO()
    output.write(rows, stream, format, columns=columns, **settings)
    return stream.getvalue()


def test_json_is_one_array():
    assert json.loads(written("json")) == ROWS
    assert json.loads(written("json", rows=[])) == []


def test_jsonl_is_one_object_a_line():
    assert [json.loads(line) for line in written("jsonl").splitlines()] == ROWS


def test_jsonl_comes_as_the_rows_come():
    stream = io.StringIO()

    def rows():
        yield {"n": 1}
        assert stream.getvalue() == '{"n": 1}\n'
        yield {"n": 2}

    output.write(rows(), stream, "jsonl", columns=["n"])
    assert stream.getvalue().count("\n") == 2


def test_csv_has_the_columns_and_quotes():
    rows = list(csv.DictReader(io.StringIO(written("csv"))))
    assert rows == [{"name": "a", "value": "1", "list": "[1, 2]"}, {"name": "b,c", "value": "", "list": "[]"}]


def test_table_aligns_numbers_right_and_wide_characters():
    lines = written(
        "table", [{"name": "日本", "value": 12345}, {"name": "abc", "value": 7}], ("name", "value")
    ).splitlines()
    assert lines[2] == "日本  12,345"
    assert lines[3] == "abc        7"


def test_format_follows_the_stream_and_the_file(tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert output.choose_format(None, Terminal()) == "table"
    assert output.choose_format(None, io.StringIO()) == "jsonl"
    assert output.choose_format(None, Terminal(), tmp_path / "a.csv") == "csv"
    assert output.choose_format("json", Terminal(), tmp_path / "a.csv") == "json"


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("before")
    with pytest.raises(KeyboardInterrupt), output.opened(target) as stream:
        stream.write("half")
        raise KeyboardInterrupt
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
    with output.opened(target) as stream:
        stream.write("after")
    assert target.read_text() == "after"


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(UnavailableError, match="cannot be written"), output.opened(tmp_path / "no" / "out.csv"):
        pass


@given(st.text(st.characters()))
def test_any_name_can_be_printed_and_read_back(text):
    name = text + "\udcff"
    line = output.to_json({"path": name})
    assert json.loads(line)["path"] == name
    line.encode()
    output.printable(name).encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("naïve 日本 🙂", "naïve 日本 🙂"),
        ("a\udcff.jpg", r"a\xff.jpg"),
        ("\udd00", r"\udd00"),
        ("\ud800\udc80", r"\ud800\x80"),
    ],
)
def test_what_utf8_cannot_encode_is_escaped(text, shown):
    assert output.printable(text) == shown


def test_report_owns_the_exit_status():
    report = output.Report()
    report.add(ok=True)
    assert report.exit_status == 0
    report.add(ok=False)
    assert report.exit_status == 1


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "—"), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (14_600_000, "14.6 MB"), (2e13, "20000.0 GB")],
)
def test_bytes_as_people_read_them(count, text):
    assert output.human_bytes(count) == text
