"""``zoo compare``: models side by side on the same images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common
from zoo.cli.evaluate import dataset_options

if TYPE_CHECKING:
    from zoo.evaluation.compare import Comparison, Pair, Row

COLUMNS = (
    *("model", "n", "top1", "top1_interval", "top5", "latency_ms", "images_per_second", "size_mb", "memory_mb"),
    *("agreement", "p", "device", "engine"),
)

#: From this p-value on a difference is not significant.
CHANCE = 0.05


@common.command("compare")
@dataset_options
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="NAME|FILE",
    help="Name, NAME:TAG, or a .keras file; at least twice.",
)
@common.run_options
@common.output_options
def command(models: tuple[str, ...], format: str | None, output: Path | None, **options: Any) -> int:
    """Compare models on the same images: accuracy, speed, size, memory, agreement.

    Each model runs in a process of its own, one after the other; other work on the machine distorts the times. The best
    model is first.

    \b
      zoo compare --dataset flowers/ -m runs/flowers-1/model.keras -m runs/flowers-2/model.keras
      zoo compare --dataset photos/labels.csv -m mobilenetv2 -m resnet50 --format json
    """
    import sys

    from zoo.core import output as out
    from zoo.evaluation import compare as comparison

    format = out.choose_format(format, sys.stdout, output)
    with common.fetching() as fetched, common.progress("comparing") as update:
        done: dict[str, int] = {}

        def progress(name: str, count: int, total: int) -> None:
            done[name] = count
            update(sum(done.values()), total * len(models))

        found = comparison.compare(models, progress=progress, fetched=fetched, **options)
    with out.opened(output) as stream:
        summary = found.summary()
        if format == "json":
            stream.write(out.to_json(summary) + "\n")
        elif format == "table":
            stream.write(out.printable(_table(found)))
        else:
            out.write(summary["models"], stream, format, columns=COLUMNS)
    if found.failed:
        common.say(f"{len(found.failed)} of {found.n + len(found.failed)} could not be read")
    return 1 if found.failed else 0


def _table(found: Comparison) -> str:
    from zoo.core import output as out

    split = f", {found.split}" if found.split else ""
    titles = {
        "interval": "95 % interval",
        "ms": "ms an image",
        "speed": "images/s",
        "size": "MB",
        "memory": "peak MB",
    }
    titles |= {"top1": "top-1", "top5": "top-5", "agreement": "same as best"}
    columns = ["model", "top1", "interval", "top5", "ms", "speed", "size", "memory", "agreement", "p"]
    text = f"{found.dataset}{split}: {found.n:,} images\n\n"
    text += out.aligned([_cells(row) for row in found.rows], columns, titles)
    text += "".join(f"\n{_sentence(pair)}" for pair in found.pairs if pair.one == found.rows[0].model) + "\n"
    if found.failed:
        rows = [{"path": path, "error": error} for path, error in found.failed]
        text += "\n" + out.aligned(rows, ["path", "error"], {"path": "unreadable"})
    return text


def _cells(row: Row) -> dict[str, Any]:
    low, high = row.top1_interval
    return {
        "model": row.model,
        "top1": None if row.top1 is None else f"{row.top1:.2%}",
        "interval": f"{low:.2%} to {high:.2%}",
        "top5": None if row.top5 is None else f"{row.top5:.2%}",
        "ms": row.latency_ms if row.latency_ms < 10 else round(row.latency_ms, 1),
        "speed": round(row.images_per_second, 1),
        "size": row.size_mb,
        "memory": None if row.memory_mb is None else round(row.memory_mb),
        "agreement": None if row.agreement is None else f"{row.agreement:.1%}",
        "p": None if row.p is None else f"{row.p:.2g}",
    }


def _sentence(pair: Pair) -> str:
    """Whether the best model is significantly better than another one."""
    verdict = "which may be chance" if pair.p >= CHANCE else "a significant difference"
    return (
        f"Only {pair.one} is right on {pair.only_one:,} images, only {pair.other} on {pair.only_other:,}: "
        f"p = {pair.p:.2g}, {verdict}."
    )
