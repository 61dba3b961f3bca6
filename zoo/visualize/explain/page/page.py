"""The page: header, one section per image, and unreadable files."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import numpy as np

from zoo.core import output
from zoo.reports.html.document import document, shipped, written_by
from zoo.reports.html.markup import Markup, tag
from zoo.reports.html.tables import failed_files
from zoo.visualize.explain.explain import Explained
from zoo.visualize.explain.methods import METHODS
from zoo.visualize.explain.page.guide import guide
from zoo.visualize.explain.page.section import Neighbours, links, section, slider

#: Images on a page, so that a browser can open it; the others are counted.
LIMIT = 60


class Page:
    """A page to which images are added; it keeps about 100 kB of each."""

    def __init__(self, model: str) -> None:
        """Begin an empty page about the model of that name."""
        self._model = model
        self._sections: list[Markup] = []
        self._names: list[tuple[int, str]] = []
        self._failed: list[tuple[str, str]] = []
        self._methods: dict[str, None] = {}
        self._scored = False
        #: Images left out because the page was full.
        self.left_out = 0

    def add(self, record: Explained, image: np.ndarray | None = None, near: Neighbours | None = None) -> None:
        """Add an image, uint8 RGB (height, width, 3) for display, with similar images; if ``None``, the reason."""
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
        self._sections.append(section(number, record, image, near))

    def html(self) -> str:
        """The page as text."""
        many = len(self._sections) > 1
        full = f"{self.left_out:,} more images are not shown: a page has room for {LIMIT}."
        return document(
            f"What {self._model} sees",
            tag(
                "header",
                tag("p", f"Where a network looks · {datetime.date.today().isoformat()}", class_="eyebrow"),
                tag("h1", f"What {self._model} sees"),
                tag("p", self._headline(), class_="headline"),
                guide(self._methods, self._scored) if self._methods else None,
                links(self._names) if many else None,
                self._controls() if many else None,
            ),
            tag(
                "main",
                *self._sections,
                tag("p", full) if self.left_out else None,
                tag("section", tag("h2", "Unreadable files"), failed_files(self._failed), id="failed")
                if self._failed
                else None,
            ),
            tag("footer", written_by()),
            style=shipped("page.css", __file__),
            script=shipped("page.js", __file__),
        )

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write the page atomically.

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
        *names, last = (METHODS[name].load().title for name in self._methods)
        return f"{images}, and where the network sees its classes, by {', '.join(names)}{' and ' * bool(names)}{last}."

    def _controls(self) -> Markup:
        """One method and one slider for all images; hidden unless the script runs."""
        options = [tag("option", "the best map", value="")] if self._scored and len(self._methods) > 1 else []
        options += [tag("option", METHODS[name].load().title, value=name) for name in self._methods]
        return tag(
            "div",
            tag("label", "Show in all images ", tag("select", *options)),
            slider("From images to maps, for all"),
            class_="controls",
            hidden=True,
        )
