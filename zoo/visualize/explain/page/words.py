"""What the page says in words: how maps and their scores are read."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.reports.html.markup import Markup, tag
from zoo.visualize.explain import methods
from zoo.visualize.explain.base import Explanation


def title(name: str) -> str:
    """A method's name as it is written."""
    return methods.METHODS[name].title


def scores(one: Explanation) -> str | None:
    """Deletion and insertion of a map."""
    if one.faithfulness is None:
        return None
    return f"deletion {one.faithfulness.deletion:.3f}, insertion {one.faithfulness.insertion:.3f}"


def meaning(one: Explanation) -> str | None:
    """What the scores of a map say of it."""
    if one.faithfulness is None:
        return None
    gone, come = one.faithfulness.deletion, one.faithfulness.insertion
    if come > gone:
        points = f"{100 * (come - gone):.1f}"
        return f"On average the class's probability is {points} points higher with what it shows than without."
    return "Not to be believed: the class does as well without what it shows as with it."


def guide(names: Sequence[str], scored: bool) -> Markup:
    """How the maps are read, behind a fold."""
    parts = [
        tag(
            "p",
            "A map shows where a network finds evidence for a class, on a scale of its own: what is transparent says "
            "nothing, violet a little, yellow most. Maps of different strength can look alike. The slider goes from "
            "the image to the map.",
        )
    ]
    if scored:
        parts += [
            tag(
                "p",
                tag("b", "Deletion"),
                " takes the pixels out of the image in the order of the map, the strongest first, and follows the "
                "class's probability; the score is the area below that curve. A small one says that the class needs "
                "what the map shows. ",
                tag("b", "Insertion"),
                " puts the same pixels into a blurred image; a large one says that they are enough. A map whose "
                "insertion is not above its deletion tells nothing about this network. The best map of each class, by "
                "insertion minus deletion, has a blue frame.",
            )
        ]
    sources = [
        tag("li", tag("b", methods.METHODS[name].title), f": {methods.METHODS[name].paper}")
        for name in dict.fromkeys(names)
    ]
    parts.append(tag("ul", *sources, class_="small quiet"))
    return tag("details", tag("summary", "How to read the maps"), *parts, class_="guide")
