"""``zoo visualize report`` as a person runs it."""

from __future__ import annotations

import pytest


def test_a_page_on_a_folder_with_rows_for_scripts(visualize, little, photos, tmp_path):
    (photos / "broken.jpg").write_bytes(b"nothing")
    page = tmp_path / "page.html"
    done = visualize(
        "report", photos, "-m", little, "--top", "2", "--method", "gradcam", "--method", "saliency", "-o", page
    )
    assert done.status == 1 and "1 of 3 could not be read" in done.stderr
    assert [row["status"] for row in done.rows] == ["ok"] * 8 + ["unreadable"]
    assert {row["method"] for row in done.rows[:-1]} == {"gradcam", "saliency"}
    assert all(row["output"] == str(page) for row in done.rows[:-1])
    text = page.read_text(encoding="utf-8")
    assert "What little sees" in text and "2 images" in text and "Unreadable files" in text
    assert text.count('type="radio"') == 8


def test_the_class_that_is_asked_for_and_no_scores(visualize, little, photos, tmp_path):
    page = tmp_path / "page.html"
    done = visualize(
        "report", photos / "0.png", "-m", little, "--class", "2", "--method", "gradcam", "--no-scores", "-o", page
    )
    assert done.status == 0, done.stderr
    (row,) = done.rows
    assert row["index"] == 2 and row["deletion"] is None


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--class", "1", "--top", "2", "-o", "{out}/a.html"], 2, "give one of them"),
        (["-o", "{out}/a.png"], 2, "name a .html file"),
        (["-o", "{out}/no/a.html"], 4, "no folder that may be written to"),
        (["--method", "gradcan", "-o", "{out}/a.html"], 2, "Did you mean 'gradcam"),
        (["--index", "{out}/none.h5", "-o", "{out}/a.html"], 2, "none.h5"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(visualize, little, photos, tmp_path, arguments, status, sentence):
    done = visualize("report", photos, "-m", little, *(argument.format(out=tmp_path) for argument in arguments))
    assert done.status == status, done.stderr
    assert sentence in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.slow
def test_nearest_images_of_an_index(visualize, little, photos, tmp_path):
    from zoo import write_features

    index = tmp_path / "f.h5"
    write_features([str(photos)], index, model=str(little))
    page = tmp_path / "page.html"
    done = visualize(
        *("report", photos / "0.png", "-m", little, "--index", index, "--top", "1", "--method", "gradcam"),
        *("--no-scores", "-o", page),
    )
    assert done.status == 0, done.stderr
    text = page.read_text(encoding="utf-8")
    assert "Most similar images" in text and "1.png" in text and "in f.h5 by little" in text
