"""``zoo devices``: CPUs and GPUs, and which one is used."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli import common


@common.command("devices")
@click.option("--device", default="auto", metavar="auto|cpu|gpu|gpu:N,…", help="Device to select.")
@common.output_options
def command(device: str, format: str | None, output: Path | None) -> int:
    """List the CPU and the GPUs, their memory, the engines for them, and which one would be used.

    A requested device that does not exist is an error (exit status 4); the CPU is never used instead.
    """
    import sys

    from zoo.core import output as out
    from zoo.engines.registry import device_rows

    rows = device_rows(device)
    # A short list: one JSON array into a pipe.
    format = format or ("json" if not sys.stdout.isatty() and output is None else None)
    format = out.choose_format(format, sys.stdout, output)
    columns = ("name", "kind", "model", "memory_total", "memory_free", "engines", "selected", "reason")
    if format == "table":
        for row in rows:
            row["memory_total"] = out.human_bytes(row["memory_total"])
            row["memory_free"] = out.human_bytes(row["memory_free"])
            row["engines"] = ", ".join(row["engines"])
    with out.opened(output) as stream:
        out.write(rows, stream, format, columns=columns)
    return 0
