"""Write the table of Keras's layers and their arguments, ``configs/layers.json``, from the installed Keras.

    python configs/refresh_layers.py            rewrite the table
    python configs/refresh_layers.py --check    compare only; exit 1 where it differs

The table lets ``zoo`` check a network in a YAML file without importing Keras. Each argument has a kind, guessed from
its name and default: ``count`` (1 or more), ``sizes`` (a count or a list of them), ``whole`` (whole numbers, nested),
``number``, ``numbers``, ``fraction``, ``bool``, ``text``, ``padding``, ``activation``, ``initializer`` and so on, or
``any``; ``!`` marks what must be given and ``?`` what may be null.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "openvino")

# The backend is fixed at import.
import keras

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from zoo.catalog.declarative.layer_table import OWN, REFUSED  # noqa: E402 - from this checkout

TABLE = ROOT / "configs" / "layers.json"

COUNTS = {"filters", "units", "groups", "depth_multiplier", "height", "width", "n"} | {
    *("num_heads", "key_dim", "value_dim", "head_dim", "num_query_heads", "num_key_value_heads", "power_iterations"),
}
SIZES = {"kernel_size", "pool_size", "strides", "dilation_rate", "size", "tile_grid_size"}
WHOLE = {"axis", "axes", "cropping", "seed", "dims", "target_shape", "shared_axes", "bins"}
#: Choices that Keras offers by text; other texts are ``any``.
TEXTS = {"interpolation", "fill_mode", "score_mode", "merge_mode", "mode", "equation", "bias_axes"}
#: Arguments that name objects which a file cannot hold, or that only Keras itself passes.
LEFT_OUT = {"name", "self", "kwargs", "weights", "quantization_config", "gptq_unpacked_column_size"}
#: What every layer of Keras takes besides its own arguments.
COMMON = {"activity_regularizer": "regularizer?", "trainable": "bool", "dtype": "dtype?"}


def kind(name: str, default: Any) -> str:
    """What an argument takes, without the mark."""
    for ending in ("initializer", "regularizer", "constraint", "activation"):
        if name == ending or name.endswith(f"_{ending}"):
            return ending
    if name in ("dtype", "data_format"):
        return name
    if name in ("layer", "backward_layer"):
        return "layer"
    if name == "padding" and isinstance(default, str):
        return "padding"
    if name in COUNTS:
        return "count"
    if name in SIZES:
        return "sizes"
    if name in WHOLE or name == "padding":
        return "whole"
    if name in TEXTS:
        return "text"
    if (
        name.endswith("factor")
        or name in ("stddev", "max_value")
        or (name == "scale" and not isinstance(default, bool))
    ):
        return "numbers"
    if name in ("rate", "dropout", "recurrent_dropout"):
        return "fraction"
    if isinstance(default, bool):
        return "bool"
    if isinstance(default, int):
        return "number"
    return "numbers" if isinstance(default, float | tuple) else "any"


def arguments(function: Any, first: int = 1) -> dict[str, str]:
    """The arguments of a class (without ``self``) or a function (without its tensor), with their kinds."""
    taken: dict[str, str] = {}
    parameters = list(inspect.signature(function).parameters.values())
    for parameter in parameters[first:]:
        if parameter.name in LEFT_OUT or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        required = parameter.default is parameter.empty
        mark = "!" if required else "?" if parameter.default is None else ""
        taken[parameter.name] = kind(parameter.name, None if required else parameter.default) + mark
    return taken


def classes(module: Any, base: type) -> Iterator[tuple[str, type]]:
    """The public classes of a module by every name that they have there."""
    for name, value in sorted(vars(module).items()):
        if inspect.isclass(value) and issubclass(value, base) and value is not base and not name.startswith("_"):
            yield name, value


def table() -> dict[str, Any]:
    """The table as it should be."""
    document: dict[str, Any] = {
        "keras": keras.__version__,
        "activations": sorted(
            name
            for name, value in vars(keras.activations).items()
            if inspect.isfunction(value) and name not in ("serialize", "deserialize", "get")
        ),
        "common": COMMON,
        "aliases": {},
    }
    modules = {
        "layers": (keras.layers, keras.Layer),
        "initializers": (keras.initializers, keras.initializers.Initializer),
        "regularizers": (keras.regularizers, keras.regularizers.Regularizer),
        "constraints": (keras.constraints, keras.constraints.Constraint),
    }
    for section, (module, base) in modules.items():
        entries: dict[str, dict[str, str]] = {}
        aliases: dict[str, str] = {}
        for name, value in classes(module, base):
            if name in REFUSED:
                continue
            canonical = value.__name__ if value.__name__ in vars(module) else name
            if name != canonical:
                aliases[name] = canonical
                continue
            entries[name] = arguments(value.__init__)
        document[section], document["aliases"][section] = entries, aliases
    for name, target in OWN.items():
        module_name, _, attribute = target.partition(":")
        value = getattr(importlib.import_module(module_name), attribute)
        # A function takes a tensor where a class takes itself, and none of the arguments of Layer.
        document["layers"][name] = (
            arguments(value.__init__) if inspect.isclass(value) else {**arguments(value), "**": "none"}
        )
    return document


def text(document: dict[str, Any]) -> str:
    """The table as JSON, a line for each entry."""
    lines = []
    for key, value in document.items():
        if isinstance(value, dict) and any(isinstance(entry, dict) for entry in value.values()):
            rows = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in value.items()]
            lines.append(f"{json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n}")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    wanted = text(table())
    if parser.parse_args().check:
        differs = not TABLE.is_file() or TABLE.read_text(encoding="utf-8") != wanted
        print("configs/layers.json differs from the installed Keras" if differs else "nothing differs")
        return int(differs)
    TABLE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
