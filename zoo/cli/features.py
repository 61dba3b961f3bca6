"""``zoo features``: images become vectors in a file."""

from __future__ import annotations

import functools
import itertools
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.core.errors import ImageError
    from zoo.images.sources import Source
    from zoo.inference.features import Extractor
    from zoo.vectors import Mode

#: Images that could not be read and are named on standard error; the file names all.
_NAMED = 10


def _runner_options(function: common.Function) -> common.Function:
    """``--runner`` and what goes with ``ray``."""
    for option in (
        click.option(
            "--cpus-per-task",
            type=click.IntRange(min=1),
            help="Ray: processors for each shard; all of a small machine, or up to eight, without.",
        ),
        click.option(
            "--shard-size", type=click.IntRange(min=1), help="Ray: images computed by one task; 1,000 without."
        ),
        click.option(
            "--address",
            metavar="ADDRESS",
            help="Ray: of the cluster, e.g. auto or HOST:6379; $RAY_ADDRESS, or this machine alone, without.",
        ),
        click.option(
            "--runner",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="ray: on a cluster; OUT is a folder of shards.",
        ),
    ):
        function = option(function)
    return function


def _int8_options(function: common.Function) -> common.Function:
    """``--precision`` and the bars of int8."""
    for option in (
        click.option(
            "--min-agreement", type=click.FloatRange(0, 1), help="int8: share of images that keep their class."
        ),
        click.option(
            "--min-cosine", type=click.FloatRange(-1, 1), help="int8: mean similarity to float32 vectors; 0.99 without."
        ),
        click.option(
            "--precision",
            type=click.Choice(["float32", "int8"]),
            default="float32",
            show_default=True,
            help="int8: faster on a CPU, calibrated and checked on some of the images first.",
        ),
    ):
        function = option(function)
    return function


@common.command("features")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@common.model_option("Name, NAME:TAG, or a .keras file; without it, the best network that is to be had.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="OUT",
    help="The file: .h5, .npy, .npz, .csv, .parquet, or .projector for TensorBoard; a folder with --runner ray.",
)
@click.option(
    "-l",
    "--layer",
    multiple=True,
    metavar="LAYER|STAGE",
    help="Where the vectors are taken, e.g. block4_pool or stage3; several times for several. Without: the end of the "
    "network, before its classifier.",
)
@click.option(
    "--pool",
    type=click.Choice(["avg", "max", "flatten", "none"]),
    default="avg",
    show_default=True,
    help="What becomes of a map: its mean or maximum over rows and columns, one line, or nothing.",
)
@click.option("--dtype", type=click.Choice(["float32", "float16"]), default="float32", show_default=True)
@click.option("--normalize", is_flag=True, help="Divide each vector by its length (L2).")
@click.option("--probabilities", is_flag=True, help="Write the class probabilities too.")
@common.recursive_option
@click.option("--resume", "mode", flag_value="resume", help="Go on with what was interrupted.")
@click.option("--update", "mode", flag_value="update", help="Add what is new, or has changed, to a file that is there.")
@click.option("--overwrite", "mode", flag_value="overwrite", help="Replace a file that is there.")
@click.option("--every", metavar="TIME", help="Take videos apart: an image each 1s, 500ms, 2m, or 30f frames.")
@_int8_options
@_runner_options
@common.run_options
@click.option("--format", type=click.Choice(["table", "json", "jsonl", "csv"]), help="Of the summary on stdout.")
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
    """Turn images into vectors, in a file.

    A PATH is a file, a folder, a pattern in quotes, an http(s) address, or - for a list of paths on standard input.
    Each image that can be read gives a row, in order; the file names the others, with the reasons. What is
    interrupted, by Ctrl-C or worse, --resume goes on with.

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
    from zoo.images import sources
    from zoo.images.video.frames import expand
    from zoo.inference import extract
    from zoo.inference.features import Extractor

    bars = {"min_cosine": min_cosine, "min_agreement": min_agreement}
    if precision == "float32" and any(bar is not None for bar in bars.values()):
        raise UsageError("--min-cosine and --min-agreement are for --precision int8; add it.")
    write = extract.write
    if runner == "ray":
        from zoo.distributed.ray_runner import RayRunner

        write = RayRunner(address, shard_size, cpus_per_task, device).write
        # What each machine of the cluster has to offer is not this one's affair.
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
        files = sources.find(paths, recursive=recursive, offline=offline, videos=every is not None)
        return expand(files, every)

    extractor.many = functools.partial(common.come, paths, recursive=recursive)
    images = found()
    if precision == "int8":
        listed: Iterable[Source] = images
        if "-" in paths:
            # They are gone through twice, which standard input does not allow.
            images, listed = itertools.tee(images)
        else:
            listed = found()
        _quantize(extractor, listed, output, mode, bars)
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
            common.say(f"{report.done + report.failed} images are done; the same command with --resume goes on")
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
    extractor: Extractor, images: Iterable[Source], output: Path, mode: Mode | None, bars: Mapping[str, float | None]
) -> None:
    """Compute in int8; a file that is gone on with as it was calibrated then, though there are other images now."""
    from zoo.core.errors import UsageError
    from zoo.inference import extract

    made = extract.made_with(output) if mode in ("resume", "update") else {}
    if not made:
        extractor.quantize(images, **bars)
    elif made.get("precision") == "int8" and not extractor.quantize_as(made["calibration"]):
        raise UsageError(
            f"The int8 form of {extractor.spec.name} that {output} was made with is not in the cache any more; "
            "name another file, or --overwrite."
        )


def _sentence(size: int, row: Mapping[str, Any]) -> str:
    from zoo.core.output import human_bytes

    shape = " × ".join(str(size) for size in (row["n"], *row["shape"]))
    rate = f", {row['new'] / row['seconds']:.0f} a second" if row["new"] and row["seconds"] else ""
    new = f"{row['new']} new in {row['seconds']:.1f} s{rate}"
    return f"{row['output']}: {shape} {row['dtype']}, {human_bytes(size)}; {new}\n"
