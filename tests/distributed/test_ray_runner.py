"""Vectors by a Ray cluster: the same as by one machine, whatever is killed meanwhile; and nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import zoo
from tests.conftest import ROOT
from tests.drawn import drawing
from zoo.core.errors import UnavailableError, UsageError
from zoo.distributed import ray_cluster, ray_runner, shard_task
from zoo.distributed.ray_runner import RayRunner
from zoo.distributed.shard_task import ShardJob, ShardResult
from zoo.images.source import Source
from zoo.vectors import open_vectors
from zoo.vectors.formats.shards import Shard

pytest.importorskip("ray")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")

NETWORK = ("-m", "cifar10-resnet9")
IMAGES, BROKEN = 2000, 1234


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One compiled network for all tests here."""
    return {"ZOO_CACHE": str(tmp_path_factory.mktemp("cache"))}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Many images, of which one is none."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(12):
        Image.fromarray(np.roll(drawing(), 3 * number, axis=1)).save(folder / f"{number}.png")
    for number in range(12, IMAGES):
        os.link(folder / f"{number % 12}.png", folder / f"{number}.png")
    (folder / f"{BROKEN}.png").unlink()
    (folder / f"{BROKEN}.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def expected(photos, cache, tmp_path_factory):
    """What one machine makes of the images."""
    target = tmp_path_factory.mktemp("expected") / "whole.h5"
    command = [sys.executable, "-m", "zoo", "features", str(photos), *NETWORK, "-o", str(target), "-q"]
    done = subprocess.run(command, env={**os.environ, **cache, "PYTHONPATH": str(ROOT)}, timeout=300, check=False)
    assert done.returncode == 1
    return target


@pytest.fixture
def sessions():
    """Where Ray puts what it needs, a short name as its sockets want it; at the end nothing of it runs, or is there."""
    folder = Path(tempfile.mkdtemp(prefix="zr", dir="/tmp"))
    yield folder
    deadline = time.monotonic() + 60
    while (left := processes(folder)) and time.monotonic() < deadline:
        time.sleep(0.2)
    end(left)
    shutil.rmtree(folder, ignore_errors=True)
    assert not left


@pytest.fixture
def environment(cache, sessions):
    """Of a command that keeps Ray's things apart."""
    home = sessions / "home"
    home.mkdir()
    return {**cache, "TMPDIR": str(sessions), "HOME": str(home), "PYTHONPATH": str(ROOT)}


def end(processes):
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def processes(folder):
    """Processes that have to do with a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if os.fsencode(folder) in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def arguments(photos, *more):
    return ["features", str(photos), *NETWORK, "-o", "f", "--runner", "ray", "--shard-size", "250", *more]


def begin(tmp_path, environment, *command):
    return subprocess.Popen(
        [sys.executable, "-m", "zoo", *command],
        cwd=tmp_path,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def at_work(target, process, before=()):
    """The process that is in the middle of a shard, when some are whole; and the folder in which it is."""
    part = target.with_name(f"{target.name}.part")
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and process.poll() is None:
        whole = list(part.glob("output/f/part-*.h5"))
        half = [path for path in part.glob("work-*/*/part-*.h5.part/about.json") if path.parents[2] not in before]
        if whole and half:
            folder = half[0].parents[1]
            return int(folder.name.partition("-")[0]), folder
        time.sleep(0.005)
    process.kill()
    raise AssertionError(process.communicate())


def result(stdout):
    (row,) = [json.loads(line) for line in stdout.splitlines()]
    return row


def assert_same(target, expected):
    with open_vectors(target) as found, open_vectors(expected) as whole:
        assert list(found.paths) == list(whole.paths)
        assert list(found.failed()) == list(whole.failed())
        assert found.about == whole.about
        assert found.count == IMAGES - 1
        np.testing.assert_allclose(found.read(0, found.count), whole.read(0, whole.count), rtol=1e-4, atol=1e-5)
    assert sorted(os.listdir(target)) == ["manifest.json", *(f"part-{n:05d}.h5" for n in range(IMAGES // 250))]
    assert not target.with_name(f"{target.name}.part").exists()


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(photos, environment, expected, sessions, tmp_path):
    process = begin(tmp_path, environment, *arguments(photos, "--cpus-per-task", "1"))
    worker, folder = at_work(tmp_path / "f", process)
    os.kill(worker, signal.SIGKILL)
    in_the_middle = folder.exists()
    stdout, stderr = process.communicate(timeout=300)
    assert in_the_middle
    assert process.returncode == 1, stderr
    row = result(stdout)
    assert (row["n"], row["failed"], row["new"], row["shape"]) == (IMAGES - 1, 1, IMAGES - 1, [256])
    assert all(line.startswith(b"zoo: ") for line in stderr.splitlines()), stderr
    assert stderr.count(b"\n") == 3
    assert_same(tmp_path / "f", expected)
    assert [entry.name for entry in sessions.iterdir()] == ["home"]
    assert ".ray" not in os.listdir(sessions / "home")


@pytest.mark.slow
def test_who_asked_may_be_killed_or_interrupted_and_goes_on(zoo, photos, environment, expected, sessions, tmp_path):
    for how in (signal.SIGKILL, signal.SIGINT):
        mode = [] if how == signal.SIGKILL else ["--resume"]
        before = set((tmp_path / "f.part").glob("work-*"))
        process = begin(tmp_path, environment, *arguments(photos, *mode))
        at_work(tmp_path / "f", process, before)
        process.send_signal(how)
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == (130 if how == signal.SIGINT else -how), stderr
        assert not (tmp_path / "f").exists()
        deadline = time.monotonic() + 60
        while (left := processes(sessions)) and time.monotonic() < deadline:
            time.sleep(0.1)
        if how == signal.SIGINT:
            assert not left
        # Ray alone sees to its own processes where nobody is left to end them, and may take longer.
        end(left)
    assert b"--resume" in stderr

    other = ["-l", "stage1", "--resume"]
    refused = zoo(*arguments(photos, *other), **environment)
    assert refused.returncode == 2
    assert b"f was made with layer none and not stage1" in refused.stderr
    resumed = ["features", photos, *NETWORK, "-o", "f", "--runner", "ray", "--resume"]
    done = zoo(*resumed, **environment)
    assert done.returncode == 1, done.stderr
    assert 0 < result(done.stdout)["new"] < IMAGES - 250
    assert_same(tmp_path / "f", expected)
    again = zoo(*resumed, **environment)
    assert result(again.stdout)["new"] == 0
    assert (result(again.stdout)["n"], result(again.stdout)["failed"]) == (IMAGES - 1, 1)


@pytest.fixture
def head(sessions):
    """A cluster that is there already, with one processor: its address."""
    ports = []
    with contextlib.ExitStack() as held:
        for _ in range(3):
            taken = held.enter_context(socket.socket())
            taken.bind(("127.0.0.1", 0))
            ports.append(taken.getsockname()[1])
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=1"),
            *("--node-ip-address=127.0.0.1", f"--port={ports[0]}", f"--ray-client-server-port={ports[1]}"),
            *("--include-dashboard=false", f"--dashboard-agent-listen-port={ports[2]}", "--disable-usage-stats"),
            *(f"--temp-dir={sessions}/ray", "--object-store-memory=100000000"),
        ],
        env={**os.environ, "HOME": str(sessions / "home"), "RAY_AUTH_MODE": "disabled"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not list(sessions.glob("ray/session_latest/logs/raylet.out")):
            assert process.poll() is None
            time.sleep(0.1)
        yield f"127.0.0.1:{ports[0]}"
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_that_is_there_is_used_and_stays(zoo, photos, environment, head, expected, tmp_path):
    some = [photos / f"{number}.png" for number in range(30)]
    by_list = {"stdin": "\n".join(map(str, some)).encode(), "RAY_AUTH_MODE": "disabled", **environment}
    for target, size in (("f", 7), ("g", 100)):
        done = zoo(
            *("features", "-", *NETWORK, "-o", target, "--runner", "ray"),
            *("--address", head, "--shard-size", size),
            **by_list,
        )
        assert done.returncode == 0, done.stderr
        assert b"on 1 machine; processors: 1, for each shard 1" in done.stderr
        with open_vectors(tmp_path / target) as found, open_vectors(expected) as whole:
            assert list(found.paths) == list(map(str, some))
            np.testing.assert_allclose(found.read(0, 30), whole.read(0, 30), rtol=1e-4, atol=1e-5)
    assert len(list((tmp_path / "f").glob("part-*"))) == 5


@pytest.mark.parametrize(
    ("more", "status", "sentence"),
    [
        (("--address", "127.0.0.1:1"), 4, b"There is no Ray cluster at 127.0.0.1:1: connection refused."),
        (("--cpus-per-task", "4096"), 2, b"processors for a task. Received: 4096"),
        (("--device", "gpu:1"), 2, b"Expected --device auto, cpu or gpu"),
        (("--update",), 2, b"A folder of shards cannot be updated"),
        (("-l", "stage1_ress"), 2, b"Did you mean"),
        (("--runner", "local", "--address", "auto"), 2, b"are for --runner ray"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing_behind(zoo, photos, cache, tmp_path, more, status, sentence):
    done = zoo(*arguments(photos, *more), "-q", **cache)
    assert done.returncode == status, done.stderr
    assert done.stdout == b""
    assert sentence in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not [name for name in os.listdir(tmp_path) if name.startswith("f")]


def test_without_the_extra_it_says_which(zoo, photos, cache, tmp_path):
    (tmp_path / "ray.py").write_text("raise ImportError('no module')")
    done = zoo(*arguments(photos), **{**cache, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    assert done.returncode == 4
    assert b"pip install 'keras-zoo[ray]'" in done.stderr


def machines(*cpus, gpus=0):
    """As much of Ray as knows its machines."""
    nodes = [{"Alive": True, "Resources": {"CPU": float(count), "GPU": float(gpus)}} for count in cpus]
    return SimpleNamespace(nodes=lambda: [*nodes, {"Alive": False, "Resources": {"CPU": 7.0}}])


@pytest.mark.parametrize(
    ("cpus", "usual", "slots"),
    [((2,), 2, 1), ((6,), 6, 1), ((64,), 8, 8), ((64, 12), 4, 19), ((0, 16), 8, 2), ((7, 4), 1, 11), ((), 1, 0)],
)
def test_no_processor_is_left_over(cpus, usual, slots):
    ray = machines(*cpus)
    assert ray_cluster.default_cpus(ray) == usual
    assert ray_cluster.slots(ray, usual, 0) == slots


def test_each_task_on_a_gpu_has_one():
    assert ray_cluster.slots(machines(32, 32, gpus=2), 4, 1) == 4
    assert ray_cluster.slots(machines(32), 4, 1) == 0


def test_the_environment_is_as_it_was(monkeypatch):
    monkeypatch.setenv("ZOO_A", "1")
    monkeypatch.delenv("ZOO_B", raising=False)
    with ray_cluster._environment({"ZOO_A": "2", "ZOO_B": "2"}, "ZOO_C"):
        assert (os.environ["ZOO_A"], os.environ["ZOO_B"]) == ("2", "2")
        os.environ["ZOO_C"] = "3"
    assert os.environ["ZOO_A"] == "1"
    assert not {"ZOO_B", "ZOO_C"} & os.environ.keys()


def test_images_in_memory_are_refused():
    batches = ray_runner._batches(iter([Source("a.png"), Source.from_array(np.zeros((2, 2, 3), np.uint8))]), 10)
    with pytest.raises(UsageError, match=r"takes files and URLs\. Received: array \(array\)"):
        next(batches)


def test_a_machine_that_does_not_see_the_images_is_named(tmp_path):
    here = tmp_path / "1.png"
    here.write_bytes(b"")
    part = tmp_path / "part-00000.h5"
    part.write_bytes(b"")
    job = ShardJob({}, {}, str(tmp_path), str(tmp_path))
    gone = ShardResult(
        Shard(part.name, 0, 1), (0,), (("x", "no such file"),), new=True, host="node7", unseen=("gone.png",)
    )
    ray_runner._check_seen(gone, job)
    assert part.exists()
    with pytest.raises(UnavailableError, match=r"1.png exists here, but not on node7; put the images"):
        ray_runner._check_seen(ShardResult(gone.shard, (0,), gone.failed, True, "node7", ("gone.png", str(here))), job)
    assert not part.exists()


def test_what_ray_gives_up_is_a_sentence():
    import ray

    def get(_):
        raise ray.exceptions.WorkerCrashedError

    fake = SimpleNamespace(get=get, exceptions=ray.exceptions)
    with pytest.raises(
        UnavailableError, match=r"^The shard of a.png to b.png was tried 4 times, .*use --resume to continue\.$"
    ):
        ray_runner._result(fake, None, [Source("a.png"), Source("b.png")])


def test_an_error_of_zoo_comes_back_as_it_was():
    import ray

    def get(_):
        raise ray.exceptions.RayTaskError("compute_shard", "traceback", UsageError("No such layer."))

    with pytest.raises(UsageError, match=r"^No such layer\.$"):
        ray_runner._result(SimpleNamespace(get=get, exceptions=ray.exceptions), None, [Source("a.png")])


def test_a_runner_says_what_devices_ray_gives():
    with pytest.raises(UsageError, match="--device auto, cpu or gpu"):
        RayRunner(device="gpu:0").write([], "f", None)


def test_a_connection_that_is_there_stays():
    # It knows nothing else: to connect, or to end it, would fail.
    with ray_cluster.connected(SimpleNamespace(is_initialized=lambda: True), "auto"):
        pass


def test_python_hands_over_to_a_runner(photos):
    class Runner:
        def write(self, images, target, extractor, *, mode):
            return images, target, extractor.spec.name, mode

    given = zoo.write_features(photos, "f", NETWORK[1], runner=Runner(), mode="resume")
    assert given == (photos, "f", NETWORK[1], "resume")


def test_the_task_can_be_sent():
    """What Ray sends it pickles: by name, as every machine has zoo."""
    import pickle

    assert pickle.loads(pickle.dumps(shard_task.compute_shard)) is shard_task.compute_shard
    job = ShardJob({"model": "lenet"}, {"threads": 2}, "/work", "/parts")
    assert pickle.loads(pickle.dumps(job)) == job
    assert pickle.loads(pickle.dumps(Source("a.png"))) == Source("a.png")
