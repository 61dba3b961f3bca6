"""``zoo features``: feature vectors of images, written to a file."""

from __future__ import annotations

import functools
import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common
from zoo.vectors.formats.registry import suffix_list

if TYPE_CHECKING:
    from zoo.core.errors import ImageError
    from zoo.images.source import Source
    from zoo.inference.features import Extractor
    from zoo.vectors import Mode, Written

#: Unreadable images that are named on standard error; the file names all.
_NAMED = 10


def _runner_options(function: common.Function) -> common.Function:
    """``--runner`` and the options of ``ray``."""
    for option in (
        click.option(
            "--cpus-per-task",
            type=click.IntRange(min=1),
            help="Ray: processors for each shard; default: all of a small machine, or up to eight.",
        ),
        click.option("--shard-size", type=click.IntRange(min=1), help="Ray: images in a shard; default: 1,000."),
        click.option(
            "--address",
            metavar="ADDRESS",
            help="Ray: address of the cluster, e.g. auto or HOST:6379; default: $RAY_ADDRESS, or this machine alone.",
        ),
        click.option(
            "--runner",
            type=click.Choice(["local", "ray"]),
            default="local",
            help="ray: compute on a cluster; OUT is a folder of shards.",
        ),
    ):
        function = option(function)
    return function


def _int8_options(function: common.Function) -> common.Function:
    """``--precision`` and the agreement that int8 must reach."""
    for option in (
        click.option(
            "--min-agreement",
            type=click.FloatRange(0, 1),
            help="int8: least share of images that keep their class; not checked by default.",
        ),
        click.option(
            "--min-cosine",
            type=click.FloatRange(-1, 1),
            help="int8: least mean cosine similarity to float32 vectors; default: 0.99.",
        ),
        click.option(
            "--precision",
            type=click.Choice(["float32", "int8"]),
            default="float32",
            help="int8: faster on a CPU, calibrated and checked on some of the images first.",
        ),
    ):
        function = option(function)
    return function


@common.command("features")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@common.model_option("Name, NAME:TAG, or a .keras file; default: the best network that is available.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="OUT",
    help=f"Output: {suffix_list()}; a folder with --runner ray.",
)
@click.option(
    "-l",
    "--layer",
    multiple=True,
    metavar="LAYER|STAGE",
    help="Layer or stage whose output is taken, e.g. block4_pool or stage3; can be repeated. Default: the end of the "
    "network, before its classifier.",
)
@click.option(
    "--pool",
    type=click.Choice(["avg", "max", "flatten", "none"]),
    default="avg",
    help="Pooling of feature maps: mean or maximum over rows and columns, flattened, or none.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    help="Type of the vectors.",
)
@click.option("--normalize", is_flag=True, help="Divide each vector by its L2 norm.")
@click.option("--probabilities", is_flag=True, help="Also write the class probabilities.")
@common.recursive_option
@click.option("--resume", "mode", flag_value="resume", help="Continue what was interrupted.")
@click.option("--update", "mode", flag_value="update", help="Add new and changed images to an existing file.")
@click.option("--overwrite", "mode", flag_value="overwrite", help="Replace an existing file.")
@click.option("--every", metavar="TIME", help="Include videos: a frame every 1s, 500ms, 2m, or 30f (frames).")
@_int8_options
@_runner_options
@common.run_options
@click.option(
    "--format", type=click.Choice(["table", "json", "jsonl", "csv"]), help="Format of the summary on standard output."
)
def command(
    paths: tuple[str, ...],
    model: str | None,
    output: Path,
    layer: tuple[str, ...],
    recursive: bool,
    mode: Mode | None,
    every: str | None,
    precision: str,
    min_cosine: float | None,
    min_agreement: float | None,
    runner: str,
    address: str | None,
    shard_size: int | None,
    cpus_per_task: int | None,
    device: str,
    engine: str,
    batch_size: int | None,
    offline: bool | None,
    format: str | None,
    **settings: Any,
) -> int:
    """Extract feature vectors (embeddings) from images into a file.

    A PATH is a file, a folder, a glob in quotes, a URL, or - for a list of paths on standard input. Each image that can
    be read gives a row, in order; the file names the others, with the reasons. --resume continues what was interrupted.

    \b
      zoo features photos/ -o f.h5
      zoo features photos/ -r -m resnet50 -l stage3 -l stage4 --pool max -o f.h5
      zoo features photos/ -m vgg16 -l block4_pool --pool none --dtype float16 -o maps.npy
      zoo features photos/ -r -o f.h5 --update
      zoo features photos/ -r -o f/ --runner ray --address auto
      zoo search query.jpg --index f.h5
    """
    from zoo.core import output as out
    from zoo.core.errors import UsageError
    from zoo.images import discovery
    from zoo.images.frames import expand
    from zoo.inference import feature_file
    from zoo.inference.features import Extractor

    thresholds = {"min_cosine": min_cosine, "min_agreement": min_agreement}
    if precision == "float32" and any(value is not None for value in thresholds.values()):
        raise UsageError("--min-cosine and --min-agreement are for --precision int8; add it.")
    write: Callable[..., Written] = feature_file.write
    if runner == "ray":
        from zoo.distributed.ray_runner import RayRunner

        write = RayRunner(address, shard_size, cpus_per_task, device).write
        # The devices of the cluster are not those of this machine.
        device = "cpu"
    elif address or shard_size or cpus_per_task:
        raise UsageError("--address, --shard-size and --cpus-per-task are for --runner ray; add it.")
    started = time.perf_counter()
    with common.fetching() as fetched:
        extractor = Extractor(
            model,
            layer=layer,
            device=device,
            engine=engine,
            batch_size=batch_size,
            offline=offline,
            progress=fetched,
            **settings,
        )

    def found() -> Iterator[Source]:
        files = discovery.find(paths, recursive=recursive, offline=offline, videos=every is not None)
        return expand(files, every)

    extractor.at_least = functools.partial(common.has_at_least, paths, recursive=recursive)
    images = found()
    if precision == "int8":
        listed: Iterable[Source] = images
        if "-" in paths:
            # Standard input can be read only once.
            images, listed = itertools.tee(images)
        else:
            listed = found()
        _quantize(extractor, listed, output, mode, thresholds)
    report = out.Report()
    with common.progress("extracting") as update:

        def watch(source: Source, error: ImageError | None) -> None:
            if runner == "local" and report.done + report.failed == 0:
                common.log.info("%s on %s with %s", extractor.spec.name, extractor.engine.device, extractor.engine.name)
            report.add(ok=error is None)
            if error is not None and report.failed <= _NAMED:
                common.say(f"{out.printable(source.path)}: {error}")
            update(report.done + report.failed)

        try:
            written = write(images, output, extractor, mode=mode or "new", watcher=watch)
        except KeyboardInterrupt:
            common.say(f"{report.done + report.failed} images are done; run the same command with --resume to continue")
            raise
    row = {
        "output": str(written.path),
        "model": extractor.about["model"],
        "layer": extractor.about["layer"],
        "n": written.count,
        "failed": written.failed,
        "shape": list(written.shape),
        "dtype": extractor.dtype,
        "precision": precision,
        "new": report.done,
        "seconds": round(time.perf_counter() - started, 2),
    }
    format = out.choose_format(format, sys.stdout)
    out.write([row], sys.stdout, format, columns=list(row), table=functools.partial(_sentence, written.bytes))
    if written.failed:
        common.say(f"{written.failed} of {written.count + written.failed} could not be read; {output} names them")
    return 1 if written.failed else 0


def _quantize(
    extractor: Extractor,
    images: Iterable[Source],
    output: Path,
    mode: Mode | None,
    thresholds: Mapping[str, float | None],
) -> None:
    """Run in int8; a file that is continued keeps its calibration, though there are other images now."""
    from zoo.core.errors import UsageError
    from zoo.inference.feature_file import previous_attributes

    made = previous_attributes(output, mode)
    if not made:
        extractor.quantize(images, **thresholds)
    elif made.get("precision") == "int8" and not extractor.quantize_as(made["calibration"]):
        raise UsageError(
            f"The int8 form of {extractor.spec.name} that {output} was made with is no longer in the cache; "
            "name another file, or --overwrite."
        )


def _sentence(size: int, row: Mapping[str, Any]) -> str:
    from zoo.core.output import human_bytes

    shape = " × ".join(str(size) for size in (row["n"], *row["shape"]))
    rate = f", {row['new'] / row['seconds']:.0f} a second" if row["new"] and row["seconds"] else ""
    new = f"{row['new']} new in {row['seconds']:.1f} s{rate}"
    return f"{row['output']}: {shape} {row['dtype']}, {human_bytes(size)}; {new}\n"
