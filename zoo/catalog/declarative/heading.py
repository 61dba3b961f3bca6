"""The top of a network's YAML file: name, input, classes, preprocessing, figures; all but variables and layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, get_args

from zoo.catalog.declarative.yaml_lines import Node, did_you_mean
from zoo.catalog.presets import PREPROCESSING
from zoo.core.spec import Interpolation, Policy, Preprocessing, Resize, Stage

KEYS = (
    *("name", "family", "aliases", "description", "paper", "recipe"),
    *("input", "resize", "min_size", "preprocessing", "classes", "mirror"),
    *("params", "params_no_top", "gmacs", "stages"),
    *("variables", "layers"),
)
#: Keys that every network has.
REQUIRED = ("input", "classes", "layers")

MAX_SIDE = 10_000
MAX_CLASSES = 1_000_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)

#: What a value must be, in words and as a test.
Check: TypeAlias = tuple[str, Callable[[Any], bool]]

_NUMBER: Check = ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool))
_BOOL: Check = ("true or false", lambda value: isinstance(value, bool))
_TEXT: Check = ("a text", lambda value: isinstance(value, str))


def _whole(least: int, most: int) -> Check:
    return (
        f"a whole number from {least} to {most:,}",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most,
    )


def _one_of(choices: tuple[str, ...]) -> Check:
    return f"{', '.join(choices[:-1])} or {choices[-1]}", lambda value: value in choices


def read(root: Node, default_name: str, *, layers: bool = True) -> dict[str, Any]:
    """Read and check everything but variables and layers.

    Args:
        root: the document.
        default_name: the name of a network that states none.
        layers: whether ``layers`` must be there; a heading that was cut off has none.

    Returns:
        The fields of a :class:`~zoo.core.spec.ModelSpec` that the file states, by their names there.

    Raises:
        UsageError: a key that does not exist or is missing, or a value that makes no sense.
    """
    entries = root.mapping or {}
    _check_keys(root, "a network", KEYS)
    missing = [key for key in REQUIRED if key not in entries and (layers or key != "layers")]
    if missing:
        raise root.error(f"a network needs {' and '.join(missing)}")
    name = _value(entries, "name", _TEXT) or default_name
    if not _NAME.fullmatch(name):
        raise root.error(
            f"the name of a network is made of letters, digits, '.', '_' and '-', not '{name}'", key="name"
        )
    height, width = _size(entries["input"])
    gmacs = _value(entries, "gmacs", _NUMBER)
    return {
        "name": name.lower(),
        "family": _value(entries, "family", _TEXT) or "custom",
        "aliases": _aliases(entries.get("aliases")),
        "description": _value(entries, "description", _TEXT),
        "paper": _value(entries, "paper", _TEXT),
        "recipe": _value(entries, "recipe", _TEXT),
        "resize": _resize(entries.get("resize"), height, width),
        "min_size": _value(entries, "min_size", _whole(1, min(height, width))) or 1,
        "preprocessing": _preprocessing(entries.get("preprocessing")),
        "classes": _value(entries, "classes", _whole(0, MAX_CLASSES)),
        "mirror": bool(_value(entries, "mirror", _BOOL)),
        "params": _value(entries, "params", _whole(0, 10**12)),
        "params_no_top": _value(entries, "params_no_top", _whole(0, 10**12)),
        "gmacs": None if gmacs is None else float(gmacs),
        "stages": _stages(entries.get("stages")),
    }


def _check_keys(node: Node, what: str, keys: tuple[str, ...]) -> None:
    for key in node.mapping or {}:
        if key not in keys:
            raise node.error(f"{what} has no '{key}'{did_you_mean(key, keys)}", key=key)


def _value(entries: Mapping[str, Node], key: str, check: Check, default: Any = None) -> Any:
    """A single value; the default if the key is missing or null."""
    node = entries.get(key)
    if node is None or (node.value is None and key not in REQUIRED):
        return default
    if node.mapping is not None or node.items is not None:
        raise node.error(f"{key} is a single value")
    return _checked(node, key, check)


def _checked(node: Node, name: str, check: Check) -> Any:
    expected, is_right = check
    if not is_right(node.value):
        advice = "; put it in quotes" if check is _TEXT else ""
        raise node.error(f"{name} is {expected}, not {node.plain}{advice}")
    return node.value


def _aliases(node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    names = [item.value for item in node.items or ()]
    if node.items is None or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
        raise node.error("aliases is a list of names")
    return tuple(str(name) for name in names)


def _size(node: Node) -> tuple[int, int]:
    sides = node.items if node.items is not None else (node, node)
    if len(sides) != 2:
        raise node.error("input is a number of pixels, or [height, width]")
    height, width = (_checked(side, "input", _whole(1, MAX_SIDE)) for side in sides)
    return height, width


def _resize(node: Node | None, height: int, width: int) -> Resize:
    """The whole image is squashed by default: what a small network is trained on fills its image."""
    if node is None:
        return Resize(height, width, policy="squash")
    given = node.mapping
    if given is None:
        raise node.error("resize is a mapping with policy, fraction and interpolation")
    _check_keys(node, "resize", ("policy", "fraction", "interpolation"))
    policy = _value(given, "policy", _one_of(get_args(Policy)), "squash")
    fraction = _value(given, "fraction", _NUMBER, 0.875)
    if not 0 < fraction <= 1:
        raise given["fraction"].error(f"fraction is greater than 0 and at most 1, not {fraction:g}")
    interpolation = _value(given, "interpolation", _one_of(get_args(Interpolation)), "bilinear")
    return Resize(height, width, policy, float(fraction), interpolation)


def _preprocessing(node: Node | None) -> Preprocessing:
    """A preset by its name, or order, mean and std; x/255 on three channels by default."""
    if node is None:
        return PREPROCESSING["unit"]
    given = node.mapping
    if given is None:
        if isinstance(node.value, str) and node.value in PREPROCESSING:
            return PREPROCESSING[node.value]
        hint = did_you_mean(node.value, PREPROCESSING) if isinstance(node.value, str) else ""
        if hint:
            raise node.error(f"there is no preprocessing '{node.value}'{hint}")
        known = ", ".join(PREPROCESSING)
        raise node.error(f"preprocessing is {known}, or a mapping with order, mean and std, not {node.plain}")
    _check_keys(node, "preprocessing", ("order", "mean", "std"))
    order = _value(given, "order", _one_of(("rgb", "bgr", "grey")), "rgb")
    channels = 1 if order == "grey" else 3
    mean = _per_channel(given.get("mean"), "mean", channels, 0.0)
    std = _per_channel(given.get("std"), "std", channels, 1.0)
    if not all(std):
        raise given["std"].error("std is what pixels are divided by, so it is not 0")
    return Preprocessing("custom", order, mean, std)


def _per_channel(node: Node | None, name: str, channels: int, default: float) -> tuple[float, ...]:
    """A number for each channel; a single number is that of all."""
    if node is None:
        return (default,) * channels
    if node.items is None:
        return (float(_checked(node, name, _NUMBER)),) * channels
    if len(node.items) != channels:
        raise node.error(f"{name} has {channels} number{'s' if channels > 1 else ''} here, or is a single one")
    return tuple(float(_checked(item, name, _NUMBER)) for item in node.items)


def _stages(node: Node | None) -> tuple[Stage, ...]:
    if node is None:
        return ()
    rows: list[Stage] = []
    for row in node.items or (node,):
        match [part.value for part in row.items or ()]:
            case [str(name), str(layer), int(stride), int(width)]:
                rows.append(Stage(name, layer, stride, width))
            case _:
                raise row.error("a stage is [name, layer, stride, channels]; 'stage' in layers makes one")
    return tuple(rows)
