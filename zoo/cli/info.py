"""``zoo info``: details of one network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.core.spec import ModelSpec


COLUMNS = ("layer", "type", "output_shape", "params", "macs", "stage")


@common.command("info")
@click.argument("model")
@click.option("--layers", is_flag=True, help="List every layer with its output shape and cost.")
@click.option("--preprocess", is_flag=True, help="Only show how an image becomes the network's input.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable of a network in YAML.")
@common.output_options
def command(
    model: str, layers: bool, preprocess: bool, variables: tuple[str, ...], format: str | None, output: Path | None
) -> int:
    """Show a network's figures, preprocessing, stages, weights, licence and paper.

    MODEL is a name, NAME:TAG, a .keras file, or a .yaml file that describes a network.

    \b
      zoo info resnet50
      zoo info resnet50 --preprocess
      zoo info mobilenetv2 --layers --format csv
      zoo info my-network.yaml --layers --var width=64
    """
    import sys

    from zoo.catalog.model_card import details
    from zoo.core import output as out

    spec = _find(model, variables)
    # An object, not a list of rows: in a pipe it is one JSON value.
    format = format or ("json" if not sys.stdout.isatty() and output is None else None)
    format = out.choose_format(format, sys.stdout, output)
    with out.opened(output) as stream:
        if preprocess:
            text = _arithmetic(spec)
            stream.write(text if format == "table" else out.to_json({"name": spec.name, "preprocess": text}) + "\n")
            return 0
        rows = _layers(spec) if layers else []
        if layers and format != "json":
            total = _totals(rows)
            last = [{"layer": "total", **total}] if format == "table" else []
            out.write([*rows, *last], stream, format, columns=COLUMNS)
            if format == "table":
                stream.write(f"\n{total['params']:,} parameters, {total['macs'] / 1e9:.3g} GMACs\n")
            return 0
        about = details(spec)
        if layers:
            totals = _totals(rows)
            about |= {"layers": rows, "params": totals["params"], "gmacs": about["gmacs"] or totals["macs"] / 1e9}
        if format == "table":
            stream.write(out.printable(_sheet(spec, about)))
        elif format == "csv":
            out.write([about], stream, "csv", columns=[key for key, value in about.items() if value is not None])
        else:
            stream.write(out.to_json(about) + "\n")
    return 0


def _find(model: str, variables: tuple[str, ...]) -> ModelSpec:
    """The network that was named, with the variables that were given."""
    from zoo.catalog import registry
    from zoo.pretrained import keras_file

    spec = keras_file.read_spec(model) if keras_file.is_file(model) else registry.resolve(model)[0]
    if not variables:
        return spec
    from zoo.catalog.declarative.variables import parse_assignment

    return registry.with_variables(spec, dict(map(parse_assignment, variables)))


def _sheet(spec: ModelSpec, about: dict[str, Any]) -> str:
    """Everything on one page."""
    from zoo.catalog import default_model
    from zoo.core import output as out

    def line(name: str, value: Any) -> str:
        return f"  {name:<15} {value}\n" if value not in (None, "", []) else ""

    number = f"{spec.params:,}" if spec.params else None
    if number and spec.params_no_top:
        number += f" ({spec.params_no_top:,} without its top)"
    text = f"{spec.name}\n"
    text += line("", about["description"])
    text += line("family", spec.family)
    text += line("also called", ", ".join(spec.aliases))
    text += line("paper", spec.paper)
    text += line("file", about["file"])
    text += line("variables", ", ".join(f"{name} {_plain(value)}" for name, value in about["variables"].items()))
    text += line("recipe", spec.recipe)
    text += line("parameters", number)
    text += line("work", _work(spec.gmacs))
    text += line("classes", spec.classes or None)
    text += line("input", f"RGB 0-255, {spec.resize.describe()}")
    text += line("arithmetic", spec.preprocessing.describe())
    text += line("answer", "the mean over the image and its mirror image" if spec.mirror else None)
    for tag, weights in about["weights"].items():
        text += f"\nweights '{tag}'\n"
        text += line("trained on", weights["trained_on"])
        text += line("recipe", weights["recipe"])
        accuracy = [f"top-{k} {weights[f'top{k}']} %" for k in (1, 5) if weights[f"top{k}"] is not None]
        text += line("accuracy", ", ".join(accuracy))
        text += line("protocol", weights["protocol"])
        text += line("licence", weights["licence"])
        text += line("attribution", weights["attribution"])
        text += line("on disk", weights["path"] or "no")
        for part, file in weights["files"].items():
            text += line("with top" if part == "top" else "without top", f"{file['file']} {_check(file)}".rstrip())
    if spec.stages:
        rows = about["stages"]
        text += "\nstages (where it can be cut)\n"
        table = out.aligned(rows, ("name", "layer", "stride", "width"))
        text += "".join(f"  {row}\n" for row in table.splitlines())
    if value := default_model.score(spec):
        rank = [other.name for other in default_model.ranking()].index(spec.name) + 1
        text += (
            f"\n  The default network is the cached one with the highest score: top-1, minus 2 points a doubling of\n"
            f"  size and 1 a doubling of work. {spec.name} scores {value:.1f}, rank {rank}.\n"
        )
    return text


def _work(gmacs: float | None) -> str | None:
    """Multiply-accumulates in words."""
    if not gmacs:
        return None
    unit, factor = ("billion", 1) if gmacs >= 0.01 else ("million", 1e3)
    return f"{gmacs * factor:.4g} {unit} multiply-accumulates"


def _plain(value: Any) -> str:
    """The value of a variable as it stands in YAML."""
    from zoo.core import output as out

    return value if isinstance(value, str) else out.to_json(value)


def _check(file: dict[str, Any]) -> str:
    """The digest that the file is held to."""
    if file["sha256"]:
        return f"(sha256 {file['sha256'][:12]}…)"
    return f"(md5 {file['md5']})" if file["md5"] else "(no digest published)"


def _arithmetic(spec: ModelSpec) -> str:
    """From file to network in words."""
    return (
        f"{spec.name}: from an image to the network\n"
        "  1. the file is decoded, turned upright as its EXIF says, and made RGB, 8 bits (alpha over white)\n"
        f"  2. {spec.resize.describe()}\n"
        f"  3. inside the network: {spec.preprocessing.describe()}\n"
    )


def _layers(spec: ModelSpec) -> list[dict[str, Any]]:
    """One row a layer. The network is built with the lightest backend that can do it."""
    import os

    from zoo.core.stderr import quiet_stderr

    os.environ.setdefault("KERAS_BACKEND", "openvino")
    with quiet_stderr():
        from zoo.models import create_model, macs

        return macs.layer_rows(create_model(spec, weights=None), spec)


def _totals(rows: list[dict[str, Any]]) -> dict[str, int]:
    """What all layers cost together."""
    return {key: sum(row[key] for row in rows) for key in ("params", "macs")}
