"""Downloads against a server on this machine that misbehaves in every way that has been seen."""

from __future__ import annotations

import errno
import hashlib
import http.server
import io
import logging
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo.core.errors import WeightsError
from zoo.core.spec import WeightFile
from zoo.pretrained import digests, download
from zoo.pretrained import http as transfer

DATA = b"\x89HDF\r\n\x1a\n" + random.Random(0).randbytes(400_000)
MD5 = hashlib.md5(DATA).hexdigest()
KNOWN = WeightFile("net.h5", md5=MD5, bytes=len(DATA))
UNKNOWN = WeightFile("net.h5")
#: Where connections are cut: after six blocks.
CUT = 6 * transfer.BLOCK

#: What a test server does with one request; returns whether it has answered.
Behaviour = Callable[["Handler", int], bool]


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves ``DATA`` with ranges and an entity tag, unless the test's behaviour answers first."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        with self.server.counting:
            number = len(self.server.requests)
            self.server.requests.append((self.path, dict(self.headers)))
        if not self.server.behaviour(self, number):
            self.give()

    def give(
        self,
        data: bytes = DATA,
        *,
        etag: str | None = '"one"',
        ranges: bool = True,
        cut: int | None = None,
        length: bool = True,
    ) -> None:
        """Send ``data``, or the range that was asked for; close the connection after ``cut`` bytes of it."""
        start, status = 0, 200
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and ranges and self.headers.get("If-Range", etag) == etag:
            start, status = int(asked[1]), 206
            if start >= len(data):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        body = data[start:]
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if etag:
            self.send_header("ETag", etag)
        if length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.drop()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drop(self) -> None:
        """Close the connection now."""
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


class Server(http.server.ThreadingHTTPServer):
    """A server on a free port of this machine, with what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.counting = threading.Lock()
        self.behaviour: Behaviour = lambda handler, number: False
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are part of the tests."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Folders of this test alone, short time-outs, and no proxy."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "zoo"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(download, "BACK_OFF", 0.01)
    monkeypatch.setattr(transfer, "CONNECT_TIMEOUT", 2.0)
    monkeypatch.setattr(transfer, "READ_TIMEOUT", 0.5)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "net.h5"


def fetch(server: Server, target: Path, expected: WeightFile = KNOWN, path: str = "/net.h5") -> None:
    download.download([server.url + path], target, expected)


def leftovers(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir() if path.is_file() and path != target}


def ranges(server: Server) -> list[str | None]:
    return [headers.get("Range") for _, headers in server.requests]


def test_whole_file_arrives_under_its_name_with_progress_and_leaves_nothing_else(server: Server, target: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    download.download([server.url + "/net.h5"], target, KNOWN, progress=lambda *args: seen.append(args))
    assert target.read_bytes() == DATA
    assert leftovers(target) == set()
    assert seen[-1] == ("net.h5", len(DATA), len(DATA))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert digests.known(target) == digests.Digests(hashlib.sha256(DATA).hexdigest(), MD5)


def test_a_file_that_is_there_is_not_asked_for(server: Server, target: Path) -> None:
    target.write_bytes(b"old")
    fetch(server, target)
    assert target.read_bytes() == b"old" and not server.requests


@pytest.mark.parametrize("expected", [KNOWN, UNKNOWN], ids=["digest", "no digest"])
def test_cut_connection_is_continued_where_it_broke(server: Server, target: Path, expected: WeightFile) -> None:
    server.behaviour = lambda handler, number: number < 3 and (handler.give(cut=CUT) or True)
    fetch(server, target, expected)
    assert target.read_bytes() == DATA
    assert ranges(server) == [None, "bytes=98304-", "bytes=196608-", "bytes=294912-"]
    assert [headers.get("If-Range") for _, headers in server.requests] == [None, '"one"', '"one"', '"one"']


def test_without_digest_and_validator_a_cut_download_begins_anew(server: Server, target: Path) -> None:
    server.behaviour = lambda handler, number: handler.give(cut=CUT if number == 0 else None, etag=None) or True
    fetch(server, target, UNKNOWN)
    assert target.read_bytes() == DATA and ranges(server) == [None, None]


def test_a_connection_that_always_breaks_is_given_up_and_continued_by_the_next_call(
    server: Server, target: Path
) -> None:
    server.behaviour = lambda handler, number: handler.give(cut=16_384) or True
    with pytest.raises(WeightsError, match="the connection was lost"):
        fetch(server, target)
    assert len(server.requests) == transfer.ATTEMPTS
    assert leftovers(target) == {"net.h5.zoo.part", "net.h5.zoo.part.json"}
    server.behaviour = lambda handler, number: False
    fetch(server, target)
    assert target.read_bytes() == DATA and ranges(server)[-1] == f"bytes={16_384 * transfer.ATTEMPTS}-"
    assert leftovers(target) == set()


def test_tries_that_bring_enough_are_no_failures(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "ENOUGH", transfer.BLOCK)
    server.behaviour = lambda handler, number: handler.give(cut=transfer.BLOCK) or True
    fetch(server, target)
    assert target.read_bytes() == DATA and len(server.requests) > transfer.ATTEMPTS


def test_an_answer_without_length_that_is_cut_fails_its_digest(server: Server, target: Path) -> None:
    server.behaviour = lambda handler, number: handler.give(cut=CUT, length=False) or True
    with pytest.raises(WeightsError, match=f"md5 {MD5} was expected"):
        fetch(server, target)
    assert leftovers(target) == set()


def test_server_that_ignores_ranges_sends_it_all_again(server: Server, target: Path) -> None:
    server.behaviour = lambda handler, number: handler.give(cut=None if number else CUT, ranges=False) or True
    fetch(server, target)
    assert target.read_bytes() == DATA and ranges(server) == [None, "bytes=98304-"]


def test_file_that_changed_on_the_server_begins_anew(server: Server, target: Path) -> None:
    newer = DATA[:8] + DATA[8:][::-1]

    def behaviour(handler: Handler, number: int) -> bool:
        handler.give(cut=CUT) if number == 0 else handler.give(newer, etag='"two"')
        return True

    server.behaviour = behaviour
    fetch(server, target, UNKNOWN)
    assert target.read_bytes() == newer


def test_refused_range_begins_anew(server: Server, target: Path) -> None:
    def behaviour(handler: Handler, number: int) -> bool:
        if number == 0:
            handler.give(cut=CUT)
        elif handler.headers.get("Range"):
            handler.answer(416)
        else:
            return False
        return True

    server.behaviour = behaviour
    fetch(server, target)
    assert target.read_bytes() == DATA and ranges(server) == [None, "bytes=98304-", None]


def test_part_that_is_complete_already_needs_no_more_bytes(server: Server, target: Path) -> None:
    part = transfer.Part(target)
    part.path.write_bytes(DATA)
    part.describe(server.url + "/net.h5", '"one"')
    fetch(server, target)
    assert target.read_bytes() == DATA and ranges(server) == [f"bytes={len(DATA)}-"]


def test_another_range_than_asked_for_is_not_taken(server: Server, target: Path) -> None:
    def behaviour(handler: Handler, number: int) -> bool:
        if number == 1:
            handler.answer(206, DATA[:50_000], Content_Range=f"bytes 0-49999/{len(DATA)}")
        else:
            handler.give(cut=None if number else CUT)
        return True

    server.behaviour = behaviour
    fetch(server, target)
    assert target.read_bytes() == DATA and ranges(server) == [None, "bytes=98304-", None]


def test_wrong_digest_is_an_error_and_leaves_nothing(server: Server, target: Path) -> None:
    other = DATA[:-1] + b"?"
    server.behaviour = lambda handler, number: handler.give(other) or True
    with pytest.raises(WeightsError) as caught:
        fetch(server, target)
    assert MD5 in str(caught.value) and hashlib.md5(other).hexdigest() in str(caught.value)
    assert len(server.requests) == 1 and not target.exists() and leftovers(target) == set()


def test_old_bytes_that_spoil_the_digest_cost_one_more_download(server: Server, target: Path) -> None:
    part = transfer.Part(target)
    part.path.write_bytes(b"x" * 50_000)
    part.describe("http://elsewhere/net.h5", None)
    fetch(server, target)
    assert target.read_bytes() == DATA and ranges(server) == ["bytes=50000-", None]


def test_errors_of_the_server_are_waited_out(server: Server, target: Path) -> None:
    server.behaviour = lambda handler, number: number < 2 and (handler.answer(500 + 3 * number) or True)
    fetch(server, target)
    assert target.read_bytes() == DATA and len(server.requests) == 3


def test_back_off_doubles(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waits.append)
    monkeypatch.setattr(download, "BACK_OFF", 0.5)
    server.behaviour = lambda handler, number: handler.answer(503) or True
    with pytest.raises(WeightsError, match="the server answers 503"):
        fetch(server, target)
    # urllib3 does not wait before the second request.
    assert waits == [1.0, 2.0, 4.0]


def test_retry_after_is_honoured_within_reason(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waits.append)
    server.behaviour = lambda handler, number: number == 0 and (handler.answer(429, Retry_After="7") or True)
    fetch(server, target)
    assert waits == [7.0]

    target.unlink()
    server.behaviour = lambda handler, number: handler.answer(429, Retry_After="3600") or True
    with pytest.raises(WeightsError, match="429 and asks to come back in 3600 s"):
        fetch(server, target)
    assert waits == [7.0]


def test_retry_after_may_be_a_date(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waits.append)
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 30))
    server.behaviour = lambda handler, number: number == 0 and (handler.answer(503, Retry_After=date) or True)
    fetch(server, target)
    assert len(waits) == 1 and 25 < waits[0] <= 30


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_not_there_is_asked_for_once(server: Server, target: Path, status: int) -> None:
    server.behaviour = lambda handler, number: handler.answer(status) or True
    with pytest.raises(WeightsError, match=rf"net.h5 could not be fetched \({server.url}/net.h5: .* {status}"):
        fetch(server, target)
    assert len(server.requests) == 1


def test_redirects_are_followed(server: Server, target: Path) -> None:
    def behaviour(handler: Handler, number: int) -> bool:
        return handler.path == "/old" and (handler.answer(302, Location="/net.h5") or True)

    server.behaviour = behaviour
    fetch(server, target, path="/old")
    assert target.read_bytes() == DATA


def test_redirects_in_a_circle_end(server: Server, target: Path) -> None:
    server.behaviour = lambda handler, number: handler.answer(302, Location="/net.h5") or True
    with pytest.raises(WeightsError, match="TooManyRedirects"):
        fetch(server, target)


def test_stalled_connection_is_given_up_and_continued(server: Server, target: Path) -> None:
    released = threading.Event()

    def behaviour(handler: Handler, number: int) -> bool:
        if number:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.send_header("ETag", '"one"')
        handler.end_headers()
        handler.wfile.write(DATA[:200_000])
        handler.wfile.flush()
        released.wait(10)
        handler.close_connection = True
        return True

    server.behaviour = behaviour
    fetch(server, target)
    released.set()
    assert target.read_bytes() == DATA and len(server.requests) == 2
    # What was in the last, incomplete block is lost with the connection.
    assert int(str(ranges(server)[1])[6:-1]) > 200_000 - 2 * transfer.BLOCK


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("expected", [KNOWN, UNKNOWN], ids=["digest", "no digest"])
def test_a_web_page_is_no_file(server: Server, target: Path, content_type: str, expected: WeightFile) -> None:
    page = b"<!doctype html><title>Please log in</title>"
    server.behaviour = lambda handler, number: handler.answer(200, page, Content_Type=content_type) or True
    with pytest.raises(WeightsError, match=r"web page|something else than weights"):
        fetch(server, target, expected)
    assert not target.exists() and leftovers(target) == set()


def test_the_next_address_is_tried_and_the_error_names_them_all(
    server: Server, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.behaviour = lambda handler, number: handler.path != "/good/net.h5" and (handler.answer(404) or True)
    urls = [f"{server.url}/one/net.h5", f"{server.url}/two/net.h5"]
    with pytest.raises(WeightsError, match=r"/one/net.h5: .* 404.*; .*/two/net.h5: .* 404"):
        download.download(urls, target, KNOWN)
    with caplog.at_level(logging.DEBUG, logger="zoo.pretrained.download"):
        download.download([*urls, f"{server.url}/good/net.h5"], target, KNOWN)
    assert target.read_bytes() == DATA and "one/net.h5" in caplog.text


def test_unreachable_server_is_given_up_soon(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waits.append)
    with socket.socket() as taken:
        # Bound but not listening: every connection is refused.
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(WeightsError, match="there is no connection to the server"):
            download.download([f"http://127.0.0.1:{taken.getsockname()[1]}/net.h5"], target, KNOWN)
    assert len(waits) == download.ATTEMPTS_TO_CONNECT - 1


def test_password_in_an_address_is_never_shown_or_stored(server: Server, target: Path) -> None:
    server.behaviour = lambda handler, number: handler.give(cut=50_000) or True
    url = server.url.replace("http://", "http://ann:secret@") + "/net.h5?token=secret"
    with pytest.raises(WeightsError) as caught:
        download.download([url], target, KNOWN)
    assert "secret" not in str(caught.value)
    assert all(b"secret" not in path.read_bytes() for path in target.parent.iterdir() if path.is_file())
    with pytest.raises(WeightsError) as caught:
        download.download(["http://ann:secret@[::bad/net.h5"], target.with_name("other.h5"), KNOWN)
    assert "secret" not in str(caught.value)


def test_too_little_room_is_said_before_a_byte_is_written(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(target.parent)._replace(free=300_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(WeightsError, match=r"is full \(0.4 MB are needed and 0.3 MB are free\); make room"):
        fetch(server, target)
    assert not transfer.Part(target).path.exists()


def test_disk_that_fills_up_on_the_way(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.FileIO):
        def write(self, data: object) -> int:
            if self.tell() >= 131_072:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)  # type: ignore[arg-type]

    def opened(path: Path, mode: str = "r", **options: Any) -> Any:
        if path.name.endswith(transfer.PART) and mode == "wb":
            return Full(path, "wb")
        return real(path, mode, **options)

    real = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", opened)
        with pytest.raises(WeightsError, match=r"is full .*make room and try again"):
            fetch(server, target)
    assert not target.exists()
    fetch(server, target)
    assert target.read_bytes() == DATA and ranges(server)[-1] == "bytes=131072-"


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting a small disk takes root on Linux")
def test_disk_that_is_really_full(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False
    ).returncode:
        pytest.skip("this root may not mount")
    try:
        with pytest.raises(WeightsError, match="is full"):
            fetch(server, disk / "net.h5")
        # As if the room had gone after it was counted.
        monkeypatch.setattr(transfer, "need_space", lambda folder, size: None)
        with pytest.raises(WeightsError, match="is full"):
            fetch(server, disk / "net.h5")
        assert not (disk / "net.h5").exists()
    finally:
        subprocess.run(["umount", disk], check=True)


SCRIPT = """
import sys
from pathlib import Path
from zoo.pretrained import download; from zoo.core import spec
download.download([sys.argv[1]], Path(sys.argv[2]), spec.WeightFile("net.h5", md5=sys.argv[3] or None))
"""


def start(server: Server, target: Path, md5: str = MD5) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(download.__file__).parents[2])}
    command = [sys.executable, "-c", SCRIPT, f"{server.url}/net.h5", str(target), md5]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def wait_for(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < limit, "what was waited for did not happen"
        time.sleep(0.02)


def test_two_processes_fetch_once(server: Server, target: Path) -> None:
    def behaviour(handler: Handler, number: int) -> bool:
        time.sleep(1.0)
        return False

    server.behaviour = behaviour
    processes = [start(server, target) for _ in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert len(server.requests) == 1 and target.read_bytes() == DATA and leftovers(target) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
@pytest.mark.parametrize("md5", [MD5, ""], ids=["digest", "no digest"])
def test_interrupted_process_is_continued_by_the_next_one(
    server: Server, target: Path, how: signal.Signals, md5: str
) -> None:
    released = threading.Event()

    def behaviour(handler: Handler, number: int) -> bool:
        if number:
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(DATA)))
        handler.send_header("ETag", '"one"')
        handler.end_headers()
        handler.wfile.write(DATA[:300_000])
        handler.wfile.flush()
        released.wait(30)
        handler.close_connection = True
        return True

    server.behaviour = behaviour
    part = transfer.Part(target)
    process = start(server, target, md5)
    wait_for(lambda: part.size() >= 100_000)
    process.send_signal(how)
    process.communicate(timeout=30)
    released.set()
    assert not target.exists() and part.state.exists()
    assert leftovers(target) - {"net.h5.zoo.lock"} == {"net.h5.zoo.part", "net.h5.zoo.part.json"}
    arrived = part.size()

    process = start(server, target, md5)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert target.read_bytes() == DATA and ranges(server)[-1] == f"bytes={arrived}-"
    assert leftovers(target) == set()


def test_folder_that_cannot_be_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not download.writable(tmp_path / "file" / "models")
    assert download.writable(tmp_path / "new" / "models")
    with pytest.raises(WeightsError, match="cannot be written"):
        fetch(server, tmp_path / "file" / "net.h5")


def test_busy_is_who_holds_the_lock(target: Path) -> None:
    import filelock

    assert not download.is_busy(target)
    with filelock.FileLock(target.with_name("net.h5.zoo.lock")):
        assert download.is_busy(target)
    assert not download.is_busy(target)
