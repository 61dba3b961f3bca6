"""The confusion matrix as a table with coloured cells; of many classes, those confused most often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.evaluation.metrics import most_confused
from zoo.reports.confusion_cells import class_shares, strength
from zoo.reports.html.markup import Markup, escaped, joined, tag
from zoo.reports.numbers import percent

#: Of more classes than this, only as many of the most confused ones are shown.
WHOLE, PART = 30, 20
#: Names of columns are not turned if none is longer than this.
UPRIGHT = 3
#: Pairs that are listed beside the table.
PAIRS = 10
#: Levels of colour in the style sheet.
LEVELS = 9


def confusion_table(matrix: np.ndarray, classes: Sequence[str]) -> Markup:
    """The table, and the most frequent mistakes in words.

    Args:
        matrix: counts (c, c), true classes in rows.
        classes: their names.
    """
    matrix = np.asarray(matrix)
    shown = _chosen(matrix)
    words = "True classes in rows, predicted ones in columns; colours give the share of the true class."
    if len(shown) < len(matrix):
        words += f" Of {len(matrix):,} classes, the {len(shown):,} that are confused most often."
    table = tag("div", _table(matrix, classes, shown), class_="scroll", tabindex="0")
    return tag("div", tag("div", tag("p", words, class_="quiet"), table), _pairs(matrix, classes), class_="beside")


def _confused(matrix: np.ndarray, limit: int) -> list[tuple[int, int, int]]:
    """The most frequent mistakes by the classes' indices."""
    found = most_confused(matrix, [str(index) for index in range(len(matrix))], limit)
    return [(int(truth), int(predicted), count) for truth, predicted, count in found]


def _chosen(matrix: np.ndarray) -> list[int]:
    """The classes that are shown: all in order, or the most confused ones, with confused ones side by side."""
    if len(matrix) <= WHOLE:
        return list(range(len(matrix)))
    found = dict.fromkeys(index for pair in _confused(matrix, len(matrix)) for index in pair[:2])
    # If there are few mistakes, the first other classes.
    return [*found, *(index for index in range(len(matrix)) if index not in found)][:PART]


def _table(matrix: np.ndarray, classes: Sequence[str], shown: Sequence[int]) -> Markup:
    """The classes that are shown, and the sum of the others."""
    others = [index for index in range(len(matrix)) if index not in set(shown)]
    names = [tag("th", tag("span", str(classes[index])), scope="col") for index in shown]
    names += [tag("th", tag("span", "others"), scope="col", class_="others")] if others else []
    shares = class_shares(matrix)
    body = []
    for row in shown:
        cells = [_cell(matrix[row, column], shares[row, column], right=row == column) for column in shown]
        cells += [_cell(matrix[row, others].sum(), shares[row, others].sum(), right=False)] if others else []
        body.append(tag("tr", tag("th", str(classes[row]), scope="row"), *cells))
    upright = not others and all(len(str(classes[index])) <= UPRIGHT for index in shown)
    head = tag("thead", tag("tr", tag("td"), *names))
    return tag("table", head, tag("tbody", *body), class_="confusion upright" if upright else "confusion")


def _cell(count: int, share: float, *, right: bool) -> Markup:
    """A count; blank if it is 0."""
    if not count:
        return tag("td")
    # Rounding must not carry an exact level into the next one.
    level = max(1, min(LEVELS, int(np.ceil(LEVELS * strength(share) - 1e-9))))
    return tag("td", f"{count:,}", class_=f"{'r' if right else 'w'}{level}")


def _pairs(matrix: np.ndarray, classes: Sequence[str]) -> Markup:
    """The most frequent mistakes in words."""
    totals = matrix.sum(axis=1)
    items = []
    for truth, predicted, count in _confused(matrix, PAIRS):
        said = joined([tag("b", str(classes[truth])), " classified as ", tag("b", str(classes[predicted]))])
        often = f"{count:,} of {totals[truth]:,} ({percent(count / totals[truth])})"
        items.append(tag("li", said, tag("span", escaped(often), class_="quiet")))
    if not items:
        return tag("p", "There are no mistakes.")
    return tag("div", tag("h3", "Most confused"), tag("ol", *items, class_="pairs"))
