"""Networks in int8: near float32, made once for the same images, refused below a bar."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.drawn import detailed
from zoo import engines
from zoo.catalog import registry
from zoo.core import artifacts
from zoo.core.errors import GateError, UnavailableError, UsageError
from zoo.core.spec import Cut
from zoo.engines import devices
from zoo.engines.agreement import Agreement, cosine
from zoo.engines.child_process import run_module
from zoo.engines.openvino import compiled_cache, int8
from zoo.pretrained import keras_file
from zoo.pretrained import weights as pretrained

GOOD = Agreement(27, 13, 0.997, 0.98, 0.95)


def shipped(cut=Cut(pool="avg")):  # noqa: B008 - it is frozen
    spec = registry.get("cifar10-resnet9")
    return replace(spec, cut=cut), pretrained.fetch(spec)


def drawn(count, side=32):
    return np.stack([detailed(side, side, seed) for seed in range(count)])


@pytest.fixture
def made(monkeypatch):
    """Quantising, without its work: what it was asked for, in order."""
    calls = []

    def make(spec, weights, calibrating, checking, settings, work):
        calls.append((calibrating, checking, settings))
        (work / "model.xml").write_text("<net/>")
        return GOOD

    monkeypatch.setattr(int8, "_quantize", make)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(compiled_cache, "version", lambda name: "1")
    return calls


def sentence(error):
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text
    return text


# What is asked for


def test_without_nncf_a_sentence_names_the_extra(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError) as error:
        int8.ensure(*shipped(), drawn(60))
    assert "keras-zoo[int8]" in sentence(error)
    assert error.value.exit_status == 4


def test_too_few_different_images_are_a_sentence(made):
    with pytest.raises(UsageError) as error:
        int8.ensure(*shipped(), np.concatenate([drawn(29)] * 4))
    assert "at least 30 different" in sentence(error)
    assert "Received: 29" in sentence(error)
    assert not made


def test_images_that_calibrate_do_not_check(made):
    images = drawn(45)
    int8.ensure(*shipped(), np.concatenate([images, images[:9]]))
    ((calibrating, checking, _),) = made
    assert (len(calibrating), len(checking)) == (30, 15)
    assert len({image.tobytes() for image in (*calibrating, *checking)}) == 45


def test_the_order_of_the_images_does_not_matter_and_only_so_many_are_used(made, monkeypatch):
    monkeypatch.setattr(int8, "IMAGES", 36)
    monkeypatch.setattr(int8, "CHECK", 12)
    images = drawn(60)
    one = int8.ensure(*shipped(), images)
    two = int8.ensure(*shipped(), iter(images[::-1]))
    assert one == two
    assert len(made) == 1
    assert [len(part) for part in made[0][:2]] == [24, 12]


def test_other_images_another_cut_and_another_version_are_made_anew(made, monkeypatch):
    first = int8.ensure(*shipped(), drawn(40))
    int8.ensure(*shipped(), drawn(41))
    int8.ensure(*shipped(Cut(pool="max")), drawn(40))
    monkeypatch.setattr(compiled_cache, "version", lambda name: "2")
    int8.ensure(*shipped(), drawn(40))
    assert len(made) == 4
    about = json.loads((first.folder / "about.json").read_text())
    assert about["precision"] == "int8"
    assert about["calibration"] == first.calibration
    assert about["settings"] == int8.WAYS["whole"][1]
    assert about["cut"]["pool"] == "avg"


def test_what_was_made_is_found_by_its_calibration(made):
    spec, weights = shipped()
    quantised = int8.ensure(spec, weights, drawn(40))
    assert int8.find(spec, weights, quantised.calibration) == quantised
    assert int8.find(spec, weights, "0" * 20 + "-whole") is None
    assert int8.find(spec, weights, "") is None
    assert [entry.folder for entry in artifacts.entries("compiled")] == [quantised.folder]


def test_what_another_version_of_zoo_made_is_found(made):
    """A file of int8 vectors is continued with the form that began it, though this version would make another."""
    spec, weights = shipped()
    quantised = int8.ensure(spec, weights, drawn(40))
    file = quantised.folder / "about.json"
    about = json.loads(file.read_text())
    sentence = "channels stay RGB, minus 125.3 123 113.9, divided by 63 62.1 66.7"
    old = {**about, "preprocessing": sentence, "format": [4, 1], "nncf": "0"}
    for key in ("zoo_version", "code"):
        del old[key]
    file.write_text(json.dumps(old))
    assert int8.find(spec, weights, quantised.calibration) == quantised
    file.write_text(json.dumps({**old, "preprocessing": "channels stay RGB, divided by 255"}))
    assert int8.find(spec, weights, quantised.calibration) is None
    file.write_text(json.dumps({**old, "processor": "another"}))
    assert int8.find(spec, weights, quantised.calibration) is None


# The bar


def test_below_the_bar_it_is_refused_with_figures(made):
    spec, weights = shipped()
    with pytest.raises(GateError) as error:
        int8.ensure(spec, weights, drawn(40), min_cosine=0.998)
    text = sentence(error)
    assert error.value.exit_status == 3
    for part in ("cifar10-resnet9", "0.998", "0.9970", "0.980", "95.0%", "13 images", "27", "--precision float32"):
        assert part in text
    # Nothing is made again to be judged by another bar.
    assert int8.ensure(spec, weights, drawn(40), min_cosine=0.99).agreement == GOOD
    with pytest.raises(GateError, match=r"and the same class for 96\.0%: "):
        int8.ensure(spec, weights, drawn(40), min_agreement=0.96)
    assert len(made) == len(int8.WAYS)


def test_the_fastest_way_that_reaches_the_bar_is_taken(made, monkeypatch):
    def make(spec, weights, calibrating, checking, settings, work):
        made.append(settings)
        return replace(GOOD, cosine=0.995 if "depthwise" in settings["float32"] else 0.98)

    monkeypatch.setattr(int8, "_quantize", make)
    spec, weights = shipped()
    fast = int8.ensure(spec, weights, drawn(40), min_cosine=0.97)
    assert (fast.agreement.cosine, len(made)) == (0.98, 1)
    near = int8.ensure(spec, weights, drawn(40), min_cosine=0.99)
    assert (near.agreement.cosine, len(made)) == (0.995, 2)
    assert near.folder != fast.folder
    assert int8.find(spec, weights, near.calibration) == near
    assert int8.find(spec, weights, fast.calibration) == fast
    with pytest.raises(GateError, match=r"depthwise convolutions in float32\) does not reach .* 0\.999: .* 0\.9950"):
        int8.ensure(spec, weights, drawn(40), min_cosine=0.999)


def test_no_classes_cannot_agree(made, monkeypatch):
    monkeypatch.setattr(int8, "_quantize", lambda *_: replace(GOOD, top1=None))
    assert int8.ensure(*shipped(), drawn(40)).agreement.top1 is None
    with pytest.raises(UsageError, match="needs class probabilities"):
        int8.ensure(*shipped(), drawn(40), min_agreement=0.9)


# What goes wrong


def test_a_full_disk_is_a_sentence_and_leaves_nothing(made, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(int8, "_quantize", full)
    with pytest.raises(UnavailableError) as error:
        int8.ensure(*shipped(), drawn(40))
    assert "No space left" in sentence(error)
    assert not list(compiled_cache.folder().iterdir())


def test_what_nncf_says_becomes_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(int8, "_with_probabilities", lambda spec, weights: (spec, tmp_path / "none"))
    with pytest.raises(UnavailableError) as error:
        int8._quantize(*shipped(), [*drawn(30)], [*drawn(30)], int8.WAYS["whole"][1], tmp_path)
    assert "cifar10-resnet9 cannot be quantised" in sentence(error)


# With NNCF

QUANTISE = """
import sys
import numpy as np
from dataclasses import replace
from zoo.catalog import registry
from zoo.pretrained import weights as pretrained
from zoo.engines.openvino import int8
from zoo.core.spec import Cut
spec = registry.get("cifar10-resnet9")
int8.ensure(replace(spec, cut=Cut(pool="avg")), pretrained.fetch(spec), np.load(sys.argv[1]), min_cosine=0.9)
"""


@pytest.fixture(scope="module")
def quantised(tmp_path_factory):
    """The shipped network in int8, made by a process of its own: its cache, what it printed, and its home."""
    pytest.importorskip("nncf")
    folder = tmp_path_factory.mktemp("quantised")
    np.save(folder / "pictures.npy", drawn(72))
    (folder / "home").mkdir()
    own = {"ZOO_CACHE": str(folder / "cache"), "HOME": str(folder / "home"), "MPLCONFIGDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", QUANTISE, str(folder / "pictures.npy")],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ZOO_OFFLINE": "1", **own},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode()
    return folder, done


@pytest.mark.slow
def test_the_shipped_network_stays_near_and_is_made_once(quantised, monkeypatch):
    folder, done = quantised
    assert done.stdout == b""
    assert done.stderr == b""
    monkeypatch.setenv("ZOO_CACHE", str(folder / "cache"))

    def never(*_):
        raise AssertionError("it is quantised again")

    spec, weights = shipped()
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", never)
        again = int8.ensure(spec, weights, drawn(72))
    assert (again.agreement.calibrated, again.agreement.checked) == (48, 24)
    assert again.agreement.cosine > 0.99
    assert again.agreement.top1 > 0.8
    # Nothing is left of the work, and what is above the cut is not there.
    assert sorted(path.name for path in again.folder.iterdir()) == [
        "about.json",
        "agreement.json",
        "model.bin",
        "model.xml",
    ]
    (reference,) = {entry.folder for entry in artifacts.entries("compiled")} - {again.folder}
    assert (again.folder / "model.bin").stat().st_size < 0.3 * (reference / "model.bin").stat().st_size

    fresh = drawn(90)[72:]
    device = devices.select("cpu")
    quantised = engines.start(spec, weights, device, engine="openvino", folder=again.folder)
    float32 = engines.start(spec, weights, device, engine="openvino")
    one, two = (
        np.concatenate(list(engine.run(fresh[i : i + 1] for i in range(18)))) for engine in (quantised, float32)
    )
    assert one.shape == two.shape == (18, 256)
    assert 0.98 < cosine(one, two).mean() < 1
    assert np.abs(one - two).max() > 0


@pytest.mark.slow
def test_whoever_quantises_is_not_counted(quantised):
    """NNCF would write a number into the home folder and call its makers."""
    folder, _ = quantised
    reference = next(path.parent for path in folder.rglob("about.json") if "int8" not in path.read_text())
    home, target = folder / "other-home", folder / "again"
    home.mkdir()
    target.mkdir()
    run_module(
        "zoo.engines.openvino.nncf_quantize",
        {
            "source": str(reference),
            "images": str(folder / "pictures.npy"),
            "target": str(target),
            "settings": int8.WAYS["part"][1],
            "keep": [0],
        },
        failure="It cannot be quantised",
        remedy="",
        environment={"HOME": str(home)},
    )
    assert not (home / "intel").exists()


BROKEN = """
import sys
import keras
import numpy as np
# One channel of the first layer is a million times as large as the others, and nothing listens to it.
inputs = keras.Input((32, 32, 3))
first = keras.layers.Conv2D(8, 3, padding="same", activation="relu")
second = keras.layers.Conv2D(16, 3, padding="same", activation="relu")
x = second(first(inputs))
network = keras.Model(inputs, keras.layers.Dense(4, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x)))
rng = np.random.default_rng(0)
kernel, listening = rng.normal(size=(3, 3, 3, 8)) / 255, rng.normal(size=(3, 3, 8, 16))
kernel[..., 0] = np.abs(kernel[..., 0]) * 1e6
listening[:, :, 0] = 0
first.set_weights([kernel, np.zeros(8)])
second.set_weights([listening, np.zeros(16)])
network.save(sys.argv[1])
"""


@pytest.mark.slow
def test_a_network_that_int8_spoils_is_refused(tmp_path):
    pytest.importorskip("nncf")
    file = tmp_path / "net.keras"
    subprocess.run(
        [sys.executable, "-c", BROKEN, str(file)], env={**os.environ, "KERAS_BACKEND": "openvino"}, check=True
    )
    spec = replace(keras_file.read_spec(file), cut=Cut(pool="avg", top=True))
    with pytest.raises(GateError) as error:
        int8.ensure(spec, None, drawn(60))
    text = sentence(error)
    assert text.startswith("net in int8")
    assert "does not reach a mean cosine similarity of 0.99: " in text
    assert int8.ensure(spec, None, drawn(60), min_cosine=-1).agreement.cosine < 0.9
