"""``zoo info`` and ``zoo list`` with networks in YAML files, as a person would run them."""

import csv
import io
import json

import pytest

NETWORK = """\
name: little
input: 12
classes: 4
preprocessing: grey
variables: {width: 8, act: relu}
layers:
  - stage:
      name: body
      layers:
        - Conv2D: {filters: $width, kernel_size: 3, activation: $act}
        - MaxPooling2D
  - head: [Flatten, Dense: [$classes, softmax]]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(NETWORK)
    return path


def test_info_of_a_file_builds_nothing(zoo, file):
    text = zoo("info", "net.yaml", "--format", "table").stdout.decode()
    assert text.startswith("little\n")
    assert "variables       width 8, act relu" in text
    assert f"file            {file}" in text
    assert "body" in text
    assert "parameters" not in text
    about = json.loads(zoo("info", file).stdout)
    assert (about["name"], about["params"], about["variables"]) == ("little", None, {"width": 8, "act": "relu"})
    assert about["stages"] == [{"name": "body", "layer": "body_max_pooling2d", "stride": None, "width": None}]


def test_layers_with_their_cost(zoo, file):
    rows = list(csv.DictReader(io.StringIO(zoo("info", "net.yaml", "--layers", "--format", "csv").stdout.decode())))
    found = {row["layer"]: (row["output_shape"], int(row["params"]), int(row["macs"]), row["stage"]) for row in rows}
    assert found["body_conv2d"] == ("10×10×8", 80, 9 * 8 * 100, "")
    assert found["body_max_pooling2d"] == ("5×5×8", 0, 0, "body")
    assert found["predictions"] == ("4", 200 * 4 + 4, 200 * 4, "")
    assert "total" not in found


def test_layers_as_a_table_end_with_the_total(zoo, file):
    lines = zoo("info", "net.yaml", "--layers", "--format", "table", "--var", "width=4").stdout.decode().splitlines()
    assert lines[0].split() == ["layer", "type", "output", "shape", "params", "macs", "stage"]
    assert lines[-3].split()[0] == "total"
    params, macs = 4 * 10 + 404, 9 * 4 * 100 + 400
    assert lines[-1] == f"{params:,} parameters, {macs / 1e9:.3g} GMACs"


@pytest.mark.slow
def test_layers_as_json_say_the_figures(zoo, file):
    about = json.loads(zoo("info", "net.yaml", "--layers").stdout)
    assert about["params"] == sum(row["params"] for row in about["layers"]) == 884
    assert about["gmacs"] == pytest.approx(8000e-9)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["net.yaml", "--var", "widht=3"], "net.yaml has no variable 'widht'. Did you mean 'width'?"),
        (["net.yaml", "--var", "width"], "A variable is set by NAME=VALUE"),
        (["net.yaml", "--var", "width=relu"], "The variable width of net.yaml is a number. Received: 'relu'"),
        (
            ["net.yaml", "--layers", "--var", "act=rellu"],
            "line 10: there is no activation 'rellu'. Did you mean 'relu'?",
        ),
        (["none.yaml"], "There is no file none.yaml."),
        (["broken.yaml"], "broken.yaml, line 10: there is no layer 'Conv2d'. Did you mean 'Conv2D'?"),
        (["small.yaml", "--layers"], "small.yaml, line 10: Conv2D 'body_conv2d' does not fit an input of 2×2×1: "),
        (["resnet50", "--var", "width=3"], "resnet50 has no variable 'width'"),
    ],
    ids=str,
)
def test_mistakes_are_one_sentence_and_exit_2(zoo, file, arguments, reason):
    file.with_name("broken.yaml").write_text(NETWORK.replace("Conv2D", "Conv2d"))
    file.with_name("small.yaml").write_text(NETWORK.replace("input: 12", "input: 2"))
    done = zoo("info", *arguments)
    assert done.returncode == 2
    message = done.stderr.decode()
    assert reason in message
    assert message.count("\n") == 1
    assert done.stdout == b""


def test_folders_of_one_s_own(zoo, file, tmp_path):
    folder = tmp_path / "conf" / "models"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text(NETWORK)
    (folder / "b.yaml").write_text("layers: {\n")
    done = zoo("list", "little", "--format", "json", ZOO_CONFIG_PATH=str(tmp_path / "conf"))
    assert [row["name"] for row in json.loads(done.stdout)] == ["little"]
    assert done.returncode == 0
    assert b"zoo: warning: " in done.stderr
    assert b"b.yaml" in done.stderr
    assert json.loads(zoo("info", "little", ZOO_CONFIG_PATH=str(tmp_path / "conf")).stdout)["classes"] == 4


def test_starting_stays_quick_and_without_a_framework(zoo, file):
    code_free = zoo("info", "net.yaml", "--debug", PYTHONPROFILEIMPORTTIME="1").stderr.decode()
    imported = {line.rpartition("|")[2].strip() for line in code_free.splitlines() if line.startswith("import time:")}
    assert "zoo.catalog.declarative.network" in imported
    assert not {"keras", "tensorflow", "openvino", "numpy", "h5py"} & imported
    listing = zoo("list", PYTHONPROFILEIMPORTTIME="1").stderr.decode()
    assert "zoo.catalog.declarative.heading" in listing
    assert "zoo.catalog.declarative.network\n" not in listing
