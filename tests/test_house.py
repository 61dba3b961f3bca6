"""The house is what docs/architecture.md says, and the contract of import-linter covers every room."""

from __future__ import annotations

import re
import tomllib

from tests.conftest import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
(LAYERS,) = [contract["layers"] for contract in SETTINGS["contracts"] if contract["type"] == "layers"]
FLOORS = [[room.strip() for room in floor.split("|")] for floor in LAYERS]


def test_at_most_ten_floors_and_every_room_on_one():
    assert len(FLOORS) <= 10
    rooms = {path.name for path in (ROOT / "zoo").iterdir() if path.is_dir() and (path / "__init__.py").is_file()}
    assert sorted(room for floor in FLOORS for room in floor) == sorted(rooms)


def test_the_page_draws_these_floors():
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawn = re.findall(r"^\| (\d+) \| `(\w+)/`", page, re.MULTILINE)
    assert drawn == [(str(len(FLOORS) - number), room) for number, floor in enumerate(FLOORS) for room in floor]


def test_nothing_stands_loose_in_the_package():
    files = {path.name for path in (ROOT / "zoo").iterdir() if path.is_file()}
    assert files == {"__init__.py", "__main__.py", "_version.py", "py.typed", "sklearn.py"}


def test_no_room_is_crowded():
    for folder in (ROOT / "zoo").rglob("*"):
        if folder.is_dir():
            assert len(list(folder.glob("*.py"))) <= 26, folder


def test_tests_mirror_the_rooms():
    for folder in (ROOT / "tests").rglob("*"):
        inside = folder.relative_to(ROOT / "tests")
        if folder.is_dir() and "__pycache__" not in inside.parts and inside.parts[0] not in ("legacy",):
            assert (ROOT / "zoo" / inside).is_dir(), f"tests/{inside} tests no room"
