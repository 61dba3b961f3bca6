"""Thumbnails on sheets: where each lies, how large they may be, and images that are not there."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from zoo.search.map import thumbnails
from zoo.search.map.thumbnails import Layout


def written(folder, count, size=(64, 64)):
    """Images of one grey each, lighter from one to the next."""
    paths = []
    for number in range(count):
        paths.append(str(folder / f"{number}.png"))
        Image.new("RGB", size, (number * 9 % 256,) * 3).save(paths[-1])
    return paths


def tiles(sheets, form):
    """The middle of each thumbnail's place."""
    found = []
    for sheet in sheets:
        page = np.asarray(Image.open(io.BytesIO(sheet.jpeg)))
        assert page.shape[1] == form.side * form.columns
        rows = page.reshape(-1, form.side, form.columns, form.side, 3)[:, form.side // 2, :, form.side // 2, 0]
        found += rows.reshape(-1).tolist()
    return found


def test_each_image_is_where_it_is_looked_for(tmp_path):
    form = Layout(16, 3)
    paths = written(tmp_path, 22)
    sheets = list(thumbnails.sheets(paths, form))
    assert len(sheets) == 3
    shown = tiles(sheets, form)
    assert [round(value / 9) for value in shown[:22]] == list(range(22))
    assert set(shown[22:]) <= {thumbnails.GREY, *range(thumbnails.GREY - 3, thumbnails.GREY + 4)}


def test_what_is_gone_is_grey_and_named(tmp_path):
    paths = written(tmp_path, 5)
    (tmp_path / "1.png").unlink()
    (tmp_path / "3.png").write_text("no image")
    (sheet,) = thumbnails.sheets([*paths, "https://example.org/x.jpg"], Layout(16, 3))
    assert [index for index, _ in sheet.missing] == [1, 3, 5]
    assert "no such file" in sheet.missing[0][1]
    assert "URL" in sheet.missing[2][1]
    assert tiles([sheet], Layout(16, 3))[1] == pytest.approx(thumbnails.GREY, abs=3)


def test_a_thumbnail_is_the_square_in_the_middle(tmp_path):
    image = np.zeros((60, 180, 3), np.uint8)
    image[:, 60:120] = 200
    Image.fromarray(image).save(tmp_path / "wide.png")
    (sheet,) = thumbnails.sheets([str(tmp_path / "wide.png")], Layout(32, 1))
    assert np.asarray(Image.open(io.BytesIO(sheet.jpeg))).mean() > 195


def test_more_images_have_smaller_thumbnails_within_the_budget(tmp_path, monkeypatch):
    path = written(tmp_path, 1, (400, 300))[0]
    sides = [thumbnails.layout([path] * count).side for count in (1, 3_000, 20_000, 50_000, 1_000_000)]
    assert sides == [160, 128, 48, 32, 16]
    monkeypatch.setattr(thumbnails, "BUDGET", 60_000)
    noise = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    paths = [str(tmp_path / "noise.png")] * 40
    total = sum(len(sheet.jpeg) for sheet in thumbnails.sheets(paths, Layout(32, 4)))
    assert total < 60_000


def test_tiny_images_have_no_larger_thumbnails(tmp_path):
    assert thumbnails.layout(written(tmp_path, 4, (32, 32))).side == 32
    assert thumbnails.layout(written(tmp_path, 4, (28, 28))).side == 32
    assert thumbnails.layout(written(tmp_path, 4, (90, 40))).side == 48
    assert thumbnails.layout([*written(tmp_path, 4, (32, 32)), "gone.png"]).side == 32
    assert thumbnails.layout(["gone.png"]).side == 160


def test_it_tells_how_far_it_is(tmp_path):
    told = []
    list(thumbnails.sheets(written(tmp_path, 5), Layout(16, 2), lambda done, total: told.append((done, total))))
    assert told == [(number, 5) for number in range(1, 6)]
