"""A reader that insists on well-formed HTML."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"img", "input", "meta"}


class Page(HTMLParser):
    """Elements and text of a page; an element that is not closed where it should be fails."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    @property
    def text(self):
        """What is read: neither style nor script."""
        said = "".join(data for tag, data in self.texts if tag not in ("style", "script"))
        return said.replace("\N{NO-BREAK SPACE}", " ")

    def all(self, tag, class_=None):
        """The attributes of the elements of a kind."""
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and (class_ is None or class_ in (attributes.get("class") or "").split())
        ]
