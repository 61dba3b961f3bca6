"""Recompute the figures of the catalogue from the networks themselves.

    python configs/refresh_catalogue.py                    rewrite configs/catalogue/*.yaml and configs/models/*.yaml
    python configs/refresh_catalogue.py --check [NAME…]    compare only; exit 1 where a figure differs
    python configs/refresh_catalogue.py --sources          rewrite the files in weights/imagenet.yaml
    python configs/refresh_catalogue.py --sources --check [NAME…]
    python configs/refresh_catalogue.py --check --all      figures and files of all of them

A network is added by an entry with ``keras`` (or ``function`` and ``arguments``), ``input`` and the names of
its stages, ``[stage1, LAYER]``; the rest is filled in. A network of configs/models names its stages in its layers.
Counts are of all weights, moving statistics included; gmacs are multiply-accumulates / 10^9 of convolutions and dense
layers at the input size, classifier included.
Accuracies and licences are not touched: they come from publications. ``KERAS_BACKEND=openvino`` is quickest.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import math
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.setdefault("KERAS_BACKEND", "openvino")

# The backend is fixed at import.
import keras

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from zoo import models  # noqa: E402 - from this checkout
from zoo.catalog import declarative, registry  # noqa: E402
from zoo.catalog import files as catalogue  # noqa: E402
from zoo.core.spec import ModelSpec  # noqa: E402
from zoo.models import macs  # noqa: E402

CATALOGUE = ROOT / "configs" / "catalogue"
NETWORKS = ROOT / "configs" / "models"
SOURCES = ROOT / "weights" / "imagenet.yaml"

#: What draws a layer's first weights.
RANDOM = ("RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling")

#: Order of the keys of an entry; ``stages`` comes last, one row each.
KEYS = ("keras", "function", "aliases", "arguments", "input", "resize", "min_size", "paper", "description")
FIGURES = ("params", "params_no_top", "gmacs", "stages")


@contextlib.contextmanager
def without_chance() -> Iterator[None]:
    """First weights are zeros: what is counted here depends on their shapes alone, and drawing them takes minutes."""

    def zeros(self: Any, shape: Any, dtype: Any = None, **_: Any) -> Any:
        return keras.ops.zeros(shape, dtype or "float32")

    with contextlib.ExitStack() as patched:
        for kind in RANDOM:
            patched.enter_context(mock.patch.object(getattr(keras.initializers, kind), "__call__", zeros))
        yield


# Figures


def measure(spec: ModelSpec) -> dict[str, Any]:
    """Build a network with its classifier and without, and count."""
    bare = models.create_model(spec, None, include_top=False)
    full = models.create_model(spec, None)
    gmacs = macs.multiply_accumulates(full) / 1e9
    return {
        "params": full.count_params(),
        "params_no_top": bare.count_params(),
        # Networks of configs/models are small: three digits, whatever the size.
        "gmacs": float(f"{gmacs:.3g}") if declarative.is_declarative(spec) else round(gmacs, 3),
        "stages": [stage_row(spec, full, stage.name, stage.layer) for stage in spec.stages],
    }


def stage_row(spec: ModelSpec, model: keras.Model, name: str, layer: str) -> list[Any]:
    """``[name, layer, stride, channels]``. Strides are powers of two; networks without padding lose a little."""
    _, height, _, channels = models.find_layer(model, layer).output.shape
    stride = 2 ** round(math.log2(spec.input_size[0] / height))
    return [name, layer, stride, channels]


# Where the weights come from


@contextlib.contextmanager
def asked_for(spec: ModelSpec) -> Iterator[list[dict[str, Any]]]:
    """What Keras's own builder would fetch for each network that is built meanwhile; nothing is fetched or read."""
    asked: list[dict[str, Any]] = []

    def get_file(fname: str, origin: str, file_hash: str | None = None, **_: Any) -> str:
        digest = {"sha256" if len(file_hash) == 64 else "md5": file_hash} if file_hash else {}
        asked.append({"file": fname, "url": origin, **digest})
        return fname

    name = str(spec.builder).partition(":")[2]
    builder = getattr(keras.applications, name)

    @functools.wraps(builder)
    def with_weights(*args: Any, **settings: Any) -> keras.Model:
        return builder(*args, **{**settings, "weights": "imagenet"})

    with (
        mock.patch("keras.src.utils.file_utils.get_file", get_file),
        mock.patch.object(keras.Model, "load_weights", lambda *args, **settings: None),
        mock.patch.object(keras.applications, name, with_weights),
    ):
        yield asked


def sources(spec: ModelSpec) -> dict[str, dict[str, Any]]:
    """The files that Keras's own builder would fetch, asked by letting it try."""
    with asked_for(spec) as asked:
        models.create_model(spec, None)
        models.create_model(spec, None, include_top=False)
    return dict(zip(("top", "no_top"), asked, strict=True))


# Files


def check_all() -> list[str]:
    """Figures of all networks, and the files of those of Keras, each built once; a line for each difference."""
    differences: list[str] = []
    stored = catalogue.read_yaml(SOURCES)
    for file in sorted(CATALOGUE.glob("*.yaml")):
        document = catalogue.read_yaml(file)
        for name, entry in document["models"].items():
            spec = _entry(name, entry, document)
            known = stored["models"].pop(name, None)
            with asked_for(spec) if known else contextlib.nullcontext([]) as asked:
                differences += [found for found, _, _ in _figures(name, entry, measure(spec))]
            if known:
                files = dict(zip(("no_top", "top"), asked, strict=True))
                differences += [found for found, _, _ in _files(name, known, files, stored["base_url"])]
            keras.backend.clear_session()
    differences += [f"{name}: there is no such network" for name in stored["models"]]
    return differences


def refresh_catalogue(names: set[str], check: bool) -> list[str]:
    """Recompute the figures of these networks, or all; returns a line for each difference."""
    differences: list[str] = []
    for file in sorted(CATALOGUE.glob("*.yaml")):
        document, before = catalogue.read_yaml(file), len(differences)
        for name, entry in document["models"].items():
            if names and name not in names:
                continue
            for found, key, value in _figures(name, entry, measure(_entry(name, entry, document))):
                differences.append(found)
                entry[key] = value
            keras.backend.clear_session()
        if not check and len(differences) > before:
            file.write_text(_header(file) + catalogue_text(document), encoding="utf-8")
    return differences


def _entry(name: str, entry: dict[str, Any], document: dict[str, Any]) -> ModelSpec:
    return catalogue.read_entry(name, {**entry, "stages": [_four(row) for row in entry["stages"]]}, document, {})


def _figures(name: str, entry: dict[str, Any], measured: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """What differs: a sentence, the key, and what it should be."""
    for key, value in measured.items():
        if entry.get(key) != value:
            yield f"{name}: {key} is {entry.get(key)}, should be {value}", key, value


def _files(
    name: str, entry: dict[str, Any], files: dict[str, dict[str, Any]], base: str
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The same for the files of weights."""
    for part, file in files.items():
        asked = {**file, "url": file["url"].removeprefix(base)}
        stored = entry.get(part, {})
        if {key: stored.get(key) for key in asked} != asked or {"md5", "sha256"} & (set(stored) - set(asked)):
            yield f"{name}: {part} is {stored}, should be {asked}", part, asked


def refresh_networks(names: set[str], check: bool) -> list[str]:
    """The same for the networks that are described layer by layer."""
    differences: list[str] = []
    for file in sorted(NETWORKS.glob("*.yaml")):
        stated = declarative.load_heading(file)
        if stated is None or (names and stated.name not in names):
            continue
        text = file.read_text(encoding="utf-8")
        # Stages that a change of the layers has left behind are no reason to stop.
        spec = declarative.parse(_without_figures(text), str(file))
        measured = measure(spec)
        keras.backend.clear_session()
        before = {key: getattr(stated, key) for key in FIGURES}
        before["stages"] = [[stage.name, stage.layer, stage.stride, stage.width] for stage in stated.stages]
        found = [
            f"{spec.name}: {key} is {before[key]}, should be {value}"
            for key, value in measured.items()
            if before[key] != value
        ]
        if found and not check:
            file.write_text(_with_figures(_without_figures(text), measured), encoding="utf-8")
        differences += found
    return differences


def _without_figures(text: str) -> str:
    """The text of a network without its figures; comments and all else stay."""
    return re.sub(rf"^(?:{'|'.join(FIGURES)}):.*\n(?:[ -].*\n)*", "", text, flags=re.MULTILINE)


def _with_figures(text: str, measured: dict[str, Any]) -> str:
    """The text with figures before its variables and layers."""
    lines = [f"{key}: {_flow(measured[key])}\n" for key in FIGURES[:-1]]
    if measured["stages"]:
        lines += ["stages:\n", *(f"  - {_flow(row)}\n" for row in measured["stages"])]
    return re.sub(r"^(?=variables:|layers:)", lambda _: "".join(lines), text, count=1, flags=re.MULTILINE)


def refresh_sources(names: set[str], check: bool) -> list[str]:
    """Ask Keras for files, addresses and digests; returns a line for each difference."""
    differences: list[str] = []
    document = catalogue.read_yaml(SOURCES)
    for name, entry in document["models"].items():
        if names and name not in names:
            continue
        for found, part, asked in _files(name, entry, sources(registry.get(name)), document["base_url"]):
            differences.append(found)
            entry[part] = asked
        keras.backend.clear_session()
    if not check:
        SOURCES.write_text(_header(SOURCES) + sources_text(document), encoding="utf-8")
    return differences


def catalogue_text(document: dict[str, Any]) -> str:
    """A family as YAML that reads like a table."""
    lines = [f"{key}: {_flow(value)}" for key, value in document.items() if key != "models"]
    lines.append("models:")
    for name, entry in document["models"].items():
        lines += ["", f"  {name}:"]
        lines += [f"    {key}: {_flow(entry[key])}" for key in (*KEYS, *FIGURES[:-1]) if key in entry]
        lines.append("    stages:")
        lines += [f"      - {_flow(row)}" for row in entry["stages"]]
    return "\n".join(lines) + "\n"


def sources_text(document: dict[str, Any]) -> str:
    """The sources as YAML, one line a file."""
    lines = [f"{key}: {_flow(value)}" for key, value in document.items() if key != "models"]
    lines.append("models:")
    for name, entry in document["models"].items():
        lines += ["", f"  {name}:"]
        lines += [f"    {key}: {_flow(value)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value on one line."""
    import yaml

    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000).removesuffix("...\n").strip()


def _header(file: Path) -> str:
    """The comment at the top of a file, which is kept."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(lines[: next(i for i, line in enumerate(lines) if not line.startswith("#"))])


def _four(row: list[Any]) -> list[Any]:
    """A stage of a new entry may have its name and layer alone."""
    return [*row, 0, 0][:4]


def main() -> int:
    """Print what differed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these networks")
    parser.add_argument("--check", action="store_true", help="compare only")
    parser.add_argument("--sources", action="store_true", help="the files of weights instead of the figures")
    parser.add_argument("--all", action="store_true", help="with --check: figures and files of all, built once")
    args = parser.parse_args()
    if args.all and (not args.check or args.sources or args.names):
        parser.error("--all goes with --check alone: it compares everything, and writes nothing")
    names = set(args.names)
    with without_chance():
        if args.all:
            differences = check_all() + refresh_networks(set(), check=True)
        elif args.sources:
            differences = refresh_sources(names, args.check)
        else:
            differences = refresh_catalogue(names, args.check) + refresh_networks(names, args.check)
    print("\n".join(differences) or "nothing differs")
    return 1 if args.check and differences else 0


if __name__ == "__main__":
    sys.exit(main())
