"""Arrays by name: every way in which they are passed on gives the same names and numbers."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.core.errors import WeightsError
from zoo.pretrained import arrays

KERNEL, BIAS = np.random.default_rng(0).normal(size=(1, 1, 4, 2)).astype("float32"), np.arange(2.0)
#: Typed so, because NumPy declares its own options before the arrays by name.
NAMED: dict[str, Any] = {"fire2/squeeze1x1/kernel": KERNEL, "fire2/squeeze1x1/bias": BIAS}
EXPECTED = {"fire2_squeeze1x1/kernel": KERNEL, "fire2_squeeze1x1/bias": BIAS}


def save(path: Path, content: Any) -> Path:
    np.save(path, content, allow_pickle=True)
    return path


WRITERS: dict[str, Any] = {
    "archive": lambda path: np.savez(path, **NAMED),
    "compressed archive": lambda path: np.savez_compressed(path, **NAMED),
    "lists": lambda path: save(path, {"fire2/squeeze1x1": [KERNEL, BIAS], "pool1": []}),
    "tuples": lambda path: save(path, {b"fire2/squeeze1x1": (KERNEL, BIAS)}),
    "dictionaries": lambda path: save(path, {"fire2_squeeze1x1": {"weights": KERNEL, "biases": BIAS}}),
    "names": lambda path: save(path, {"fire2/squeeze1x1/W": KERNEL, "fire2/squeeze1x1/b": BIAS}),
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_every_way_of_writing(tmp_path: Path, writer: Any) -> None:
    with (tmp_path / "weights").open("wb") as file:
        writer(file)
    path = tmp_path / "weights"
    assert arrays.recognise(path)
    assert arrays.shapes(path) == {name: array.shape for name, array in EXPECTED.items()}
    loaded = arrays.load(path)
    assert list(loaded) == list(EXPECTED)
    for name, array in EXPECTED.items():
        np.testing.assert_array_equal(loaded[name], array)


def test_only_headers_are_read_for_shapes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "a.npz", **{"conv1/kernel": KERNEL})  # type: ignore[arg-type]
    monkeypatch.setattr(np.lib.format, "read_array", None)
    assert arrays.shapes(tmp_path / "a.npz") == {"conv1/kernel": (1, 1, 4, 2)}


def test_normalisation_in_caffe_s_names(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npy", {"bn": {"mean": BIAS, "variance": BIAS, "scale": BIAS, "offset": BIAS}})
    assert list(arrays.shapes(path)) == ["bn/moving_mean", "bn/moving_variance", "bn/gamma", "bn/beta"]


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(f"{name}/kernel.npy", content)
    return path


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_what_is_no_array_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a"
    whole = npy(np.zeros((100, 3)))
    cases = [
        (save(path.with_suffix(".npy"), np.array("text", object)), "has a str where weights are a dictionary"),
        (save(path.with_name("b.npy"), {"conv1": "text"}), "an array called 'conv1', which names no layer"),
        (save(path.with_name("c.npy"), {"conv1/kernel": "text"}), "has a str for conv1/kernel"),
        (save(path.with_name("d.npy"), {"a/b": [KERNEL], "a_b": [BIAS]}), "two arrays for a_b/kernel"),
        (archive(path.with_name("e.npz"), conv1=whole[:-8]), "not the size that its header says"),
        (archive(path.with_name("f.npz"), conv1=npy(np.array(["text"]))), "an array of <U4, not of numbers"),
        (archive(path.with_name("g.npz"), conv1=npy(np.zeros(2, "i4,f4"))), "not of numbers"),
        (archive(path.with_name("h.npz"), conv1=b"no array"), "damaged"),
        (archive(path.with_name("i.npz"), conv1=b"\x93NUMPY\x03\x00" + whole[8:]), "version"),
    ]
    for file, message in cases:
        for read in (arrays.shapes, arrays.load):
            with pytest.raises(WeightsError, match=message) as caught:
                read(file)
            assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_a_header_that_promises_too_much_asks_for_no_memory(tmp_path: Path) -> None:
    header = io.BytesIO()
    promise: Any = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 3)}
    np.lib.format.write_array_header_1_0(header, promise)
    path = archive(tmp_path / "a.npz", conv1=header.getvalue() + b"12345678")
    with pytest.raises(WeightsError, match="not the size that its header says"):
        arrays.load(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no archive", b"\x89HDF\r\n\x1a\n", b"text"])
def test_other_files_are_not_recognised(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert not arrays.recognise(tmp_path / "a")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_damaged_archives_are_a_sentence(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.npz"
    save_archive = np.savez_compressed if data.draw(st.booleans()) else np.savez
    save_archive(path, **{"conv1/kernel": KERNEL, "conv1/bias": BIAS})  # type: ignore[arg-type]
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(damaged))
    for read in (arrays.shapes, arrays.load):
        try:
            read(path)
        except WeightsError as error:
            assert "\n" not in str(error)
