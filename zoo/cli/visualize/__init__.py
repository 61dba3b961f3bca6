"""``zoo visualize``: one file a command.

``options`` has the options that commands share, ``destination`` checks where images are written, ``explaining`` is what
the commands that explain images have in common, ``rows`` are their output rows.
"""

from __future__ import annotations

import click

from zoo.cli.lazy import LazyGroup

COMMANDS = {
    "gradcam": "Show where a network sees a class, by the feature maps of a layer.",
    "saliency": "Show which pixels a class depends on, by gradients.",
    "occlusion": "Show which parts a class depends on, by covering them.",
    "filters": "Draw the kernels of a layer.",
    "activations": "Draw the feature maps of layers.",
    "maximize": "Generate images that maximize a filter, a neuron or a class.",
    "dream": "Amplify what a network sees in an image (DeepDream).",
    "style": "Paint an image in the style of another.",
    "report": "Write an HTML page: predictions, explanations and their scores.",
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
    """Explain predictions, and inspect filters, feature maps and architectures.

    \b
      zoo visualize gradcam photo.jpg -o seen/                     where the network sees its top class
      zoo visualize gradcam photo.jpg --method all -o seen/        by all methods, with their scores
      zoo visualize filters -m vgg16 -o filters.png                the kernels of the first layer
      zoo visualize maximize -m vgg16 --class goldfish -o fish.png an image that maximizes a class
    """
