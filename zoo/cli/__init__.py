"""The command line. Each command is one file that is imported only when it runs."""

from __future__ import annotations

import sys

import click

from zoo.cli.lazy import LazyGroup

#: Every command, with the line that ``zoo --help`` shows, so that showing it imports nothing.
COMMANDS = {
    "classify": "Say what is in images.",
    "features": "Turn images into vectors, in a file.",
    "finetune": "Make a classifier from a folder of images.",
    "train": "Train a network from scratch.",
    "evaluate": "Say how good a network is on images with known classes.",
    "compare": "Compare networks on the same images.",
    "check": "Look for what is wrong with a dataset.",
    "search": "Find the images that are most like others.",
    "dupes": "Find images of which there are several.",
    "map": "Draw a map of images, like ones together.",
    "cluster": "Divide images into groups of like ones.",
    "visualize": "See what a network sees, and what it looks like.",
    "list": "List the networks.",
    "info": "Show what is known of a network.",
    "pull": "Fetch the weights of networks.",
    "cache": "Look after downloaded weights and compiled networks.",
    "devices": "List what can compute here.",
    "doctor": "Check versions, caches and devices.",
}


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from zoo._version import __version__

        click.echo(f"zoo {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    commands_in=("zoo.cli", COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="'zoo COMMAND --help' explains a command. Exit status: 0 all done, 1 some inputs failed, 2 usage, "
    "3 a stated gate was not met, 4 something needed is not to be had.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Image networks from the shell: classify images, with Keras models and without the wait.

    \b
      zoo classify photo.jpg             what is in this image
      zoo classify photos/ -m resnet50   a folder, with a network by name
      zoo list 'efficientnet*'           the networks there are
    """
    # This process is zoo's alone, and converts nothing: that half of OpenVINO's import is spared.
    sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]
