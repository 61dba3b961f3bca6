"""From what is typed to sources: each input gives a row, in order, and nothing hangs."""

from __future__ import annotations

import http.server
import io
import os
import socket
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests import drawn
from tests.conftest import ROOT
from zoo.core.errors import ImageError
from zoo.images import discovery, folders, formats, limits
from zoo.images.discovery import find
from zoo.images.source import Source

IMAGE = drawn.encoded(drawn.drawing(8, 8), "PNG")


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A folder with a bit of everything, which is also where the test runs."""
    for name in (
        "b10.jpg", "b2.JPG", "a.png", "notes.txt", ".hidden.jpg", "sub/c.webp", "sub/deep/d.tiff", "sub/deep/e.txt",
        ".git/x.jpg", "folder.jpg/inside.png", "[1].png", "none/readme",
    ):  # fmt: skip
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(IMAGE)
    monkeypatch.chdir(tmp_path / "tree")
    return tmp_path / "tree"


def paths(*inputs, **options) -> list[str]:
    return [source.path for source in find(inputs, **options)]


def problem(*inputs, **options) -> str | None:
    (source,) = find(inputs, **options)
    return source.problem


# --- Files and folders ----------------------------------------------------------------------------------------------


def test_a_file_is_itself_and_keeps_the_text_that_was_typed(tree):
    assert paths("a.png", "./a.png", "sub//c.webp", tree / "a.png", "notes.txt", "a.png") == [
        "a.png", "./a.png", "sub//c.webp", str(tree / "a.png"), "notes.txt", "a.png",
    ]  # fmt: skip
    assert paths(os.fsencode("a.png")) == ["a.png"]
    assert [source.path for source in find("a.png")] == ["a.png"]


def test_a_folder_gives_its_images_in_natural_order(tree):
    assert paths(".") == ["./[1].png", "./a.png", "./b2.JPG", "./b10.jpg"]
    assert paths("sub/") == ["sub/c.webp"]


def test_recursion_looks_into_folders_even_those_named_like_images(tree):
    assert paths(".", recursive=True) == [
        "./[1].png", "./a.png", "./b2.JPG", "./b10.jpg", "./folder.jpg/inside.png", "./sub/c.webp", "./sub/deep/d.tiff",
    ]  # fmt: skip


def test_every_input_gives_a_row(tree):
    assert problem("missing.jpg") == "no such file or folder"
    assert problem("a.png/b.png") == "cannot be opened: not a directory"
    assert "without images" in (problem("none") or "") and "--recursive" in (problem("none") or "")
    assert problem("none", recursive=True) == "a folder without images"
    assert problem("*.heic") == "no file matches this pattern"
    assert "embedded null" in (problem("a\0b") or "")
    assert "too long" in (problem("x" * 5000) or "")
    assert problem("") == "no such file or folder"
    for name in ("missing.jpg", "none", "*.heic"):
        (source,) = find([name])
        with pytest.raises(ImageError):
            source.open()


def test_a_moment_of_a_video_is_itself(tree):
    (tree / "clip[1].mp4").touch()
    assert paths("clip[1].mp4#t=1.5", "a.png#t=0") == ["clip[1].mp4#t=1.5", "a.png#t=0"]
    assert problem("clip[1].mp4#t=1.5") is None
    assert problem("gone.mp4#t=1.5") == "no such file or folder"
    assert problem("clip[1].mp4#t=soon") == "no file matches this pattern"
    (tree / "b#t=1").write_bytes(IMAGE)
    with Source("b#t=1").open() as file:
        assert file.read() == IMAGE


def test_a_folder_gives_its_videos_where_they_are_asked_for(tree):
    (tree / "sub" / "b.MOV").touch()
    (tree / "sub" / "deep" / "a.mkv").touch()
    assert paths("sub") == ["sub/c.webp"]
    assert paths("sub", videos=True) == ["sub/b.MOV", "sub/c.webp"]
    assert paths("sub", videos=True, recursive=True) == ["sub/b.MOV", "sub/c.webp", "sub/deep/a.mkv", "sub/deep/d.tiff"]
    assert paths("su*", videos=True) == ["sub/b.MOV", "sub/c.webp"]
    assert problem("none", recursive=True, videos=True) == "a folder without images and videos"


def test_what_a_source_holds_in_memory():
    assert Source("a.png").held == 0
    assert Source.from_array(np.zeros((4, 5, 3), np.uint8)).held == 60


def test_broken_links_have_a_row(tree):
    (tree / "sub" / "gone.jpg").symlink_to("nowhere.jpg")
    (tree / "sub" / "loop.jpg").symlink_to("loop.jpg")
    assert problem("sub/gone.jpg") == "a link to nowhere.jpg, which does not exist"
    found = {source.path: source.problem for source in find(["sub"])}
    assert list(found) == ["sub/c.webp", "sub/gone.jpg", "sub/loop.jpg"]
    assert found["sub/gone.jpg"] == "a link to nowhere.jpg, which does not exist"
    assert "too many levels" in (found["sub/loop.jpg"] or "")
    assert [source.problem for source in find(["sub/g*.jpg"])] == ["a link to nowhere.jpg, which does not exist"]


def test_links_are_followed_but_not_in_circles(tree):
    (tree / "sub" / "up").symlink_to("..")
    (tree / "sub" / "self").symlink_to(".")
    (tree / "sub" / "other").symlink_to("../folder.jpg")
    assert paths("sub", recursive=True) == [
        *("sub/c.webp", "sub/deep/d.tiff", "sub/other/inside.png"),
        *(f"sub/up/{name}" for name in ("[1].png", "a.png", "b2.JPG", "b10.jpg", "folder.jpg/inside.png")),
    ]
    assert "sub/c.webp" in paths("**/*.webp")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything is permitted to root")
def test_a_forbidden_folder_has_a_row(tree):
    (tree / "sub" / "deep").chmod(0)
    try:
        found = list(find(["sub"], recursive=True))
    finally:
        (tree / "sub" / "deep").chmod(0o755)
    assert [(source.path, source.problem) for source in found] == [
        ("sub/c.webp", None), ("sub/deep", "a folder that cannot be listed: permission denied"),
    ]  # fmt: skip


def test_a_folder_that_vanishes_has_a_row(tree, monkeypatch):
    def vanish(_):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "scandir", vanish)
    assert problem("sub") == "a folder that cannot be listed: no such file or directory"


def test_deep_folders(tmp_path):
    folder = tmp_path
    for _ in range(1100):
        folder = folder / "d"
        try:
            folder.mkdir()
        except OSError:
            folder = folder.parent
            break
    (folder / "x.png").write_bytes(IMAGE)
    try:
        assert len(paths(tmp_path, recursive=True)) == 1
    finally:
        # Too deep for pytest, which clears up recursively.
        subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


def test_names_that_are_not_utf8(tmp_path):
    name = os.fsencode(tmp_path) + b"/gr\xfc\xdfe \xff.jpg"
    with open(name, "wb") as file:
        file.write(IMAGE)
    for typed in (tmp_path, name, os.fsencode(tmp_path) + b"/gr*.jpg"):
        (source,) = find([typed])
        assert os.fsencode(source.path) == name
        with source.open() as file:
            assert file.read() == IMAGE


def test_a_large_folder_is_found_without_keeping_more_than_its_names(tmp_path):
    for number in range(3000):
        (tmp_path / f"picture-{number}.jpg").touch()
    tracemalloc.start()
    found = find([tmp_path])
    assert next(found).path.endswith("picture-0.jpg")
    current, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert current < 3000 * 150 and peak < 3000 * 500
    assert next(found).path.endswith("picture-1.jpg")


def test_suffixes_are_those_that_pillow_opens():
    Image.init()
    opened = {suffix for suffix, format in Image.registered_extensions().items() if format in Image.OPEN}
    not_decoded = {suffix for suffix, format in Image.registered_extensions().items()
                   if format in {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}}  # fmt: skip
    assert opened - not_decoded <= formats.IMAGE_SUFFIXES
    assert not formats.IMAGE_SUFFIXES & not_decoded
    assert {".heic", ".heif", ".avif"} <= formats.IMAGE_SUFFIXES


@given(st.lists(st.text(st.sampled_from("aB.0129-_é"), max_size=8)))
def test_natural_order_is_total_and_counts(names):
    ordered = sorted(names, key=folders.natural)
    backwards = ordered[::-1]
    assert ordered == sorted(backwards, key=folders.natural)
    assert len({folders.natural(name) for name in names}) == len(set(names))


def test_natural_order():
    names = ["a", "A1", "a2b", "a2", "a03", "a10", "a10b1", "a1000000000000000000000", "b1"]
    shuffled = names[::-1]
    assert sorted(shuffled, key=folders.natural) == [
        "a",
        "A1",
        "a2",
        "a2b",
        "a03",
        "a10",
        "a10b1",
        names[7],
        "b1",
    ]


# --- Globs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["[1].png", "a.png"]),
        ("b?.*", ["b2.JPG"]),
        ("[ab]*.[jp]*g", ["a.png", "b10.jpg"]),
        ("[!a]*.png", ["[1].png"]),
        ("sub/*", ["sub/c.webp", "sub/deep/d.tiff"]),
        ("*/deep/*.tiff", ["sub/deep/d.tiff"]),
        ("./sub/*.webp", ["./sub/c.webp"]),
        ("**/*.tiff", ["sub/deep/d.tiff"]),
        ("**/*.png", ["[1].png", "a.png", "folder.jpg/inside.png"]),
        ("sub/**", ["sub/c.webp", "sub/deep/d.tiff", "sub/deep/e.txt"]),
        ("sub/**/d.*", ["sub/deep/d.tiff"]),
        (".hid*", [".hidden.jpg"]),
        ("s*/", ["sub/c.webp"]),
        ("folder*", ["folder.jpg/inside.png"]),
        ("[1].png", ["[1].png"]),
    ],
)
def test_globs(tree, pattern, expected):
    assert paths(pattern) == expected


def test_absolute_globs_and_their_order_among_other_inputs(tree):
    assert paths("b10.jpg", f"{tree}/*.png", "a.png") == ["b10.jpg", f"{tree}/[1].png", f"{tree}/a.png", "a.png"]


# --- Pipes ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_in_a_folder_is_skipped_and_one_that_is_named_is_read(tree):
    os.mkfifo(tree / "sub" / "pipe.jpg")
    assert paths("sub") == paths("sub/*.*") == ["sub/c.webp"]
    (source,) = find(["sub/pipe.jpg"])
    writer = threading.Thread(target=(tree / "sub" / "pipe.jpg").write_bytes, args=(IMAGE,))
    writer.start()
    with source.open() as file:
        assert file.read() == IMAGE
        assert file.seek(0) == 0
    writer.join()


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="the system has no /dev/stdin")
@pytest.mark.parametrize("command", ["cat a.png | {} /dev/stdin", "{} /dev/stdin < a.png", "{} <(cat a.png)"])
def test_pipes_of_the_shell(tree, command):
    script = (
        "import sys; from zoo.images import decode, discovery as d; print(decode.decode(*d.find(sys.argv[1:])).size)"
    )
    run = subprocess.run(
        ["bash", "-c", command.format(f"'{sys.executable}' -c '{script}'")],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (run.stdout, run.stderr) == ("(8, 8)\n", "")


def test_a_pipe_without_an_end(monkeypatch):
    monkeypatch.setattr(limits, "PIPE_LIMIT", 1 << 20)
    with pytest.raises(ImageError, match="more than 1 MiB"):
        Source("/dev/zero").open()


# --- Lists ----------------------------------------------------------------------------------------------------------


def listed(data: bytes, **options) -> list[str]:
    return paths("-", stdin=io.BytesIO(data), **options)


def test_lists_of_lines_and_of_nul_bytes(tree):
    assert (
        listed(b"a.png\nb2.JPG\n") == listed(b"a.png\r\nb2.JPG") == listed(b"a.png\n\n\nb2.JPG") == ["a.png", "b2.JPG"]
    )
    assert listed(b"a.png\0b2.JPG\0") == listed(b"a.png\0b2.JPG") == ["a.png", "b2.JPG"]
    assert listed(b"two\nlines.png\0") == ["two\nlines.png"]
    assert listed(b"\xff\xfe.png\n") == [os.fsdecode(b"\xff\xfe.png")]


def test_a_list_may_hold_all_that_can_be_typed(tree):
    assert listed(b"sub\n*.png\n-\n") == ["sub/c.webp", "[1].png", "a.png", "-"]
    assert listed(b"sub", recursive=True) == ["sub/c.webp", "sub/deep/d.tiff"]
    assert paths("a.png", "-", "b10.jpg", stdin=io.BytesIO(b"b2.JPG")) == ["a.png", "b2.JPG", "b10.jpg"]


def test_an_empty_list_has_a_row(monkeypatch):
    assert (
        problem("-", stdin=io.BytesIO(b""))
        == problem("-", stdin=io.BytesIO(b"\n\n"))
        == "standard input holds no paths"
    )
    monkeypatch.setattr(sys, "stdin", None)
    assert problem("-") == "standard input holds no paths"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "GIF", "WEBP"])
def test_a_image_in_the_place_of_a_list(format):
    data = drawn.encoded(drawn.drawing(), format)
    assert "name it /dev/stdin" in (problem("-", stdin=io.BytesIO(data)) or "")


@given(
    st.lists(st.binary(min_size=1, max_size=30).map(lambda b: b.translate(None, b"\0\n\r")).filter(bool), min_size=1)
)
def test_any_names_survive_a_list_however_it_arrives(names):
    for separator in (b"\n", b"\0"):
        data = separator.join(names) + separator
        if formats.match(data, "image"):
            continue
        for size in (1, 7, 1 << 16):
            stream = io.BytesIO(data)
            pieces = type("Pieces", (), {"read": lambda _, n, s=size, f=stream: f.read(min(n, s))})()
            found = list(discovery._names(pieces))
            if separator == b"\n" or size > len(data):
                assert found == names


def test_a_list_is_read_as_it_comes():
    reading, writing = os.pipe()
    with open(reading, "rb") as stream, open(writing, "wb", buffering=0) as pen:
        pen.write(b"first.png\n")
        found = find(["-"], stdin=stream)
        assert next(found).path == "first.png"
        pen.write(b"second.png\n")
        assert next(found).path == "second.png"


def test_a_list_without_separators_does_not_fill_the_memory():
    found = find(["-"], stdin=io.BytesIO(b"x" * (1 << 20)))
    assert all("too long" in (source.problem or "") for source in found)


# --- Addresses ------------------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the path."""

    def do_GET(self) -> None:
        name = self.path.strip("/").split("?")[0]
        if name == "away":
            self.send_response(302)
            self.send_header("Location", "/picture.png")
            self.end_headers()
            return
        if name == "circle":
            self.send_response(302)
            self.send_header("Location", "/circle")
            self.end_headers()
            return
        if name == "slow":
            self.server.release.wait(5)  # type: ignore[attr-defined]
        self.send_response(200 if name in ("picture.png", "cut", "endless", "slow") else 404)
        if name != "endless":
            self.send_header("Content-Length", str(len(IMAGE)))
        self.end_headers()
        try:
            for _ in range(100 if name == "endless" else 1):
                self.wfile.write(IMAGE[:20] if name == "cut" else IMAGE * (1000 if name == "endless" else 1))
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch) -> Iterator[str]:
    monkeypatch.delenv("ZOO_OFFLINE")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        running.release = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.release.set()  # type: ignore[attr-defined]
        running.shutdown()
        thread.join(5)


def refusal(address: str) -> str:
    (source,) = find([address])
    assert source.path == address
    with pytest.raises(ImageError) as caught:
        source.open()
    return str(caught.value)


def test_an_address_is_fetched_when_it_is_read(server):
    for name in ("picture.png", "picture.png?size=[1]&x=*", "away"):
        (source,) = find([f"{server}/{name}"])
        assert (source.kind, source.problem) == ("url", None)
        with source.open() as file:
            assert file.read() == IMAGE


def test_addresses_that_give_no_image(server, monkeypatch):
    assert refusal(f"{server}/nothing.png") == "the server answers 404 Not Found"
    assert refusal(f"{server}/cut").startswith("the connection was cut after")
    assert "redirects" in refusal(f"{server}/circle")
    monkeypatch.setattr(limits, "READ_TIMEOUT", 0.2)
    assert refusal(f"{server}/slow") == "the server does not answer in time"
    monkeypatch.setattr(limits, "URL_LIMIT", 1 << 20)
    assert refusal(f"{server}/endless") == "larger than the 1 MiB that zoo downloads for one image"
    monkeypatch.setattr(limits, "TOTAL_TIMEOUT", 0.0)
    assert refusal(f"{server}/picture.png") == "not downloaded within 0 seconds"


def test_an_address_where_nobody_is(server):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert refusal(f"http://127.0.0.1:{closed.getsockname()[1]}/x.png") == "the server cannot be reached"


@pytest.mark.parametrize("address", ["http://", "http://[", "https://a..b/", "http://*:x/"])
def test_addresses_that_make_no_sense(server, address):
    assert refusal(address)


def test_offline(monkeypatch):
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert "offline" in (problem("https://example.org/a.jpg") or "")
    assert problem("HTTPS://example.org/a.jpg", offline=False) is None
    monkeypatch.delenv("ZOO_OFFLINE")
    assert "offline" in (problem("https://example.org/a.jpg", offline=True) or "")


def test_other_addresses():
    assert problem("ftp://example.org/a.jpg") == "neither a file nor an http or https URL"


def test_nothing_heavy_is_imported():
    heavy = ("requests", "numpy", "PIL", "keras")
    script = f"import sys, zoo.images.discovery; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout == "[]\n"
