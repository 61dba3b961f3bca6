"""The page: its sections in order, and the file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.core import output
from zoo.reports.html.document import document, shipped, written_by
from zoo.reports.html.markup import Markup, joined, tag
from zoo.reports.html.tables import facts, failed_files
from zoo.training.report import tables
from zoo.training.report.accuracy_chart import accuracy_chart
from zoo.training.report.confusion_table import confusion_table
from zoo.training.report.contents import SHOWN, GalleryImage, RunReport
from zoo.training.report.curves import curves
from zoo.training.report.gallery import gallery
from zoo.training.report.summary import caveats, headline, images_of

#: The anchor, the title, and the parts that there are.
Section = tuple[str, str, list[Markup]]


def write(report: RunReport, path: str | os.PathLike[str]) -> Path:
    """Write the page, atomically.

    Args:
        report: its contents.
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
    """The page as text: HTML with everything in it, about 2 MB at most."""
    sections = [section for section in _sections(report) if section[2]]
    links = [tag("a", title, href=f"#{name}") for name, title, _ in sections]
    body = [tag("section", tag("h2", title), *parts, id=name, aria_label=title) for name, title, parts in sections]
    return document(
        report.title,
        tag("header", *_heading(report), tag("nav", *links, aria_label="Sections of the page") if links else None),
        tag("main", *body),
        tag("footer", written_by()),
        script=shipped("sort.js"),
    )


def _heading(report: RunReport) -> list[Markup]:
    notes = [tag("li", note) for note in caveats(report)]
    return [
        tag("p", "Training run" + (f" · {report.when}" if report.when else ""), class_="eyebrow"),
        tag("h1", report.title),
        tag("p", headline(report), class_="headline"),
        tag("ul", *notes, class_="caveats") if notes else Markup(),
    ]


def _sections(report: RunReport) -> list[Section]:
    matrix, command = report.confusion, report.command.split("\n")
    return [
        ("metrics", "Metrics", _columns(accuracy_chart(report), tables.metrics(report))),
        ("training", "Training", _training(report)),
        (
            "confusion",
            "Confusion matrix",
            [] if matrix is None or not len(matrix) else [confusion_table(matrix, report.classes)],
        ),
        ("classes", "Classes", _classes(report)),
        ("mistakes", "Most confident mistakes", _images(report.wrong, _mistakes(report))),
        ("unsure", "Least confident correct predictions", _images(report.right, "The least confident first.")),
        ("data", "Data", _data(report)),
        ("facts", "Facts", [facts(report.facts)] if report.facts else []),
        ("command", "Command", [tag("pre", tag("code", joined(command, Markup("\n"))))] if report.command else []),
    ]


def _there(*parts: Markup | None) -> list[Markup]:
    return [part for part in parts if part is not None]


def _columns(*parts: Markup | None) -> list[Markup]:
    """The parts that there are, side by side if there is room."""
    there = _there(*parts)
    return [tag("div", *there, class_="columns")] if there else []


def _training(report: RunReport) -> list[Markup]:
    """The plan, the curves, and every epoch in numbers."""
    drawn = curves(report)
    words = [tag("li", sentence) for sentence in report.plan]
    numbers = tables.history(report)
    return _there(
        tag("ul", *words, class_="plan") if words else None,
        *(_columns(*drawn, _epochs(report)) if drawn else ()),
        tag("details", tag("summary", "All epochs"), numbers) if numbers else None,
    )


def _epochs(report: RunReport) -> Markup | None:
    """The best epoch and the phases in words."""
    lines = []
    if report.best_epoch is not None:
        last = max(int(row.get("epoch", index)) for index, row in enumerate(report.history, start=1))
        lines.append(tag("li", f"Epoch {report.best_epoch:,} of {last:,} was the best; its weights were kept."))
    lines += [tag("li", tag("b", phase.name), f": epochs {phase.first:,} to {phase.last:,}") for phase in report.phases]
    return tag("div", tag("ul", *lines), class_="epochs") if lines else None


def _classes(report: RunReport) -> list[Markup]:
    table = tables.classes(report)
    if table is None:
        return []
    words = "Images of each class in each split"
    if report.known.get("per_class"):
        words += f"; precision, recall and F1 on the {images_of(report.evaluated or '')}, the lowest F1 first"
    return [tag("p", f"{words}.", class_="quiet"), table]


def _mistakes(report: RunReport) -> str:
    if report.confusion is None:
        return "The most confident first."
    total = int(np.sum(report.confusion) - np.trace(report.confusion))
    return f"{min(len(report.wrong), SHOWN):,} of {total:,} mistakes, the most confident first."


def _images(images: Sequence[GalleryImage], words: str) -> list[Markup]:
    return [tag("p", words, class_="quiet"), gallery(images)] if images else []


def _data(report: RunReport) -> list[Markup]:
    """The findings of the check, and the files that could not be read."""
    return _there(
        tables.findings(report.findings) if report.findings else None,
        tag("h3", "Unreadable files") if report.failed else None,
        failed_files(report.failed) if report.failed else None,
    )
