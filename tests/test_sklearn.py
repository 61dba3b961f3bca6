"""The transformer of scikit-learn: what it takes, what it gives, copies and pickles, and scikit-learn's own checks."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.drawn import drawing, encoded
from zoo.core.errors import ImageError, UsageError

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from zoo.inference.features import Extractor
from zoo.sklearn import ImageFeatures

pytestmark = pytest.mark.usefixtures("warm_cache")

EXAMPLES = sorted((ROOT / "examples").glob("*.jpg"))


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory):
    """The shipped network is compiled for the first test, and read by the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield os.environ["ZOO_CACHE"]


@pytest.fixture(autouse=True)
def shared_cache(own_caches, compiled_once, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", compiled_once)


@pytest.fixture
def features():
    return ImageFeatures("cifar10-resnet9")


@pytest.fixture(scope="module")
def expected(compiled_once):
    return Extractor("cifar10-resnet9").extract([str(path) for path in EXAMPLES]).vectors


@pytest.mark.parametrize(
    "form",
    [
        lambda paths: [str(path) for path in paths],
        lambda paths: paths,
        lambda paths: np.array([str(path) for path in paths]),
        lambda paths: np.array(paths, dtype=object)[:, None],
        lambda paths: [[str(path)] for path in paths],
        lambda paths: tuple(os.fsencode(path) for path in paths),
    ],
)
def test_paths_in_every_form_give_the_vectors_of_zoo_features(features, expected, form):
    found = features.fit_transform(form(EXAMPLES))
    assert found.dtype == np.float32
    assert found == pytest.approx(expected, abs=1e-5)


def test_pixels_in_every_form(features):
    images = np.stack([np.roll(drawing(32, 32), shift, axis=1) for shift in (0, 9, 17)])
    batch = features.fit_transform(images)
    assert batch == pytest.approx(features.transform(list(images)), abs=1e-5)
    assert features.transform(images[..., 0]).shape == batch.shape
    mixed = features.transform([drawing(20, 50), drawing(60, 30)[..., 0]])
    assert np.isfinite(mixed).all()


def test_fitting_notes_what_the_network_is(features):
    features.fit(EXAMPLES)
    assert (features.model_, features.n_features_out_, features.n_features_in_) == ("cifar10-resnet9", 256, 1)
    assert features.about_["weights_digest"]
    names = features.get_feature_names_out()
    assert (len(names), names[3]) == (256, "imagefeatures3")
    assert len(ImageFeatures("cifar10-resnet9").get_feature_names_out()) == 256


def test_it_needs_no_fitting_and_clones_know_nothing(features, expected):
    assert features.transform(EXAMPLES) == pytest.approx(expected, abs=1e-5)
    assert not hasattr(clone(features.fit(EXAMPLES)), "about_")


@pytest.mark.slow
def test_parameters_do_what_they_say(features, expected):
    lengths = np.linalg.norm(features.set_params(normalize=True).fit_transform(EXAMPLES), axis=1)
    assert lengths == pytest.approx(np.ones(len(EXAMPLES)))
    features.set_params(normalize=False, pool="max").fit(EXAMPLES)
    assert (features.transform(EXAMPLES) >= expected - 1e-5).all()
    # What was fitted stays until it is fitted again.
    features.set_params(pool="avg")
    assert features.transform(EXAMPLES).max() > expected.max()
    assert features.fit_transform(EXAMPLES) == pytest.approx(expected, abs=1e-5)


def test_a_pickle_is_small_and_goes_on_elsewhere(features, tmp_path, expected):
    data = pickle.dumps(features.fit(EXAMPLES))
    assert len(data) < 5000
    (tmp_path / "model.pickle").write_bytes(data)
    code = (
        "import pickle, sys, numpy as np; model = pickle.load(open('model.pickle', 'rb'));"
        "np.save('out.npy', model.transform(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, EXAMPLES)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert np.load(tmp_path / "out.npy") == pytest.approx(expected, abs=1e-5)


def test_other_weights_than_those_it_was_fitted_with_are_refused(features):
    features.fit(EXAMPLES)
    features.about_ = {**features.about_, "weights_digest": "other"}
    with pytest.raises(UsageError, match="its weights digest differs"):
        features.transform(EXAMPLES)


def test_a_image_that_cannot_be_read_is_named_or_becomes_nan(features, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no image")
    images = [EXAMPLES[0], tmp_path / "bad.jpg", tmp_path]
    with pytest.raises(ImageError, match=r"bad\.jpg cannot be read: "):
        features.fit_transform(images)
    found = features.set_params(errors="nan").fit_transform(images)
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True]
    assert np.isnan(features.transform([tmp_path / "gone.jpg"])).all()
    assert features.transform([tmp_path / "gone.jpg"]).shape == (1, 256)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        ("photo.jpg", "put the only one in brackets"),
        (Path("photo.jpg"), "put the only one in brackets"),
        (np.zeros((32, 32, 3), np.uint8), "put it in a list"),
        ([], "no images"),
        (np.zeros((0, 8, 8, 3), np.uint8), "no images"),
        (np.zeros((4, 3)), "not ndarray of float64 and shape"),
        (np.zeros((4, 8, 8, 3), np.float32), "not ndarray of float32"),
        (np.array([["a", "b"]]), r"shape \(1, 2\)"),
        (["a.jpg", None], r"X\[1\] is neither a path nor uint8 pixels, but NoneType"),
        ([0.5], r"X\[0\] is neither"),
    ],
)
def test_what_is_no_list_of_images_is_a_sentence(features, images, says):
    for call in (features.fit, features.transform):
        with pytest.raises(UsageError, match=says):
            call(images)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"errors": "skip"}, "'raise' or 'nan'"),
        ({"pool": "none"}, "one of avg, max, flatten"),
        ({"pool": "median"}, "median"),
        ({"model": "cifar10-resnet"}, "cifar10-resnet9"),
        ({"layer": "nope"}, "nope"),
    ],
)
def test_parameters_are_checked_when_fitting(features, parameters, says):
    features.set_params(**parameters)
    with pytest.raises(UsageError, match=says):
        features.fit(EXAMPLES)


def test_a_pipeline_learns_and_predicts(tmp_path):
    paths, labels = [], []
    for number in range(24):
        kind = "ab"[number % 2]
        image = drawing(32, 32) if kind == "a" else 255 - drawing(32, 32)
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(encoded(np.roll(image, number % 5, axis=0), "PNG"))
        labels.append(kind)
    model = make_pipeline(ImageFeatures("cifar10-resnet9"), LogisticRegression())
    model.fit(paths[:16], labels[:16])
    assert model.score(paths[16:], labels[16:]) == 1
    assert pickle.loads(pickle.dumps(model)).predict(paths[16:]).tolist() == labels[16:]


def drawn(table):
    """An image for each row of numbers, so that scikit-learn's checks, which know nothing but tables, can be run."""
    if hasattr(table, "tocsr"):
        return table
    rows = np.floor(np.asarray(table, float) * 37) % 256
    return np.stack([np.resize(row, (8, 8, 3)) for row in rows]).astype(np.uint8)


class Drawn(ImageFeatures):
    """The transformer, whose images are drawn from tables."""

    def fit(self, X, y=None):  # noqa: N803
        return super().fit(drawn(X), y)

    def transform(self, X):  # noqa: N803
        return super().transform(drawn(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = tags.input_tags.three_d_array = False
        # What is wrong with a table (NaN, complex numbers, another number of columns) is drawn all the same.
        tags.no_validation = True
        return tags


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks_pass_where_they_apply():
    results = check_estimator(Drawn("cifar10-resnet9"), on_skip=None, on_fail=None)
    failed = {result["check_name"]: str(result["exception"]) for result in results if result["status"] == "failed"}
    assert not failed
    passed = {result["check_name"] for result in results if result["status"] == "passed"}
    assert len(passed) >= 30
    assert {"check_dict_unchanged", "check_estimators_pickle", "check_methods_subset_invariance"} <= passed


@pytest.mark.real
@pytest.mark.slow
def test_a_linear_model_on_features_names_clothes(real_data, monkeypatch):
    weights = real_data / "weights" / "mobilenetv2_1.0_224.weights.h5"
    subprocess.run(
        [sys.executable, "-m", "zoo", "cache", "import", str(weights), "--as", "mobilenetv2"],
        check=True,
        cwd=ROOT,
        capture_output=True,
    )

    def read(part):
        paths = sorted((real_data / "clothing5" / part).glob("*/*"))
        return paths, [path.parent.name for path in paths]

    model = make_pipeline(ImageFeatures("mobilenetv2"), LogisticRegression(max_iter=1000)).fit(*read("train"))
    assert model.score(*read("test")) >= 0.9
