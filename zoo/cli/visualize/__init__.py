"""``zoo visualize``: what a network looks like within, and what it looks at. Each command is one file."""

from __future__ import annotations

import click

from zoo.cli.lazy import LazyGroup

COMMANDS = {
    "gradcam": "Show where a network sees a class, by the maps of a layer.",
    "saliency": "Show which pixels a class depends on, by gradients.",
    "occlusion": "Show what a class cannot do without, by covering parts.",
    "filters": "Draw the kernels of a layer.",
    "activations": "Draw what layers make of an image.",
    "maximize": "Draw what a filter, a neuron or a class responds to most.",
    "dream": "Let a network make more of what it sees in an image.",
    "style": "Paint an image in the style of another.",
    "report": "Write a page on images: what is seen, where, and how sure that is.",
    "graph": "Draw the architecture of a network.",
}


@click.group(
    "visualize",
    cls=LazyGroup,
    commands_in=("zoo.cli.visualize", COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="'zoo visualize COMMAND --help' explains a command.",
)
def command() -> None:
    """See what a network sees, and what it looks like.

    \b
      zoo visualize gradcam photo.jpg -o seen/                     where it sees its best class
      zoo visualize gradcam photo.jpg --method all -o seen/        by all methods, with their scores
      zoo visualize filters -m vgg16 -o filters.png                the kernels of its first layer
      zoo visualize maximize -m vgg16 --class goldfish -o fish.png what it wants a goldfish to be
    """
