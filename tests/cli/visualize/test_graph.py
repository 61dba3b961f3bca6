"""``zoo visualize graph`` as a person runs it."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from tests.conftest import ROOT


def test_a_drawing_into_a_pipe_and_into_a_file(visualize, little, tmp_path):
    piped = visualize("graph", little)
    assert piped.status == 0 and piped.stderr == ""
    assert ElementTree.fromstring(piped.stdout).tag.endswith("svg")
    file = tmp_path / "net.svg"
    written = visualize("graph", little, "--level", "layers", "-o", file)
    assert written.status == 0 and written.stdout == ""
    assert file.read_text(encoding="utf-8") == piped.stdout, "seven layers are drawn one by one"
    assert [path.name for path in tmp_path.iterdir() if "net" in path.name] == ["net.svg"]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["nope", "-o", "{out}/a.svg"], 2, "There is no model 'nope'"),
        (["lenet5", "-o", "{out}/a.png"], 2, "name a .svg file"),
        (["lenet5", "-o", "{out}/no/a.svg"], 4, "no folder that may be written to"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(visualize, tmp_path, arguments, status, sentence):
    done = visualize("graph", *(argument.format(out=tmp_path) for argument in arguments))
    assert done.status == status
    assert sentence in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_description_of_a_network_is_drawn_without_weights(zoo, tmp_path):
    shipped = ROOT / "configs" / "models" / "lenet5.yaml"
    described = shipped.read_text(encoding="utf-8").replace("name: lenet5\n", "name: mine\n")
    (tmp_path / "mine.yaml").write_text(described, encoding="utf-8")
    done = zoo("visualize", "graph", "mine.yaml", "--level", "stages", "-o", "net.svg")
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""
    drawing = (tmp_path / "net.svg").read_text(encoding="utf-8")
    assert "61,706 parameters" in drawing and "conv 5×5, 16 · tanh" in drawing
