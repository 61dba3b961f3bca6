"""The page: its parts in order, and the way into a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.core import output
from zoo.reports.html import curves, estimates, gallery, matrix, tables
from zoo.reports.html.contents import RunReport, Shown
from zoo.reports.html.document import document, shipped, written_by
from zoo.reports.html.markup import Markup, joined, tag
from zoo.reports.html.words import caveats, headline, images_of


def write(report: RunReport, path: str | os.PathLike[str]) -> Path:
    """Write the page, whole or not at all; an earlier one stays until then.

    Args:
        report: what it shows.
        path: of the file, ``RUN/report.html``.

    Returns:
        The path.

    Raises:
        UnavailableError: it cannot be written, e.g. because the disk is full.
    """
    target = Path(path)
    text = html(report)
    with output.opened(target) as stream:
        stream.write(text)
    return target


def html(report: RunReport) -> str:
    """The page as text: HTML with everything in it, at most about 2 MB of it images."""
    sections = [section for section in _sections(report) if section is not None]
    links = [tag("a", title, href=f"#{name}") for name, title, _ in sections]
    body = [tag("section", tag("h2", title), *parts, id=name, aria_label=title) for name, title, parts in sections]
    return document(
        report.title,
        tag("header", *_heading(report), tag("nav", *links, aria_label="Parts of the page") if links else None),
        tag("main", *body),
        tag("footer", written_by()),
        script=shipped("sort.js"),
    )


#: The name that a link leads to, the title, and what is in it.
Section = tuple[str, str, list[Markup]]


def _heading(report: RunReport) -> list[Markup]:
    notes = [tag("li", note) for note in caveats(report)]
    return [
        tag("p", "Training run" + (f" · {report.when}" if report.when else ""), class_="eyebrow"),
        tag("h1", report.title),
        tag("p", headline(report), class_="headline"),
        tag("ul", *notes, class_="caveats") if notes else Markup(),
    ]


def _sections(report: RunReport) -> list[Section | None]:
    return [
        _section("figures", "Figures", [estimates.estimates(report), tables.figures(report)], side_by_side=True),
        _learning(report),
        None
        if report.confusion is None or not len(report.confusion)
        else ("confusion", "What is taken for what", [matrix.confusion(np.asarray(report.confusion), report.classes)]),
        _classes(report),
        _images("mistakes", "The surest mistakes", report.wrong, _mistakes(report)),
        _images("unsure", "Right, but barely", report.right, "Named right, the least sure first."),
        _data(report),
        None if not report.facts else ("facts", "Facts", [tables.facts(report.facts)]),
        None if not report.command else ("again", "To repeat it", [_command(report.command)]),
    ]


def _section(name: str, title: str, parts: list[Markup | None], *, side_by_side: bool = False) -> Section | None:
    """The parts that there are; no section where there is none."""
    there = [part for part in parts if part is not None]
    if not there:
        return None
    return name, title, [tag("div", *(tag("div", part) for part in there), class_="columns")] if side_by_side else there


def _learning(report: RunReport) -> Section | None:
    """How it was trained: the plan, the curves, and every epoch in numbers."""
    drawn = curves.curves(report)
    words = [tag("li", sentence) for sentence in report.plan]
    numbers = tables.history(report)
    return _section(
        "learning",
        "How it learnt",
        [
            tag("ul", *words, class_="plan") if words else None,
            tag("div", *drawn, _epochs(report), class_="columns") if drawn else None,
            tag("details", tag("summary", "Every epoch in numbers"), numbers) if numbers else None,
        ],
    )


def _epochs(report: RunReport) -> Markup | None:
    """The best epoch and the phases in words, beside the curves."""
    lines = []
    if report.best_epoch is not None:
        last = max(int(row.get("epoch", index)) for index, row in enumerate(report.history, start=1))
        lines.append(tag("li", f"Epoch {report.best_epoch:,} of {last:,} was the best; its weights were kept."))
    lines += [tag("li", tag("b", phase.name), f": epochs {phase.first:,} to {phase.last:,}") for phase in report.phases]
    return tag("div", tag("ul", *lines), class_="epochs") if lines else None


def _classes(report: RunReport) -> Section | None:
    table = tables.classes(report)
    if table is None:
        return None
    words = "Images of each class in each split"
    if report.judged and report.metrics[report.judged].get("per_class"):
        words += (
            f"; how many of those named so are so (precision), how many of its {images_of(report.judged)} are found "
            "(recall), and the harmonic mean of both (F1). The weakest stand first"
        )
    return "classes", "Classes", [tag("p", f"{words}.", class_="quiet"), table]


def _mistakes(report: RunReport) -> str:
    shown = min(len(report.wrong), gallery.LIMIT)
    if report.confusion is None:
        return "The network was most certain of these."
    total = int(np.sum(report.confusion) - np.trace(report.confusion))
    return f"{shown:,} of {total:,} mistakes, those that the network was most certain of."


def _images(name: str, title: str, images: Sequence[Shown], words: str) -> Section | None:
    if not images:
        return None
    return name, title, [tag("p", words, class_="quiet"), gallery.gallery(images)]


def _data(report: RunReport) -> Section | None:
    """What the check found, and what could not be read."""
    return _section(
        "data",
        "The data",
        [
            tables.findings(report.findings) if report.findings else None,
            tag("h3", "Not read") if report.failed else None,
            tables.failed(report.failed) if report.failed else None,
        ],
    )


def _command(command: str) -> Markup:
    return tag("pre", tag("code", joined(command.split("\n"), Markup("\n"))))
