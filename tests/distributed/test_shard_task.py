"""One shard on some machine: the same as a file of these images, made once, and a sentence where something lacks."""

from __future__ import annotations

import errno
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.drawn import drawing
from zoo.core.errors import UnavailableError, UsageError
from zoo.distributed import shard_task
from zoo.distributed.shard_task import ShardJob, compute_shard
from zoo.images.discovery import find
from zoo.images.source import Source
from zoo.inference import feature_file
from zoo.inference.features import Extractor
from zoo.vectors import open_vectors

pytestmark = pytest.mark.usefixtures("warm_cache")

NETWORK = "cifar10-resnet9"
PART = "part-00003.h5"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def compiled_once(own_caches, cache, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(cache))
    shard_task._extractor.cache_clear()
    yield
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.pop(name, None)


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder to be in, with six images, of which one is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        Image.fromarray(np.roll(drawing(), 3 * number, axis=1)).save(folder / f"{number}.png")
    (folder / "3.png").write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def extractor():
    return Extractor(NETWORK, layer=["stage1", "stage2"], normalize=True, probabilities=True)


@pytest.fixture
def job(tmp_path, photos, extractor):
    for name in ("work", "parts"):
        (tmp_path / name).mkdir()
    return ShardJob(
        extractor.about, {**extractor.running, "threads": 1}, str(tmp_path / "work"), str(tmp_path / "parts")
    )


def test_a_shard_is_what_one_machine_writes_of_these_images(tmp_path, job, extractor, monkeypatch):
    sources = list(find("photos"))
    feature_file.write(sources, tmp_path / "whole.h5", extractor)
    monkeypatch.chdir("/")
    done = compute_shard(job, PART, sources)
    assert (done.shard.file, done.shard.rows, done.shard.failed, done.new) == (PART, 5, 1, True)
    ((path, reason),) = done.failed
    assert path == "photos/3.png"
    assert reason
    assert done.unseen == ()
    with open_vectors("whole.h5") as whole:
        layers = [column.attributes.get("layer") or column.name for column in whole.columns]
    assert len(layers) == 3
    for layer in layers:
        with open_vectors("whole.h5", layer=layer) as whole, open_vectors(f"parts/{PART}", layer=layer) as part:
            np.testing.assert_allclose(part.read(0, 5), whole.read(0, 5), rtol=1e-5, atol=1e-6)
            assert list(part.paths) == list(whole.paths)
            assert part.about == whole.about
    assert os.listdir("work") == []


def test_a_shard_that_is_there_is_not_made_again(job, tmp_path):
    sources = list(find("photos"))
    first = compute_shard(job, PART, sources)
    before = (tmp_path / "parts" / PART).stat()
    again = compute_shard(job, PART, sources)
    assert again == replace(first, new=False)
    assert (tmp_path / "parts" / PART).stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("change", ["fewer", "others", "order", "damaged", "about"])
def test_a_shard_of_something_else_is_made_again(job, tmp_path, change):
    sources = list(find("photos"))
    compute_shard(job, PART, sources)
    file = tmp_path / "parts" / PART
    if change == "fewer":
        sources.pop()
    elif change == "others":
        sources[0] = Source("photos/none.png")
    elif change == "order":
        sources.reverse()
    elif change == "damaged":
        file.write_bytes(file.read_bytes()[:1000])
    else:
        job = replace(job, about={**job.about, "normalized": False})
    done = compute_shard(job, PART, sources)
    assert done.new
    with open_vectors(file) as vectors:
        failed = {path for path, _ in vectors.failed()}
        assert list(vectors.paths) == [source.path for source in sources if source.path not in failed]


def test_files_that_this_machine_does_not_see_are_named(job):
    sources = [Source("photos/1.png"), Source("photos/none.png"), Source("typed.png", problem="no such file or folder")]
    done = compute_shard(job, PART, sources)
    assert done.unseen == ("photos/none.png",)
    assert done.shard.failed == 2


def test_nothing_to_see_at_all(job):
    done = compute_shard(job, PART, [Source("photos/none.png")])
    assert (done.shard.rows, done.shard.failed, done.unseen) == (0, 1, ("photos/none.png",))


def test_a_machine_without_the_folder_says_so_and_which_it_is(job, tmp_path):
    sources = list(find("photos"))
    with pytest.raises(UnavailableError, match=r"^There is no folder .*none; the output must be"):
        compute_shard(replace(job, work=str(tmp_path / "none")), PART, sources)
    elsewhere = replace(job, folder=str(tmp_path / "none"), host="elsewhere")
    with pytest.raises(UnavailableError, match=r"^On .+: There is no folder .*none; images must be"):
        compute_shard(elsewhere, PART, sources)
    whole = [replace(source, path=os.path.abspath(source.path)) for source in sources]
    assert compute_shard(elsewhere, PART, whole).shard.rows == 5


def test_a_machine_with_other_weights_is_refused(job):
    other = replace(job, about={**job.about, "weights_digest": "0" * 64})
    with pytest.raises(UsageError, match="not the same on all machines: its weights digest differs"):
        compute_shard(other, PART, list(find("photos")))


def test_a_disk_that_refuses_is_named_as_people_know_it(job, tmp_path, monkeypatch):
    def full(*_, **__):
        raise UnavailableError("work/1-x/part-00003.h5 cannot be written") from OSError(errno.ENOSPC, "No space left")

    (tmp_path / "f.part" / "output" / "f").mkdir(parents=True)
    job = replace(job, parts=str(tmp_path / "f.part" / "output" / "f"))
    monkeypatch.setattr(feature_file, "write", full)
    with pytest.raises(
        UnavailableError, match=r"/f cannot be written: the disk is full; .* kept in f\.part: free disk space"
    ):
        compute_shard(job, PART, list(find("photos")))


def test_a_job_takes_what_zoo_reads_of_the_environment(job, monkeypatch):
    monkeypatch.setenv("ZOO_TEST_OF_RAY", "1")
    monkeypatch.setenv("SECRET", "1")
    taken = ShardJob({}, {}, "", "").environment
    assert taken["ZOO_TEST_OF_RAY"] == "1"
    assert taken["ZOO_CACHE"] == os.environ["ZOO_CACHE"]
    assert "SECRET" not in taken


def test_what_the_log_warns_of_comes_back(job, monkeypatch):
    def warned(*arguments):
        shard_task.logging.getLogger("zoo.engines").warning("Keras runs it")
        return extractor(*arguments)

    extractor = shard_task._extractor
    monkeypatch.setattr(shard_task, "_extractor", warned)
    assert compute_shard(job, PART, list(find("photos"))).warnings == ("Keras runs it",)


class Rows:
    """As much of vectors as is looked at."""

    def __init__(self, paths):
        self.paths, self.count = paths, len(paths)


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.booleans()), unique_by=lambda pair: pair[0]), st.data())
def test_rows_and_failures_are_these_inputs_and_no_others(inputs, data):
    sources = [Source(path) for path, _ in inputs]
    rows = Rows([path for path, ok in inputs if ok])
    failed = [(path, "") for path, ok in inputs if not ok]
    assert shard_task._is_of(sources, rows, failed)
    if sources:
        place = data.draw(st.integers(0, len(sources) - 1))
        assert not shard_task._is_of(sources[:place] + sources[place + 1 :], rows, failed)
        assert not shard_task._is_of([*sources[:place], Source("z"), *sources[place + 1 :]], rows, failed)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans())))
def test_a_name_that_comes_twice_is_never_taken_for_another(inputs):
    rows = Rows([path for path, ok in inputs if ok])
    failed = [(path, "") for path, ok in inputs if not ok]
    others = [Source("c"), *(Source(path) for path, _ in inputs[1:])]
    assert not inputs or not shard_task._is_of(others, rows, failed)
