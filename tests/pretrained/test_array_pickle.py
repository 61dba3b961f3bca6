"""Pickles in ``.npy`` files: arrays come out of those of every NumPy and Python, and code out of none."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from zoo.core.errors import WeightsError
from zoo.pretrained import array_pickle

NUMBERS = arrays_of.arrays(
    arrays_of.integer_dtypes() | arrays_of.unsigned_integer_dtypes() | arrays_of.floating_dtypes(sizes=(16, 32, 64)),
    arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
TREES = st.recursive(
    NUMBERS | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3),
)


def write(path: Path, pickled: bytes) -> Path:
    """A ``.npy`` file of one object with any pickle inside."""
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        file.write(pickled)
    return path


def pickled(content: Any, protocol: int) -> bytes:
    """As ``numpy.save`` does it, which wraps the object into an array; in old versions with protocol 2."""
    outer = np.empty((), object)
    outer[()] = content
    return pickle.dumps(outer, protocol=protocol)


def same(read: Any, written: Any) -> bool:
    if isinstance(written, np.ndarray):
        array = array_pickle.value(read)
        return array is not None and array.dtype == written.dtype and array.tobytes() == written.tobytes()
    if isinstance(written, dict):
        return list(read) == list(written) and all(same(read[key], written[key]) for key in written)
    if isinstance(written, list | tuple):
        return type(read) is type(written) and all(map(same, read, written)) and len(read) == len(written)
    return bool(read == written) and array_pickle.value(read) is None


@pytest.mark.parametrize("protocol", [2, 3, 4])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.dictionaries(st.text(), TREES, max_size=3))
def test_what_numpy_writes_is_read(tmp_path: Path, protocol: int, content: Any) -> None:
    assert same(array_pickle.read(write(tmp_path / "a.npy", pickled(content, protocol))), content)


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_saves(tmp_path: Path, order: Any) -> None:
    kernel = np.asarray(np.random.default_rng(0).normal(size=(3, 4, 5)), order=order)
    np.save(tmp_path / "a.npy", {"conv1": [kernel, kernel[0]]}, allow_pickle=True)  # type: ignore[arg-type]
    read = array_pickle.read(tmp_path / "a.npy")
    np.testing.assert_array_equal(array_pickle.value(read["conv1"][0]), kernel)
    np.testing.assert_array_equal(array_pickle.value(read["conv1"][1]), kernel[0])


def python2_array(kind: bytes, state: bytes) -> bytes:
    """The program by which Python 2 makes an array, in which text and bytes are the same thing."""
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    dtype = b"cnumpy\ndtype\nU" + bytes([len(kind)]) + kind + b"K\x00K\x01\x87R"
    order = b"(K\x03U\x01" + (b"|" if kind[:1] == b"O" else b"<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape, data = state.split(b"//", 1)
    return made + b"(K\x01" + shape + dtype + order + b"\x89" + data + b"tb"


def test_what_python_2_wrote(tmp_path: Path) -> None:
    """As the AlexNet that is passed on was written: bytes above 127 in what Python 3 would take for text."""
    numbers = np.array([-1.5, 3e30, 1e-20], "<f4")
    raw = numbers.tobytes()
    assert max(raw) > 127
    array = python2_array(b"f4", b"K\x03\x85//U" + bytes([len(raw)]) + raw)
    content = b"}U\x05conv1](" + array + array + b"es"
    outer = b"\x80\x02" + python2_array(b"O8", b")//](" + content + b"e") + b"."
    read = array_pickle.read(write(tmp_path / "a.npy", outer))
    assert list(read) == ["conv1"]
    for item in read["conv1"]:
        np.testing.assert_array_equal(array_pickle.value(item), numbers)


class Calls:
    """Pickles as a call of any function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_code_is_refused_and_not_run(tmp_path: Path, protocol: int) -> None:
    target = tmp_path / "made"
    attacks = [
        (Calls(os.system, f"touch {target}"), "posix.system"),
        (Calls(eval, f"open({str(target)!r}, 'w')"), "eval"),
        (Calls(open, str(target), "w"), "open"),
        (Calls(getattr, "a", "join"), "getattr"),
        (Calls(np.save, str(target), [1]), "numpy.save"),
        (Calls(np.frombuffer, b"1234", "f4"), "numpy.frombuffer"),
        (Path("a"), "pathlib"),
    ]
    for attack, name in attacks:
        for content in (attack, {"conv1": [np.zeros(3), attack]}):
            file = write(tmp_path / "a.npy", pickled(content, protocol))
            with pytest.raises(WeightsError, match=rf"a\.npy asks for \S*{name}\S* .*could run code") as caught:
                array_pickle.read(file)
            assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("made*"))


#: Programs that ask for nothing but arrays, and misuse what they get.
MISUSES = {
    "an attribute of an array": b"\x80\x04\x8c\x05numpy\x94\x8c\x0endarray.tofile\x94\x93\x94.",
    "a state for a function": b"\x80\x02cnumpy\ndtype\nN}U\x05_callK\x01s\x86b.",
    "a state for the kind of array": b"\x80\x02cnumpy\nndarray\n}U\x01aK\x01sb.",
    "a call of the kind of array": b"\x80\x02cnumpy\nndarray\nK\x03\x85R.",
    "a persistent object": b"\x80\x02Pid\n.",
    "an extension": b"\x80\x02\x82\x01.",
    "a type of records": b"\x80\x02cnumpy\ndtype\nU\x03V16K\x00K\x01\x87R.",
    "a type by name": b"\x80\x02cnumpy\ndtype\nU\x06objectK\x00K\x01\x87R.",
    "an array without a state that fits": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nNNN\x87R}b.",
    "a codec": b"\x80\x02c_codecs\nencode\nK\x01U\x04zlib\x86R.",
    "bytes that are not there": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 50) + b"12.",
    "nothing": b"",
    "no end": b"\x80\x02}",
}


@pytest.mark.parametrize("program", MISUSES.values(), ids=MISUSES)
def test_misuse_is_a_sentence(tmp_path: Path, program: bytes) -> None:
    with pytest.raises(WeightsError, match=r"a\.npy (asks for|is a damaged \.npy file)") as caught:
        array_pickle.read(write(tmp_path / "a.npy", program))
    assert "\n" not in str(caught.value)
    # What stands for NumPy's parts is what it was.
    np.save(tmp_path / "b.npy", {"a": np.arange(3)}, allow_pickle=True)  # type: ignore[arg-type]
    np.testing.assert_array_equal(array_pickle.value(array_pickle.read(tmp_path / "b.npy")["a"]), [0, 1, 2])


def test_a_shape_without_its_data(tmp_path: Path) -> None:
    """Nothing of the size that is claimed is made."""
    for shape in (b"J\xff\xff\xff\x7f\x85", b"J\xff\xff\xff\xff\x85", b"U\x01a\x85", b"K\x01"):
        with pytest.raises(WeightsError, match="damaged"):
            array_pickle.read(
                write(tmp_path / "a.npy", b"\x80\x02" + python2_array(b"f4", shape + b"//U\x041234") + b".")
            )


def test_a_single_array_is_not_a_dictionary(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(WeightsError, match=r"a\.npy has a single array of float64; weights are a dictionary"):
        array_pickle.read(tmp_path / "a.npy")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damage_is_a_sentence(tmp_path: Path, data: st.DataObject) -> None:
    content = {"conv1": [np.arange(6, dtype="f4").reshape(2, 3), np.zeros(3)], "fc8": {"weights": np.ones((2, 2))}}
    path = write(tmp_path / "a.npy", pickled(content, data.draw(st.sampled_from([2, 4]))))
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]) if data.draw(st.booleans()) else damaged)
    try:
        array_pickle.read(path)
    except WeightsError as error:
        assert "\n" not in str(error)
