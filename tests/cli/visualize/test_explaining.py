"""``zoo visualize gradcam``, ``saliency`` and ``occlusion`` as a person runs them."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.cli.visualize.conftest import read

METHODS = 11


def test_a_row_and_a_image_for_each_input(visualize, little, photos, tmp_path):
    done = visualize("gradcam", photos, "-m", little, "-o", tmp_path / "seen")
    assert done.status == 0, done.stderr
    assert [os.path.basename(row["output"]) for row in done.rows] == ["0-gradcam.png", "1-gradcam.png"]
    for row in done.rows:
        assert (row["status"], row["method"], row["layer"]) == ("ok", "gradcam", "conv2")
        assert 0 <= row["deletion"] <= 1 and 0 <= row["insertion"] <= 1 and 0 < row["score"] <= 1
        assert read(row["output"]).shape[1] > 900


def test_the_layer_that_was_chosen_is_said_once(visualize, little, photos, tmp_path):
    chosen = visualize("gradcam", photos, "-m", little, "-o", tmp_path / "a", "--no-scores")
    assert chosen.stderr.count("looking at conv2 of little") == 1
    assert "(13×13, 12 channels)" in chosen.stderr or "12 channels" in chosen.stderr
    named = visualize("gradcam", photos, "-m", little, "-o", tmp_path / "b", "--no-scores", "--layer", "conv1")
    assert "looking at" not in named.stderr
    assert {row["layer"] for row in named.rows} == {"conv1"}


def test_what_cannot_be_read_has_its_reason_and_others_go_on(visualize, little, photos, tmp_path):
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no image")
    done = visualize("gradcam", photos, "gone.jpg", "-m", little, "-o", tmp_path / "seen", "--no-scores")
    assert done.status == 1
    assert [row["status"] for row in done.rows] == ["ok", "ok", "unreadable", "unreadable"]
    assert done.rows[2]["error"] and done.rows[3]["error"] == "no such file or folder"
    assert "2 of 4 could not be read" in done.stderr
    assert len(os.listdir(tmp_path / "seen")) == 2


@pytest.mark.slow
def test_all_methods_are_on_one_sheet(visualize, little, photos, tmp_path):
    done = visualize("gradcam", photos / "0.png", "-m", little, "--method", "all", "-o", tmp_path / "all.png")
    assert done.status == 0, done.stderr
    assert len({row["method"] for row in done.rows}) == len(done.rows) == METHODS
    assert {row["output"] for row in done.rows} == {str(tmp_path / "all.png")}
    assert read(tmp_path / "all.png").shape[0] > 3 * 288


@pytest.mark.parametrize(
    ("command", "method"),
    [
        ("gradcam", "grad-cam++"),
        ("gradcam", "EigenCAM"),
        ("saliency", "vanilla"),
        ("saliency", "integrated-gradients"),
        ("saliency", "guided_backpropagation"),
    ],
)
def test_methods_by_the_names_that_people_type(visualize, little, photos, tmp_path, command, method):
    arguments = (photos / "0.png", "-m", little, "--method", method, "-o", tmp_path, "--no-scores")
    done = visualize(command, *arguments)
    assert done.status == 0, done.stderr
    assert done.rows[0]["deletion"] is None
    assert (done.rows[0]["layer"] is None) == (command == "saliency")


def test_classes_by_name_index_or_rank(visualize, little, photos, tmp_path):
    named = visualize(
        *("gradcam", photos / "0.png", "-m", little, "--class", "2", "--class", "0", "--class", "2"),
        *("-o", tmp_path, "--no-scores"),
    )
    assert [row["index"] for row in named.rows] == [2, 0]
    assert os.path.basename(named.rows[0]["output"]) == "0-gradcam-2-0-2.png"
    ranked = visualize("gradcam", photos / "0.png", "-m", little, "--top", "3", "-o", tmp_path, "--no-scores")
    scores = [row["score"] for row in ranked.rows]
    assert scores == sorted(scores, reverse=True) and sum(scores) == pytest.approx(1, abs=1e-4)
    assert os.path.basename(ranked.rows[0]["output"]) == "0-gradcam-top3.png"


def test_occlusion_takes_a_patch_and_a_stride(visualize, little, photos, tmp_path):
    arguments = (photos / "0.png", "-m", little, "-o", tmp_path, "--no-scores")
    done = visualize("occlusion", *arguments, "--patch", "8", "--stride", "8")
    assert done.status == 0, done.stderr
    refused = visualize("occlusion", *arguments, "--patch", "99")
    assert refused.status == 2 and "from 1 to 32 pixels" in refused.stderr


def test_heat_maps_arrays_and_a_sheet(visualize, little, photos, tmp_path):
    done = visualize(
        *("saliency", photos, "-m", little, "--heatmap", "--arrays", "-o", tmp_path / "seen", "--no-scores"),
        *("--sheet", tmp_path / "sheet.png"),
    )
    assert done.status == 0, done.stderr
    assert sorted(os.listdir(tmp_path / "seen")) == [
        f"{number}-smoothgrad-heatmap.{kind}" for number in (0, 1) for kind in ("npz", "png")
    ]
    with np.load(tmp_path / "seen" / "0-smoothgrad-heatmap.npz") as arrays:
        assert arrays["map"].shape == (1, 32, 32) and arrays["values_smoothgrad"].shape == (1, 32, 32)
    assert read(tmp_path / "sheet.png").shape[0] > 2 * 216


def test_a_sheet_alone_is_enough(visualize, little, photos, tmp_path):
    done = visualize("gradcam", photos, "-m", little, "--sheet", tmp_path / "sheet.png", "--no-scores")
    assert done.status == 0, done.stderr
    assert [row["output"] for row in done.rows] == [None, None]


def test_a_small_image_is_enlarged_with_a_sentence(visualize, little, photos, tmp_path):
    Image.new("RGB", (20, 30), "red").save(photos / "0.png")
    done = visualize("gradcam", photos, "-m", little, "-o", tmp_path, "--no-scores")
    assert "0.png has 20×30 pixels and is enlarged to the 32×32 that the network takes" in done.stderr
    assert "1.png has" not in done.stderr


@pytest.mark.slow
def test_a_blank_map_says_why(visualize, photos, tmp_path):
    import keras
    from keras import layers

    against = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(2, 3, activation="relu", kernel_initializer="ones", name="conv"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(
                2, activation="softmax", kernel_initializer=keras.initializers.Constant([[-0.001, 0.001]] * 2)
            ),
        ]
    )
    against.save(tmp_path / "against.keras")
    arguments = (photos / "0.png", "-m", tmp_path / "against.keras", "-o", tmp_path / "a.png")
    done = visualize("gradcam", *arguments, "--class", "0")
    assert done.status == 0, done.stderr
    assert "negative everywhere for this class" in done.rows[0]["blank"]
    assert done.rows[0]["deletion"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{photo}", "-m", "{model}"], "nowhere to write to"),
        (["{photo}", "-m", "{model}", "--sheet", "{out}/s.png", "--arrays"], "--arrays writes beside the images"),
        (["{photo}", "-m", "{model}", "-o", "{out}", "--class", "1", "--top", "2"], "give one of them"),
        (["{photo}", "-m", "{model}", "-o", "{photo}"], "one of the images that are read"),
        (["{photos}", "-m", "{model}", "-o", "{out}/a.png"], "holds one image, and there are 2"),
        (["{photo}", "-m", "{model}", "-o", "{out}/a.jpg"], "name a .png file"),
        (["{photo}", "-m", "{model}", "-o", "{out}", "--class", "7"], "numbers from 0 to 2"),
        (["{photo}", "-m", "{model}", "-o", "{out}", "--layer", "conv3"], "Did you mean"),
        (["{photo}", "-m", "{model}", "-o", "{out}", "--layer", "head"], "no rows and columns"),
        (["{photo}", "-m", "{model}", "-o", "{out}", "--method", "gradcma"], "Did you mean"),
        (["{photo}", "-m", "{model}", "-o", "{out}", "--method", "smoothgrad"], "zoo visualize saliency"),
        (["{photo}", "-m", "{model}", "-o", "{out}", "--method", "occlusion"], "zoo visualize occlusion"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(visualize, little, photos, tmp_path, arguments, sentence):
    (tmp_path / "out").mkdir()
    places = {"photo": photos / "0.png", "photos": photos, "model": little, "out": tmp_path / "out"}
    before = (photos / "0.png").read_bytes()
    done = visualize("gradcam", *(argument.format(**places) for argument in arguments))
    assert done.status == 2
    assert sentence in done.stderr and done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert (photos / "0.png").read_bytes() == before
    assert not os.listdir(tmp_path / "out")


@pytest.mark.slow
def test_rows_in_other_forms(visualize, little, photos, tmp_path):
    arguments = ("gradcam", photos, "-m", little, "-o", tmp_path, "--no-scores", "--format")
    table = visualize(*arguments, "table").stdout
    assert table.count("0.png\n") == 1 and "gradcam" in table
    head, *lines = visualize(*arguments, "csv").stdout.splitlines()
    assert head.startswith("path,status,model,method,layer,index,label,score") and len(lines) == 2
    assert len(json.loads(visualize(*arguments, "json").stdout)) == 2


def test_help_is_there_at_once(zoo):
    for command in ("gradcam", "saliency", "occlusion", "filters", "activations"):
        done = zoo("visualize", command, "--help")
        assert done.returncode == 0 and b"zoo visualize" in done.stdout


@pytest.mark.slow
@pytest.mark.real
def test_a_person_looks_at_a_photo_with_two_things(zoo, real_data, tmp_path):
    brought = zoo("cache", "import", real_data / "weights/mobilenetv2_1.0_224.weights.h5", "--as", "mobilenetv2")
    assert brought.returncode == 0, brought.stderr
    shutil.copy(real_data / "imagenet200/n04254680.jpg", tmp_path / "photo.jpg")
    done = zoo(
        *("visualize", "gradcam", "photo.jpg", "-m", "mobilenetv2", "--class", "soccer ball", "--class", "boxer"),
        *("--arrays", "-o", "seen"),
    )
    assert done.returncode == 0, done.stderr
    ball, dog = map(json.loads, done.stdout.splitlines())
    assert (ball["index"], dog["index"], ball["layer"]) == (805, 242, "out_relu")
    assert ball["insertion"] > 0.4 > 0.15 > ball["deletion"]
    with np.load(tmp_path / "seen/photo-gradcam-soccer_ball-boxer.npz") as arrays:
        first, second = arrays["map"]
    # The ball lies on the lower left, the dog's head comes from the upper right.
    assert first[112:, :112].sum() > 0.5 * first.sum()
    assert second[:112, 112:].sum() > 0.5 * second.sum()
    crane = zoo("visualize", "gradcam", "photo.jpg", "-m", "mobilenetv2", "--class", "crane", "-o", "x")
    assert crane.returncode == 2 and b"134" in crane.stderr and b"517" in crane.stderr
