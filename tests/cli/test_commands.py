"""Every command is listed, has help, starts without a framework; and the small commands do what they say."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.core.test_artifacts import keep
from zoo.cli import COMMANDS

FRAMEWORKS = ("keras", "tensorflow", "openvino", "h5py", "torch", "jax")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_a_page(zoo, command):
    done = zoo(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(b"Usage: zoo " + command.encode())
    pages = "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    assert f"zoo {command}" in pages


def test_help_lists_every_command(zoo):
    text = zoo("--help").stdout.decode()
    for name, line in COMMANDS.items():
        assert name in text
        assert line in text


def test_the_command_descriptions_match_their_help():
    for name in COMMANDS:
        module = __import__(f"zoo.cli.{name}", fromlist=["command"])
        assert module.command.name == name


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["list"],
        ["list", "resnet*", "--format", "csv"],
        ["info", "resnet50"],
        ["info", "resnet50", "--preprocess"],
        ["info", "nope"],
        ["classify"],
        ["classify", "x.jpg", "--device", "tpu"],
        ["clasify"],
        ["cache", "path"],
        ["devices"],
    ],
    ids=" ".join,
)
def test_starts_without_a_framework(arguments, tmp_path):
    code = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print([m for m in {FRAMEWORKS!r} if m in sys.modules], file=sys.stderr))\n"
        f"sys.argv = ['zoo', *{arguments!r}]\n"
        "from zoo.cli import main\nmain()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stderr.splitlines()[-1] == "[]", done.stderr


def test_python_cli_py_works_from_a_checkout(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "--version"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.startswith("zoo ")


def test_list_has_the_keys_that_scripts_rely_on(zoo):
    found = json.loads(zoo("list", "--format", "json").stdout)
    keys = {
        "name",
        "family",
        "params",
        "gmacs",
        "input_size",
        "top1",
        "top5",
        "protocol",
        "size_mb",
        "licence",
        "cached",
    }
    assert len(found) >= 50
    assert all(keys <= row.keys() for row in found)
    about = json.loads(zoo("info", "resnet50", "--format", "json").stdout)
    assert keys <= about.keys()
    assert about["params"] == 25_636_712


def test_list_filters(zoo):
    def names(*arguments):
        return [row["name"] for row in json.loads(zoo("list", *arguments, "--format", "json").stdout)]

    assert names("resnet*0")[:1] == ["resnet50"]
    assert all("mobilenet" in name for name in names("mobilenet"))
    assert "cifar10-resnet9" in names("--cached") and "resnet50" not in names("--cached")
    assert {"vgg16", "vgg19"} == set(names("--family", "vgg"))
    small = names("--max-params", "3M")
    assert "mobilenet_0.25" in small
    assert "resnet50" not in small


@pytest.mark.parametrize("arguments", [["--family", "nope"], ["--max-params", "many"]])
def test_list_refuses_what_makes_no_sense(zoo, arguments):
    assert zoo("list", *arguments).returncode == 2


def test_info_says_the_arithmetic(zoo):
    text = zoo("info", "vgg16", "--preprocess", "--format", "table").stdout.decode()
    assert "BGR" in text
    assert "103.939 116.779 123.68" in text
    assert "0.875" in text


def test_info_layers(zoo):
    found = json.loads(zoo("info", "cifar10-resnet9", "--layers", "--format", "json").stdout)["layers"]
    assert sum(row["params"] for row in found) == 1_648_362
    assert [row["layer"] for row in found if row["stage"]] == ["stage1_res_add", "stage2_pool", "stage3_res_add"]


def test_devices_json(zoo):
    found = json.loads(zoo("devices", "--format", "json").stdout)
    assert found[0]["kind"] == "cpu"
    assert {"name", "kind", "memory_total", "memory_free", "selected", "reason"} <= found[0].keys()
    assert sum(row["selected"] for row in found) == 1


def test_doctor_is_content_and_says_what_is_wrong(zoo):
    done = zoo("doctor", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["ok"] is True
    done = zoo("doctor", "--format", "table", KERAS_BACKEND="theano")
    assert done.returncode == 4
    assert "theano" in done.stdout.decode()


def test_cache_commands(zoo, tmp_path):
    assert b"compiled" in zoo("cache", "path").stdout
    shipped = [json.loads(line) for line in zoo("cache", "list").stdout.splitlines()]
    assert {row["origin"] for row in shipped} == {"shipped"}
    assert "cifar10-resnet9" in [row["model"] for row in shipped]
    assert zoo("cache", "verify").returncode == 0
    zoo("classify", ROOT / "examples" / "ship.jpg", "-m", "cifar10-resnet9")
    kinds = [json.loads(line)["kind"] for line in zoo("cache", "list").stdout.splitlines()]
    assert sorted(kinds) == ["compiled"] + len(shipped) * ["weights"]
    assert b"compiled network" in zoo("cache", "prune", "--compiled", "--dry-run").stdout
    zoo("cache", "prune", "--compiled")
    assert len(zoo("cache", "list").stdout.splitlines()) == len(shipped)


def test_features_of_finetuning_are_listed_and_removed(zoo):
    about = {"network": {"model": "lenet5", "cut": {"layer": "pool2"}}, "views": {"count": 2}, "pictures": 9}
    folder = keep("features", "lenet5-0123", about)
    (row,) = [row for row in map(json.loads, zoo("cache", "list").stdout.splitlines()) if row["kind"] == "features"]
    assert (row["model"], row["content"]) == ("lenet5", "9 images in 2 views, up to pool2")
    assert (row["path"], row["bytes"]) == (str(folder), 1000 + (folder / "about.json").stat().st_size)
    assert b"9 images in 2 views, up to pool2" in zoo("cache", "list", "--format", "table").stdout
    assert f"features\t{folder.parent}".encode() in zoo("cache", "path").stdout
    done = zoo("cache", "prune", "--features", "--dry-run")
    assert (done.stdout, done.returncode) == (f"features of images\t{folder}\n".encode(), 0)
    assert b"would free 1." in done.stderr
    zoo("cache", "prune", "--compiled")
    assert folder.exists()
    zoo("cache", "prune", "--features")
    assert not folder.exists()


def test_importing_what_does_not_fit_is_a_list_and_exit_4(zoo, tmp_path):
    (tmp_path / "text.h5").write_text("not weights")
    done = zoo("cache", "import", tmp_path / "text.h5", "--as", "mobilenetv2")
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr
    assert zoo("cache", "import", tmp_path / "none.h5", "--as", "mobilenetv2").returncode == 4
    assert zoo("cache", "import", tmp_path / "text.h5", "--as", "nope").returncode == 2


def test_pull_offline_is_exit_4(zoo):
    done = zoo("pull", "resnet50", "vgg16")
    assert done.returncode == 4
    assert done.stderr.count(b"\n") == 2
    assert zoo("pull", "zzz*").returncode == 2
