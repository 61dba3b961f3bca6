"""Variables of a configuration: ``$width``, ``${2 * width}``, and text with either in it.

An expression has numbers, variables, ``+ - * // / ** ( )``, ``min`` and ``max``. It is parsed by :mod:`ast` and
computed by a walk over its tree, which refuses everything else; nothing is evaluated by Python.
"""

from __future__ import annotations

import ast
import keyword
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias

from zoo.catalog.declarative import yaml_lines
from zoo.catalog.declarative.yaml_lines import Node, Scalar, did_you_mean
from zoo.core.errors import UsageError

Value: TypeAlias = Scalar | tuple[Scalar, ...]

#: The variable that is always there: the number of classes that the network is built for.
CLASSES = "classes"

#: Limits on what an expression may be and give.
MAX_EXPRESSION = 200
MAX_TEXT = 200
MAX_NUMBER = 1e15

# $$ is a dollar, $name a variable, ${…} an expression.
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<name>[A-Za-z_]\w*)|\{(?P<expression>[^{}]*)\})", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_FUNCTIONS: Mapping[str, Callable[..., float]] = {"min": min, "max": max}
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def resolve(node: Node | None, overrides: Mapping[str, object], classes: int, file: str) -> dict[str, Value]:
    """The values of all variables.

    Args:
        node: the mapping ``variables`` of a document, if it has one.
        overrides: values that replace those of the file, by name.
        classes: the value of ``$classes``.
        file: what messages call the document.

    Raises:
        UsageError: an invalid name, a value of the wrong type, a cycle, or an override of nothing.
    """
    entries = _entries(node)
    for name in overrides:
        if name == CLASSES:
            raise UsageError(f"The variable classes of {file} is set by the number of classes, not by hand.")
        if name not in entries:
            raise UsageError(f"{file} has no variable '{name}'{did_you_mean(name, entries) or '.'}")
    values = _compute(entries, {CLASSES: classes})
    if not overrides:
        return values
    for name, value in overrides.items():
        _check_override(name, value, values[name], file)
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in overrides.items()}
    # What depends on an override is computed again.
    return _compute(entries, {CLASSES: classes, **given})  # type: ignore[dict-item]


def _entries(node: Node | None) -> Mapping[str, Node]:
    """The mapping ``variables``, with valid names."""
    if node is None or node.value is None:
        return {}
    entries = node.mapping
    if entries is None:
        raise node.error("variables is a mapping, such as 'width: 32'")
    for name, entry in entries.items():
        if name == CLASSES:
            raise node.error("the variable classes is always there, and is set by 'classes' at the top", key=name)
        if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in _FUNCTIONS:
            raise node.error(f"'{name}' is not a name that a variable can have", key=name)
        if entry.mapping is not None:
            raise entry.error(f"the variable {name} is a number, a text, true, false or a list of these")
    return entries


def _compute(entries: Mapping[str, Node], given: dict[str, Value]) -> dict[str, Value]:
    """The values of all entries but those that are given, each after those that it depends on."""
    values = dict(given)
    needs = {
        name: {other for item in entry.items or (entry,) for other in _names_in(item) if other in entries}
        for name, entry in entries.items()
        if name not in given
    }
    try:
        order = list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        cycle = error.args[1][:0:-1]
        first = cycle.index(min(cycle, key=list(entries).index))
        names = " → ".join([*cycle[first:], *cycle[:first], cycle[first]])
        raise entries[cycle[first]].error(f"the variables form a cycle: {names}") from None
    for name in order:
        if name not in given:
            node = entries[name]
            items = node.items
            values[name] = (
                substitute(node, values) if items is None else tuple(_item(part, name, values) for part in items)
            )
    return values


def substitute(node: Node, values: Mapping[str, Value]) -> Value:
    """A scalar node with its references replaced.

    A text that is one reference becomes the variable's value, of whatever type; in any other text, numbers are
    written out.

    Raises:
        UsageError: an unknown variable, or an expression that is none or gives no sensible number.
    """
    text = node.value
    if not isinstance(text, str) or "$" not in text:
        assert not isinstance(text, Mapping | tuple)
        return text
    whole = _REFERENCE.fullmatch(text)
    if whole and not whole["dollar"]:
        return _reference(whole, node, values)
    if "$" in _REFERENCE.sub("", text):
        raise node.error(f"'{text}' has a '$' that is neither $name nor ${{expression}}; a dollar itself is '$$'")
    parts: list[str] = []
    end = 0
    for match in _REFERENCE.finditer(text):
        value: Value = "$" if match["dollar"] else _reference(match, node, values)
        if isinstance(value, tuple) or value is None:
            raise node.error(f"'{text}' puts a list or null into a text")
        parts += [text[end : match.start()], str(value).lower() if isinstance(value, bool) else str(value)]
        end = match.end()
    result = "".join([*parts, text[end:]])
    if len(result) > MAX_TEXT:
        raise node.error(f"a text of more than {MAX_TEXT} letters comes out here")
    return result


def parse_assignment(text: str) -> tuple[str, Value]:
    """``NAME=VALUE`` as typed on a command line; the value is read as YAML.

    Raises:
        UsageError: it is not of that form.
    """
    name, equals, value = text.partition("=")
    if not equals or not _NAME.fullmatch(name.strip()) or not value.isprintable():
        raise UsageError(f"A variable is set by NAME=VALUE, such as width=64. Received: {text}")
    node = (yaml_lines.parse(f"value: {value}", "the command line").mapping or {})["value"]
    items = node.items
    if node.mapping is not None or (items and any(item.mapping or item.items for item in items)):
        raise UsageError(f"A variable is a number, a text, true, false or a list of these. Received: {text}")
    return name.strip(), node.plain if items is None else tuple(node.plain)


def _item(node: Node, name: str, values: Mapping[str, Value]) -> Scalar:
    """One item of a variable that is a list."""
    value = None if node.items is not None or node.mapping is not None else substitute(node, values)
    if value is None or isinstance(value, tuple):
        raise node.error(f"the list {name} holds numbers, texts, true and false only")
    return value


def _names_in(node: Node) -> set[str]:
    """The variables that a text refers to."""
    found: set[str] = set()
    for match in _REFERENCE.finditer(node.value) if isinstance(node.value, str) else ():
        found.update([match["name"]] if match["name"] else _NAME.findall(match["expression"] or ""))
    return found


def _check_override(name: str, value: object, default: Value, file: str) -> None:
    """An override is of the kind of what it replaces."""
    items = value if isinstance(value, list | tuple) else (value,)
    if not all(item is None or isinstance(item, bool | int | float | str) for item in items):
        raise UsageError(f"The variable {name} of {file} is a number, a text, true, false or a list of these.")
    kinds = _kind(default), _kind(value)
    if None not in (default, value) and kinds[0] != kinds[1]:
        raise UsageError(f"The variable {name} of {file} is {kinds[0]}. Received: {value!r}")
    if any(isinstance(item, int | float) and not abs(item) <= MAX_NUMBER for item in items):
        raise UsageError(f"The variable {name} of {file} is out of range. Received: {value!r}")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list | tuple) else "a text"


def _reference(match: re.Match[str], node: Node, values: Mapping[str, Value]) -> Value:
    if match["name"]:
        return _variable(match["name"], node, values)
    return _evaluate(match["expression"].strip(), node, values)


def _variable(name: str, node: Node, values: Mapping[str, Value]) -> Value:
    if name not in values:
        raise node.error(f"there is no variable '{name}'{did_you_mean(name, values)}")
    return values[name]


def _evaluate(expression: str, node: Node, values: Mapping[str, Value]) -> Value:
    """The value of what stands between ``${`` and ``}``."""
    if len(expression) > MAX_EXPRESSION:
        raise node.error(f"an expression has at most {MAX_EXPRESSION} letters")
    try:
        with warnings.catch_warnings():
            # Python comments on odd numbers; what is wrong here is said below.
            warnings.simplefilter("ignore")
            tree = ast.parse(expression, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise node.error(f"'${{{expression}}}' is not an expression of numbers, variables and + - * // / **") from None
    if isinstance(tree, ast.Name):
        return _variable(tree.id, node, values)

    def number(part: ast.expr) -> float:
        try:
            result = compute(part)
        except ZeroDivisionError:
            raise node.error(f"'${{{expression}}}' divides by zero") from None
        except OverflowError:
            raise node.error(f"'${{{expression}}}' gives a number that is too large") from None
        if isinstance(result, complex) or not math.isfinite(result) or abs(result) > MAX_NUMBER:
            raise node.error(f"'${{{expression}}}' gives a number that is too large, or none")
        return result

    def compute(part: ast.expr) -> float:
        if isinstance(part, ast.Constant) and type(part.value) in (int, float):
            return part.value  # type: ignore[return-value]
        if isinstance(part, ast.Name):
            value = _variable(part.id, node, values)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise node.error(f"'${{{expression}}}' computes with {part.id}, which is {_kind(value)} and no number")
            return value
        if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.UAdd | ast.USub):
            operand = number(part.operand)
            return -operand if isinstance(part.op, ast.USub) else operand
        if isinstance(part, ast.BinOp) and type(part.op) in _OPERATORS:
            left, right = number(part.left), number(part.right)
            if isinstance(part.op, ast.Pow) and abs(right) * math.log2(max(abs(left), 2)) > math.log2(MAX_NUMBER):
                raise OverflowError
            return _OPERATORS[type(part.op)](left, right)
        if (
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Name)
            and part.func.id in _FUNCTIONS
            and len(part.args) > 1
            and not part.keywords
        ):
            return _FUNCTIONS[part.func.id](*(number(argument) for argument in part.args))
        raise node.error(
            f"'${{{expression}}}' has more than numbers, variables, + - * // / **, parentheses, min and max"
        )

    return number(tree)
