"""The style of all plots, measuring and breaking of text, and PNG files."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from unicodedata import category

import numpy as np
from PIL import Image

from zoo.core import atomic
from zoo.core.errors import UnavailableError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Pixels per inch.
DPI = 150
#: Points per inch.
POINTS = 72

# Okabe and Ito, "Color Universal Design", 2008.
BLUE, VERMILLION = "#0072B2", "#D55E00"
INK, QUIET, FAINT, HAIRLINE = "#222222", "#6B6B6B", "#E4E4E4", "#CCCCCC"

#: The colours of right and wrong predictions.
RIGHT, WRONG = BLUE, VERMILLION

_STYLE = {
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "text.color": INK,
    # Class names may contain $ and _, which are no formulas.
    "text.parse_math": False,
    "text.usetex": False,
    "axes.edgecolor": HAIRLINE,
    "axes.linewidth": 0.6,
    "axes.labelcolor": QUIET,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.autolimit_mode": "data",
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": HAIRLINE,
    "xtick.labelcolor": QUIET,
    "xtick.labelsize": 8,
    "xtick.major.size": 3,
    "xtick.major.width": 0.6,
    "ytick.color": HAIRLINE,
    "ytick.labelcolor": QUIET,
    "ytick.labelsize": 8,
    "ytick.major.size": 0,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
}

#: Font families with Chinese, Japanese and Korean characters, if installed. Matplotlib ships DejaVu.
_FURTHER_FAMILIES = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "Source Han Sans SC"),
    *("WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo"),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Arial Unicode MS"),
)

# Matplotlib's settings are global, so only one image is drawn at a time.
_lock = threading.RLock()


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw with zoo's settings, whatever the user's ``matplotlibrc`` says; theirs are restored."""
    import matplotlib

    with _lock, matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**_STYLE, "font.family": list(_families())})
        # A character that no font has is drawn as an empty box.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


@functools.cache
def _families() -> tuple[str, ...]:
    from matplotlib import font_manager

    there = {font.name for font in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in _FURTHER_FAMILIES if name in there))


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # A little more, because matplotlib rounds pixels down.
    figure = Figure((round(width * DPI) / DPI + 1e-6, round(height * DPI) / DPI + 1e-6), dpi=DPI)
    FigureCanvasAgg(figure)
    return figure


def to_pixels(figure: Figure) -> np.ndarray:
    """The figure as uint8 RGB (height, width, 3)."""
    canvas: Any = figure.canvas
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3]


def write_heading(figure: Figure, left: float, title: str | None, lines: Mapping[str, str]) -> None:
    """Write a title, if any, and lines with their colours at the top of a figure; ``left`` is in inches."""
    width, height = figure.get_size_inches()
    top = height - 0.2
    if title:
        top -= 0.14
        text = shortened(title, 11, width - left - 0.2, "bold")
        figure.text(left / width, top / height, text, fontsize=11, weight="bold")
        top -= 0.06
    for line, colour in lines.items():
        top -= 0.18
        figure.text(left / width, top / height, line, fontsize=8, color=colour)


def note(text: str) -> np.ndarray:
    """A small image with a text."""
    with style():
        figure = new_figure(4, 1)
        figure.text(0.5, 0.5, clean(text), ha="center", va="center", fontsize=9, color=QUIET)
        return to_pixels(figure)


def write_png(pixels: np.ndarray, path: str | os.PathLike[str]) -> None:
    """Write uint8 RGB (height, width, 3) as a PNG file, atomically.

    Raises:
        UnavailableError: it cannot be written, e.g. because the disk is full.
    """
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG", dpi=(DPI, DPI))
    write_bytes(data.getbuffer(), path, "The image")


def write_bytes(data: bytes | memoryview, path: str | os.PathLike[str], what: str = "The file") -> None:
    """Write a file, atomically.

    Args:
        data: its content.
        path: its name.
        what: the beginning of an error sentence.

    Raises:
        UnavailableError: it cannot be written, e.g. because the disk is full.
    """
    try:
        atomic.write(path, data)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnavailableError(
            f"{what} {path} cannot be written ({reason}); make room, or name another folder."
        ) from error


def clean(text: object) -> str:
    """One line that can be drawn: characters that cannot be printed become boxes."""
    signs = str(text)
    return "".join(sign if sign.isprintable() or category(sign) == "Zs" else "\N{WHITE SQUARE}" for sign in signs)


def text_width(text: str, points: float, weight: str = "normal") -> float:
    """The width of a line in inches, without kerning; within :func:`style`."""
    return sum(_advance(sign, points, weight) for sign in text)


@functools.lru_cache(maxsize=4096)
def _advance(sign: str, points: float, weight: str) -> float:
    """The width of one character in inches; cached, because laying out a text is slow."""
    from matplotlib.font_manager import FontProperties

    font = FontProperties(size=points, weight=weight)
    # Eight between two others, because the width of a text is that of its ink, in whole pixels.
    with_it, without = (
        _renderer().get_text_width_height_descent(f"|{signs}|", font, ismath=False)[0] for signs in (8 * sign, "")
    )
    return float(with_it - without) / 8 / DPI


def shortened(text: str, points: float, width: float, weight: str = "normal") -> str:
    """The text, or its beginning with an ellipsis, in ``width`` inches."""
    text = clean(text)
    if text_width(text, points, weight) <= width:
        return text
    # Bisection, because measuring is slow.
    fits, fails = 0, len(text)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if text_width(text[:middle].rstrip() + "…", points, weight) <= width:
            fits = middle
        else:
            fails = middle
    return text[:fits].rstrip() + "…"


def wrapped(text: str, points: float, width: float, limit: int, weight: str = "normal") -> list[str]:
    """At most ``limit`` lines of at most ``width`` inches; the rest becomes an ellipsis."""
    lines: list[str] = []
    rest = clean(text).strip()
    while rest and len(lines) < limit - 1 and text_width(rest, points, weight) > width:
        fits = rest[: max(1, len(shortened(rest, points, width, weight)) - 1)]
        if rest[len(fits)] != " ":
            # To the end of a word, but not in the first third, which would leave the line almost empty.
            end = max(fits.rfind(sign) for sign in " -_/") + 1
            fits = fits[:end] if end > len(fits) / 3 else fits
        lines.append(fits.rstrip())
        rest = rest[len(fits) :].lstrip()
    return [*lines, shortened(rest, points, width, weight)] if rest else lines


@functools.cache
def _renderer() -> Any:
    from matplotlib.backends.backend_agg import RendererAgg

    return RendererAgg(1, 1, DPI)
