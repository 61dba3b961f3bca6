"""``zoo cache``: weights, compiled networks and features on this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from zoo.cli import common


@click.group(
    "cache", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, no_args_is_help=True
)
def command() -> None:
    """Manage cached weights, compiled networks and features.

    Weights are in Keras's cache (KERAS_HOME, else ~/.keras/models) and in the read-only folders of ZOO_CACHE_PATH;
    zoo's own files are in ZOO_CACHE.
    """


def _subcommand(name: str) -> Callable[[Callable[..., int]], click.Command]:
    """A command of this group, with the common options and errors."""

    def decorate(function: Callable[..., int]) -> click.Command:
        made = common.command(name)(function)
        command.add_command(made)
        return made

    return decorate


@_subcommand("list")
@common.output_options
def list_(format: str | None, output: Path | None) -> int:
    """List cached weights, compiled networks, features and search indexes.

    Each row has the network, size, origin, whether the digest was verified, and the path.
    """
    import sys

    from zoo.catalog import inventory
    from zoo.core import output as out

    rows = inventory.rows()
    format = out.choose_format(format, sys.stdout, output)
    if format == "table":
        for row in rows:
            row["size"] = out.human_bytes(row.pop("bytes"))
    size = "size" if format == "table" else "bytes"
    with out.opened(output) as stream:
        out.write(rows, stream, format, columns=("model", "tag", "kind", size, "origin", "verified", "content", "path"))
    if not rows:
        common.say("nothing is cached yet; 'zoo pull NAME' fetches weights")
    return 0


@_subcommand("verify")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
def verify(models: tuple[str, ...]) -> int:
    """Read every weight file again and compare its digest. Exit status 1 if one is damaged."""
    from zoo.catalog import inventory, registry
    from zoo.core.output import Report

    report = Report()
    specs = [registry.get(name) for name in models] or None
    for entry, problem in inventory.check_all(specs):
        report.add(ok=problem is None)
        click.echo(f"{entry.model}\t{'ok' if problem is None else problem}\t{entry.path}")
    if report.done + report.failed == 0:
        common.say("there is nothing to verify")
    return report.exit_status


@_subcommand("path")
def path() -> int:
    """Print the folders that are searched for weights, in order, and zoo's own."""
    from zoo.core import artifacts
    from zoo.pretrained.sources import SOURCES

    for source in SOURCES.values():
        for folder in source.folders():
            click.echo(f"{source.origin}\t{folder}")
    for kind in artifacts.KINDS:
        click.echo(f"{kind}\t{artifacts.root(kind)}")
    return 0


@_subcommand("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "model", required=True, metavar="NAME[:TAG]", help="The network that the weights are for.")
def import_(file: Path, model: str) -> int:
    """Import a weight file into the cache.

    FILE is a Keras weights file (.weights.h5, or the older .h5), a .keras archive, or NumPy arrays by name
    (.npz, or a .npy dictionary such as Caffe's). Its layers are compared with the network's; the file itself is not
    changed.

    \b
      zoo cache import mobilenet_v2_weights.h5 --as mobilenetv2
    """
    from zoo.catalog import registry
    from zoo.core.stderr import quiet_stderr
    from zoo.models import import_weights

    name, _, tag = model.partition(":")
    spec = registry.get(name)
    with quiet_stderr():
        found = import_weights.import_file(file, spec, tag or None)
    part = "" if found.has_top else ", without its top"
    common.log.info("%s fits %s%s", file, spec.name, part)
    click.echo(f"{spec.name}\t{found.path}")
    return 0


@_subcommand("prune")
@click.argument("models", nargs=-1, metavar="[MODEL]...")
@click.option("--compiled", is_flag=True, help="Remove all compiled networks too; they are compiled again when needed.")
@click.option(
    "--features", is_flag=True, help="Remove all features of fine-tuning too; they are computed again when needed."
)
@click.option("--neighbours", is_flag=True, help="Remove all indexes of 'zoo search --approximate' too; likewise.")
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
def prune(models: tuple[str, ...], compiled: bool, features: bool, neighbours: bool, dry_run: bool) -> int:
    """Remove what interrupted downloads, imports and computations left behind.

    Weights are removed only if their network is named.
    """
    from zoo.catalog import inventory, registry
    from zoo.core import artifacts
    from zoo.core.output import human_bytes

    asked = {"compiled": compiled, "features": features, "neighbours": neighbours}
    gone = inventory.prune(
        [registry.get(name) for name in models],
        kinds=[kind for kind in artifacts.KINDS if asked[kind]],
        dry_run=dry_run,
    )
    for item in gone:
        click.echo(f"{item.reason}\t{item.path}")
    verb = "would free" if dry_run else "freed"
    common.log.info("%s %s", verb, human_bytes(sum(item.bytes for item in gone)))
    return 0
