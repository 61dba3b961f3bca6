"""``zoo devices``: what can compute here."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli import common


@common.command("devices")
@click.option("--device", default="auto", show_default=True, metavar="auto|cpu|gpu|gpu:N,…", help="What to ask for.")
@common.output_options
def command(device: str, format: str | None, output: Path | None) -> int:
    """List the processors and GPUs, their memory, which of them zoo would take, and why.

    A device that is asked for and is not there is an error (exit status 4), never the CPU instead.
    """
    import sys

    from zoo.core import output as out
    from zoo.engines import devices

    rows = [found.as_row() for found in devices.survey(device)]
    # A list, whole or not at all: into a pipe it goes as one JSON array.
    format = format or ("json" if not sys.stdout.isatty() and output is None else None)
    format = out.choose_format(format, sys.stdout, output)
    columns = ("name", "kind", "model", "memory_total", "memory_free", "selected", "reason")
    if format == "table":
        for row in rows:
            row["memory_total"] = out.human_bytes(row["memory_total"])
            row["memory_free"] = out.human_bytes(row["memory_free"])
    with out.opened(output) as stream:
        out.write(rows, stream, format, columns=columns)
    return 0
