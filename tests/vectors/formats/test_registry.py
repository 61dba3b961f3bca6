"""Every format: what was written is read, in any shape, with any names; and what cannot be is said in a sentence."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vectors import made
from zoo.core.errors import UnavailableError, UsageError
from zoo.vectors import open_vectors
from zoo.vectors.formats import registry
from zoo.vectors.formats.registry import FORMATS

SHAPES = {
    "vectors": ((5,),),
    "several columns": ((5,), (3,), (1,)),
    "one number": ((1,),),
    "maps": ((3, 4, 2), (5,)),
    "nothing known": ((0,),),
}


@pytest.fixture(params=FORMATS, scope="module")
def suffix(request):
    if request.param == ".parquet":
        pytest.importorskip("pyarrow")
    return request.param


def refused(made, path):
    """Whether the format takes no such columns."""
    try:
        registry.format_of(path).check_columns(made.columns, path)
    except UsageError as error:
        assert ".npy" in str(error)
        assert "--pool" in str(error)
        return True
    return False


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("shapes", SHAPES)
def test_what_is_written_is_read(suffix, shapes, dtype, tmp_path):
    for count in (0, 1, 40) if shapes != "nothing known" else (0, 2):
        content = made.content(count, shapes=SHAPES[shapes], dtype=dtype)
        path = tmp_path / f"{count}{suffix}"
        if refused(content, path):
            assert shapes == "maps"
            assert suffix in (".csv", ".projector")
            return
        files = made.write(content, path)
        assert files[-1] == path
        made.check(content, path)
        assert sorted(registry.format_of(path).files(path)) == sorted(files)
        assert sorted(tmp_path.glob(f"{count}*")) == sorted(files)


def test_only_two_formats_refuse_maps(tmp_path):
    maps = made.content(2, shapes=SHAPES["maps"])
    assert [suffix for suffix in FORMATS if refused(maps, tmp_path / f"f{suffix}")] == [".csv", ".projector"]


def test_the_same_content_gives_the_same_bytes(suffix, tmp_path):
    results = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        made.write(made.content(30, shapes=((5,), (3,))), tmp_path / folder / f"f{suffix}")
        results.append(made.everything(tmp_path / folder))
    assert results[0] == results[1]


names = st.lists(
    st.one_of(
        st.binary(min_size=1).filter(lambda name: b"\0" not in name).map(os.fsdecode),
        st.text('a\n\r\t",\\ \u2028é\udc80', min_size=1),
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=25)
@given(names=names, error=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_names(suffix, tmp_path_factory, names, error):
    content = made.content(len(names), names=names, failed=[(names[0], error)])
    path = tmp_path_factory.mktemp("names") / f"f{suffix}"
    made.write(content, path)
    with open_vectors(path) as vectors:
        assert list(vectors.paths) == names
        assert list(vectors.failed()) == list(content.failed)


numbers = st.lists(
    st.floats(width=32) | st.sampled_from([0.1, -0.0, 1e-45, 3.4e38, np.inf, -np.inf, np.nan]), min_size=1
)


@settings(deadline=None, max_examples=25)
@given(numbers=numbers, dtype=st.sampled_from(["float32", "float16", "float64"]))
def test_any_numbers(suffix, tmp_path_factory, numbers, dtype):
    with np.errstate(over="ignore"):
        array = np.array([numbers], np.float32).astype(dtype)
    content = made.content(1, shapes=((len(numbers),),), dtype=dtype)
    content.arrays[0][:] = array
    path = tmp_path_factory.mktemp("numbers") / f"f{suffix}"
    made.write(content, path)
    with open_vectors(path) as vectors:
        read = vectors.read(0, 1)
        np.testing.assert_array_equal(read, array)
        known = ~np.isnan(array)
        np.testing.assert_array_equal(np.signbit(read[known]), np.signbit(array[known]))


def test_one_of_several_layers(suffix, tmp_path):
    content = made.content(6, shapes=((5,), (3,), (2,)))
    path = tmp_path / f"f{suffix}"
    made.write(content, path)
    for layer, column in (("top", 0), ("b/x0", 1), ("b_x0", 1), ("b/x1", 2), (None, 0)):
        with open_vectors(path, layer=layer) as vectors:
            np.testing.assert_array_equal(vectors.read(0, 6), content.arrays[column])
            assert vectors.about["layer"] == content.columns[column].attributes["layer"]
            assert vectors.column == content.columns[column]
    with pytest.raises(UsageError, match=r"no vectors of layer 'b/x'. Did you mean 'b/x[01]'\?"):
        open_vectors(path, layer="b/x")
    with pytest.raises(UsageError, match=r"no vectors of layer 'zzz'. It has top, b/x0, b/x1\."):
        open_vectors(path, layer="zzz")


def test_a_row_that_is_not_there(suffix, tmp_path):
    made.write(made.content(3), tmp_path / f"f{suffix}")
    with open_vectors(tmp_path / f"f{suffix}") as vectors:
        for rows in ((0, 4), (-1, 2), (2, 1)):
            with pytest.raises(UsageError, match="rows 0 to 2"):
                vectors.read(*rows)
        for rows in ([3], [-1], [0, 1, 7]):
            with pytest.raises(UsageError, match="rows 0 to 2"):
                vectors.take(rows)
        assert vectors.take([]).shape == (0, 5)


@pytest.mark.parametrize("what", ["empty", "text", "cut in half", "last byte missing", "noise in the middle"])
def test_damaged_files_are_refused_in_a_sentence(suffix, what, tmp_path):
    if suffix == ".projector":
        pytest.skip("a folder; its tests are elsewhere")
    path = tmp_path / f"f{suffix}"
    made.write(made.content(40), path)
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(
        {
            "empty": b"",
            "text": b"hello, this is some text\nand more\n",
            "cut in half": data[:half],
            "last byte missing": data[:-1],
            "noise in the middle": data[: half - 300] + os.urandom(600) + data[half + 300 :],
        }[what]
    )
    try:
        with open_vectors(path) as vectors:
            values = [vectors.read(0, vectors.count), list(vectors.paths), list(vectors.failed()), vectors.norms]
    except (UsageError, UnavailableError) as error:
        text = str(error)
        assert str(path.parent) in text
        assert text.endswith(".")
        assert "\n" not in text
        return
    # A number that has become another one cannot be known; the last line break of a table may be missing.
    assert what == "noise in the middle" or (suffix, what) == (".csv", "last byte missing"), values


@pytest.mark.parametrize("name", ["f.txt", "f", "f.h5.gz", ".h5"])
def test_an_ending_that_says_nothing(name, tmp_path):
    with pytest.raises(UsageError, match=r"\.h5, \.npy, \.npz, \.csv, \.parquet or \.projector\. Received"):
        registry.format_of(tmp_path / name)
    (tmp_path / name).write_text("")
    with pytest.raises(UsageError, match="not a file of vectors"):
        open_vectors(tmp_path / name)


def test_endings_in_capitals(tmp_path):
    made.write(made.content(3), tmp_path / "F.NPY")
    made.check(made.content(3), tmp_path / "F.NPY")


def test_what_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"no\.h5 cannot be opened: no such file\."):
        open_vectors(tmp_path / "no.h5")
    with pytest.raises(UsageError, match="holds no vectors"):
        open_vectors(tmp_path)
    (tmp_path / "f.h5.part").mkdir()
    with pytest.raises(UsageError, match="is not finished; 'zoo features' with --resume completes it"):
        open_vectors(tmp_path / "f.h5")
    with pytest.raises(UsageError, match=r"f\.h5 is not finished"):
        open_vectors(tmp_path / "f.h5.part")


def test_a_package_that_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UnavailableError, match=r"needs the package pyarrow; pip install 'keras-zoo\[parquet\]'"):
        registry.format_of(tmp_path / "f.parquet").load()


def test_formats_are_loaded_when_they_are_needed():
    heavy = ["h5py", "pyarrow", "PIL", "matplotlib", "keras"]
    code = f"import sys, zoo.vectors; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
