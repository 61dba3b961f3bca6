"""HTML and SVG, escaped by construction: whatever is not :class:`Markup` is text."""

from __future__ import annotations

import html
from collections.abc import Iterable
from unicodedata import category

#: Elements that have no end.
_VOID = frozenset({"img", "input", "meta"})
#: Characters that reverse the rest of a line, with which a path could look like another one.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Bytes of a path that are not UTF-8; see ``os.fsdecode``.
_BYTES = range(0xDC80, 0xDD00)


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: object) -> Markup:
    """An element.

    Args:
        name: of the element.
        *children: its content; a plain ``str`` is escaped, ``None`` left out.
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
    """The parts in order; a plain ``str`` among them is escaped, ``None`` left out."""
    return Markup(escaped(separator).join(escaped(part) for part in parts if part is not None))


def escaped(text: str) -> Markup:
    """Escaped text, unprintable characters in hexadecimal; markup is returned as it is."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(text if text.isprintable() else "".join(map(_visible, text))))


def _visible(sign: str) -> str:
    """The character, or its escape in Python if it cannot be printed."""
    code = ord(sign)
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    if sign in _TURNING or category(sign) in ("Cc", "Cs", "Zl", "Zp"):
        return sign.encode("unicode_escape").decode()
    return sign
