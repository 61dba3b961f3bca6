"""``zoo visualize graph``: the architecture of a network as a drawing."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli import common


@common.command("graph")
@click.argument("model")
@click.option(
    "--level",
    type=click.Choice(["stages", "blocks", "layers"]),
    help="How fine; without, the finest that fits a page.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg",
    help="Write to a file, whole or not at all; without, to standard output.",
)
def command(model: str, level: str | None, output: Path | None) -> int:
    """Draw the architecture of a network as SVG.

    MODEL is a name, a .keras file, or a .yaml file that describes a network. No trained weights are needed. The
    drawing says what each part gives, how many parameters it has and how many multiply-accumulates it costs; equal
    blocks one after the other are drawn once. It suits paper, and light and dark screens.

    \b
      zoo visualize graph resnet50 -o resnet50.svg
      zoo visualize graph resnet50 -o stages.svg --level stages
      zoo visualize graph runs/flowers/model.keras -o layers.svg --level layers
    """
    import os
    import sys

    from zoo.core import output as out
    from zoo.core.errors import UnavailableError, UsageError
    from zoo.core.stderr import quiet_stderr

    if output is None and sys.stdout.isatty():
        raise UsageError("A drawing is no text to look at; give -o FILE.svg, or send it into a pipe.")
    if output is not None and output.suffix.lower() != ".svg":
        raise UsageError(f"A drawing is written as SVG, which {output} does not end in; name a .svg file.")
    if output is not None and not os.access(output.parent, os.W_OK):
        raise UnavailableError(f"{output} cannot be written: {output.parent} is no folder that may be written to.")
    from zoo.visualize.architecture.architecture import graph, resolve

    spec = resolve(model)
    # Nothing is computed, so the lightest backend will do.
    os.environ.setdefault("KERAS_BACKEND", "openvino")
    with quiet_stderr():
        text = graph(spec, level=level)
    with out.opened(output) as stream:
        stream.write(text)
    return 0
