"""The confusion matrix as a table whose cells are coloured; of many classes, the part with most mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zoo.evaluation import metrics
from zoo.reports.html.markup import Markup, escaped, joined, tag
from zoo.reports.html.words import percent

#: More classes than this are not shown whole, but as many of those that are mistaken most often.
WHOLE, PART = 30, 20
#: Names above the columns stand upright where none has more signs than this.
UPRIGHT = 3
#: Pairs that are listed beside it.
PAIRS = 10
#: Steps of colour, from nothing to everything. A share is shown as its root, so that mistakes of one in a hundred are
#: seen beside the many that are right.
LEVELS = 9


def confusion(matrix: np.ndarray, classes: Sequence[str]) -> Markup:
    """What is taken for what, and how often: the table, and the most frequent mistakes in words.

    Args:
        matrix: counts (c, c), the true class down and the predicted one across.
        classes: what they are called.
    """
    matrix = np.asarray(matrix)
    shown = chosen(matrix)
    words = "The true class down, the predicted one across; colours give the share of the true class."
    if len(shown) < len(matrix):
        words += f" Of {len(matrix):,} classes, the {len(shown):,} that are in the most frequent mistakes."
    table = tag("div", _table(matrix, classes, shown), class_="scroll", tabindex="0")
    return tag("div", tag("div", tag("p", words, class_="quiet"), table), _pairs(matrix, classes), class_="beside")


def chosen(matrix: np.ndarray) -> list[int]:
    """The classes that are shown: all in order, or those of the most frequent mistakes, confused ones side by side."""
    if len(matrix) <= WHOLE:
        return list(range(len(matrix)))
    pairs = metrics.most_confused(matrix, [str(index) for index in range(len(matrix))], limit=len(matrix))
    found = dict.fromkeys(int(name) for truth, predicted, _ in pairs for name in (truth, predicted))
    # A network without mistakes has no such classes; its first ones show that.
    return [*found, *(index for index in range(len(matrix)) if index not in found)][:PART]


def _table(matrix: np.ndarray, classes: Sequence[str], shown: Sequence[int]) -> Markup:
    """The classes that are shown, and the others together where there are any."""
    others = [index for index in range(len(matrix)) if index not in set(shown)]
    names = [tag("th", tag("span", str(classes[index])), scope="col") for index in shown]
    names += [tag("th", tag("span", "others"), scope="col", class_="others")] if others else []
    head = tag("tr", tag("td"), *names)
    body = []
    for row in shown:
        total = int(matrix[row].sum())
        cells = [_cell(int(matrix[row, column]), total, row == column) for column in shown]
        cells += [_cell(int(matrix[row, others].sum()), total, False)] if others else []
        body.append(tag("tr", tag("th", str(classes[row]), scope="row"), *cells))
    # Short names, such as digits, need not be turned.
    upright = not others and all(len(str(classes[index])) <= UPRIGHT for index in shown)
    return tag("table", tag("thead", head), tag("tbody", *body), class_="confusion upright" if upright else "confusion")


def _cell(count: int, total: int, right: bool) -> Markup:
    """A count, blank where it is nothing."""
    if not count:
        return tag("td")
    level = max(1, math.ceil(LEVELS * math.sqrt(count / total)))
    return tag("td", f"{count:,}", class_=f"{'r' if right else 'w'}{level}")


def _pairs(matrix: np.ndarray, classes: Sequence[str]) -> Markup | None:
    """The mistakes made most often, in words."""
    totals = matrix.sum(axis=1)
    names = [str(index) for index in range(len(matrix))]
    items = []
    for truth, predicted, count in metrics.most_confused(matrix, names, limit=PAIRS):
        total = int(totals[int(truth)])
        said = joined([tag("b", str(classes[int(truth)])), " taken for ", tag("b", str(classes[int(predicted)]))])
        often = f"{count:,} of {total:,} ({percent(count / total)})"
        items.append(tag("li", said, tag("span", escaped(often), class_="quiet")))
    if not items:
        return tag("p", "No image is mistaken.")
    return tag("div", tag("h3", "Most often mistaken"), tag("ol", *items, class_="pairs"))
