"""What stands at the top of a network's file beside its layers: name, input, classes, preprocessing, figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from zoo.catalog.declarative.yaml_lines import Node, did_you_mean
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


def read(root: Node, default_name: str, presets: Mapping[str, Preprocessing], *, layers: bool = True) -> dict[str, Any]:
    """Read and check everything but variables and layers.

    Args:
        root: the document.
        default_name: the name of a network that states none.
        presets: the preprocessings that have a name.
        layers: whether ``layers`` must be there; a head that was cut off has none.

    Returns:
        The fields of a :class:`~zoo.core.spec.ModelSpec` that the file states, by their names there.

    Raises:
        UsageError: a key that does not exist or is missing, or a value that makes no sense.
    """
    entries = root.mapping or {}
    for key in entries:
        if key not in KEYS:
            raise root.error(f"a network has no '{key}'{did_you_mean(key, KEYS)}", key=key)
    missing = [key for key in REQUIRED if key not in entries and (layers or key != "layers")]
    if missing:
        raise root.error(f"a network needs {' and '.join(missing)}")
    reader = _Reader(root, entries)
    height, width = reader.size()
    resize = reader.resize(height, width)
    return {
        "name": reader.name(default_name),
        "family": reader.text("family") or "custom",
        "aliases": reader.aliases(),
        "description": reader.text("description"),
        "paper": reader.text("paper"),
        "recipe": reader.text("recipe"),
        "resize": resize,
        "min_size": reader.whole("min_size", 1, min(height, width)) or 1,
        "preprocessing": reader.preprocessing(presets),
        "classes": reader.whole("classes", 0, MAX_CLASSES),
        "mirror": reader.mirror(),
        "params": reader.whole("params", 0, 10**12),
        "params_no_top": reader.whole("params_no_top", 0, 10**12),
        "gmacs": reader.gmacs(),
        "stages": reader.stages(),
    }


class _Reader:
    """A method for each kind of value."""

    def __init__(self, root: Node, entries: Mapping[str, Node]) -> None:
        self.root, self.entries = root, entries

    def name(self, default: str) -> str:
        name = self.text("name") or default
        if not _NAME.fullmatch(name):
            raise self.root.error(
                f"the name of a network is made of letters, digits, '.', '_' and '-', not '{name}'", key="name"
            )
        return name.lower()

    def text(self, key: str) -> str | None:
        value = self.scalar(key)
        if value is not None and not isinstance(value, str):
            raise self.entries[key].error(f"{key} is a text, not {value}; put it in quotes")
        return value

    def scalar(self, key: str) -> Any:
        node = self.entries.get(key)
        if node is None:
            return None
        if node.mapping is not None or node.items is not None:
            raise node.error(f"{key} is a single value")
        return node.value

    def whole(self, key: str, least: int, most: int) -> int | None:
        value = self.scalar(key)
        if value is None and key not in REQUIRED:
            return None
        return _whole(self.entries[key], value, key, least, most)

    def aliases(self) -> tuple[str, ...]:
        node = self.entries.get("aliases")
        if node is None:
            return ()
        names = [item.value for item in node.items or ()]
        if node.items is None or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in names):
            raise node.error("aliases is a list of names")
        return tuple(str(name) for name in names)

    def size(self) -> tuple[int, int]:
        node = self.entries["input"]
        sides = node.items if node.items is not None else (node, node)
        if len(sides) != 2:
            raise node.error("input is a number of pixels, or [height, width]")
        height, width = (_whole(side, side.value, "input", 1, MAX_SIDE) for side in sides)
        return height, width

    def resize(self, height: int, width: int) -> Resize:
        """Without a policy the whole image is squashed: what a small network is trained on fills its image."""
        node = self.entries.get("resize")
        if node is None:
            return Resize(height, width, policy="squash")
        given = _mapping(node, "resize", ("policy", "fraction", "interpolation"))
        policy = _choice(given.get("policy"), "policy", get_args(Policy), "squash")
        interpolation = _choice(given.get("interpolation"), "interpolation", get_args(Interpolation), "bilinear")
        fraction = 0.875
        if "fraction" in given:
            fraction = _number(given["fraction"], "fraction")
            if not 0 < fraction <= 1:
                raise given["fraction"].error(f"fraction is greater than 0 and at most 1, not {fraction:g}")
        return Resize(height, width, policy, fraction, interpolation)  # type: ignore[arg-type]

    def preprocessing(self, presets: Mapping[str, Preprocessing]) -> Preprocessing:
        """A preset by its name, or order, mean and std; x/255 on three channels without."""
        node = self.entries.get("preprocessing")
        if node is None:
            return presets["unit"]
        if node.mapping is None:
            name = node.value
            if not isinstance(name, str) or name not in presets:
                hint = did_you_mean(name, presets) if isinstance(name, str) else ""
                known = f"preprocessing is {', '.join(presets)}, or a mapping with order, mean and std"
                raise node.error(
                    f"{known}, not {name}{hint}" if not hint else f"there is no preprocessing '{name}'{hint}"
                )
            return presets[name]
        given = _mapping(node, "preprocessing", ("order", "mean", "std"))
        order = _choice(given.get("order"), "order", ("rgb", "bgr", "grey"), "rgb")
        channels = 1 if order == "grey" else 3
        mean = _per_channel(given.get("mean"), "mean", channels, 0.0)
        std = _per_channel(given.get("std"), "std", channels, 1.0)
        if not all(std):
            raise given["std"].error("std is what pixels are divided by, so it is not 0")
        return Preprocessing("custom", order, mean, std)  # type: ignore[arg-type]

    def mirror(self) -> bool:
        value = self.scalar("mirror")
        if value is not None and not isinstance(value, bool):
            raise self.entries["mirror"].error(f"mirror is true or false, not {value}")
        return bool(value)

    def gmacs(self) -> float | None:
        return None if self.scalar("gmacs") is None else _number(self.entries["gmacs"], "gmacs")

    def stages(self) -> tuple[Stage, ...]:
        node = self.entries.get("stages")
        if node is None:
            return ()
        rows: list[Stage] = []
        for row in node.items or (node,):
            parts = [part.value for part in row.items or ()]
            match parts:
                case [str(name), str(layer), int(stride), int(width)]:
                    rows.append(Stage(name, layer, stride, width))
                case _:
                    raise row.error("a stage is [name, layer, stride, channels]; 'stage' in layers makes one")
        return tuple(rows)


def _mapping(node: Node, name: str, keys: tuple[str, ...]) -> Mapping[str, Node]:
    entries = node.mapping
    if entries is None:
        raise node.error(f"{name} is a mapping with {', '.join(keys[:-1])} and {keys[-1]}")
    for key in entries:
        if key not in keys:
            raise node.error(f"{name} has no '{key}'{did_you_mean(key, keys)}", key=key)
    return entries


def _choice(node: Node | None, name: str, choices: tuple[str, ...], default: str) -> str:
    if node is None:
        return default
    if not isinstance(node.value, str) or node.value not in choices:
        raise node.error(f"{name} is {', '.join(choices[:-1])} or {choices[-1]}, not {node.plain}")
    return node.value


def _whole(node: Node, value: Any, name: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise node.error(f"{name} is a whole number from {least} to {most:,}, not {node.plain}")
    return value


def _number(node: Node, name: str) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise node.error(f"{name} is a number, not {node.plain}")
    return float(node.value)


def _per_channel(node: Node | None, name: str, channels: int, default: float) -> tuple[float, ...]:
    """A number for each channel; one number is that of all."""
    if node is None:
        return (default,) * channels
    if node.items is None:
        return (_number(node, name),) * channels
    if len(node.items) != channels:
        raise node.error(f"{name} has {channels} number{'s' if channels > 1 else ''} here, or is a single one")
    return tuple(_number(item, name) for item in node.items)
