"""``zoo visualize maximize``: what a filter, a neuron or a class responds to most."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.visualize.synthesis.maximize import Maximised, Maximizer

_COLUMNS = (
    *("model", "layer", "kind", "filter", "neuron", "class", "index", "variant"),
    *("activation", "noise_activation", "ratio", "silent", "output"),
)
#: The name of the page beside single images.
_SHEET = "sheet.png"


@common.command("maximize")
@common.model_option("Name, NAME:TAG, or a .keras file; without it, the best network that is to be had.")
@click.option("--layer", metavar="L", help="A layer or a stage, whose filters or neurons are meant.")
@click.option("--filter", "filters", metavar="N,N-N", help="Filters: channels of the layer, e.g. 20,21 or 0-63.")
@click.option("--all", "all_filters", is_flag=True, help="All filters of the layer.")
@click.option(
    "--neuron",
    "neurons",
    multiple=True,
    metavar="N@ROW,COL",
    help="One place of a filter's map, e.g. 20@7,7; of a layer without a map one unit, e.g. 20. Or several.",
)
@click.option("--class", "classes", multiple=True, metavar="CLASS", help="A class by name, id or index, or several.")
@click.option(
    "--size",
    type=click.IntRange(min=32, max=1024),
    metavar="PX",
    help="Side of the images; 128 for filters, else what the network takes.",
)
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Of ascent; 128 for filters, else 256.")
@click.option(
    "--diversity",
    type=click.IntRange(min=1, max=16),
    default=1,
    show_default=True,
    metavar="N",
    help="Different images of each target.",
)
@click.option("--plain", is_flag=True, help="Pixels by themselves, without transformations, for comparison.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same images for the same number."
)
@click.option(
    "--gif", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.gif", help="Show the images as they grow."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE.png|FOLDER",
    help="A sheet, or a folder for a sheet and single images.",
)
@click.option("-b", "--batch-size", type=click.IntRange(min=1), help="Images computed together.")
@common.device_option
@common.offline_option
@common.rows_option
def command(
    model: str | None,
    layer: str | None,
    filters: str | None,
    all_filters: bool,
    neurons: tuple[str, ...],
    classes: tuple[str, ...],
    size: int | None,
    steps: int | None,
    diversity: int,
    plain: bool,
    seed: int,
    gif: Path | None,
    output: Path,
    batch_size: int | None,
    device: str,
    offline: bool | None,
    format: str | None,
) -> int:
    """Draw what a filter, a neuron or a class responds to most.

    A filter is a channel of a layer: its mean over all places is raised. A neuron is one place of one channel. A class
    is one of the network's answers: its logit is raised, before the softmax. What is drawn is found by gradient ascent
    from noise. Each image gives a row with how active its target is on it, and on noise.

    \b
      zoo visualize maximize -m mobilenetv2 --class goldfish --class volcano -o classes.png
      zoo visualize maximize -m mobilenetv2 --layer stage4 --filter 0-63 -o filters.png
      zoo visualize maximize -m vgg16 --layer block4_conv3 --all -o filters/
      zoo visualize maximize -m mobilenetv2 --layer stage4 --neuron 20@7,7 -o neuron.png
      zoo visualize maximize -m squeezenet1.1 --class pineapple --diversity 4 --gif grows.gif -o pineapples.png
    """
    import sys

    from zoo.cli.visualize import destination
    from zoo.core import output as out
    from zoo.core.errors import UsageError
    from zoo.reports.plots import write_png
    from zoo.visualize.synthesis import targets

    if filters and all_filters:
        raise UsageError("--all takes all filters of the layer; leave out --filter, or --all.")
    chosen = "all" if all_filters else filters
    targets.check(layer=layer, filters=chosen, neurons=neurons, classes=classes)
    if filters:
        targets.numbers(filters)
    if gif is not None:
        _check_gif(gif)
    target = destination.Destination(output, [])
    with common.fetching() as fetched:
        from zoo.visualize.network.subject import Subject

        subject = Subject.open(model, device=device, offline=offline, progress=fetched)
    from zoo.visualize.synthesis.animation import FRAMES, Animation
    from zoo.visualize.synthesis.maximize import Maximizer
    from zoo.visualize.synthesis.sheet import sheet

    wanted = targets.choose(subject, layer=layer, filters=chosen, neurons=neurons, classes=classes)
    maximizer = Maximizer(
        subject,
        wanted,
        size=size,
        steps=steps,
        diversity=diversity,
        plain=plain,
        seed=seed,
        batch_size=batch_size,
    )
    common.log.info("%s", _plan(maximizer))
    animation = Animation(len(wanted) * diversity) if gif is not None else None
    found: list[Maximised] = []
    rows: list[dict[str, Any]] = []
    with common.progress("maximizing", total=maximizer.batches * maximizer.steps, unit="steps") as update:
        for one in maximizer.run(update, frames=FRAMES if animation else 0):
            if animation is not None and one.frames is not None:
                animation.add(one.frames)
            path = output
            if output.is_dir():
                parts = [one.target.layer or "class", str(one.target), str(one.variant or "")]
                path = target.path(one.model, *parts)
                write_png(one.pixels, path)
            rows.append(_row(one, path))
            found.append(one.without_frames())
    page = output / _SHEET if output.is_dir() else output
    write_png(sheet(found, notes=[_how(maximizer)]), page)
    common.log.info("%s shows them", page)
    if animation is not None and gif is not None:
        animation.write(gif)
        common.log.info("%s shows how they grow", gif)
    format = out.choose_format(format, sys.stdout)
    out.write(rows, sys.stdout, format, columns=_COLUMNS if format == "csv" else _shown(rows))
    return 0


def _plan(maximizer: Maximizer) -> str:
    """What will be done."""
    objective, size = maximizer.objective, maximizer.size
    count = len(maximizer.targets) * maximizer.diversity
    images = f"{count:,} image{'s' * (count != 1)} of {size}×{size}"
    several = f"{maximizer.batches:,} batches of {maximizer.batch_size}"
    batches = several if maximizer.batches > 1 else "one batch"
    height, width = objective.input_size
    fitted = "" if (height, width) == (size, size) else f", shown to the network at {width}×{height}"
    return f"{images} in {batches}, {maximizer.steps} steps{fitted}"


def _how(maximizer: Maximizer) -> str:
    """The line at the end of the page."""
    space = "pixels by themselves" if maximizer.plain else "Fourier space, decorrelated colours, transformations"
    mean = {
        "filter": "Activation: the mean over the filter's map.",
        "neuron": "Activation: the value at the neuron's place.",
        "class": "Logit: before the softmax.",
    }[maximizer.objective.kind]
    return f"{mean} Gradient ascent, {maximizer.steps} steps, {space}; seed {maximizer.seed}."


def _row(one: Maximised, output: Path) -> dict[str, Any]:
    target = one.target
    named: dict[str, Any] = {"index": target.index, "class": target.label} if target.kind == "class" else {}
    if target.kind != "class":
        named[target.kind] = target.index if target.kind == "filter" else target.name
    return {
        "model": one.model,
        "layer": target.layer,
        "kind": target.kind,
        **named,
        "variant": one.variant,
        "activation": round(one.activation, 6),
        "noise_activation": round(one.noise_activation, 6),
        "ratio": None if one.ratio is None else round(one.ratio, 3),
        "silent": one.silent,
        "output": str(output),
    }


def _shown(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of a table: those that say something here."""
    return [column for column in _COLUMNS if any(row.get(column) is not None for row in rows) and column != "kind"]


def _check_gif(path: Path) -> None:
    from zoo.core.errors import UnavailableError, UsageError

    if path.suffix.lower() != ".gif":
        raise UsageError(f"An animation is written as GIF, which {path} does not end in; name a .gif file.")
    if not os.access(path.parent, os.W_OK):
        raise UnavailableError(f"{path} cannot be written: {path.parent} is no folder that may be written to.")
