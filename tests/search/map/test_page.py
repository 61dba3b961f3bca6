"""The page of a map: whole, safe whatever a file is called, and true to what it shows."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from tests.reports.html.reader import Page
from tests.search.map.made import blobs, images, write_vectors
from zoo.core.errors import UnavailableError
from zoo.search.map import labels, make_map, write_page

HOSTILE = (
    "<script>alert(1)<!--.png",
    "'); alert(1); ('.png",
    "\"'&amp;&lt;.png",
    "line\nbreak.png",
    "grüße 照片 🎈.png",
    "\u202egnp.png",
    "space # ? %41.png",
    os.fsdecode(b"not utf-8 \xff.png"),
)


@pytest.fixture
def found(tmp_path):
    """A map of images that lie beside it."""
    vectors, which = blobs((12, 9, 4))
    paths = images(tmp_path / "p", which)
    return make_map(write_vectors(tmp_path / "f.h5", vectors, paths, model="resnet50", layer="avg_pool"), method="pca")


def written(found, folder):
    write_page(found, folder / "map.html")
    return Page((folder / "map.html").read_text())


def data_of(page):
    (text,) = [text for kind, text in page.texts if kind == "script" and text.startswith('{"points"')]
    return json.loads(text)


def unpacked(text, kind="<u2"):
    return np.frombuffer(base64.b64decode(text), kind)


def names_of(data):
    folders = unpacked(data["folder"], "<u4")
    return [data["folders"][at] + data["separator"] + name for at, name in zip(folders, data["files"], strict=True)]


def test_every_image_is_on_it_where_it_belongs(found, tmp_path):
    data = data_of(written(found, tmp_path))
    names = names_of(data)
    assert sorted(names) == sorted(found.paths)
    extent = data["extent"]
    places = (unpacked(data["points"]).reshape(-1, 2) / 65535 - 0.5) * (extent["size"], -extent["size"])
    order = [found.paths.index(name) for name in names]
    places += np.array([extent["x"], extent["y"]])
    assert places == pytest.approx(found.places[order], abs=extent["size"] / 30_000)
    assert [data["names"][label] for label in unpacked(data["labels"])] == [found.labels.of(index) for index in order]


def test_every_thumbnail_is_that_of_its_image(found, tmp_path):
    page = written(found, tmp_path)
    data = data_of(page)
    (sheet,) = [text for kind, text in page.texts if kind == "script" and text.startswith("/9j/")]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet))))
    for index, name in enumerate(names_of(data)):
        row, column = divmod(index, data["columns"])
        y, x = (data["side"] * at + data["side"] // 2 for at in (row, column))
        expected = Image.open(name).getpixel((5, 5))
        assert np.abs(pixels[y, x].astype(int) - expected).max() < 12


def test_nothing_but_its_own_script_runs_and_nothing_is_fetched(found, tmp_path):
    page = written(found, tmp_path)
    (policy,) = [found["content"] for found in page.all("meta") if "http-equiv" in found]
    assert policy.startswith("default-src 'none'; img-src data: 'self' file:; ")
    running = [text for kind, text in page.texts if kind == "script" and "addEventListener" in text]
    assert len(running) == 1
    digest = base64.b64encode(hashlib.sha256(running[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    for _, attributes in page.elements:
        assert "src" not in attributes
        assert "style" not in attributes
    assert not page.all("link")


def test_every_name_that_the_script_looks_for_is_there(found, tmp_path):
    page = written(found, tmp_path)
    (script,) = [text for kind, text in page.texts if kind == "script" and "addEventListener" in text]
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert set(re.findall(r'byId\("([\w-]+)"\)', script)) <= ids
    assert {"thumbnails", "names", "selecting"} <= ids


def test_names_that_would_break_a_page_are_text(tmp_path):
    names = [str(tmp_path / name) for name in HOSTILE]
    for name in names:
        with open(name, "wb") as file:
            Image.new("RGB", (8, 8)).save(file, "PNG")
    file = write_vectors(tmp_path / "f.h5", np.eye(8, dtype=np.float32), names)
    label = "</script><script>alert(1)</script>\"'"
    made = replace(make_map(file, method="pca"), labels=labels.most_frequent([label] * 8, "label", ""))
    page = written(made, tmp_path)
    (tmp_path / "map.html").read_bytes().decode("utf-8")
    assert len(page.all("script")) == 3
    data = data_of(page)
    assert data["names"] == [label]
    assert not data["missing"]
    shown = set(data["files"])
    assert set(HOSTILE[:3]) <= shown
    assert {"line\\nbreak.png", "\\u202egnp.png", "not utf-8 \\xff.png", HOSTILE[4]} <= shown
    # What a browser asks for is the file's name, byte for byte.
    assert data["links"] == ["./"]
    odd = {unquote(link, errors="surrogateescape") for link in data["odd"].values()}
    assert odd == {HOSTILE[3], HOSTILE[5], HOSTILE[7]}


@pytest.mark.parametrize(
    ("folder", "link"),
    [
        ("p/class0", "./p/class0/"),
        ("p/a b#?", "./p/a%20b%23%3F/"),
        (".", "./"),
        ("../elsewhere", None),
        ("/elsewhere", None),
        ("https://example.org/a b", "https://example.org/a b/"),
    ],
)
def test_images_below_the_page_have_links(tmp_path, monkeypatch, folder, link):
    monkeypatch.chdir(tmp_path)
    file = write_vectors(tmp_path / "f.h5", np.eye(3, dtype=np.float32), [f"{folder}/{n}.png" for n in range(3)])
    data = data_of(written(make_map(file, method="pca"), tmp_path))
    assert data["links"] == [link]


def test_what_is_gone_is_counted(found, tmp_path):
    os.unlink(found.paths[4])
    result = write_page(found, tmp_path / "map.html")
    assert [path for path, _ in result.missing] == [found.paths[4]]
    assert result.bytes == (tmp_path / "map.html").stat().st_size
    page = Page((tmp_path / "map.html").read_text())
    assert "1 grey, because their files cannot be read any more; the first: no such file." in page.text
    data = data_of(page)
    assert [names_of(data)[index] for index in data["missing"]] == [found.paths[4]]


def test_it_says_what_it_leaves_out_and_how_it_was_made(tmp_path):
    vectors, _ = blobs((12, 9, 4))
    vectors[2] = np.nan
    file = write_vectors(
        tmp_path / "f.h5", vectors, [f"{n}.png" for n in range(25)], model="resnet50", layer="avg_pool"
    )
    text = written(make_map(file, method="pca"), tmp_path).text
    assert "24 images · resnet50 · avg_pool · principal components" in text
    assert "1 left out, because their vectors are not made of finite numbers." in text
    assert "methodprincipal components (as requested)" in text
    text = written(make_map(file, method="pca", limit=10), tmp_path).text
    assert "10 of 25 vectors, drawn at random" in text


@pytest.mark.parametrize("count", [1, 2, 40])
def test_equal_vectors_are_a_page_too(tmp_path, count):
    file = write_vectors(tmp_path / "f.h5", np.ones((count, 3), np.float32), [f"{n}.png" for n in range(count)])
    page = written(make_map(file), tmp_path)
    data = data_of(page)
    assert set(unpacked(data["points"]).tolist()) == {32768}
    assert ("All vectors are equal" in page.text) == (count > 1)


def test_a_folder_that_is_not_there_leaves_nothing(found, tmp_path):
    with pytest.raises(UnavailableError, match=r"map\.html cannot be written"):
        write_page(found, tmp_path / "nowhere" / "map.html")


def test_an_earlier_page_stays_until_the_new_one_is_whole(found, tmp_path, monkeypatch):
    (tmp_path / "map.html").write_text("earlier")
    monkeypatch.setattr("zoo.search.map.thumbnails.sheets", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_page(found, tmp_path / "map.html")
    assert (tmp_path / "map.html").read_text() == "earlier"
    assert not list(tmp_path.glob(".map*"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser")
def test_it_works_in_a_browser(found, tmp_path):
    write_page(found, tmp_path / "map.html")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile", "--dump-dom"]
    dump = subprocess.run(
        ["chromium", *options, "--virtual-time-budget=3000", f"file://{tmp_path}/map.html"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    # The script has filled the list of labels and sized the canvas, so that it came to its end.
    for name, count in (("class0", 12), ("class1", 9), ("class2", 4)):
        assert f'<span class="name">{name}</span><span class="num">{count}</span>' in dump.stdout
    assert "Content Security Policy" not in dump.stderr
    assert "Uncaught" not in dump.stderr
