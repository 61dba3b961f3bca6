"""Searching with the network that is shipped: what is found, and what is refused."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.search.files import write
from zoo.core.errors import UsageError
from zoo.inference import feature_file
from zoo.inference.features import Extractor
from zoo.search import searcher as searching
from zoo.search.searcher import Match, Searcher, SearchResult

pytestmark = pytest.mark.usefixtures("warm_cache")

EXAMPLES = sorted(str(path) for path in (ROOT / "examples").glob("*.jpg"))
MODEL = "cifar10-resnet9"


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("zoo-cache")


@pytest.fixture(autouse=True)
def compiled_once(shared_cache, monkeypatch):
    """The network is compiled by the first test, and no other one."""
    monkeypatch.setenv("ZOO_CACHE", str(shared_cache))


def search(queries, index, k=10, *, min_score=None, exclude_self=False, **settings):
    """Search with a searcher of its own."""
    with Searcher(index, **settings) as searcher:
        return searcher.search(queries, k, min_score=min_score, exclude_self=exclude_self)


@pytest.fixture
def extractor():
    return Extractor(MODEL)


@pytest.fixture
def index(tmp_path, extractor):
    """The examples, and their mirror images, in a file."""
    (tmp_path / "mirrored").mkdir()
    for path in EXAMPLES:
        image = Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        image.save(tmp_path / "mirrored" / os.path.basename(path), quality=95)
    inputs = [*EXAMPLES, str(tmp_path / "mirrored")]
    feature_file.write(inputs, tmp_path / "f.h5", extractor)
    return tmp_path / "f.h5"


def test_a_image_finds_itself_and_then_its_mirror_image(index):
    with Searcher(index) as searcher:
        found = searcher.search(EXAMPLES, 2)
    for path, one in zip(EXAMPLES, found, strict=True):
        assert one.ok and one.query == path
        itself, mirrored = one.matches
        assert itself == Match(path, 1.0)
        assert mirrored.path == str(index.parent / "mirrored" / os.path.basename(path))
        assert 0.5 < mirrored.score < 1


def test_without_itself(index, monkeypatch):
    monkeypatch.chdir(os.path.dirname(EXAMPLES[0]))
    name = os.path.basename(EXAMPLES[0])
    (found,) = search(name, index, 1, exclude_self=True)
    assert found.matches[0].path == str(index.parent / "mirrored" / name)
    (found,) = search(name, index, 100, exclude_self=True)
    assert len(found.matches) == 2 * len(EXAMPLES) - 1


def test_without_itself_where_it_is_there_many_times(tmp_path):
    names = [*(20 * ["a"]), "b", "c"]
    write(tmp_path / "f.npy", [[1, number / 1000] for number in range(22)], names)
    found = search("a", tmp_path / "f.npy", 2, by_path=True, exclude_self=True)
    assert [match.path for match in found[0].matches] == ["b", "c"]


def test_arrays_half_precision_layers_and_metrics(tmp_path):
    extractor = Extractor(MODEL, layer=["stage1", "stage3"], dtype="float16", normalize=True)
    feature_file.write(EXAMPLES, tmp_path / "f.h5", extractor)
    # A large JPEG in a file is decoded at a reduced size, which changes a little.
    array = np.asarray(Image.open(EXAMPLES[1]).convert("RGB"))
    second = extractor.spec.cut.beside[0]
    for layer in (None, second):
        for metric in ("cosine", "dot", "euclidean"):
            (found,) = search(array, tmp_path / "f.h5", 3, layer=layer, metric=metric)
            assert found.query == "array 0"
            assert found.matches[0].path == EXAMPLES[1]
            assert found.matches[0].score == pytest.approx(0 if metric == "euclidean" else 1, abs=2e-2)


def test_a_score_that_is_too_low(index):
    (found,) = search(EXAMPLES[0], index, min_score=0.9999)
    assert [match.path for match in found.matches] == EXAMPLES[:1]
    (found,) = search(EXAMPLES[0], index, min_score=1.5)
    assert found.ok and found.matches == ()


def test_what_cannot_be_read_is_in_its_place(index, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    asked = [str(tmp_path / "gone.jpg"), EXAMPLES[0], str(tmp_path / "broken.jpg"), EXAMPLES[1]]
    found = search(asked, index, 1)
    assert [one.query for one in found] == asked
    assert [one.ok for one in found] == [False, True, False, True]
    assert found[0].error == "no such file or folder"


def test_queries_in_batches_are_in_order(index, monkeypatch):
    monkeypatch.setattr(searching.exact, "QUERIES", 2)
    asked = [*EXAMPLES, "gone.jpg"] * 3
    found = search(asked, index, 1)
    assert [one.matches[0].path if one.ok else one.query for one in found] == asked


def test_a_file_of_others_has_no_network(tmp_path):
    write(tmp_path / "f.npy", np.eye(3), ["a", "b", "c"])
    with pytest.raises(UsageError, match="--by-path"):
        Searcher(tmp_path / "f.npy")
    found = search(["b", "x"], tmp_path / "f.npy", 1, by_path=True)
    assert found[0] == SearchResult("b", (Match("b", 1.0),))
    assert "not among" in found[1].error


def test_by_path_needs_no_network_and_sees_that_a_file_changed(index, monkeypatch):
    monkeypatch.setattr(searching.Extractor, "from_attributes", lambda *_, **__: pytest.fail("a network was asked for"))
    mirrored = str(index.parent / "mirrored" / os.path.basename(EXAMPLES[0]))
    (found,) = search(mirrored, index, 1, by_path=True)
    assert found.matches == (Match(mirrored, 1.0),)
    Image.new("RGB", (9, 9)).save(mirrored)
    (found,) = search(mirrored, index, 1, by_path=True)
    assert "changed" in found.error


def test_a_network_that_is_another_now_is_refused(tmp_path, extractor):
    about = {**extractor.about, "weights_digest": "another"}
    write(tmp_path / "f.h5", np.ones((2, 256)), about=about)
    with pytest.raises(UsageError, match="weights digest"):
        Searcher(tmp_path / "f.h5")


def test_vectors_that_are_not_of_the_network_that_they_name(tmp_path, extractor):
    write(tmp_path / "f.h5", np.ones((2, 7)), about=extractor.about)
    with pytest.raises(UsageError, match="7 numbers"):
        search(EXAMPLES[0], tmp_path / "f.h5")


def test_a_network_that_gives_no_numbers(index, monkeypatch):
    with Searcher(index) as searcher:
        nothing = {"features": np.full(searcher.vectors.dim, np.nan, np.float32)}
        monkeypatch.setattr(searcher.extractor, "stream", lambda images: ((source, nothing) for source in images))
        (found,) = searcher.search(EXAMPLES[0])
    assert found.error == "the network gives no finite numbers"


def test_an_index_without_images(tmp_path, extractor):
    feature_file.write(str(tmp_path), tmp_path / "f.h5", extractor)
    (found,) = search(EXAMPLES[0], tmp_path / "f.h5")
    assert found.ok and found.matches == ()


def test_what_makes_no_sense(index):
    with pytest.raises(UsageError, match="manhattan"):
        Searcher(index, metric="manhattan")
    with pytest.raises(UsageError, match="--approximate"):
        Searcher(index, metric="dot", approximate=True)
    with pytest.raises(UsageError, match="-k"):
        search(EXAMPLES[0], index, 0)
    with pytest.raises(UsageError, match="stage"):
        Searcher(index, layer="stage 9")


def test_approximately_with_the_same_scores(index, monkeypatch):
    pytest.importorskip("usearch")
    right = search(EXAMPLES, index, 2)
    # So few are compared with all.
    assert search(EXAMPLES, index, 2, approximate=True) == right
    monkeypatch.setattr(searching.approximate, "LEAST", 1)
    assert search(EXAMPLES, index, 2, approximate=True) == right
