"""What is said of an explanation: rows, lines and arrays."""

from __future__ import annotations

import json

import numpy as np

from tests.visualize.explain.test_sheet import explanation, record
from zoo.cli.visualize import rows
from zoo.core.output import to_json


def test_a_row_has_all_keys(tmp_path):
    found = explanation()
    row = json.loads(to_json(rows.row(record(found), found, tmp_path / "a.png")))
    assert row == {
        "path": "folder/photo.jpg",
        "status": "ok",
        "model": "little",
        "method": "gradcam",
        "layer": "last",
        "index": 1,
        "label": "class_1",
        "score": 0.7,
        "deletion": 0.1,
        "insertion": 0.6,
        "blank": None,
        "output": str(tmp_path / "a.png"),
    }
    assert set(row) | {"error"} == set(rows.COLUMNS)


def test_what_was_not_measured_or_written_is_null():
    found = explanation(scores=None, blank="why")
    row = rows.row(record(found), found, None)
    assert row["deletion"] is row["insertion"] is row["output"] is None
    assert row["blank"] == "why"


def test_a_path_stands_once_on_a_terminal():
    table = rows.Table()
    found = [explanation(), explanation("saliency", scores=None, blank="why")]
    text = "".join(table(rows.row(record(*found), one, None)) for one in found)
    assert text.count("folder/photo.jpg") == 1
    assert "70.0%  class_1" in text and "deletion 0.100  insertion 0.600" in text and "blank: why" in text
    assert table({"path": "x.jpg", "status": "unreadable", "error": "no such file"}) == "x.jpg\n  no such file\n"


def test_arrays_hold_every_map(tmp_path):
    found = [explanation(index=0), explanation("saliency", 0, scores=None), explanation(index=1)]
    rows.write_arrays(record(*found), tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        assert file["map"].shape == (3, 64, 64) and file["map"].dtype == np.float32
        assert (file["map"][1] == found[1].map).all()
        assert list(file["method"]) == ["gradcam", "saliency", "gradcam"] and list(file["index"]) == [0, 0, 1]
        assert list(file["layer"]) == ["last", "", "last"]
        assert file["values_gradcam"].shape == (2, 64, 64) and file["values_saliency"].shape == (1, 64, 64)
        np.testing.assert_allclose(file["deletion"], [0.1, np.nan, 0.1], rtol=1e-6)
        assert file["picture"].dtype == np.uint8
