"""The table of objectives: what an image can be made to maximize. Each is implemented in a file of this folder.

To add an objective, write a file with a subclass of :class:`zoo.visualize.synthesis.objectives.base.Objective` and add
a row here. The options of ``zoo visualize maximize`` and the keywords of :func:`zoo.visualize.maximize` derive from it.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.core.errors import UsageError

if TYPE_CHECKING:
    from zoo.visualize.network.inspected_model import InspectedModel
    from zoo.visualize.synthesis.objectives.base import Objective


@dataclass(frozen=True)
class ObjectiveRow:
    """An objective: how it is called, and where it is implemented. Nothing is imported until :meth:`load`."""

    #: The option ``--KIND``, and the key in output rows.
    kind: str
    #: Keyword of :func:`zoo.visualize.maximize`.
    keyword: str
    #: ``FILE:CLASS``.
    implementation: str
    metavar: str
    help: str
    #: Whether it belongs to a layer.
    has_layer: bool = True
    #: Whether the option can be repeated.
    multiple: bool = True

    def load(self) -> Any:
        """Import the class, a subclass of :class:`~zoo.visualize.synthesis.objectives.base.Objective`."""
        module, _, name = self.implementation.partition(":")
        return getattr(importlib.import_module(f"{__name__}.{module}"), name)


OBJECTIVES: dict[str, ObjectiveRow] = {
    row.kind: row
    for row in (
        ObjectiveRow(
            kind="filter",
            keyword="filters",
            implementation="filter:Filter",
            metavar="N,N-N",
            help="Filters: channels of the layer, e.g. 20,21 or 0-63.",
            multiple=False,
        ),
        ObjectiveRow(
            kind="neuron",
            keyword="neurons",
            implementation="neuron:Neuron",
            metavar="N@ROW,COL",
            help="One place of a channel, e.g. 20@7,7; of a layer without a map a unit, e.g. 20. Repeatable.",
        ),
        ObjectiveRow(
            kind="class",
            keyword="classes",
            implementation="class_logit:ClassLogit",
            metavar="CLASS",
            help="A class by name, WordNet id or index. Repeatable.",
            has_layer=False,
        ),
    )
}


def check(*, layer: str | None, **wanted: Any) -> ObjectiveRow:
    """The one kind of objective that is given, checked as far as possible without a model.

    Args:
        layer: of the objectives.
        **wanted: by keyword; at most one has a value.

    Raises:
        UsageError: none or several kinds, a missing or superfluous layer, or a syntax error.
    """
    if unknown := wanted.keys() - {row.keyword for row in OBJECTIVES.values()}:
        raise TypeError(f"Expected {', '.join(row.keyword for row in OBJECTIVES.values())}. Received: {min(unknown)}")
    given = [row for row in OBJECTIVES.values() if wanted.get(row.keyword)]
    if len(given) != 1:
        *names, last = (row.keyword for row in OBJECTIVES.values())
        found = f"{' and '.join(row.kind for row in given)} were given" if given else "none was given"
        raise UsageError(f"An image is made for {', for '.join(names)} or for {last}, and {found}; choose one of them.")
    (row,) = given
    if not row.has_layer and layer is not None:
        raise UsageError(f"A {row.kind} belongs to no layer; leave out the layer {layer}.")
    if row.has_layer and layer is None:
        raise UsageError(f"A {row.kind} belongs to a layer; say which, e.g. --layer stage3.")
    row.load().check(wanted[row.keyword])
    return row


def choose(net: InspectedModel, *, layer: str | None = None, **wanted: Any) -> list[Objective]:
    """The objectives of a model; arguments as for :func:`zoo.visualize.maximize`.

    Raises:
        UsageError: as for :func:`check`, or the model has no such layer, filter, neuron or class.
    """
    row = check(layer=layer, **wanted)
    found: list[Objective] = row.load().choose(net, layer, wanted[row.keyword])
    return found
