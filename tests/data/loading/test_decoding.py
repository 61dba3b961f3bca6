from __future__ import annotations

import numpy as np
import pytest

from tests.data.trees import class_folders
from tests.drawn import broken_files
from zoo.core.errors import ImageError
from zoo.core.spec import Resize
from zoo.data import dataset
from zoo.data.loading import decoding
from zoo.images.decode import load
from zoo.images.source import Source

SQUASH = Resize(12, 16, "squash")


@pytest.fixture
def split(tmp_path):
    """50 images of 2 classes."""
    class_folders(tmp_path / "set", {"a": 30, "b": 20})
    return dataset.read_for_training(tmp_path / "set", val_split=0).splits["train"]


def test_processes_give_what_threads_give(split):
    pixels, other = (np.zeros((50, 12, 16, 3), np.uint8) for _ in range(2))
    for out, processes in ((pixels, False), (other, True)):
        decoder = decoding.Decoder(SQUASH, 2, processes=processes)
        parts = [decoder.submit(split.sources[at : at + 20], out[at : at + 20]) for at in (0, 20, 40)]
        assert [part.result(60) for part in parts] == [[], [], []]
        assert len(decoder._children) == (2 if processes else 0) or len(decoder._children) == 1
        children = list(decoder._children)
        decoder.close()
        assert all(child.process.poll() is not None for child in children)
    assert np.array_equal(pixels, other)


def test_processes_report_what_cannot_be_read(tmp_path):
    paths = list(broken_files(tmp_path).values())
    out = np.zeros((len(paths), 12, 16, 3), np.uint8)
    decoder = decoding.Decoder(SQUASH, 1, processes=True)
    sources = [Source(str(path)) for path in paths]
    failed = decoder.submit(sources, out).result(60)
    decoder.close()
    assert [number for number, _ in failed] == list(range(len(paths)))
    for (_, why), source in zip(failed, sources, strict=True):
        with pytest.raises(ImageError) as caught:
            load(source, SQUASH)
        assert why == str(caught.value)


def test_a_file_that_brings_the_decoder_down_costs_itself_alone(split, monkeypatch, tmp_path):
    """A process that dies of one image is replaced until that image is found."""
    script = tmp_path / "deadly.py"
    script.write_text(
        "import os\n"
        "from zoo.data.loading import shared_headers, worker\n"
        "original = shared_headers.SharedHeaderReader.load\n"
        "def deadly(self, source):\n"
        f"    if source.path == {split.sources[7].path!r}:\n"
        "        os._exit(9)\n"
        "    return original(self, source)\n"
        "shared_headers.SharedHeaderReader.load = deadly\n"
        "worker.main()\n"
    )
    monkeypatch.setattr(decoding, "_COMMAND", f"exec(open({str(script)!r}).read())")
    decoder = decoding.Decoder(SQUASH, 1, processes=True)
    out = np.zeros((16, 12, 16, 3), np.uint8)
    failed = decoder.submit(split.sources[:16], out).result(120)
    decoder.close()
    assert failed == [(7, "the process that decodes it crashes")]
    expected = [load(source, SQUASH) for source in split.sources[:16]]
    assert all(np.array_equal(out[number], expected[number]) for number in range(16) if number != 7)


def test_without_processes_it_is_slower_and_nothing_else(split, monkeypatch):
    monkeypatch.setattr(decoding, "_COMMAND", "raise SystemExit(3)")
    decoder = decoding.Decoder(SQUASH, 1, processes=True)
    out = np.zeros((50, 12, 16, 3), np.uint8)
    assert decoder.submit(split.sources, out).result(60) == []
    decoder.close()
    assert np.array_equal(out[20], load(split.sources[20], SQUASH))
