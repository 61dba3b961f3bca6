"""``zoo check``: find unreadable files, duplicates and class problems in a dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.cli import common

if TYPE_CHECKING:
    from zoo.data.checks.findings import CheckReport, Finding

#: With more classes than this the table shows so many of the largest and of the smallest.
MOST_CLASSES, SHOWN_CLASSES = 30, 5
SHOWN = 3  #: Findings of a kind that the table shows.

_COLUMNS = ("kind", "severity", "text", "path", "split", "class", "advice")


@common.command("check")
@click.argument("dataset", metavar="DIR")
@common.model_option("Report images that are smaller than this network's input.")
@click.option("--no-near", is_flag=True, help="Find identical files only, no near-duplicates.")
@click.option("--strict", is_flag=True, help="Exit with 3 if there is an error or a warning.")
@common.output_options
def command(
    dataset: str, model: str | None, no_near: bool, strict: bool, format: str | None, output: Path | None
) -> int:
    """Find unreadable files, duplicates and class problems in a dataset.

    DIR is what 'zoo train --dataset' takes: a folder for each class, train/ val/ test/ of such, a table with the
    columns path and label, a split.csv, or IDX files; also one that training refuses. Reported are files that cannot
    be read, duplicates and near-duplicates in several parts (test results are then too good) or classes, small, odd
    and misnamed images, and classes that are empty, small or unequal. Each file is opened once; none is changed.

    \b
    Exit status: 0 all files can be read, whatever else was found; 1 some cannot; 2 no dataset;
    3 with --strict, if there is an error or a warning.

    \b
      zoo check photos/
      zoo check photos/ -m mobilenetv2 --strict
      zoo check photos/ --format json | jq -r '.findings[] | select(.kind == "leak") | .paths[]'
    """
    import sys

    from zoo.core import output as out
    from zoo.core.errors import GateError
    from zoo.data.checks.check import check_dataset
    from zoo.data.dataset import read_for_check

    format = out.choose_format(format, sys.stdout, output)
    size = _input_size(model) if model else None
    found = read_for_check(dataset)
    with common.progress("checking", unit="images") as update:
        report = check_dataset(found, near=not no_near, progress=update, input_size=size)
    with out.opened(output) as stream:
        if format == "json":
            stream.write(out.to_json(report.as_dict()) + "\n")
        elif format == "table":
            stream.write(out.printable(_page(report)))
        else:
            rows = _lines(report) if format == "csv" else (finding.as_dict() for finding in report.findings)
            out.write(rows, stream, format, columns=_COLUMNS)
    unreadable = len(report.of_kind("unreadable"))
    if unreadable:
        common.say(f"{unreadable:,} of {report.n:,} could not be read")
    if strict and report.worst in ("error", "warning"):
        raise GateError(f"--strict expects no errors and no warnings. {dataset} has {_tally(report)}.")
    return 1 if unreadable else 0


def _input_size(model: str) -> tuple[int, int]:
    """Height and width of a network's input; nothing is downloaded."""
    from zoo.catalog import registry
    from zoo.pretrained import keras_file

    spec = keras_file.read_spec(model) if keras_file.is_file(model) else registry.resolve(model)[0]
    return spec.input_size


def _lines(report: CheckReport) -> Iterator[dict[str, Any]]:
    """The rows of CSV: one for each file of a finding, and one for a finding without files."""
    for finding in report.findings:
        row = {"kind": finding.kind, "severity": finding.severity, "text": finding.text, "advice": finding.advice}
        if not finding.paths:
            yield {**row, "split": " ".join(finding.splits), "class": ", ".join(finding.classes)}
        for path, split, name in zip(finding.paths, finding.splits, finding.classes, strict=False):
            yield {**row, "path": path, "split": split, "class": name}


def _page(report: CheckReport) -> str:
    """The report as a person reads it."""
    from zoo.data.checks.findings import counted

    classes = counted(len(report.classes), "class")
    head = f"{report.path}: {report.n:,} images, {classes}, checked in {report.seconds:.1f} s\n"
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
        rows.insert(SHOWN_CLASSES, {"class": f"… {len(counts) - len(names):,} between them", **dict.fromkeys(parts)})
    rows.append({"class": "all", **{part: sum(row[part] for row in counts.values()) for part in parts}})
    return out.aligned(rows, ["class", *parts])


def _block(kind: str, findings: list[Finding], root: str) -> str:
    """The findings of one kind: how many, what to do, and the first of them."""
    from zoo.data.checks.findings import KINDS, counted

    known = KINDS[kind]
    count = sum(finding.count for finding in findings) if known.unit in ("file", "image") else len(findings)
    details = [finding.text for finding in findings]
    if known.unit == "image":
        # The sentence says no more than the title.
        prefix = os.path.join(root, "") if root else ""
        details = [path.removeprefix(prefix) for finding in findings for path in finding.paths]
    lines = [f"{known.severity}: {known.title} ({counted(count, known.unit)})"]
    lines += [f"  {detail}" for detail in details[:SHOWN]]
    if len(details) > SHOWN:
        lines.append(f"  and {len(details) - SHOWN:,} more")
    return "\n".join([*lines, f"  → {known.advice}", ""])


def _tally(report: CheckReport) -> str:
    """``2 errors, 1 warning, 3 notes``: how many findings of each severity there are."""
    from zoo.data.checks.findings import SEVERITIES, counted

    found = [finding.severity for finding in report.findings]
    return ", ".join(counted(found.count(severity), severity) for severity in SEVERITIES if severity in found)
