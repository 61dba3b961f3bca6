"""HTML and SVG that is well-formed and escaped by construction: whatever is not :class:`Markup` is text."""

from __future__ import annotations

import html
from collections.abc import Iterable
from unicodedata import category

#: Elements that have no end.
_VOID = frozenset({"img", "input", "meta"})
#: Signs that would turn the rest of a line around; a path that holds one could look like another path.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Where the bytes that are not UTF-8 stand in a path; see ``os.fsdecode``.
_BYTES = range(0xDC80, 0xDD00)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: object) -> Markup:
    """An element.

    Args:
        name: of the element.
        *children: what it holds; a plain ``str`` is escaped, ``None`` left out.
        **attributes: ``class_`` stands for ``class``, ``data_value`` for ``data-value``. ``None`` and ``False`` leave
            an attribute out, ``True`` leaves out its value.
    """
    opening = name
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        opening += " " + key.rstrip("_").replace("_", "-")
        if value is not True:
            opening += f'="{escaped(str(value))}"'
    if name in _VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{joined(children)}</{name}>")


def joined(parts: Iterable[str | None], separator: str = "") -> Markup:
    """Parts one after the other; a plain ``str`` among them is escaped, ``None`` left out."""
    return Markup(escaped(separator).join(escaped(part) for part in parts if part is not None))


def escaped(text: str) -> Markup:
    """Text as HTML shows it, signs that cannot be shown in hexadecimal. What is markup stays as it is."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(text if text.isprintable() else "".join(map(_visible, text))))


def _visible(sign: str) -> str:
    """The sign, or what Python writes for it where it has no look or is no text."""
    code = ord(sign)
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    if sign in _TURNING or category(sign) in ("Cc", "Cs", "Zl", "Zp"):
        return sign.encode("unicode_escape").decode()
    return sign
