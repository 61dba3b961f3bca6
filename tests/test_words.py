"""Help, messages, docstrings and documentation use plain words: those that a user of Keras or timm would search for."""

from __future__ import annotations

import ast
import re

import pytest

from tests.conftest import ROOT

#: What is not written, and what is written instead.
REPLACED = {
    r"\bpictures?\b": "image",
    r"\bdata sets?\b": "dataset",
    r"\bto be had\b": "unavailable, not found, cannot be downloaded",
    r"\bsame to the eye\b": "near-duplicate",
    r"\b(?:go|goes|going|gone|went) on with\b": "resume, continue",
    # The idiom "threads; the number of processors without." for a default.
    r"\bwithout(?=[.;)]|\Z)": "if omitted",
    r"\brunning mean\b": "EMA, moving average",
    r"\bhow loud\b": "temperature",
    r"\bdraws? (?:its|their) input again\b": "autoencoder",
    r"\blike one another\b": "similar",
}
PATTERN = re.compile("|".join(REPLACED), re.IGNORECASE)
#: One word alone, or in backticks, is a key of an output or of a file, which scripts rely on.
KEY = re.compile(r"[\w.-]+")
QUOTED = re.compile(r"`+[\w.-]+`+|\"[\w.-]+\"")
#: Sentences that files of before hold.
FROZEN = ROOT / "zoo" / "core" / "old_descriptions.py"

SOURCES = sorted(
    path for folder in ("zoo", "configs", "benchmarks") for path in (ROOT / folder).rglob("*.py") if path != FROZEN
)
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]


def banned(text):
    return sorted({match.group().strip() for match in PATTERN.finditer(QUOTED.sub("", text))})


def strings(source):
    """All text of a module that a person may read: docstrings, help and messages."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not KEY.fullmatch(node.value):
            yield node.lineno, node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules(path):
    source = path.read_text(encoding="utf-8")
    found = [(line, words) for line, text in strings(source) if (words := banned(text))]
    found += [
        (number, words)
        for number, line in enumerate(source.splitlines(), 1)
        if line.lstrip().startswith("#") and (words := banned(line))
    ]
    assert not found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages(path):
    assert not banned(path.read_text(encoding="utf-8"))


def test_the_check_can_fail():
    assert banned("a picture; the number of processors without.") == ["picture", "without"]
    assert not banned("an image; the number of processors if omitted")
