"""Tables and their cells, and lists of names with values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.reports.html.markup import Markup, tag
from zoo.reports.html.svg import bar
from zoo.reports.numbers import is_number, number, percent

#: A table with more rows than this is scrolled in a box of its own.
TALL = 40
#: The maximum of files in a table.
FILES = 200


def table(head: Sequence[Markup], rows: Sequence[Markup], *, boxed: bool = False, **attributes: object) -> Markup:
    """A table with one row of headings.

    Args:
        head: the cells of the headings.
        rows: ``tr`` elements.
        boxed: in a box that is scrolled if the page is too narrow or the table too long.
        **attributes: of the table.
    """
    found = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), **attributes)
    if not boxed:
        return found
    return tag("div", found, class_="scroll tall" if len(rows) > TALL else "scroll", tabindex="0")


def heading(title: str, *, numeric: bool = False) -> Markup:
    """The heading of a column."""
    return tag("th", title, scope="col", class_="num" if numeric else None)


def number_cell(value: Any) -> Markup:
    """A cell with a number."""
    return tag("td", number(value), class_="num", data_value=value if is_number(value) else None)


def share_cell(value: Any) -> Markup:
    """A cell with a share, 0-1, in per cent and as a bar."""
    known = f"{value:.6f}" if is_number(value) else None
    return tag("td", bar(value), tag("span", percent(value)), class_="num", data_value=known)


def facts(pairs: Sequence[tuple[str, Any]]) -> Markup:
    """A list of names and values."""
    return tag("dl", *(tag("div", tag("dt", str(name)), tag("dd", _plain(value))) for name, value in pairs))


def failed_files(files: Sequence[tuple[str, str]]) -> Markup:
    """The files that could not be read, with the reasons."""
    rows = [tag("tr", tag("td", tag("code", path)), tag("td", reason)) for path, reason in files[:FILES]]
    if len(files) > FILES:
        rows.append(tag("tr", tag("td", f"and {len(files) - FILES:,} more"), tag("td")))
    return table([heading("file"), heading("reason")], rows, boxed=True, class_="files")


def _plain(value: Any) -> str:
    """A value of a fact as text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(inner) for inner in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if is_number(value) else "—" if value is None else str(value)
