"""``zoo check``: what is wrong with a dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.data.checks.findings import Finding, Report

#: More classes than these are not all in the table; so many of the largest and of the smallest are.
MOST_CLASSES, SHOWN_CLASSES = 30, 5
#: Findings of a kind that the table shows.
SHOWN = 3

_COLUMNS = ("kind", "severity", "text", "path", "split", "class", "advice")


@common.command("check")
@click.argument("dataset", metavar="DIR")
@common.model_option("Say which images are smaller than this network's input.")
@click.option("--no-near", is_flag=True, help="Look for copies byte for byte only, not for those to the eye.")
@click.option("--strict", is_flag=True, help="Exit 3 where there is an error or a warning.")
@common.output_options
def command(
    dataset: str, model: str | None, no_near: bool, strict: bool, format: str | None, output: Path | None
) -> int:
    """Look for what is wrong with a dataset, and change nothing.

    DIR is what 'zoo train --dataset' takes: a folder for each class, train/ val/ test/ of such, IDX files, or a
    split.csv; here also what training refuses. Found are files that cannot be read, copies of an image in several
    parts (the test then says too much) or classes, small, odd and misnamed images, and classes that are empty, small,
    or unequal. Each file is opened once.

    \b
    Exit status: 0 all files can be read, whatever else was found; 1 some cannot; 2 no dataset;
    3 with --strict, where there is an error or a warning.

    \b
      zoo check photos/
      zoo check photos/ -m mobilenetv2 --strict
      zoo check photos/ --format json | jq -r '.findings[] | select(.kind == "leak") | .paths[]'
    """
    import sys

    from zoo.core import output as out
    from zoo.core.errors import GateError
    from zoo.data.checks.inspect import inspect
    from zoo.data.dataset import read_for_check

    format = out.choose_format(format, sys.stdout, output)
    size = _input_size(model) if model else None
    found = read_for_check(dataset)
    with common.progress("looking", unit="pictures") as update:
        report = inspect(found, near=not no_near, progress=update, input_size=size)
    with out.opened(output) as stream:
        if format == "json":
            stream.write(out.to_json(report.as_dict()) + "\n")
        elif format == "table":
            stream.write(out.printable(_page(report)))
        else:
            rows = _lines(report) if format == "csv" else (finding.as_dict() for finding in report.findings)
            out.write(rows, stream, format, columns=_COLUMNS)
    unreadable = len(report.unreadable)
    if unreadable:
        common.say(f"{unreadable:,} of {report.n:,} could not be read")
    if strict and report.worst in ("error", "warning"):
        raise GateError(f"{dataset} was to be without errors and warnings, and has {_tally(report)}.")
    return 1 if unreadable else 0


def _input_size(model: str) -> tuple[int, int]:
    """Height and width of what a network takes; nothing is fetched for that."""
    from zoo.catalog import registry
    from zoo.pretrained import keras_file

    spec = keras_file.read_spec(model) if keras_file.is_file(model) else registry.resolve(model)[0]
    return spec.input_size


def _lines(report: Report) -> Iterator[dict[str, Any]]:
    """The rows of CSV: one for each file of a finding, and one for a finding without files."""
    for finding in report.findings:
        row = {"kind": finding.kind, "severity": finding.severity, "text": finding.text, "advice": finding.advice}
        if not finding.paths:
            yield {**row, "split": " ".join(finding.splits), "class": ", ".join(finding.classes)}
            continue
        for path, split, name in zip(finding.paths, finding.splits, finding.classes, strict=True):
            yield {**row, "path": path, "split": split, "class": name}


def _page(report: Report) -> str:
    """The report as a person reads it."""
    classes = f"{len(report.classes):,} class{'es' * (len(report.classes) != 1)}"
    head = f"{report.path}: {report.n:,} images, {classes}, looked at in {report.seconds:.1f} s\n"
    blocks = [_block(kind, findings, report.root) for kind, findings in report.by_kind().items()]
    end = f"{_tally(report)}\n" if blocks else "nothing found that is wrong or odd\n"
    return "\n".join([head, _table(report.counts), *blocks, end])


def _table(counts: Mapping[str, Mapping[str, int]]) -> str:
    """Images by class and part, with their sums."""
    from zoo.core import output as out

    parts = list(next(iter(counts.values()), {}))
    names = list(counts)
    if len(names) > MOST_CLASSES:
        by_size = sorted(names, key=lambda name: -sum(counts[name].values()))
        names = [*by_size[:SHOWN_CLASSES], *by_size[-SHOWN_CLASSES:]]
    rows: list[dict[str, Any]] = [{"class": name, **counts[name]} for name in names]
    if len(names) < len(counts):
        left = len(counts) - len(names)
        rows.insert(SHOWN_CLASSES, {"class": f"… {left:,} between them", **dict.fromkeys(parts)})
    totals = {part: sum(row[part] for row in counts.values()) for part in parts}
    rows.append({"class": "all", **totals})
    return out.aligned(rows, ["class", *parts])


def _block(kind: str, findings: list[Finding], root: str) -> str:
    """The findings of one kind: how many, what to do, and the first of them."""
    from zoo.data.checks.findings import KINDS

    known = KINDS[kind]
    single = known.unit in ("file", "picture")
    count = sum(finding.count for finding in findings) if single else len(findings)
    # Of images that have something in common the sentence says no more than the title.
    details = [finding.text for finding in findings]
    if known.unit == "picture":
        details = [_below(path, root) for finding in findings for path in finding.paths]
    lines = [f"{known.severity}: {known.title} ({count:,} {_plural(known.unit, count)})"]
    lines += [f"  {detail}" for detail in details[:SHOWN]]
    if len(details) > SHOWN:
        lines.append(f"  and {len(details) - SHOWN:,} more")
    return "\n".join([*lines, f"  → {known.advice}", ""])


def _plural(unit: str, count: int) -> str:
    if count == 1:
        return unit
    return f"{unit}es" if unit.endswith("s") else f"{unit}s"


def _below(path: str, root: str) -> str:
    return path.removeprefix(os.path.join(root, "") if root else "")


def _tally(report: Report) -> str:
    """``2 errors, 1 warning, 3 notes``: how many findings of each severity there are."""
    from zoo.data.checks.findings import SEVERITIES

    found = [finding.severity for finding in report.findings]
    counts = [(found.count(severity), severity) for severity in SEVERITIES]
    return ", ".join(f"{count:,} {severity}{'s' * (count != 1)}" for count, severity in counts if count)
