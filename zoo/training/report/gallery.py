"""The galleries: the most confident mistakes, and the least confident correct predictions."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.reports.html.image_cards import image_card
from zoo.reports.html.markup import Markup, tag
from zoo.reports.numbers import percent
from zoo.training.report.contents import SHOWN, GalleryImage


def gallery(images: Sequence[GalleryImage]) -> Markup:
    """The first :data:`SHOWN` images with their predicted and true classes."""
    return tag("div", *map(_card, images[:SHOWN]), class_="gallery")


def _card(shown: GalleryImage) -> Markup:
    right = shown.truth == shown.predicted
    score = "" if shown.truth_score is None else f" {percent(shown.truth_score)}"
    return image_card(
        shown.path,
        tag("span", tag("b", shown.predicted), f" {percent(shown.score)}", class_="said right" if right else "said"),
        None if right else tag("span", "is ", tag("b", shown.truth), score, class_="truth"),
        pixels=shown.pixels,
        beside=shown.overlay,
    )
