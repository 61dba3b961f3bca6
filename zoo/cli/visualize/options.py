"""Options and helpers that the commands of ``zoo visualize`` share."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.core.output import Report
    from zoo.images.source import Source
    from zoo.visualize.network.inspected_model import InspectedModel

Decorator = Callable[[common.Function], common.Function]

paths_argument = click.argument("paths", nargs=-1, required=True, metavar="PATH...")
model_option = common.model_option("Name, NAME:TAG, or a .keras file; default: the best network that is available.")
scores_option = click.option("--no-scores", is_flag=True, help="Skip deletion and insertion, which take longest.")


def several(*decorators: Callable[[Any], Any]) -> Decorator[Any]:
    """Options in the order in which help lists them."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


#: ``--device``, ``--offline`` and ``--format``.
run_options = several(common.device_option, common.offline_option, common.rows_option)


def integer(*name: str, help: str, low: int = 1, high: int | None = None, **settings: Any) -> Decorator[Any]:
    """An option that is an integer, with its default in the help if it has one."""
    kind = click.IntRange(min=low, max=high)
    return click.option(*name, type=kind, show_default="default" in settings, help=help, **settings)


seed_option = integer("--seed", help="Of the random numbers.", low=0, default=0)


def normalize_option(part: str) -> Decorator[Any]:
    """``--normalize``: a colour scale for each part of a layer, or for the layer."""
    help = f"A colour scale for each {part}, or one for the layer."
    return click.option("--normalize", type=click.Choice([part, "layer"]), default=part, show_default=True, help=help)


def layer_option(help: str, *, multiple: bool = False) -> Decorator[Any]:
    """``--layer``, once or several times."""
    name = ("--layer", "layers") if multiple else ("--layer",)
    return click.option(*name, multiple=multiple, metavar="L", help=help)


def class_options(default: str) -> Decorator[Any]:
    """``--class`` and ``--top``; ``default`` is the number of classes if both are omitted."""
    return several(
        click.option(
            "--class",
            "classes",
            multiple=True,
            metavar="NAME|INDEX",
            help="Class to explain; repeatable. Default: the most probable ones.",
        ),
        integer("--top", metavar="K", help=f"The K most probable classes; default: {default}."),
    )


def output_option(metavar: str, help: str, *, required: bool = True) -> Decorator[Any]:
    """``-o/--output``: a file, or a folder if ``metavar`` says so."""
    path = click.Path(dir_okay="FOLDER" in metavar, path_type=Path)
    return click.option("-o", "--output", type=path, required=required, metavar=metavar, help=help)


def removed_option(option: str, message: str, *, accepted: str | None = None) -> Decorator[Any]:
    """An option of an earlier version: hidden, and a usage error unless its value is ``accepted``."""

    def refuse(_context: click.Context, _option: click.Parameter, value: Any) -> None:
        if value and value != accepted:
            raise click.UsageError(message)

    return click.option(option, is_flag=accepted is None, hidden=True, expose_value=False, callback=refuse)


def check_classes(classes: Sequence[str], top: int | None) -> None:
    """Check that not both ``--class`` and ``--top`` are given.

    Raises:
        UsageError: they are.
    """
    from zoo.core.errors import UsageError

    if classes and top is not None:
        raise UsageError("--class says which classes, --top how many of the most probable ones; give one of them.")


def one_source(text: str, offline: bool | None) -> Source:
    """The image that an argument stands for: a file, a URL, a video frame, or a folder or pattern with one image.

    Raises:
        UsageError: there are several.
    """
    from zoo.core.errors import UsageError
    from zoo.images.discovery import find

    found = list(itertools.islice(find([text], offline=offline), 2))
    if len(found) > 1:
        raise UsageError(f"{text} is more than one image; name one of them.")
    return found[0]


def open_model(model: str | None, device: str, offline: bool | None) -> InspectedModel:
    """Open a model, with a progress bar for downloads."""
    with common.fetching() as fetched:
        from zoo.visualize.network.inspected_model import InspectedModel

        return InspectedModel.open(model, device=device, offline=offline, progress=fetched)


def write_rows(
    rows: Iterable[Mapping[str, Any]],
    format: str | None,
    columns: Sequence[str],
    *,
    hidden: Sequence[str] = (),
    table: Callable[[Mapping[str, Any]], str] | None = None,
) -> None:
    """Write rows to standard output; a table leaves out the ``hidden`` columns, or is formatted by ``table``."""
    from zoo.core import output as out

    chosen = out.choose_format(format, sys.stdout)
    shown = columns if chosen == "csv" else [column for column in columns if column not in hidden]
    out.write(rows, sys.stdout, chosen, columns=shown, table=table)


def finish(report: Report) -> int:
    """Say how many images could not be read, and return the exit status."""
    if report.failed:
        common.say(f"{report.failed} of {report.done + report.failed} could not be read")
    return report.exit_status
