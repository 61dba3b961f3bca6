"""``zoo visualize graph``: the architecture of a network."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli import common
from zoo.cli.visualize.options import output_option


@common.command("graph")
@click.argument("model")
@click.option(
    "--level",
    type=click.Choice(["stages", "blocks", "layers"]),
    help="Level of detail; default: the finest that fits a page.",
)
@output_option("FILE.svg", "The drawing; default: standard output.", required=False)
def command(model: str, level: str | None, output: Path | None) -> int:
    """Draw the architecture of a network as SVG.

    MODEL is a name, a .keras file, or a .yaml network. No trained weights are needed. The drawing has the output shape,
    parameters and multiply-accumulates of each part; equal consecutive blocks are drawn once. It suits paper, and light
    and dark screens.

    \b
      zoo visualize graph resnet50 -o resnet50.svg
      zoo visualize graph resnet50 -o stages.svg --level stages
      zoo visualize graph runs/flowers/model.keras -o layers.svg --level layers
    """
    import os
    import sys

    from zoo.cli.visualize import destination
    from zoo.core import output as out
    from zoo.core.errors import UsageError
    from zoo.core.stderr import quiet_stderr

    if output is not None:
        destination.check(output, suffix=".svg")
    elif sys.stdout.isatty():
        raise UsageError("A terminal cannot show SVG; give -o FILE.svg, or redirect standard output.")
    from zoo.visualize.architecture.draw import graph, resolve

    spec = resolve(model)
    # Nothing is computed, so the lightest backend will do.
    os.environ.setdefault("KERAS_BACKEND", "openvino")
    with quiet_stderr():
        text = graph(spec, level=level)
    with out.opened(output) as stream:
        stream.write(text)
    return 0
