"""The texts of the page: what scores mean, and how maps are read."""

from __future__ import annotations

from collections.abc import Iterable

from zoo.reports.html.markup import Markup, tag
from zoo.visualize.explain.base import Explanation
from zoo.visualize.explain.methods import METHODS


def scores(one: Explanation) -> list[str]:
    """Deletion and insertion of a map, and what they mean; empty if they were not measured."""
    if one.faithfulness is None:
        return []
    deletion, insertion = one.faithfulness.deletion, one.faithfulness.insertion
    meaning = "Not faithful: the class does as well without what it shows as with it."
    if insertion > deletion:
        points = f"{100 * (insertion - deletion):.1f}"
        meaning = f"On average the class's probability is {points} points higher with what it shows than without it."
    return [f"deletion {deletion:.3f}, insertion {insertion:.3f}", meaning]


def guide(names: Iterable[str], scored: bool) -> Markup:
    """How maps are read, in a collapsed element.

    Args:
        names: methods on the page.
        scored: whether scores are explained.
    """
    explained = [
        tag("b", "Deletion"),
        " removes pixels from the image in descending order of the map, and follows the class's probability; the score "
        "is the area under that curve. A low one says that the class needs what the map shows. ",
        tag("b", "Insertion"),
        " restores the same pixels in a blurred image; a high one says that they suffice for the class. A map whose "
        "insertion is not above its deletion says nothing about this network. The best map of each class, by "
        "insertion minus deletion, has a blue frame.",
    ]
    return tag(
        "details",
        tag("summary", "How to read the maps"),
        tag(
            "p",
            "A map shows where a network finds evidence for a class, on a scale of its own: transparent is none, "
            "violet a little, yellow most. Maps of different strength can look alike. The slider fades from the image "
            "to the map.",
        ),
        tag("p", *explained) if scored else None,
        tag(
            "ul",
            *(tag("li", tag("b", kind.title), f": {kind.paper}") for kind in (METHODS[name].load() for name in names)),
            class_="small quiet",
        ),
        class_="guide",
    )
