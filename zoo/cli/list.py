"""``zoo list``: all networks."""

from __future__ import annotations

from pathlib import Path

import click

from zoo.cli import common

COLUMNS = ("name", "family", "params", "gmacs", "input_size", "top1", "top5", "size_mb", "licence", "cached")


@common.command("list")
@click.argument("pattern", required=False)
@click.option("--cached", is_flag=True, help="Only networks whose weights are on this machine.")
@click.option("--family", metavar="NAME", help="Only one family, such as resnet.")
@click.option("--max-params", metavar="N", help="Only networks with at most N parameters, such as 5M or 500k.")
@common.output_options
def command(
    pattern: str | None,
    cached: bool,
    family: str | None,
    max_params: str | None,
    format: str | None,
    output: Path | None,
) -> int:
    """List networks with their size, cost and accuracy.

    PATTERN is part of a name, or has wildcards: 'resnet*'. top1 and top5 are published accuracies in per cent; 'zoo
    info' and --format json say how they were measured (protocol).

    \b
      zoo list mobilenet
      zoo list --cached
      zoo list --max-params 5M --format csv
    """
    import sys

    from zoo.catalog import model_card, registry
    from zoo.core import output as out
    from zoo.core.errors import UsageError

    if family and family.lower() not in (known := [name.lower() for name in registry.families()]):
        raise UsageError(f"There is no family '{family}'. The families: {', '.join(known)}.")
    specs = registry.list_models(pattern, family=family, max_params=_count(max_params) if max_params else None)
    rows = [model_card.row(spec) for spec in specs]
    if cached:
        rows = [row for row in rows if row["cached"]]
    format = out.choose_format(format, sys.stdout, output)
    with out.opened(output) as stream:
        if format == "table":
            for row in rows:
                row["input_size"] = "×".join(map(str, row["input_size"]))
        out.write(rows, stream, format, columns=COLUMNS if format == "table" else [*COLUMNS, "protocol"])
    if not rows:
        common.say(f"no network matches{f' {pattern!r}' if pattern else ''}; 'zoo list' shows all")
    return 0


def _count(text: str) -> int:
    """``5M``, ``500k``, ``1.2B`` or a plain number."""
    from zoo.core.errors import UsageError

    factor = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9}.get(text[-1].lower())
    try:
        return int(float(text[:-1]) * factor) if factor else int(text)
    except (ValueError, OverflowError):
        raise UsageError(f"--max-params takes a number such as 5000000, 5M or 500k. Received: {text}") from None
