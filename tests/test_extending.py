"""Each walk-through of docs/extending.md is one file and one row, and works when it is applied to a copy of zoo."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SECTIONS = {
    title: blocks
    for title, _, body in (part.partition("\n") for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:])
    if (blocks := re.findall(r"^```(?:python|yaml)\n(.*?)^```$", body, re.MULTILINE | re.DOTALL))
}


def add_row(source, table, block, *, first):
    """A module with a row added to a table, as the first or the last, and with the imports that the row needs."""
    imports = "".join(line + "\n" for line in block.splitlines() if line.startswith("from "))
    row = "".join(line + "\n" for line in block.splitlines() if line and not line.startswith("from ")).rstrip() + ",\n"
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == table for target in targets):
            inside = node.value.generators[0].iter if isinstance(node.value, ast.DictComp) else node.value
            lines = source.splitlines(keepends=True)
            number, column = (
                (inside.lineno, inside.col_offset + 1) if first else (inside.end_lineno, inside.end_col_offset - 1)
            )
            before, after = lines[number - 1][:column].rstrip(), lines[number - 1][column:]
            comma = "" if before.endswith((",", "(", "{")) or not before else ","
            lines[number - 1] = f"{before}{comma}\n{row}{after}"
            return re.sub(r"(?m)^(from zoo|from dataclasses|import)", imports + r"\1", "".join(lines), count=1)
    raise AssertionError(f"there is no table {table}")


def test_there_are_eight():
    assert len(SECTIONS) >= 8


@pytest.mark.parametrize("title", SECTIONS)
def test_walk_through(title, tmp_path):
    *changes, trial = SECTIONS[title]
    for folder in ("zoo", "configs", "weights", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    changed = []
    for block in changes:
        first, _, rest = block.partition("\n")
        row = re.fullmatch(r"# (first )?in (\w+), (\S+)", first)
        path = tmp_path / (row[3] if row else first.removeprefix("# "))
        assert path.exists() == bool(row), f"{path} is new, or has the table"
        path.write_text(add_row(path.read_text(), row[2], rest, first=bool(row[1])) if row else rest)
        changed.append(bool(row))
    assert changed in ([False], [False, True]), "one file, and one row"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", trial], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
