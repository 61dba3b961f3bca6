"""What the README and the documentation say of networks and commands is what the program says."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from zoo.catalog import model_card, registry
from zoo.cli import COMMANDS

README = (ROOT / "README.md").read_text()
PROTOCOLS = {
    "a": "single central crop at the network's input size; keras-applications table",
    "b": "rounded as in the Keras documentation; crop not stated",
    "c": "CIFAR-10 test set",
    "d": "MNIST test set, 10,000 digits",
    "e": "Fashion-MNIST test set",
}


def network_rows():
    table = (ROOT / "docs" / "accuracy.md").read_text()
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in rows}


def test_there_are_networks_in_the_table():
    assert len(network_rows()) >= 15


@pytest.mark.parametrize("name", network_rows())
def test_the_table_of_networks_is_the_catalogue(name):
    params, size, gmacs, side, top1, top5, protocol = network_rows()[name]
    known = model_card.row(registry.get(name))
    assert params == f"{known['params']:,}"
    assert float(size) == known["size_mb"]
    assert float(gmacs) == known["gmacs"]
    assert int(side) == known["input_size"][0]
    assert float(top1) == known["top1"]
    assert (float(top5) if top5 else None) == known["top5"]
    assert PROTOCOLS[protocol] in known["protocol"]


def test_every_command_is_in_the_table():
    for command in COMMANDS:
        assert f"[`zoo {command}`]" in README


def test_there_are_exactly_two_shell_blocks():
    assert len(re.findall(r"^```sh$", README, re.MULTILINE)) == 2


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_environment_variables_that_are_read_are_documented():
    pages = "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    read = {name for file in (ROOT / "zoo").rglob("*.py") for name in re.findall(r'"(ZOO_[A-Z_]+)"', file.read_text())}
    assert read
    assert not {name for name in read if name not in pages}
