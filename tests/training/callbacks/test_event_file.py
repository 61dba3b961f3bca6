"""Event files: TensorBoard's own reader finds every value at its step, and its server shows them."""

from __future__ import annotations

import io
import json
import math
import resource
import socket
import subprocess
import sys
import time
import types
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from zoo.core.errors import UnavailableError, UsageError
from zoo.training.callbacks.event_file import EventFile

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
WEIGHTS = np.random.default_rng(1).standard_normal((3, 3, 3, 16)).astype(np.float32)


@pytest.fixture
def read(monkeypatch):
    """TensorBoard's reader of a folder; with the files alone, so that TensorFlow is not imported for it."""
    pytest.importorskip("tensorboard", reason="needs the extra 'tensorboard'")
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", types.ModuleType("notf"))
    from tensorboard.backend.event_processing import event_accumulator

    def reader(folder):
        accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
        return accumulator.Reload()

    return reader


def test_every_value_is_found_at_its_step(tmp_path, read):
    with closing(EventFile(tmp_path / "new" / "folder")) as board:
        for step in (1, 2, 30):
            board.scalars({"epoch/loss": 1 / step, "epoch/val_loss": np.float32(2 / step)}, step)
        board.histogram("weights/conv1", WEIGHTS, 2)
        board.image("filters", PIXELS, 2)
    seen = read(tmp_path / "new" / "folder")
    tags = seen.Tags()
    assert tags["scalars"] == ["epoch/loss", "epoch/val_loss"]
    assert (tags["histograms"], tags["images"]) == (["weights/conv1"], ["filters"])
    points = [(point.step, point.value) for point in seen.Scalars("epoch/loss")]
    assert points == [(1, 1.0), (2, 0.5), (30, pytest.approx(1 / 30))]
    assert [point.value for point in seen.Scalars("epoch/val_loss")] == [2.0, 1.0, pytest.approx(1 / 15)]
    assert seen.Scalars("epoch/loss")[0].wall_time == pytest.approx(time.time(), abs=60)

    (image,) = seen.Images("filters")
    assert (image.step, image.width, image.height) == (2, 5, 7)
    assert np.array_equal(np.array(Image.open(io.BytesIO(image.encoded_image_string))), PIXELS)


def test_a_histogram_counts_every_finite_number(tmp_path, read):
    numbers = np.append(WEIGHTS, [np.nan, np.inf])
    with closing(EventFile(tmp_path)) as board:
        board.histogram("many", numbers, 1)
        board.histogram("constant", np.full(9, 0.5, np.float32), 1)
        board.histogram("close", np.array([1.0, np.nextafter(1.0, 2.0)]), 1)
        board.histogram("none", np.array([np.nan]), 1)
    seen = read(tmp_path)
    assert sorted(seen.Tags()["histograms"]) == ["close", "constant", "many"]
    many = seen.Histograms("many")[0].histogram_value
    assert (many.num, sum(many.bucket)) == (WEIGHTS.size, WEIGHTS.size)
    assert (many.min, many.max) == (WEIGHTS.min(), WEIGHTS.max())
    assert many.sum == pytest.approx(WEIGHTS.sum(dtype=float))
    assert many.sum_squares == pytest.approx(np.square(WEIGHTS).sum(dtype=float))
    # Below each edge there are as many as there are.
    below = np.cumsum(many.bucket)
    assert [int((edge > WEIGHTS).sum()) for edge in many.bucket_limit[:-1]] == below[:-1].tolist()
    assert seen.Histograms("constant")[0].histogram_value.bucket == [9]
    assert sum(seen.Histograms("close")[0].histogram_value.bucket) == 2


def test_a_resumed_run_goes_on(tmp_path, read):
    for steps in ((1, 2), (3, 4)):
        with closing(EventFile(tmp_path)) as board:
            for step in steps:
                board.scalars({"loss": step}, step)
    assert len(list(tmp_path.iterdir())) == 2
    assert [(point.step, point.value) for point in read(tmp_path).Scalars("loss")] == [(s, s) for s in (1, 2, 3, 4)]


def test_what_is_written_is_there_before_the_file_is_closed(tmp_path, read):
    board = EventFile(tmp_path)
    board.scalars({"loss": 1.0}, 1)
    assert read(tmp_path).Scalars("loss")[0].value == 1.0
    board.close()
    board.close()


def test_numbers_beyond_single_precision_are_infinite(tmp_path, read):
    with closing(EventFile(tmp_path)) as board:
        board.scalars({"nan": math.nan, "much": 1e300, "little": -1e300}, 1)
    seen = read(tmp_path)
    assert math.isnan(seen.Scalars("nan")[0].value)
    assert [seen.Scalars(name)[0].value for name in ("much", "little")] == [math.inf, -math.inf]


@pytest.mark.parametrize("pixels", [PIXELS[..., 0], PIXELS.astype(float), PIXELS[:0], PIXELS[..., :2]])
def test_what_is_no_image_is_refused(tmp_path, read, pixels):
    with closing(EventFile(tmp_path)) as board, pytest.raises(UsageError, match="The image 'x' is"):
        board.image("x", pixels, 1)


def test_a_full_disk_is_a_sentence(tmp_path, read):
    board = EventFile(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(UnavailableError, match=r"TensorBoard's file .* cannot be written \(file too large\)"):
            for step in range(1000):
                board.scalars({"loss": 1.0}, step)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    board.close()
    # What there was room for is whole.
    assert len(read(tmp_path).Scalars("loss")) > 10


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path, read):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot be written"):
        EventFile(tmp_path / "file" / "folder")


def test_without_tensorboard_the_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    for module in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(UnavailableError, match=r"pip install 'keras-zoo\[tensorboard\]'"):
        EventFile(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_no_framework_is_imported(tmp_path):
    pytest.importorskip("tensorboard", reason="needs the extra 'tensorboard'")
    code = (
        "import contextlib, sys, pathlib, numpy as np\n"
        "from zoo.training.callbacks.event_file import EventFile\n"
        "assert 'tensorboard' not in sys.modules\n"
        "with contextlib.closing(EventFile(pathlib.Path(sys.argv[1]))) as board:\n"
        "    board.scalars({'a': 1}, 1); board.histogram('b', np.ones(3), 1)\n"
        "print(*{'tensorflow', 'keras', 'torch', 'jax'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "\n"


@pytest.mark.slow
def test_the_server_shows_them(tmp_path, read):
    with closing(EventFile(tmp_path / "run")) as board:
        for step in (1, 2):
            board.scalars({"loss": 1 / step}, step)
            board.histogram("weights", WEIGHTS, step)
            board.image("filters", PIXELS, step)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", tmp_path, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def get(path, **query):
        address = f"http://127.0.0.1:{port}/data/plugin/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.read()

    try:
        deadline, tags = time.monotonic() + 90, {}
        while not tags.get("run") and time.monotonic() < deadline:
            time.sleep(0.5)
            try:
                tags = json.loads(get("scalars/tags"))
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert server.poll() is None, "the server ended"
        assert list(tags["run"]) == ["loss"]
        points = json.loads(get("scalars/scalars", run="run", tag="loss"))
        assert [point[1:] for point in points] == [[1, 1.0], [2, 0.5]]
        assert list(json.loads(get("histograms/tags"))["run"]) == ["weights"]
        bars = json.loads(get("histograms/histograms", run="run", tag="weights"))[-1][2]
        assert sum(count for _, _, count in bars) == pytest.approx(WEIGHTS.size)
        images = json.loads(get("images/images", run="run", tag="filters", sample=0))
        shown = get("images/individualImage", **dict(urllib.parse.parse_qsl(images[0]["query"])))
        assert np.array_equal(np.array(Image.open(io.BytesIO(shown))), PIXELS)
    finally:
        server.terminate()
        server.wait(30)
