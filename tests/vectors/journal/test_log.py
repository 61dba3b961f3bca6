"""What is done, in files that are only added to: nothing that was committed is lost, and nothing is half there."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.vectors import Column
from zoo.vectors.journal.log import LINES, Line, Log, column_file

COLUMNS = (Column("features", (2, 3), "float32"), Column("features_b", (1,), "float16"))


def row(number):
    return np.full((2, 3), number, np.float32), np.full(1, number, np.float16)


def fill(log, start, stop):
    """Every third input fails."""
    for number in range(start, stop):
        if number % 3 == 2:
            log.add(Line(f"{number}.jpg", error="broken"))
        else:
            log.add(Line(f"{number}.jpg", number, 10 * number), row(number))


def read(log):
    """The lines, and the rows of both columns."""
    with contextlib.ExitStack() as closing:
        rows = [log.rows(number, closing) for number in range(len(log.columns))]
        arrays = [np.empty((log.count, *column.shape), column.dtype) for column in log.columns]
        for source, array in zip(rows, arrays, strict=True):
            source.fill(0, array)
    return list(log.lines()), arrays


def expect(log, count):
    """That the log has what ``fill(log, 0, count)`` adds."""
    lines, arrays = read(log)
    good = [number for number in range(count) if number % 3 != 2]
    assert [line.path for line in lines] == [f"{number}.jpg" for number in range(count)]
    assert (log.count, log.failed) == (len(good), count - len(good))
    for array, number in zip(arrays, range(2), strict=True):
        np.testing.assert_array_equal(array, np.array([row(place)[number] for place in good]).reshape(array.shape))


def test_what_is_added_is_read(tmp_path):
    log = Log(tmp_path, COLUMNS)
    fill(log, 0, 10)
    expect(log, 0)
    log.commit()
    expect(log, 10)
    fill(log, 10, 17)
    log.commit()
    log.commit()
    expect(log, 17)
    log.close()
    expect(Log(tmp_path, COLUMNS), 17)


def test_what_was_not_committed_is_gone_and_harmless(tmp_path):
    log = Log(tmp_path, COLUMNS)
    fill(log, 0, 5)
    log.commit()
    fill(log, 5, 9)
    log.close()
    log = Log(tmp_path, COLUMNS)
    expect(log, 5)
    fill(log, 5, 9)
    log.commit()
    expect(log, 9)


@pytest.mark.parametrize("name", [LINES, column_file(0), column_file(1)])
def test_files_that_end_anywhere(name, tmp_path):
    """Whatever is missing of a file, its beginning is used, and the rest is added as if nothing had been."""
    log = Log(tmp_path, COLUMNS)
    fill(log, 0, 4)
    log.commit()
    log.close()
    whole = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for end in range(len(whole[name])):
        for path, data in whole.items():
            (tmp_path / path).write_bytes(data[:end] if path == name else data)
        log = Log(tmp_path, COLUMNS)
        done = len(list(log.lines()))
        expect(log, done)
        fill(log, done, 4)
        log.commit()
        log.close()
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == whole, f"cut at {end}"


def test_a_file_that_is_missing(tmp_path):
    for name in (LINES, column_file(0)):
        log = Log(tmp_path, COLUMNS)
        fill(log, log.count + log.failed, 7)
        log.commit()
        log.close()
        (tmp_path / name).unlink()
        expect(Log(tmp_path, COLUMNS), 0)


def test_noise_behind_the_last_line(tmp_path):
    log = Log(tmp_path, COLUMNS)
    fill(log, 0, 4)
    log.commit()
    log.close()
    for noise in (b"\0\0\0\0", b"[1, 2]\n", b'{"path": "x"', b"\xff\xfe\n", b'{"unknown": 1}\n', b"\n"):
        with open(tmp_path / LINES, "ab") as file:
            file.write(noise)
        log = Log(tmp_path, COLUMNS)
        expect(log, 4)
        log.close()


def test_interrupted_between_rows_and_lines(tmp_path, monkeypatch):
    """Ctrl-C anywhere in a commit: the next commit writes the same at the same places."""
    import zoo.vectors.journal.log as module

    real = module._write_at
    for moment in range(4):
        folder = tmp_path / str(moment)
        folder.mkdir()
        log = Log(folder, COLUMNS)
        fill(log, 0, 4)
        log.commit()
        fill(log, 4, 8)
        calls = iter(range(100))

        def write(file, offset, data, moment=moment, calls=calls):
            if next(calls) == moment:
                real(file, offset, data[: len(data) // 2])
                raise KeyboardInterrupt
            real(file, offset, data)

        monkeypatch.setattr(module, "_write_at", write)
        with contextlib.suppress(KeyboardInterrupt):
            log.commit()
        monkeypatch.setattr(module, "_write_at", real)
        log.commit()
        expect(log, 8)


def test_interrupted_between_a_row_and_its_line(tmp_path):
    log = Log(tmp_path, COLUMNS)
    fill(log, 0, 4)
    # As if Ctrl-C had come here.
    log._state.rows[0].extend(row(4)[0].tobytes())
    log.commit()
    expect(log, 4)


def test_rows_without_columns_are_none(tmp_path):
    log = Log(tmp_path)
    log.add(Line("a", error="x"))
    log.commit()
    log.close()
    with open(tmp_path / LINES, "ab") as file:
        file.write(Line("b", 1, 2).encode())
    log = Log(tmp_path)
    assert [line.path for line in log.lines()] == ["a"]
    log.declare(COLUMNS)
    log.add(Line("b", 1, 2), row(1))
    log.commit()
    assert (log.count, log.failed) == (1, 1)


@settings(deadline=None)
@given(
    st.builds(Line, st.text(), st.integers(), st.integers(), row=st.none() | st.integers(0, 9))
    | st.builds(Line, st.text(), error=st.text(), row=st.none() | st.integers(0, 9))
)
def test_any_line_comes_back(line):
    data = line.encode()
    assert data.count(b"\n") == 1
    assert Line.decode(data) == line
    for end in range(len(data)):
        assert Line.decode(data[:end]) is None
