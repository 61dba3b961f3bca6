"""Where weights are found, when they are fetched, and what is trusted."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest

from zoo.catalog import inventory
from zoo.core import paths as resources
from zoo.core.errors import UsageError, WeightsError
from zoo.core.spec import ModelSpec, WeightFile, Weights
from zoo.pretrained import digests, download
from zoo.pretrained import weights as pretrained
from zoo.pretrained.sources import imported

TOP = b"\x89HDF\r\n\x1a\n" + b"with the classifier" * 1000
NO_TOP = b"\x89HDF\r\n\x1a\n" + b"without it" * 1000


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def make_spec(url: str | None = None, **files: WeightFile) -> ModelSpec:
    """A network with published weights of both kinds, or those given."""
    files = files or {
        "top": WeightFile("net_top.h5", url and f"{url}/net_top.h5", md5(TOP), bytes=len(TOP)),
        "no_top": WeightFile("net_no_top.h5", url and f"{url}/net_no_top.h5", md5(NO_TOP), bytes=len(NO_TOP)),
    }
    return ModelSpec("net", "test", weights=MappingProxyType({"imagenet": Weights("imagenet", **files)}))


class Files(http.server.BaseHTTPRequestHandler):
    """Serves both files below any folder, except below ``/missing``."""

    def do_GET(self) -> None:
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        name = self.path.rpartition("/")[2]
        data = {"net_top.h5": TOP, "net_no_top.h5": NO_TOP}.get(name)
        if data is None or self.path.startswith("/missing"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as running:
        running.daemon_threads = True
        running.paths = []  # type: ignore[attr-defined]
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def url(server: http.server.ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def paths(server: http.server.ThreadingHTTPServer) -> list[str]:
    """Paths that the server was asked for."""
    return server.paths  # type: ignore[attr-defined,no-any-return]


@pytest.fixture(autouse=True)
def folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Folders of this test alone."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "zoo"))
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("ZOO_CACHE_PATH", "ZOO_OFFLINE", "ZOO_WEIGHTS_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    digests._memory.clear()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def put_import(tmp_path: Path, data: bytes, *, tag: str = "imagenet", has_top: bool = True) -> Path:
    """An imported file with its record, as the importer leaves them."""
    record = imported.record_file("net", tag, has_top)
    file = put(record.with_suffix(".weights.h5"), data)
    about = {"file": file.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    record.write_text(json.dumps(about))
    return file


# Finding.


def test_places_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place is found while those before it are empty."""
    monkeypatch.setenv("ZOO_CACHE_PATH", os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    shipped = tmp_path / "shipped"
    monkeypatch.setattr(resources, "shipped", shipped.joinpath)
    spec = make_spec(top=WeightFile("net_top.h5", shipped="small/net.h5"))
    assert pretrained.find(spec) is None
    expected = [
        (put(tmp_path / "b" / "models" / "net_top.h5", b"6"), "root"),
        (put(tmp_path / "b" / "net_top.h5", b"5"), "root"),
        (put(tmp_path / "a" / "models" / "net_top.h5", b"4"), "root"),
        (put(tmp_path / "a" / "net_top.h5", b"4"), "root"),
        (put(tmp_path / "zoo" / "weights" / "net_top.h5", b"3"), "zoo"),
        (put(tmp_path / "keras" / "models" / "net_top.h5", b"2"), "keras"),
        (put_import(tmp_path, b"1"), "imported"),
        (put(shipped / "weights" / "small" / "net.h5", b"0"), "shipped"),
    ]
    for path, origin in reversed(expected):
        found = pretrained.find(spec)
        assert found is not None
        assert (found.path, found.origin, found.has_top, found.tag) == (path, origin, True, "imagenet")
        path.unlink()
    assert pretrained.find(spec) is None


def test_without_the_classifier_either_file_serves(tmp_path: Path) -> None:
    spec = make_spec()
    models = tmp_path / "keras" / "models"
    put(models / "net_no_top.h5", NO_TOP)
    assert pretrained.find(spec) is None
    found = pretrained.find(spec, include_top=False)
    assert found and not found.has_top

    (models / "net_no_top.h5").unlink()
    put(models / "net_top.h5", TOP)
    found = pretrained.find(spec, include_top=False)
    assert found and found.has_top and found.path.name == "net_top.h5"


def test_imported_weights_of_a_network_that_publishes_none(tmp_path: Path) -> None:
    spec = ModelSpec("net", "test")
    assert pretrained.find(spec) is None
    file = put_import(tmp_path, b"1")
    found = pretrained.fetch(spec, offline=True)
    assert (found.path, found.tag) == (file, "imagenet")
    put_import(tmp_path, b"2", tag="mine")
    assert pretrained.fetch(spec, "mine", offline=True).path.read_bytes() == b"2"


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"file": "../../../etc/passwd", "sha256": "", "bytes": 1}', "\0"])
def test_records_that_make_no_sense_are_passed_over(record: str) -> None:
    put(imported.record_file("net", "imagenet", True), record.encode())
    assert pretrained.find(make_spec()) is None


def test_finding_imports_nothing_heavy(tmp_path: Path) -> None:
    file = put(tmp_path / "keras" / "models" / "net_top.h5", TOP)
    digests.digest(file)
    script = """
import sys
from zoo.core import spec
from zoo.pretrained import digests, weights as pretrained
net = spec.ModelSpec("net", "test", weights={"imagenet": spec.Weights("imagenet", top=spec.WeightFile("net_top.h5"))})
found = pretrained.find(net)
digests.digest(found.path)
heavy = {"hashlib", "requests", "filelock", "h5py", "numpy", "keras", "ssl", "tempfile", "yaml"} & set(sys.modules)
print(sorted(heavy))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(pretrained.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


# Fetching.


def test_fetched_once_into_the_layout_of_keras(tmp_path: Path, url: str, paths: list[str]) -> None:
    seen: list[tuple[str, int, int | None]] = []
    found = pretrained.fetch(make_spec(url), progress=lambda *args: seen.append(args))
    assert (found.path, found.origin, found.has_top) == (tmp_path / "keras" / "models" / "net_top.h5", "keras", True)
    assert found.path.read_bytes() == TOP and seen[-1] == ("net_top.h5", len(TOP), len(TOP))
    assert pretrained.fetch(make_spec(url)).path == found.path
    assert paths == ["/net_top.h5"]


def test_without_classifier_the_smaller_file_is_fetched(url: str, paths: list[str]) -> None:
    found = pretrained.fetch(make_spec(url), include_top=False)
    assert not found.has_top and paths == ["/net_no_top.h5"]


def test_mirrors_come_first_in_their_order(url: str, paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_WEIGHTS_MIRROR", f"{url}/missing/ {url}/mirror")
    pretrained.fetch(make_spec(f"{url}/official"))
    assert paths == ["/missing/net_top.h5", "/mirror/net_top.h5"]


def test_mirror_that_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_WEIGHTS_MIRROR", "ftp://elsewhere")
    with pytest.raises(UsageError, match=r"ZOO_WEIGHTS_MIRROR .*ftp://elsewhere"):
        pretrained.fetch(make_spec())


@pytest.mark.parametrize("variable", ["1", "true", None])
def test_offline_never_asks_and_says_what_to_do(
    url: str, paths: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None
) -> None:
    if variable:
        monkeypatch.setenv("ZOO_OFFLINE", variable)
    with pytest.raises(WeightsError) as caught:
        pretrained.fetch(make_spec(url), offline=None if variable else True)
    sentence = str(caught.value)
    for part in ("net_top.h5", "'zoo pull net'", "'zoo cache import net_top.h5 --as net'", str(tmp_path / "keras")):
        assert part in sentence
    assert paths == [] and caught.value.exit_status == 4


def test_offline_may_be_overruled(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert pretrained.fetch(make_spec(url), offline=False).path.exists()


def test_failure_says_what_to_do(url: str) -> None:
    with pytest.raises(WeightsError, match=r"404.*'zoo cache import net_top.h5 --as net'"):
        pretrained.fetch(make_spec(f"{url}/missing"))


def test_weights_that_nobody_publishes() -> None:
    with pytest.raises(WeightsError, match=r"No address is known .*ZOO_WEIGHTS_MIRROR"):
        pretrained.fetch(make_spec())
    with pytest.raises(WeightsError, match="No weights are published for net"):
        pretrained.fetch(ModelSpec("net", "test"))
    with pytest.raises(WeightsError, match="without a classifier"):
        pretrained.fetch(make_spec(no_top=WeightFile("net_no_top.h5")))
    with pytest.raises(UsageError, match=r"no weights 'mine'. Its weights: imagenet"):
        pretrained.fetch(make_spec(), "mine")


def check_fallback(url: str, tmp_path: Path) -> None:
    found = pretrained.fetch(make_spec(url))
    assert (found.path, found.origin) == (tmp_path / "zoo" / "weights" / "net_top.h5", "zoo")
    again = pretrained.find(make_spec(url))
    assert again and again.path == found.path


def test_zoo_keeps_what_keras_cannot(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "keras", b"a file where the folder should be")
    check_fallback(url, tmp_path)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "keras" / "zoo"))
    with pytest.raises(WeightsError, match=r"Neither .* nor .* can be written; set KERAS_HOME or ZOO_CACHE"):
        pretrained.fetch(make_spec(url))


def test_read_only_cache_of_keras(url: str, tmp_path: Path) -> None:
    models = tmp_path / "keras" / "models"
    models.mkdir(parents=True)
    if os.geteuid() == 0:
        # Permissions do not hold root back; a disk mounted read-only does.
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", models], capture_output=True, check=False
        ).returncode:
            pytest.skip("this root may not mount")
        try:
            check_fallback(url, tmp_path)
        finally:
            subprocess.run(["umount", models], check=True)
    else:
        models.chmod(0o500)
        try:
            check_fallback(url, tmp_path)
        finally:
            models.chmod(0o700)


# Trusting.


def test_damaged_file_is_named_and_left_alone(tmp_path: Path, url: str, paths: list[str]) -> None:
    file = put(tmp_path / "keras" / "models" / "net_top.h5", TOP[:-1])
    with pytest.raises(WeightsError) as caught:
        pretrained.fetch(make_spec(url))
    for part in (str(file), md5(TOP), md5(TOP[:-1]), "delete it, and 'zoo pull net' downloads it again"):
        assert part in str(caught.value)
    assert file.exists() and paths == []


def test_verified_once_and_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(tmp_path / "keras" / "models" / "net_top.h5", TOP)
    hashed: list[str] = []
    real = digests.hash_file
    monkeypatch.setattr(digests, "hash_file", lambda path: hashed.append(str(path)) or real(path))
    spec = make_spec()
    pretrained.fetch(spec)
    pretrained.fetch(spec)
    digests._memory.clear()
    assert digests.digest(file) == hashlib.sha256(TOP).hexdigest()
    assert hashed == [str(file)]

    os.utime(file, ns=(0, 1))
    pretrained.fetch(spec)
    assert len(hashed) == 2
    file.write_bytes(TOP + b"!")
    with pytest.raises(WeightsError, match="damaged or another file"):
        pretrained.fetch(spec)


def test_file_without_official_digest_is_compared_with_what_it_was(tmp_path: Path) -> None:
    spec = make_spec(top=WeightFile("net_top.h5"))
    file = put(tmp_path / "keras" / "models" / "net_top.h5", TOP)
    pretrained.fetch(spec)
    file.write_bytes(TOP + b"!")
    # Reading the digest in between must not make the new contents trusted.
    digests.digest(file)
    with pytest.raises(WeightsError, match="has changed since it was first used"):
        pretrained.fetch(spec)
    file.write_bytes(TOP)
    assert pretrained.fetch(spec).path == file


def test_a_verified_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(tmp_path / "net.h5", TOP)
    first = digests.digest(file)
    digests._memory.clear()

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the file was hashed again")

    monkeypatch.setattr("hashlib.sha256", never)
    assert digests.digest(file) == first


def test_digests_without_a_folder_to_keep_them_live_as_long_as_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZOO_CACHE", str(put(tmp_path / "file", b"")))
    file = put(tmp_path / "net.h5", TOP)
    first = digests.digest(file)
    monkeypatch.setattr(digests, "hash_file", lambda path: pytest.fail("read again"))
    assert digests.digest(file) == first


def test_damaged_record_only_costs_another_reading(tmp_path: Path) -> None:
    file = put(tmp_path / "net.h5", TOP)
    first = digests.digest(file)
    for contents in (b"", b"{", b"[1]", b'{"path": 1}', b"\xff"):
        for record in (tmp_path / "zoo" / "verified").iterdir():
            record.write_bytes(contents)
        digests._memory.clear()
        assert digests.digest(file) == first


def test_digest_of_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none.h5 cannot be read: No such file"):
        digests.digest(tmp_path / "none.h5")


# Listing, checking, clearing.


def test_every_known_file_is_listed_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE_PATH", str(tmp_path / "root"))
    spec = make_spec()
    assert inventory.cached([spec]) == []
    keras = put(tmp_path / "keras" / "models" / "net_top.h5", TOP)
    put(tmp_path / "keras" / "models" / "stranger.h5", b"")
    root = put(tmp_path / "root" / "net_no_top.h5", b"damaged")
    mine = put_import(tmp_path, b"1", tag="mine")
    pretrained.fetch(spec)
    listed = {entry.path: entry for entry in inventory.cached([spec])}
    assert set(listed) == {keras, root, mine}
    assert (listed[keras].verified, listed[keras].bytes, listed[keras].model) == (True, len(TOP), "net")
    assert (listed[root].verified, listed[root].has_top, listed[root].source.origin) == (False, False, "root")
    assert (listed[mine].tag, listed[mine].source.origin) == ("mine", "imported")

    problems = {entry.path: problem for entry, problem in inventory.check_all([spec])}
    assert problems[keras] is None and problems[mine] is None
    assert "replace it there" in str(problems[root])
    # Damage that leaves size and time as they were is what checking again is for.
    times = keras.stat()
    keras.write_bytes(TOP[:-1] + b"?")
    os.utime(keras, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert {entry.path for entry, problem in inventory.check_all([spec]) if problem} == {keras, root}


def test_pruning_removes_only_what_zoo_left_over(tmp_path: Path) -> None:
    spec = make_spec()
    models, weights = tmp_path / "keras" / "models", tmp_path / "zoo" / "weights"
    kept = [
        put(models / "net_top.h5", TOP),
        put(models / "stranger.h5.part", b""),
        put(models / "fresh.h5.zoo.part", b"1"),
        put(weights / "net_no_top.h5", NO_TOP),
        put_import(tmp_path, b"1"),
    ]
    old = [
        put(models / "old.h5.zoo.part", b"12"),
        put(models / "old.h5.zoo.part.json", b""),
        put(models / "old.h5.zoo.lock", b""),
        put(weights / "net" / ".import-1.zoo.part.h5", b"3"),
        put(weights / "net" / "unnamed.weights.h5", b"3"),
    ]
    for path in old:
        os.utime(path, (0, 0))
    gone = put(tmp_path / "gone.h5", b"")
    digests.digest(gone)
    gone.unlink()
    old.append(next((tmp_path / "zoo" / "verified").glob("gone.h5-*.json")))
    old.append(put(imported.record_file("net", "lost", True), b'{"file": "lost.h5", "sha256": "", "bytes": 1}'))

    assert {one.path for one in inventory.prune(dry_run=True)} == set(old)
    assert all(path.exists() for path in old)
    assert {one.path for one in inventory.prune()} == set(old)
    assert not any(path.exists() for path in old) and all(path.exists() for path in kept)

    removed = {one.path for one in inventory.prune([spec])}
    assert removed == {kept[0], kept[3], kept[4], imported.record_file("net", "imagenet", True)}
    assert pretrained.find(spec) is None


def test_pruning_leaves_a_download_that_is_under_way(tmp_path: Path) -> None:
    import filelock

    part = put(tmp_path / "keras" / "models" / "net.h5.zoo.part", b"1")
    with filelock.FileLock(part.with_name("net.h5" + download.LOCK)):
        assert inventory.prune(older_than=-60) == []
    assert part in {one.path for one in inventory.prune(older_than=-60)}


def test_pruning_never_touches_read_only_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_CACHE_PATH", str(tmp_path / "root"))
    file = put(tmp_path / "root" / "net_top.h5", TOP)
    assert inventory.prune([make_spec()]) == [] and file.exists()
