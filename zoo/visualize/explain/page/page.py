"""The page: its head, a section for each image, and what could not be read."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.core import output
from zoo.reports.html.document import document, shipped, written_by
from zoo.reports.html.markup import Markup, tag
from zoo.reports.html.tables import failed
from zoo.visualize.explain.explain import Explained
from zoo.visualize.explain.page import figure, words

#: Most images of a page, so that a browser opens it; the others are counted.
LIMIT = 60


class Page:
    """A page that grows image by image; of each it keeps what it shows, some 100 kB."""

    def __init__(self, model: str) -> None:
        """Begin an empty page.

        Args:
            model: the network's name.
        """
        self._model = model
        self._sections: list[Markup] = []
        self._names: list[tuple[int, str]] = []
        self._failed: list[tuple[str, str]] = []
        self._methods: dict[str, None] = {}
        self._scored = False
        #: Images that were left out because the page was full.
        self.left_out = 0

    def add(self, record: Explained, image: np.ndarray | None = None, near: figure.Neighbours | None = None) -> None:
        """Show an image, or why it could not be read.

        Args:
            record: what was found in it.
            image: uint8 RGB (height, width, 3) of what the network sees, of its shape or larger; ``None`` where it
                could not be read.
            near: images that are like it.
        """
        if image is None:
            self._failed.append((record.path, record.error or ""))
            return
        if len(self._sections) == LIMIT:
            self.left_out += 1
            return
        number = len(self._sections) + 1
        self._methods.update(dict.fromkeys(one.method for one in record.explanations))
        self._scored = self._scored or any(one.faithfulness is not None for one in record.explanations)
        self._names.append((number, record.path))
        self._sections.append(figure.section(number, record, image, near))

    def html(self) -> str:
        """The page as text."""
        many = len(self._sections) > 1
        return document(
            f"What {self._model} sees",
            tag(
                "header",
                tag("p", f"Where a network looks · {datetime.date.today().isoformat()}", class_="eyebrow"),
                tag("h1", f"What {self._model} sees"),
                tag("p", self._headline(), class_="headline"),
                words.guide(list(self._methods), self._scored) if self._methods else None,
                figure.links(self._names) if many else None,
                _controls(list(self._methods), self._scored) if many else None,
            ),
            tag("main", *self._sections, *self._rest()),
            tag("footer", written_by()),
            style=shipped("page.css", __file__),
            script=shipped("page.js", __file__),
        )

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, whole or not at all.

        Raises:
            UnavailableError: it cannot be written.
        """
        target = Path(path)
        text = self.html()
        with output.opened(target) as stream:
            stream.write(text)
        return target

    def _headline(self) -> str:
        count = len(self._sections)
        if not count:
            return "None of the images could be read."
        images = "One image" if count == 1 else f"{count:,} images"
        names = [words.title(name) for name in self._methods]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        return f"{images}, and where the network sees its classes, by {listed}."

    def _rest(self) -> list[Markup]:
        parts = []
        if self.left_out:
            parts.append(tag("p", f"{self.left_out:,} more images are not shown: a page has room for {LIMIT}."))
        if self._failed:
            parts.append(tag("section", tag("h2", "Not read"), failed(self._failed), id="failed"))
        return parts


def _controls(methods: Sequence[str], scored: bool) -> Markup:
    """One method and one slider for all images; the script shows them, as they do nothing without it."""
    options = [tag("option", "the best map", value="")] if scored and len(methods) > 1 else []
    options += [tag("option", words.title(name), value=name) for name in methods]
    return tag(
        "div",
        tag("label", "Show in all images ", tag("select", *options)),
        tag(
            "label",
            tag("span", "picture"),
            tag("input", type="range", min=0, max=100, value=figure.BLEND, aria_label="From images to maps, for all"),
            tag("span", "map"),
            class_="slider",
        ),
        class_="controls",
        hidden=True,
    )
