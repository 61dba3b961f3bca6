"""The command line: one file a command, imported only when it runs.

Commands parse, call the library and print. ``common.py`` has what they share; ``visualize/`` is a group of commands.
"""

from __future__ import annotations

import sys

import click

from zoo.cli.lazy import CONTEXT, LazyGroup

#: Every command and its line in ``zoo --help``, which therefore imports no command.
COMMANDS = {
    "classify": "Classify images and videos.",
    "features": "Extract feature vectors (embeddings) of images into a file.",
    "search": "Find the images most similar to a query image.",
    "dupes": "Find duplicate and near-duplicate images.",
    "map": "Draw a map of images, similar ones close together.",
    "cluster": "Group similar images.",
    "finetune": "Fine-tune a pretrained network on your images.",
    "train": "Train a network from scratch.",
    "evaluate": "Measure the accuracy of a network on a labelled dataset.",
    "compare": "Compare networks on the same dataset.",
    "check": "Find broken files, duplicates and leaks in a dataset.",
    "visualize": "Show where a network looks and what its layers respond to.",
    "list": "List the available networks.",
    "info": "Show details of a network.",
    "pull": "Download weights.",
    "cache": "Show, verify and clean the caches; import weights.",
    "devices": "List the devices that can run a network.",
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
    context_settings=CONTEXT,
    epilog="Run 'zoo COMMAND --help' for a command. Exit status: 0 all done, 1 some inputs failed, 2 usage error, "
    "3 a required minimum was not met, 4 something needed is unavailable.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def main() -> None:
    """Classify images, extract features, fine-tune and visualize with Keras image models.

    \b
      zoo classify photo.jpg             classify an image
      zoo classify photos/ -m resnet50   a folder, with a network by name
      zoo finetune --dataset photos/     train a classifier on your own images
      zoo list 'efficientnet*'           list networks
    """
    # Commands never use OpenVINO's converter; not importing it saves a tenth of a second.
    sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]
