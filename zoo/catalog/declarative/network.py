"""The layers of a document as a network: a flat list of calls, each with the numbers of those that it takes.

What nests in the file is unrolled, once the variables are known; what is not reached, or ends in no probabilities, is
refused. All of it without Keras.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from zoo.catalog.declarative import signatures
from zoo.catalog.declarative.unroll import INPUT, RESERVED, Call, Place, Unroller
from zoo.catalog.declarative.variables import CLASSES, Value
from zoo.catalog.declarative.yaml_lines import Node
from zoo.core.errors import UsageError

#: The last layer of a classifier.
PREDICTIONS = "predictions"


@dataclass(frozen=True, slots=True)
class Network:
    """A network as a list of calls in the order in which they are made."""

    name: str
    file: str
    calls: tuple[Call, ...]
    #: The name of each stage and of its last layer.
    stages: tuple[tuple[str, str], ...]
    #: The call whose output is the features, before the head; ``None`` where there is no head.
    features: int | None

    def needed(self, *outputs: int) -> list[int]:
        """The numbers of the calls on which some depend, in their order, themselves included."""
        wanted: set[int] = set()
        pending = [output for output in outputs if output != INPUT]
        while pending:
            number = pending.pop()
            if number not in wanted:
                wanted.add(number)
                pending += [source for source in self.calls[number].inputs if source != INPUT]
        return sorted(wanted)


def read(name: str, layers: Node, values: Mapping[str, Value]) -> Network:
    """Unroll and check the layers of a document.

    Args:
        name: the name of the network.
        layers: the list that stands at ``layers``.
        values: the variables, ``$classes`` among them; 0 classes means that the output is no classification.

    Raises:
        UsageError: anything in it that cannot be built, as far as that can be known without Keras.
    """
    unroller = Unroller(values)
    items = layers.items
    if not items:
        raise layers.error("layers is a list of layers, such as '- Flatten'")
    end = unroller.sequence(items, INPUT, Place(top=True))
    unroller.check_references()
    calls = unroller.calls
    if end == INPUT:
        raise layers.error("there is no layer in it")
    if values[CLASSES]:
        _check_classifier(calls[end], layers)
        if unroller.names.get(PREDICTIONS, end) != end:
            line = calls[unroller.names[PREDICTIONS]].line
            raise _at(layers, line, f"only the last layer of a classifier is called {PREDICTIONS}")
        calls[end] = replace(calls[end], name=PREDICTIONS)
    if calls[end].kind not in signatures.OWN:
        # float32 also under a mixed-precision policy: probabilities need the digits.
        calls[end] = replace(calls[end], arguments={"dtype": "float32", **calls[end].arguments})
    _name_the_rest(calls)
    stages = tuple((stage, calls[last].name) for stage, last in unroller.stages)
    network = Network(name, layers.file, tuple(calls), stages, unroller.features)
    used = set(network.needed(end))
    for number, call in enumerate(calls):
        if number not in used:
            raise _at(
                layers,
                call.line,
                f"what {call.kind} '{call.name}' gives goes nowhere; a later layer can name it in inputs",
            )
    return network


def _check_classifier(call: Call, layers: Node) -> None:
    """The last layer of a classifier gives probabilities, and is called so."""
    if call.name not in ("", PREDICTIONS):
        raise _at(layers, call.line, f"the last layer of a classifier is called {PREDICTIONS}; leave its name out")
    takes = signatures.find("layers", call.kind, layers).arguments
    activation = call.arguments.get("activation", "linear") if "activation" in takes else "softmax"
    if activation not in ("softmax", "sigmoid"):
        raise _at(
            layers,
            call.line,
            f"the last layer of a classifier gives probabilities: give {call.kind} activation: softmax",
        )


def _name_the_rest(calls: list[Call]) -> None:
    """Give every layer without a name one that is the same in every process: its stages, its class, a number."""
    taken = {call.name for call in calls} | RESERVED
    counts: Counter[str] = Counter()
    for number, call in enumerate(calls):
        if call.name:
            continue
        name = ""
        while not name or name in taken:
            name = f"{call.base}_{counts[call.base]}" if counts[call.base] else call.base
            counts[call.base] += 1
        taken.add(name)
        calls[number] = replace(call, name=name)


def _at(layers: Node, line: int, text: str) -> UsageError:
    return replace(layers, line=line).error(text)
