"""Options of the commands that read a file of feature vectors: search, dupes, map and cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from zoo.cli.common import Function

index_option = click.option("--index", required=True, metavar="FILE", help="Feature vectors written by 'zoo features'.")
layer_option = click.option(
    "--layer", metavar="LAYER", help="Layer, if the index has several. If omitted: the first one."
)
seed_option = click.option("--seed", type=int, default=0, help="Random seed; the same seed gives the same result.")


def metric_option(*names: str) -> Callable[[Function], Function]:
    """``--metric``; the first name is the default."""
    return click.option("--metric", type=click.Choice(names), default=names[0], help="How to compare vectors.")


def sheet_option(what: str) -> Callable[[Function], Function]:
    """``--sheet``."""
    return click.option(
        "--sheet",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE.png",
        help=f"Also draw {what} as a PNG image.",
    )
